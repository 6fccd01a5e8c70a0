// Package open opens by name what people name: a model, shipped or in a folder, with whatever computes it; a world,
// by its id or the level in a file; and the scene of an agent in a world.
//
// What computes registers itself, as database drivers do. A program that imports package engine has networks in pure
// Go; one that imports agent/learn (and agent/learn/rl for policies) has libtorch too.
package open

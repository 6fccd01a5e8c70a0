// Package models holds the weights that ponder ships with: each folder here, NAME/, is a checkpoint
// (package agent/checkpoint) and is compiled in. To ship another, put its folder here.
package models

// Package yielding lets a program that only watches make way for those that work on the same processors.
package yielding

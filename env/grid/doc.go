// Package grid holds what the grid worlds share: a picture-independent board of cells and pieces.
package grid

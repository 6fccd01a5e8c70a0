// Package draw has what the families paint their boards with: where the cells of a board lie in a
// picture of any size, filled rectangles, smooth shapes and centred digits. Everything is clipped to
// the picture.
package draw

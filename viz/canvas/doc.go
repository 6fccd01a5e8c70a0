// Package canvas draws shapes and text into an image.RGBA: the few that the viewer needs, antialiased,
// in points, at any scale, the same pixels on every machine.
package canvas

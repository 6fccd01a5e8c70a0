// Program train trains a network from Go, as ponder train does, and asks what it has learned. It needs libtorch.
package main

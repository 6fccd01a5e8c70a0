// Package speed measures how fast networks think and learn on libtorch: one segment or one training step of
// the sizes that matter, beside the products of the machine and, where there is a Python with torch, beside
// the same network in PyTorch (bench/hrm.py), which gets the same weights and inputs and must give the same
// outputs. `ponder bench hrm` prints it.
//
// One rule for all: a call that does not count, then calls until two seconds (Config.Each) are over, two at least; the
// least time counts, of so many calls together that they take 20 ms. With one thread that is the processor's
// time of the process, which says more than the clock on a machine with neighbours; with more threads it is
// the clock's.
package speed

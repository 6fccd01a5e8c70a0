package grid

// Visible computes what a MiniGrid agent sees of a square view. clear has a word a row, the row
// farthest from the agent first, with a bit for each cell that can be seen through; the agent
// stands in the middle of the last row. seen, of the same length, receives a bit for each visible
// cell. The view is at most 63 cells wide.
//
// Sight spreads from the agent row by row: within a row over all cells in touch with a seen one
// that can be seen through, and from each of those to its two neighbours and to the three cells
// before them in the next row. The cell that blocks sight is itself seen. MiniGrid's double sweep
// of a row (Grid.process_vis), left to right and back, comes to the same.
func Visible(clear, seen []uint64) {
	n := len(clear)
	all := uint64(1)<<n - 1
	next := uint64(1) << (n / 2)
	for j := n - 1; j >= 0; j-- {
		now := next
		next = Spread(clear[j], now) & all
		seen[j] = now | next
	}
}

// Spread returns the neighbourhood of the runs of clear that a bit of seen touches: the runs
// themselves and the bit on both sides of each.
func Spread(clear, seen uint64) uint64 {
	run := seen & clear
	// A carry runs up through the ones of clear from every seed; what it changed is the run above.
	run |= ((run + clear) ^ clear) & clear
	// Down, by doubling.
	open := clear
	for shift := 1; shift < 64; shift *= 2 {
		run |= open & (run >> shift)
		open &= open >> shift
	}
	return run | run<<1 | run>>1
}

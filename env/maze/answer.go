package maze

// AppendMarked reads an answer that marks a way: it appends the cells from start to goal if the
// marked cells are one way between them and nothing else, so that each cell has one next. marked has
// rows*cols entries; those of start and goal don't matter. It appends nothing if a wall is marked,
// the way breaks off, forks or touches itself, or cells beside it are marked.
func (m *Maze) AppendMarked(dst []int, marked []bool) []int {
	left := 0
	for i, mark := range marked {
		if mark && i != m.Start && i != m.Goal {
			if m.Wall[i] {
				return dst
			}
			left++
		}
	}
	n := len(dst)
	dst = append(dst, m.Start)
	from, at := -1, m.Start
	for at != m.Goal {
		next := -1
		for dir := range 4 {
			to := m.Next(at, dir)
			if to == at || to == from || to == m.Start || to != m.Goal && !marked[to] {
				continue
			}
			if next >= 0 || left == 0 && to != m.Goal { // a fork, or around in a ring
				return dst[:n]
			}
			next = to
		}
		if next < 0 {
			return dst[:n]
		}
		if next != m.Goal {
			left--
		}
		from, at = at, next
		dst = append(dst, at)
	}
	if left > 0 {
		return dst[:n]
	}
	return dst
}

// AppendTraced appends the cells that one comes to from the start who steps from marked cell to marked
// cell, up before down, left and right, never straight back: until the goal, a cell from which none
// goes on or, for one who goes round, as many moves as the maze has cells. The goal is reached if it
// is the last of them. marked is as in AppendMarked, but may hold anything.
func (m *Maze) AppendTraced(dst []int, marked []bool) []int {
	n := len(dst)
	dst = append(dst, m.Start)
	for from, at := -1, m.Start; at != m.Goal && len(dst)-n <= len(m.Wall); {
		next := -1
		for dir := range 4 {
			to := m.Next(at, dir)
			if to == m.Goal || to != at && to != from && next < 0 && marked[to] {
				next = to
			}
			if to == m.Goal {
				break
			}
		}
		if next < 0 {
			break
		}
		from, at = at, next
		dst = append(dst, at)
	}
	return dst
}

// AppendFollowed appends the cells that one comes to from the start by the direction of each cell,
// until the goal, a wall, a value that is no direction or, for one who goes round, as many moves as
// the maze has cells. The goal is reached if it is the last of them. directions has rows*cols
// entries.
func (m *Maze) AppendFollowed(dst []int, directions []uint8) []int {
	n := len(dst)
	dst = append(dst, m.Start)
	for at := m.Start; at != m.Goal; {
		dir := int(directions[at])
		if dir > Right {
			break
		}
		next := m.Next(at, dir)
		if next == at || len(dst)-n > len(m.Wall) {
			break
		}
		dst = append(dst, next)
		at = next
	}
	return dst
}

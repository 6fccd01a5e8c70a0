package run

import "slices"

// A Curve is how a run comes on.
type Curve struct {
	Name   string    // of the metric
	Steps  []int64   // rising
	Values []float64 // by step
}

// ReadCurve reads the metric by which the training of the run in dir is followed: the mean return of an agent, else the exact
// accuracy, else the loss. It has no name where there is none as yet.
func ReadCurve(dir string) (Curve, error) {
	found := map[string]*Curve{}
	_, err := EachLine(dir, func(l Line) {
		if l.Kind != "train" {
			return
		}
		for name, x := range l.Values {
			c := found[name]
			if c == nil {
				c = &Curve{Name: name}
				found[name] = c
			}
			c.Steps, c.Values = append(c.Steps, l.Step), append(c.Values, x)
		}
	})
	names := []string{"mean_return", "exact_accuracy", "loss"}
	if i := slices.IndexFunc(names, func(name string) bool { return found[name] != nil }); i >= 0 && err == nil {
		return *found[names[i]], nil
	}
	return Curve{}, err
}

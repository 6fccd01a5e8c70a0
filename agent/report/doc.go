// Package report shows what training runs came to: curves with bands over seeds, tables with intervals,
// what thinking cost, as one HTML page that needs nothing beside it, and as PNGs.
//
//	runs, notes, err := report.Load("runs")         // folders of runs, and all runs below others
//	groups := report.Groups(runs)                   // runs that differ in nothing but their seed are one
//	page := report.New(groups, notes, report.Options{})
//	err = page.WriteHTML(w)
//
// [Figures] are what a program of its own may draw otherwise or write elsewhere. They are drawn by
// gonum.org/v1/plot.
package report

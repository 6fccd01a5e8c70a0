package report

import "testing"

func TestTitle(t *testing.T) {
	for k, want := range map[Key]string{
		{"eval", "exact_accuracy"}: "Exact accuracy, evaluations",
		{"train", "übung"}:         "Übung, while training",
		{"train", ""}:              ", while training",
	} {
		if got := title(k); got != want {
			t.Errorf("%v: %q, want %q", k, got, want)
		}
	}
}

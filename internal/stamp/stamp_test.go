package stamp

import "testing"

func TestSource(t *testing.T) {
	defer func(was string) { git = was }(git)
	for given, want := range map[string][3]string{
		"abc,2026-01-02T03:04:05Z,":        {"abc", "2026-01-02T03:04:05Z", ""},
		"abc,2026-01-02T03:04:05Z,changed": {"abc", "2026-01-02T03:04:05Z", "changed"},
	} {
		git = given
		if revision, time, modified := Source(); revision != want[0] || time != want[1] || modified != (want[2] != "") {
			t.Errorf("%q: %q %q %v", given, revision, time, modified)
		}
	}
	git = ",,changed" // no git
	if revision, _, _ := Source(); revision == "abc" {
		t.Error("a revision of nowhere")
	}
}

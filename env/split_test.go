package env_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		split       env.Split
		train, test string
		err         string
	}{
		{env.Split{}, "0:0", "0:0", ""},
		{env.Split{Levels: "0:100"}, "0:100", "100:18446744073709551615", ""},
		{env.Split{Levels: "50:100", TestLevels: "0:50"}, "50:100", "0:50", ""},
		{env.Split{Levels: "0:100", TestLevels: "99:200"}, "", "", "test_levels is 99:200, want none of levels, which are 0:100"},
		{env.Split{TestLevels: "0:5"}, "", "", "test_levels is 0:5, want levels besides"},
		{env.Split{Levels: "5:5"}, "", "", "levels: 5:5: want LO:HI with LO < HI"},
		{env.Split{Levels: "0:18446744073709551615"}, "", "", "leaves levels to be examined on"},
	} {
		train, test, err := tt.split.Ranges()
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%+v: error %v, want %s", tt.split, err, tt.err)
			}
		} else if err != nil || train.String() != tt.train || test.String() != tt.test {
			t.Errorf("%+v: %v and %v, error %v", tt.split, train, test, err)
		}
	}
	options := []string{"limit=3"}
	if got := (env.Range{Lo: 2, Hi: 5}).On(options); !slices.Equal(got, []string{"limit=3", "levels=2:5"}) || !slices.Equal((env.Range{}).On(options), options) {
		t.Errorf("options %q", got)
	}
}

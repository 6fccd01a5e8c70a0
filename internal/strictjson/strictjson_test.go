package strictjson

import (
	"encoding/json"
	"errors"
	"testing"
)

// An outer has an inner that reads itself, as configurations with fields of before do.
type outer struct {
	Name  string `json:"name"`
	Inner inner  `json:"inner"`
}

type inner struct {
	Width int `json:"width"`
}

func (in *inner) UnmarshalJSON(data []byte) error {
	type plain inner
	return Unmarshal(data, (*plain)(in))
}

func TestUnmarshal(t *testing.T) {
	got := outer{Name: "as it was"}
	if err := Unmarshal([]byte(`{"inner": {"width": 3}}`), &got); err != nil || got != (outer{"as it was", inner{3}}) {
		t.Errorf("%+v, error %v", got, err)
	}
	for text, want := range map[string]FieldError{
		`{"nme": "x"}`:              {"nme", "unknown"},
		`{"name": 2}`:               {"name", "number, want string"},
		`{"inner": {"wdth": 2}}`:    {"wdth", "unknown"},
		`{"inner": {"width": "x"}}`: {"width", "string, want int"},
	} {
		for how, read := range map[string]func([]byte, any) error{"strictly": Unmarshal, "by json.Unmarshal": json.Unmarshal} {
			if how != "strictly" && want.Field[0] == 'n' {
				continue // the outer's own fields are encoding/json's matter
			}
			err, ok := errors.AsType[*FieldError](read([]byte(text), &got))
			if !ok || *err != want || err.Unknown() != (want.What == "unknown") {
				t.Errorf("%s %s: error %v, want %v", text, how, err, &want)
			}
		}
	}
	if err := Unmarshal([]byte(`{"name": `), &got); err == nil {
		t.Error("half a text is read")
	}
}

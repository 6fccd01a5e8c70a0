package puzzle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/internal/text"
)

// Meta is dataset.json of a split.
type Meta struct {
	PadID              int      `json:"pad_id"`
	IgnoreLabelID      *int     `json:"ignore_label_id"` // labels equal to it become Ignore; nil: none
	BlankIdentifierID  int      `json:"blank_identifier_id"`
	VocabSize          int      `json:"vocab_size"`
	SeqLen             int      `json:"seq_len"`
	NumIdentifiers     int      `json:"num_puzzle_identifiers"` // the blank one included
	TotalGroups        int      `json:"total_groups"`
	MeanPuzzleExamples float64  `json:"mean_puzzle_examples"`    // examples / puzzles
	TotalPuzzles       int      `json:"total_puzzles,omitempty"` // TRM only
	Sets               []string `json:"sets"`
}

// Shape is what a network must know of the rows.
func (m Meta) Shape() Shape {
	return Shape{SeqLen: m.SeqLen, Vocab: m.VocabSize, Identifiers: m.NumIdentifiers}
}

// Steps is the number of training steps of a run as the reference counts them (pretrain.py):
// int(epochs * groups * mean examples of a puzzle / batch).
func (m Meta) Steps(epochs, batch int) int {
	return int(float64(epochs) * float64(m.TotalGroups) * m.MeanPuzzleExamples / float64(batch))
}

// ParseMeta reads dataset.json. Unknown fields are left alone, as builders add their own.
func ParseMeta(data []byte) (Meta, error) {
	var m Meta
	if err := json.Unmarshal(data, &m); err != nil {
		return Meta{}, jsonError(data, err)
	}
	return m, m.validate()
}

// validate reports every field that makes no sense.
func (m Meta) validate() error {
	var errs []error
	bad := func(field string, got any, want string) {
		errs = append(errs, fmt.Errorf("field %s: %v, want %s", field, got, want))
	}
	token := fmt.Sprintf("a token in [0, %d)", m.VocabSize)
	if m.VocabSize < 2 || m.VocabSize > 1<<20 {
		bad("vocab_size", m.VocabSize, "2 to 1048576")
	} else {
		if m.PadID < 0 || m.PadID >= m.VocabSize {
			bad("pad_id", m.PadID, token)
		}
		if p := m.IgnoreLabelID; p != nil && *p != Ignore && (*p < 0 || *p >= m.VocabSize) {
			bad("ignore_label_id", *p, token+" or null")
		}
	}
	if m.SeqLen < 1 || m.SeqLen > 1<<20 {
		bad("seq_len", m.SeqLen, "1 to 1048576")
	}
	if m.NumIdentifiers < 1 || m.NumIdentifiers > 1<<30 {
		bad("num_puzzle_identifiers", m.NumIdentifiers, "at least 1, the blank one")
	} else if m.BlankIdentifierID < 0 || m.BlankIdentifierID >= m.NumIdentifiers {
		bad("blank_identifier_id", m.BlankIdentifierID, fmt.Sprintf("an identifier in [0, %d)", m.NumIdentifiers))
	}
	if m.TotalGroups < 0 {
		bad("total_groups", m.TotalGroups, "at least 0")
	}
	if !(m.MeanPuzzleExamples >= 0) {
		bad("mean_puzzle_examples", m.MeanPuzzleExamples, "at least 0")
	}
	if len(m.Sets) != 1 {
		bad("sets", m.Sets, "one name")
	} else if s := m.Sets[0]; s == "" || strings.ContainsAny(s, `/\`+"\x00") {
		bad("sets", fmt.Sprintf("%q", s), "a file name")
	}
	return errors.Join(errs...)
}

// Encode is dataset.json as Python's json.dump writes it.
func (m Meta) Encode() []byte {
	null := func(p *int) string {
		if p == nil {
			return "null"
		}
		return strconv.Itoa(*p)
	}
	mean := strconv.FormatFloat(m.MeanPuzzleExamples, 'g', -1, 64)
	if !strings.ContainsAny(mean, ".e") {
		mean += ".0"
	}
	total := ""
	if m.TotalPuzzles > 0 {
		total = fmt.Sprintf(`"total_puzzles": %d, `, m.TotalPuzzles)
	}
	return fmt.Appendf(nil, `{"pad_id": %d, "ignore_label_id": %s, "blank_identifier_id": %d, "vocab_size": %d, "seq_len": %d, `+
		`"num_puzzle_identifiers": %d, "total_groups": %d, "mean_puzzle_examples": %s, %s"sets": %s}`,
		m.PadID, null(m.IgnoreLabelID), m.BlankIdentifierID, m.VocabSize, m.SeqLen,
		m.NumIdentifiers, m.TotalGroups, mean, total, encodeNames(m.Sets))
}

// encodeNames is a list of strings as Python's json.dump writes it.
func encodeNames(names []string) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.Encode(n) // a string always encodes
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte(']')
	return b.Bytes()
}

// Bounds of a dataset's JSON, in bytes.
const (
	maxMeta  = 1 << 20
	maxNames = 256 << 20 // identifiers.json
)

// readNames reads identifiers.json; the names are nil if the file does not exist.
func readNames(path string) ([]string, error) {
	data, err := text.ReadBytes(path, maxNames)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return nil, fmt.Errorf("%s: %w", path, jsonError(data, err))
	}
	return names, nil
}

// jsonError adds line and column to an error of encoding/json.
func jsonError(data []byte, err error) error {
	offset := int64(-1)
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = s.Offset
	} else if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = t.Offset
	}
	if offset < 0 || offset > int64(len(data)) {
		return err
	}
	before := data[:offset]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fmt.Errorf("line %d, column %d: %w", line, len(before)-bytes.LastIndexByte(before, '\n')-1, err)
}

func metaPath(dir, split string) string { return filepath.Join(dir, split, "dataset.json") }
func namesPath(dir string) string       { return filepath.Join(dir, "identifiers.json") }
func arrayPath(dir, split, set, array string) string {
	return filepath.Join(dir, split, set+"__"+array+".npy")
}

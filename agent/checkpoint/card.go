package checkpoint

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/ponder-agents/ponder/internal/plainyaml"
)

// A Card is the model card: its front matter, which programs read, and the text below it. Library,
// licence and tags are those that model hubs know.
type Card struct {
	Library    string   `yaml:"library_name"`
	License    string   `yaml:"license,omitempty"`
	Tags       []string `yaml:"tags,omitempty"`
	Name       string   `yaml:"name"`
	Summary    string   `yaml:"summary"`
	Env        string   `yaml:"env,omitempty"`        // id of the environment or task
	Parameters int64    `yaml:"parameters,omitempty"` // trained numbers
	Command    string   `yaml:"command,omitempty"`    // that trains it again
	Results    []Result `yaml:"results,omitempty"`
	Text       string   `yaml:"-"` // Markdown: data, recipe, limits
}

// A Result is a measured number.
type Result struct {
	Metric string  `yaml:"metric"` // "optimal", "success"
	On     string  `yaml:"on"`     // data: "maze 15x15, 1,000 held-out layouts, seed 1"
	Value  float64 `yaml:"value"`
}

const (
	fence    = "---\n"
	cardHead = fence + "library_name: ponder\n" // of every card of ours
)

// Markdown is the whole README.md.
func (c Card) Markdown() string {
	if c.Library == "" {
		c.Library = "ponder"
	}
	front, err := yaml.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("checkpoint: card: %v", err)) // strings and numbers only
	}
	var b strings.Builder
	b.WriteString(fence + string(front) + fence)
	fmt.Fprintf(&b, "\n# %s\n\n%s\n", c.Name, c.Summary)
	if len(c.Results) > 0 {
		b.WriteString("\n| metric | on | value |\n|---|---|---|\n")
		for _, r := range c.Results {
			fmt.Fprintf(&b, "| %s | %s | %g |\n", r.Metric, r.On, r.Value)
		}
	}
	if c.Command != "" {
		fmt.Fprintf(&b, "\nTrained by\n\n    %s\n", c.Command)
	}
	if c.Text != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.Text))
	}
	return b.String()
}

// ParseCard reads the front matter of a README.md; Text is what is below it, whole.
func ParseCard(markdown string) (Card, error) {
	markdown = strings.ReplaceAll(markdown, "\r\n", "\n")
	rest, ok := strings.CutPrefix(markdown, fence)
	front, text, closed := strings.Cut(rest, "\n"+fence)
	if !ok || !closed {
		return Card{}, fmt.Errorf("model card: no front matter between lines of ---")
	}
	var c Card
	if err := plainyaml.Unmarshal([]byte(front), &c); err != nil {
		return Card{}, fmt.Errorf("model card: %w", err)
	}
	c.Text = strings.TrimSpace(text)
	return c, nil
}

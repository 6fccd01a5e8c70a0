package viz

import (
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// headerPane is the name of the environment and who acts.
func headerPane() Pane {
	return Pane{
		ID: "header",
		Place: func(r *Room) (place []canvas.Rect) {
			place = make([]canvas.Rect, 1)
			place[0], r.Page = r.Page.Top(40)
			return place
		},
		Draw:  drawHeader,
		Shows: func(v *View) any { return v.Note },
	}
}

func drawHeader(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	c.Fill(r, t.Back)
	_, in := r.Left(2 * gap)
	_, in = in.Right(2 * gap)
	name := v.Header.EnvID
	if name == "" {
		name = "ponder"
	}
	f := canvas.Font{Face: canvas.Bold, Size: 15}
	who := Who(v.Header)
	if v.Step != nil && v.Step.Person {
		who = "played by a person"
	}
	w := canvas.Width(who, fontBody)
	c.TextIn(in, who, fontBody, canvas.Right, t.Muted)
	_, in = in.Right(w + 2*gap)
	c.TextIn(in, name, f, canvas.Left, t.Text)
	if v.Note != "" {
		_, in = in.Left(canvas.Width(name, f) + 2*gap)
		c.TextIn(in, v.Note, fontBody, canvas.Left, t.Continue)
	}
}

// modelName is a name, or the last two parts of a path.
func modelName(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '\\' })
	return strings.Join(parts[max(len(parts)-2, 0):], "/")
}

// ruleWords says when the model halts; what act.Rule does not know is left as it is.
func ruleWords(h trace.Header) string {
	switch h.Rule {
	case "halt-over-continue":
		return "stops when stop > think on"
	case "halt-above":
		return fmt.Sprintf("stops when stop > %.2g", probability(h.Threshold))
	case "never":
		return "always thinks to the limit"
	}
	return h.Rule
}

// Who says who acts and by which rule it halts.
func Who(h trace.Header) string {
	switch {
	case h.Model != "" && h.Rule != "":
		return "model " + modelName(h.Model) + ", " + ruleWords(h)
	case h.Model != "":
		return "model " + modelName(h.Model)
	case h.Agent == "":
		return ""
	case h.Agent == trace.Human:
		return "played by a person"
	}
	return "played by " + AgentWords(h.Agent)
}

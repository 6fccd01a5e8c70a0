// Package plainyaml reads small YAML texts that may come from anyone: no aliases, by which a few
// hundred bytes can stand for an endless text, a bounded size, since the parser's time grows with the
// square of the nesting, and errors of one line instead of a picture.
package plainyaml

package gotch

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A function of gotch's generated C++: its name and lines.
type cFunction struct {
	name   string
	header string // up to and with the brace
	lines  []string
}

var (
	cHeader   = regexp.MustCompile(`^\w[^;{}]*?(\w+)\(([^)]*)\) \{$`)
	cOperands = regexp.MustCompile(`\b(?:tensor|scalar|optimizer|module|ivalue) (\w+)\b`)
)

// splitFunctions cuts torch_api_generated.cpp.h into its functions.
func splitFunctions(src string) ([]cFunction, error) {
	var list []cFunction
	lines := strings.Split(src, "\n")
	for i := 0; i < len(lines); i++ {
		m := cHeader.FindStringSubmatch(lines[i])
		if m == nil {
			if s := strings.TrimSpace(lines[i]); s != "" && !strings.HasPrefix(s, "//") {
				return nil, fmt.Errorf("torch_api_generated.cpp.h:%d: %q is no function", i+1, lines[i])
			}
			continue
		}
		f := cFunction{name: m[1], header: lines[i]}
		for i++; i < len(lines) && lines[i] != "}"; i++ {
			f.lines = append(f.lines, guarded(lines[i], m[2]))
		}
		list = append(list, f)
	}
	return list, nil
}

// guarded makes the line look at its operands by ponder_ref, for which a dropped one is an error.
func guarded(line, params string) string {
	for _, m := range cOperands.FindAllStringSubmatch(params, -1) {
		name := m[1]
		line = regexp.MustCompile(`\*`+name+`\b`).ReplaceAllString(line, "ponder_ref("+name+")")
		line = regexp.MustCompile(`\b`+name+`->`).ReplaceAllString(line, "ponder_ref("+name+").")
	}
	return line
}

// missing makes f an error at run time.
func (f *cFunction) missing(version string) {
	f.lines = []string{fmt.Sprintf(`  PROTECT(throw std::runtime_error("%s is not available in libtorch %s");)`, f.name, version)}
	if !strings.HasPrefix(f.header, "void ") {
		f.lines = append(f.lines, "  return {};")
	}
}

// A part is one translation unit of generated functions.
type part struct {
	file  string
	funcs []cFunction
	start []int // the line on which each function begins, counted from 1
}

const partHead = "#include \"torch_api.h\"\n"

func (p *part) source() string {
	var out strings.Builder
	out.WriteString(partHead)
	line := 1 + strings.Count(partHead, "\n")
	p.start = p.start[:0]
	for _, f := range p.funcs {
		p.start = append(p.start, line)
		out.WriteString(f.header + "\n")
		for _, l := range f.lines {
			out.WriteString(l + "\n")
		}
		out.WriteString("}\n")
		line += len(f.lines) + 2
	}
	return out.String()
}

// refused returns the indices of the functions that the compiler's messages name.
func (p *part) refused(messages string) []int {
	at := regexp.MustCompile(`(?m)\b` + regexp.QuoteMeta(p.file) + `:(\d+):\d+: (?:fatal )?error`)
	// An error inside a template of libtorch is reported there; the line that asked for it follows.
	from := regexp.MustCompile(`(?m)\b` + regexp.QuoteMeta(p.file) + `:(\d+):\d+:\s+required from`)
	seen := map[int]bool{}
	var list []int
	for _, re := range []*regexp.Regexp{at, from} {
		for _, m := range re.FindAllStringSubmatch(messages, -1) {
			line, err := strconv.Atoi(m[1])
			if err != nil {
				continue
			}
			for i := len(p.start) - 1; i >= 0; i-- {
				if p.start[i] <= line {
					if !seen[i] {
						seen[i] = true
						list = append(list, i)
					}
					break
				}
			}
		}
	}
	return list
}

// apiHeader replaces the head of gotch's torch_api.h.
func apiHeader(original, head string) (string, error) {
	at := strings.Index(original, "char *get_and_reset_last_err();")
	if at < 0 {
		return "", fmt.Errorf("torch_api.h does not declare get_and_reset_last_err: not the gotch that this was written for")
	}
	return head + "\n" + original[at:], nil
}

var (
	cParams     = regexp.MustCompile(`\(([^)]*)\)`)
	lastErr     = regexp.MustCompile(`(?s)char \*get_and_reset_last_err\(\) \{.*?\n\}\n`)
	unprotected = []struct{ old, new string }{
		{"void at_manual_seed(int64_t seed) { torch::manual_seed(seed); }", "void at_manual_seed(int64_t seed) { PROTECT(torch::manual_seed(seed);) }"},
		{"void at_autocast_clear_cache() { at::autocast::clear_cache(); }", "void at_autocast_clear_cache() { PROTECT(at::autocast::clear_cache();) }"},
		{"  at::globalContext().setBenchmarkCuDNN(b);", "  PROTECT(at::globalContext().setBenchmarkCuDNN(b);)"},
		{"    result.push_back(*(vs[i]));", "    result.push_back(ponder_ref(vs[i]));"},
		{"  static vector<double> learning_rates(ngroup);", "  vector<double> learning_rates(ngroup);"},
		{"torch::Tensor *tensor = (torch::Tensor *)t; cout << *tensor << endl;", "cout << *t << endl;"},
		{"#include \"torch_api_generated.cpp.h\"\n", ""},
	}
)

// core edits torch_api.cpp, the part of the wrappers that was written by hand.
func core(original, tail string) (string, error) {
	src := lastErr.ReplaceAllString(original, "")
	for _, r := range unprotected {
		if !strings.Contains(src, r.old) {
			return "", fmt.Errorf("torch_api.cpp has no %q: not the gotch that this was written for", r.old)
		}
		src = strings.Replace(src, r.old, r.new, 1)
	}
	blocks := strings.Split(src, "\n\n")
	for i, b := range blocks {
		params := cParams.FindStringSubmatch(b)
		if head, body, ok := strings.Cut(b, "{"); ok && params != nil && strings.Contains(body, "PROTECT(") {
			blocks[i] = head + "{" + guarded(body, params[1])
		}
	}
	src = strings.Join(blocks, "\n\n")
	return "#define PONDER_WHOLE_TORCH\n#include <cstring>\n" + src + tail, nil
}

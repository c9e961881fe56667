package eval

import (
	"fmt"
	"io"
	"strings"
)

// WriteTable writes the scores and counts as text, scores times 100 as papers
// print them.
func (r *Result) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s %6s", "metric", "x100")
	if r.Intervals != nil {
		b.WriteString("   95 % interval")
	}
	b.WriteString("\n")
	for _, s := range r.Scores {
		line := fmt.Sprintf("%-10s %6.1f   %s", s.Name, 100*s.Value, r.interval(s.Name))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(&b, "\n%s, %s, %s, %s, %.1f words each\n",
		count(len(r.Items), "picture"), count(r.References, "reference"),
		count(r.DistinctCaptions, "distinct caption"), count(r.WordsUsed, "different word"), r.MeanWords)
	if r.BadEndings > 0 {
		fmt.Fprintf(&b, "cut short, ending in \"a\", \"of\", \"with\" or the like: %s\n", count(r.BadEndings, "caption"))
	}
	if c := r.Confidence; c != nil {
		fmt.Fprintf(&b, "confidence is off by %.1f %% (expected calibration error); the surest half scores %.1f CIDEr-D\n", 100*c.Error, 100*c.Coverage[4])
	}
	fmt.Fprintf(&b, "captioned in %.1f s, %.1f pictures a second\n", r.Seconds, r.PicturesPerSecond())
	list(&b, count(len(r.Problems), "picture")+" not captioned", r.Problems)
	list(&b, count(len(r.Warnings), "note"), r.Warnings)
	_, err := io.WriteString(w, b.String())
	return err
}

// list writes up to ten lines; the JSON has all.
func list[T any](b *strings.Builder, title string, lines []T) {
	const most = 10
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, line := range lines[:min(most, len(lines))] {
		fmt.Fprintf(b, "  %v\n", line)
	}
	if more := len(lines) - most; more > 0 {
		fmt.Fprintf(b, "  and %s more\n", grouped(more))
	}
}

// count is "1 picture", "1,000 pictures".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(n) + " " + what + "s"
}

// grouped writes a number with commas between thousands.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

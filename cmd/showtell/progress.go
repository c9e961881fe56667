package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar is a progress bar on the error stream, if somebody looks at it;
// otherwise its methods do nothing.
type bar struct{ b *progressbar.ProgressBar }

func (s streams) bar(what string, total int) bar {
	if !isTerminal(s.err) {
		return bar{}
	}
	return bar{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(s.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
	)}
}

func (b bar) set(done int) {
	if b.b != nil {
		b.b.Set(done)
	}
}

func (b bar) describe(what string) {
	if b.b != nil {
		b.b.Describe(what)
	}
}

// clear makes room for a line of output; the bar comes back with the next set.
func (b bar) clear() {
	if b.b != nil {
		b.b.Clear()
	}
}

func (b bar) finish() {
	if b.b != nil {
		b.b.Finish()
	}
}

// lazyBar is a callback for (done, total) that makes its bar when first called.
func (s streams) lazyBar(what string) (step func(done, total int), finish func()) {
	var b bar
	return func(done, total int) {
			if b.b == nil {
				b = s.bar(what, total)
			}
			b.set(done)
		}, func() {
			b.finish()
		}
}

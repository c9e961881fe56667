//go:build !linux

package tensor

import "runtime"

// yield lets another goroutine have the processor, if one waits for it.
func yield() { runtime.Gosched() }

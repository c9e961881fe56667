//go:build !unix

package main

import "time"

var started = time.Now()

// processorSeconds is how long the program has run.
func processorSeconds() float64 { return time.Since(started).Seconds() }

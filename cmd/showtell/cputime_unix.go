//go:build unix

package main

import "syscall"

// processorSeconds is how long the program has computed, whatever else the machine
// did meanwhile.
func processorSeconds() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

package tensor

import "golang.org/x/sys/cpu"

const (
	levelAVX2   level = 1 + iota // with FMA and F16C
	levelAVX512                  // F, BW, DQ and VL
)

var levelNames = [...]string{"generic", "avx2", "avx512"}

// machineLevel is the best level of this machine.
func machineLevel() level {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA || !x.HasF16C:
		return levelGeneric
	case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ:
		return levelAVX512
	}
	return levelAVX2
}

package tensor

import "os"

// A level is a set of processor instructions; each includes those before it.
type level int

const (
	levelGeneric level = iota
	levelAVX2          // with FMA and F16C
	levelAVX512        // F, BW, DQ and VL
)

var levelNames = [...]string{"generic", "avx2", "avx512"}

func (l level) String() string { return levelNames[l] }

// cpuLevel is what this process uses: the best that the machine has, or the lower one that
// SHOWTELL_CPU names.
var cpuLevel = chooseLevel(os.Getenv("SHOWTELL_CPU"), machineLevel())

func chooseLevel(name string, best level) level {
	for l := levelGeneric; l <= best; l++ {
		if l.String() == name {
			return l
		}
	}
	return best
}

// CPU names the instructions in use: "avx512", "avx2" or "generic". The environment variable
// SHOWTELL_CPU, read when the program starts, forces a lower one.
func CPU() string { return cpuLevel.String() }

package tensor

import "os"

// A level is a set of processor instructions; each includes those before it. Those beyond
// levelGeneric, and all names, are an architecture's own.
type level int

const levelGeneric level = 0

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

// CPU names the instructions in use: "avx512" or "avx2" on amd64, "neon" on arm64, or "generic". The
// environment variable SHOWTELL_CPU, read when the program starts, forces a lower one.
func CPU() string { return cpuLevel.String() }

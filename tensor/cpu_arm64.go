package tensor

// levelNEON is base ARMv8, which every arm64 processor has.
const levelNEON level = 1

var levelNames = [...]string{"generic", "neon"}

func machineLevel() level { return levelNEON }

package main

// accumulators are enough chains of multiply-adds to hide how long one takes.
const accumulators = 24

// peak writes a loop of nothing but multiply-adds in registers.
func (w *writer) peak() {
	w.begin("fmaNEON", "(n int)", 8)
	w.op("MOVD n+0(FP), R0")
	for v := range accumulators + 2 {
		w.zero(v)
	}
	w.label("loop")
	for v := range accumulators {
		w.arm("fmla v%.4s, v%.4s, v%.4s", v, accumulators, accumulators+1)
	}
	w.op("SUBS $1, R0")
	w.op("BNE loop")
	w.op("RET")
}

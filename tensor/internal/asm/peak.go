package main

// accumulators are enough chains of multiply-adds to hide how long one takes.
const accumulators = 12

// writePeak writes a loop of nothing but multiply-adds in registers.
func writePeak(w *writer) {
	w.begin("fma"+w.name, "(n int)", 8)
	w.op("MOVQ", "n+0(FP)", "CX")
	for i := range accumulators + 2 {
		w.zero(w.reg(i))
	}
	w.label("loop")
	for i := range accumulators {
		w.op("VFMADD231PS", w.reg(accumulators), w.reg(accumulators+1), w.reg(i))
	}
	w.op("DECQ", "CX")
	w.op("JNZ", "loop")
	w.end()
}

package tensor

// FloatingPoint does as many floating-point operations as the processor can, multiply-adds in
// registers on one core, for some milliseconds, and returns how many; a multiply-add is two. It is
// what the speed of anything else is a share of.
func FloatingPoint() int64 {
	const rounds, each = 100, 1 << 12 // short calls, which the garbage collector need not wait for
	for range rounds {
		kern.fma(each)
	}
	return 2 * rounds * each * int64(kern.fmaSize)
}

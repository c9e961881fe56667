// Command neon writes the arm64 kernels of package tensor: assembly, and Go declarations.
//
// Run it by "go generate" in package tensor; its argument is the folder to write to. Its test fails
// while the files there differ from what it writes. Go's assembler knows few of the vector
// instructions; the others are written as words (encode.go), which a test compares with what GNU as
// makes of them.
package main

import (
	"showtell/tensor/internal/asm/gen"
)

func main() { gen.Main(files) }

// files is the text of every generated file by its name.
func files() (map[string][]byte, error) {
	gemm, vector, conv := newWriter(), newWriter(), newWriter()
	tables := gemm.gemms()
	gemm.packCopy()
	gemm.packTrans()
	vector.arithmetic()
	vector.reductions()
	vector.exponentials()
	vector.updates()
	vector.halves()
	vector.peak()
	tables += conv.convs() + conv.depthwises()
	text, err := declarations(tables, gemm, vector, conv)
	return map[string][]byte{
		"gemm_neon_arm64.s":   gemm.code.Bytes(),
		"vector_neon_arm64.s": vector.code.Bytes(),
		"conv_neon_arm64.s":   conv.code.Bytes(),
		"neon_arm64.go":       text,
	}, err
}

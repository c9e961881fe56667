// Command asm writes the assembly of package tensor: matrix product, packing and vector kernels, each for
// AVX-512 and for AVX2. Run it with "go generate ./tensor"; its test fails while the files beside
// the package differ from what it writes.
package main

import "showtell/tensor/internal/asm/gen"

func main() { gen.Main(files) }

// files is the text of every generated file by its name.
func files() (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, set := range []*isa{avx512, avx2} {
		gemm, vector := newWriter(set), newWriter(set)
		writeGemm(gemm)
		writePack(gemm)
		writeVectors(vector)
		writePeak(vector)
		all["gemm_"+set.file+"_amd64.s"] = []byte(gemm.String())
		all["vector_"+set.file+"_amd64.s"] = []byte(vector.String())
	}
	return all, nil
}

// Command asm writes the assembly of package tensor: matrix product, packing and vector kernels, each for
// AVX-512 and for AVX2. Run it with "go generate ./tensor"; its test fails while the files beside
// the package differ from what it writes.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	for name, text := range files() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// files is the text of every generated file by its name.
func files() map[string]string {
	all := map[string]string{}
	for _, set := range []*isa{avx512, avx2} {
		gemm, vector := newWriter(set), newWriter(set)
		writeGemm(gemm)
		writePack(gemm)
		writeVectors(vector)
		writePeak(vector)
		all["gemm_"+set.file+"_amd64.s"] = gemm.String()
		all["vector_"+set.file+"_amd64.s"] = vector.String()
	}
	return all
}

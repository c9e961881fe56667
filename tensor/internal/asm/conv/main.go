// Command conv writes the convolution kernels of package tensor: assembly, and Go declarations.
//
// Run it by "go generate" in package tensor; its argument is the folder to write to. Its test fails
// while the files there differ from what it writes. A kernel works on a strip of neighbouring output
// pixels and one group of channels, and keeps all its sums in registers. There is one for each strip
// length, so that no strip does work for nothing.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: conv FOLDER")
	}
	all, err := files()
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// files is the text of every generated file by its name.
func files() (map[string][]byte, error) {
	all := map[string][]byte{}
	var conv, depthwise set
	for _, isa := range []isa{avx512, avx2} {
		a := newAssembly()
		for _, width := range isa.widths {
			for n := 1; n <= isa.pixels(width); n++ {
				conv.add(isa, width, convKernel(a, isa, width, n))
			}
		}
		all["conv_"+isa.file+"_amd64.s"] = a.Bytes()

		a = newAssembly()
		for _, size := range []int{3, 5} {
			for stride := 1; stride <= 2; stride++ {
				for n := 1; n <= depthwisePixels; n++ {
					depthwise.add(isa, 10*size+stride, depthwiseKernel(a, isa, size, stride, n))
				}
			}
		}
		all["depthwise_"+isa.file+"_amd64.s"] = a.Bytes()
	}
	// Pooling waits for memory: wider registers would bring nothing.
	pool := newAssembly()
	pools := []string{poolKernel(pool, avx2, true), poolKernel(pool, avx2, false)}
	all["pool_avx2_amd64.s"] = pool.Bytes()
	var transforms []string
	for _, isa := range []isa{avx512, avx2} {
		a := newAssembly()
		declareConstants(a)
		transforms = append(transforms, winogradLineIn(a, isa), winogradSquareIn(a, isa), winogradLineOut(a, isa, 3),
			winogradLineOut(a, isa, 4), winogradSquareOut(a, isa, 2), winogradSquareOut(a, isa, 4))
		all["winograd_"+isa.file+"_amd64.s"] = a.Bytes()
	}
	var gradients []string
	for _, isa := range []isa{avx512, avx2} {
		a := newAssembly()
		rows := 5 // of taps whose sums fit the registers
		if isa.lanes == 8 {
			rows = 1
		}
		gradients = append(gradients, depthGradKernel(a, isa, 3, 3), depthGradKernel(a, isa, rows, 5))
		all["convgrad_"+isa.file+"_amd64.s"] = a.Bytes()
	}
	// Masks wait for memory too.
	mask := newAssembly()
	masks := []string{maskKernel(mask, avx2)}
	all["mask_avx2_amd64.s"] = mask.Bytes()
	var err error
	all["convkernels_amd64.go"], err = declarations(&conv, &depthwise, []plain{
		{pools, "poolArgs"}, {transforms, "winogradArgs"}, {gradients, "depthGradArgs"}, {masks, "maskArgs"},
	})
	return all, err
}

// An isa is a set of vector instructions.
type isa struct {
	file, name string
	reg        string // prefix of a full register
	lanes      int    // float32s in one
	widths     []int  // output channels of a convolution kernel, multiples of 8
	sums       int    // registers that hold sums
	strip      int    // most pixels in a strip
}

var (
	avx512 = isa{"avx512", "AVX512", "Z", 16, []int{16, 24, 32, 40, 48}, 24, 12}
	avx2   = isa{"avx2", "AVX2", "Y", 8, []int{8, 16, 24}, 12, 8}
)

// vectors is the number of registers for width channels; the last may be used by half.
func (s isa) vectors(width int) int { return (width + s.lanes - 1) / s.lanes }

// pixels is the longest strip for which the sums fit.
func (s isa) pixels(width int) int { return min(s.strip, s.sums/s.vectors(width)) }

// vector is register i as it holds vector v of width channels: half of it is enough for 8 lanes
// of AVX-512.
func (s isa) vector(i, v, width int) string {
	if width-v*s.lanes < s.lanes {
		return fmt.Sprint("Y", i)
	}
	return fmt.Sprint(s.reg, i)
}

// A set is the kernels of one kind, in the order in which they were made.
type set struct{ groups []group }

type group struct {
	isa   string
	key   int // width of a convolution, 10*size + stride of a depthwise one
	names []string
}

func (s *set) add(i isa, key int, name string) {
	if last := len(s.groups) - 1; last >= 0 && s.groups[last].isa == i.name && s.groups[last].key == key {
		s.groups[last].names = append(s.groups[last].names, name)
		return
	}
	s.groups = append(s.groups, group{i.name, key, []string{name}})
}

func (s *set) declare(w *bytes.Buffer, args string) {
	for _, g := range s.groups {
		for _, name := range g.names {
			declare(w, name, args)
		}
	}
}

func declare(w *bytes.Buffer, name, args string) {
	fmt.Fprintf(w, "//go:noescape\nfunc %s(args *%s)\n\n", name, args)
}

// table writes a map from key to kernels by strip length.
func (s *set) table(w *bytes.Buffer, kind, isa, args string) {
	fmt.Fprintf(w, "var %s%s = map[int][]func(*%s){\n", kind, isa, args)
	for _, g := range s.groups {
		if g.isa != isa {
			continue
		}
		fmt.Fprintf(w, "%d: {", g.key)
		for _, name := range g.names {
			fmt.Fprintf(w, "%s, ", name)
		}
		fmt.Fprintln(w, "},")
	}
	fmt.Fprintln(w, "}")
}

const header = "// Code generated by tensor/internal/asm/conv. DO NOT EDIT.\n\n"

// A plain is kernels that no table lists, and the type of their argument.
type plain struct {
	names []string
	args  string
}

// declarations is the Go side of the assembly.
func declarations(conv, depthwise *set, others []plain) ([]byte, error) {
	var w bytes.Buffer
	w.WriteString(header + "package tensor\n\n")
	conv.declare(&w, "convArgs")
	depthwise.declare(&w, "depthwiseArgs")
	for _, o := range others {
		for _, name := range o.names {
			declare(&w, name, o.args)
		}
	}
	w.WriteString("// Kernels by the number of output channels; element n-1 does n pixels.\n")
	for _, isa := range []string{"AVX512", "AVX2"} {
		conv.table(&w, "conv", isa, "convArgs")
	}
	w.WriteString("\n// Kernels by 10*size + stride; element n-1 does n pixels.\n")
	for _, isa := range []string{"AVX512", "AVX2"} {
		depthwise.table(&w, "depthwise", isa, "depthwiseArgs")
	}
	return format.Source(w.Bytes())
}

// An assembly is the text of one .s file.
type assembly struct{ bytes.Buffer }

func newAssembly() *assembly {
	a := &assembly{}
	a.WriteString(header + "#include \"textflag.h\"\n")
	return a
}

// begin opens a function of one argument, a pointer to its args, which it leaves in AX.
func (a *assembly) begin(name, args string) {
	fmt.Fprintf(a, "\n// func %s(args *%s)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, args, name)
	a.op("MOVQ args+0(FP), AX")
}

func (a *assembly) end() {
	a.op("VZEROUPPER")
	a.op("RET")
}

func (a *assembly) label(name string) { fmt.Fprintf(a, "%s:\n", name) }

func (a *assembly) op(format string, args ...any) { fmt.Fprintf(a, "\t"+format+"\n", args...) }

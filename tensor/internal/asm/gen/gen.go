// Package gen is what the commands have in common that write the kernels of
// package tensor: Main writes their files, Check finds those that are stale,
// Constants are the numbers of the exponential.
package gen

import (
	"bytes"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
)

// Main writes the files, a text for each name, to the folder of the argument.
func Main(files func() (map[string][]byte, error)) {
	if len(os.Args) != 2 {
		log.Fatalf("usage: %s FOLDER", filepath.Base(os.Args[0]))
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

// Check is an error if a file in the folder is not what would be written.
func Check(folder string, files func() (map[string][]byte, error)) error {
	all, err := files()
	if err != nil {
		return err
	}
	for name, want := range all {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s is stale: run go generate ./tensor", name)
		}
	}
	return nil
}

// Constants are the 4-byte words that kernels take from memory, by name. They
// serve exp(x) = 2^n · exp(r) with n = x/ln 2 rounded and r = x - n·ln 2,
// |r| <= ln(2)/2, where
//
//	exp(r) = 1 + r + r²·(c2 + c3·r + c4·r² + c5·r³ + c6·r⁴ + c7·r⁵)
//
// with the minimax coefficients of Cephes' expf; ln 2 is taken in two parts.
var Constants = map[string]uint32{
	"zero":       0,
	"six":        Float(6),
	"negInf":     Float(float32(math.Inf(-1))),
	"half":       Float(.5),
	"one":        Float(1),
	"two":        Float(2),
	"minus2":     Float(-2),
	"expLow":     Float(-104), // less gives 0
	"expTop":     Float(89),   // more gives +Inf
	"tanhLo":     Float(-40),  // exp(-40) vanishes beside 1
	"log2e":      Float(math.Log2E),
	"ln2hi":      Float(0.693359375),
	"ln2lo":      Float(-2.12194440e-4),
	"c2":         Float(5.0000001201e-1),
	"c3":         Float(1.6666665459e-1),
	"c4":         Float(4.1665795894e-2),
	"c5":         Float(8.3334519073e-3),
	"c6":         Float(1.3981999507e-3),
	"c7":         Float(1.9875691500e-4),
	"siluTop":    Float(104),
	"minusLog2e": Float(-math.Log2E),
	"sixteenths": Float(3 << 18), // what is added to it is rounded to sixteenths
	"root1":      Float(math.Ln2),
	"root2":      Float(math.Ln2 * math.Ln2 / 2),
	"root3":      Float(math.Ln2 * math.Ln2 * math.Ln2 / 6),
	"sign":       0x80000000,
	"abs":        0x7fffffff,
	"bias":       127,

	// For the share of the normal distribution below -a, with t = 1/(1 + normal·a):
	//
	//	Φ(-a) = exp(-a²/2) · (p1·t + p2·t² + ... + p8·t⁸)
	//
	// fitted here for the least relative error, 1e-7, from 0 to 14.
	"minusHalf": Float(-0.5),
	"normal":    Float(0.305),
	"p1":        Float(0.12163974),
	"p2":        Float(0.12246668),
	"p3":        Float(0.1034217),
	"p4":        Float(0.1210189),
	"p5":        Float(-0.037971422),
	"p6":        Float(0.18571083),
	"p7":        Float(-0.15298465),
	"p8":        Float(0.03669828),

	"rough": Float(1.457), // 1.457 - y/2 is 1/y to a twentieth for y from 1 to 2
}

// Float is the word of a number.
func Float(x float32) uint32 { return math.Float32bits(x) }

package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// goNames are the instructions that Go's assembler knows, by shape: the mnemonic and the kinds of
// the operands, in Arm's order, the destination first.
var goNames = map[string]string{
	"add .4s .4s .4s":    "VADD",
	"sub .4s .4s .4s":    "VSUB",
	"shl .4s .4s #":      "VSHL",
	"fmla .4s .4s .4s":   "VFMLA",
	"fmls .4s .4s .4s":   "VFMLS",
	"fmla .2d .2d .2d":   "VFMLA",
	"mov .16b .16b":      "VMOV",
	"eor .16b .16b .16b": "VEOR",
	"bit .16b .16b .16b": "VBIT",
	"bsl .16b .16b .16b": "VBSL",
	"dup .4s .s[]":       "VDUP",
	"trn1 .4s .4s .4s":   "VTRN1",
	"trn2 .4s .4s .4s":   "VTRN2",
	"zip1 .2d .2d .2d":   "VZIP1",
	"zip2 .2d .2d .2d":   "VZIP2",
}

// encodings are the instructions that it does not know, with all registers zero (Arm Architecture
// Reference Manual, C7.2).
var encodings = map[string]uint32{
	"fadd .4s .4s .4s":  0x4e20d400,
	"fsub .4s .4s .4s":  0x4ea0d400,
	"fmul .4s .4s .4s":  0x6e20dc00,
	"fdiv .4s .4s .4s":  0x6e20fc00,
	"fmax .4s .4s .4s":  0x4e20f400, // not a number where an operand is not
	"fmin .4s .4s .4s":  0x4ea0f400, // alike
	"fcmgt .4s .4s .4s": 0x6ea0e400,
	"fmla .4s .4s .s[]": 0x4f801000,
	"sshr .4s .4s #":    0x4f000400,
	"fabs .4s .4s":      0x4ea0f800,
	"fneg .4s .4s":      0x6ea0f800,
	"fsqrt .4s .4s":     0x6ea1f800,
	"frintn .4s .4s":    0x4e218800,
	"fcvtns .4s .4s":    0x4e21a800,
	"fadd .2d .2d .2d":  0x4e60d400,
	"faddp .d .2d":      0x7e70d800,
	"fcvtl .2d .2s":     0x0e617800,
	"fcvtl2 .2d .4s":    0x4e617800,
	"fcvtl .4s .4h":     0x0e217800,
	"fcvtl2 .4s .8h":    0x4e217800,
	"fcvtn .4h .4s":     0x0e216800,
	"fcvtn2 .8h .4s":    0x4e216800,
}

// An operand is a register with its kind, such as v3.4s, s3 or v3.s[1], or a number, such as #23.
type operand struct {
	kind   string // ".4s", ".s", ".s[]", "#"
	number int    // of the register, or the number itself
	lane   int
}

var operandText = regexp.MustCompile(`^(?:v(\d+)(\.\d+[bhsd])|v(\d+)(\.[sd])\[(\d)\]|([sd])(\d+)|#(\d+))$`)

// parse splits an instruction in GNU syntax.
func parse(text string) (mnemonic string, operands []operand) {
	mnemonic, rest, _ := strings.Cut(text, " ")
	for _, s := range strings.Split(rest, ", ") {
		m := operandText.FindStringSubmatch(s)
		if m == nil {
			panic(fmt.Sprintf("operand %q of %q", s, text))
		}
		number := func(i int) int { n, _ := strconv.Atoi(m[i]); return n }
		switch {
		case m[1] != "":
			operands = append(operands, operand{kind: m[2], number: number(1)})
		case m[3] != "":
			operands = append(operands, operand{kind: m[4] + "[]", number: number(3), lane: number(5)})
		case m[6] != "":
			operands = append(operands, operand{kind: "." + m[6], number: number(7)})
		default:
			operands = append(operands, operand{kind: "#", number: number(8)})
		}
	}
	return mnemonic, operands
}

// goText is an instruction in GNU syntax as Go's assembler takes it: by its name in Go, or as the
// word that it is.
func goText(text string) string {
	mnemonic, operands := parse(text)
	shape := shape(mnemonic, operands)
	if name, ok := goNames[shape]; ok {
		return name + " " + goOperands(operands)
	}
	return fmt.Sprintf("WORD $0x%08x // %s", encode(shape, operands), text)
}

func shape(mnemonic string, operands []operand) string {
	for _, o := range operands {
		mnemonic += " " + o.kind
	}
	return mnemonic
}

func goOperands(operands []operand) string {
	var s []string
	for i := len(operands) - 1; i >= 0; i-- {
		o := operands[i]
		switch {
		case o.kind == "#":
			s = append(s, fmt.Sprint("$", o.number))
		case strings.HasSuffix(o.kind, "[]"):
			s = append(s, fmt.Sprintf("V%d.%s[%d]", o.number, strings.ToUpper(o.kind[1:2]), o.lane))
		default: // .4s is .S4 in Go
			letter := len(o.kind) - 1
			s = append(s, fmt.Sprintf("V%d.%s%s", o.number, strings.ToUpper(o.kind[letter:]), o.kind[1:letter]))
		}
	}
	return strings.Join(s, ", ")
}

// encode puts operands into their fields: the destination into bits 0 to 4, the sources from bits 5
// and 16 on. The lane of a word is bits 21 (low) and 11; a shift to the right is 64 less its number.
func encode(shape string, operands []operand) uint32 {
	bits, ok := encodings[shape]
	if !ok {
		panic("no encoding of " + shape)
	}
	for i, o := range operands {
		if o.kind == "#" {
			bits |= uint32(64-o.number) << 16
			continue
		}
		bits |= uint32(o.number) << []int{0, 5, 16}[i]
		bits |= uint32(o.lane&1)<<21 | uint32(o.lane>>1)<<11
	}
	return bits
}

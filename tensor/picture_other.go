//go:build !amd64

package tensor

func dctKernelOf(level, int) dctKernel { return nil }

func ycbcrVectors(_ level, _, _, _, _ []uint8) int { return 0 }

func widenVectors(_ level, _, _, _ []uint8) int { return 0 }

func (t *Taps) acrossVectors(_ level, _, _ [2][]uint8) int { return 0 }

func downVectors(_ level, _, _ []uint8, _ []int32) int { return 0 }

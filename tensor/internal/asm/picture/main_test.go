package main

import (
	"testing"

	"showtell/tensor/internal/asm/gen"
)

func TestFilesAreCurrent(t *testing.T) {
	if err := gen.Check("../../..", files); err != nil {
		t.Error(err)
	}
}

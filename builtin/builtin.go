// Package builtin is the model that comes with the program. Call Open.
package builtin

import (
	_ "embed"
	"sync"

	"showtell"
)

//go:embed model.safetensors
var data []byte

// Open returns the model, which is read once and then shared.
var Open = sync.OnceValues(func() (*showtell.Model, error) {
	return showtell.Parse("the built-in model", data)
})

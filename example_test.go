package showtell_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"showtell"
	"showtell/builtin"
)

// The model that comes with the program, on one photograph.
func Example() {
	m, err := builtin.Open() // or showtell.Open("model.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	f, err := os.Open("testdata/astronaut.jpg")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	img, err := showtell.ReadImage(f)
	if err != nil {
		log.Fatal(err)
	}
	best, err := m.Caption(context.Background(), img, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(best.Text)
	// Output: A young man wearing a yellow jacket and yellow helmet is standing in a parade.
}

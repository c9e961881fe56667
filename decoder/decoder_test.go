package decoder_test

import (
	"errors"
	"strings"
	"testing"

	"showtell/decoder"
	"showtell/decoder/decodertest"
)

func TestDecoders(t *testing.T) {
	for _, kind := range decoder.Kinds() {
		t.Run(kind, func(t *testing.T) { decodertest.Run(t, decodertest.Config(kind)) })
	}
	t.Run("transformer untied", func(t *testing.T) {
		c := decodertest.Config("transformer")
		c.Untied = true
		decodertest.Run(t, c)
		tied, err1 := decoder.New(decodertest.Config("transformer"), nil)
		untied, err2 := decoder.New(c, nil)
		if err := errors.Join(err1, err2); err != nil || len(untied.Params()) != len(tied.Params())+1 {
			t.Errorf("%d weights, want one more than %d, %v", len(untied.Params()), len(tied.Params()), err)
		}
	})
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*decoder.Config)
		want string
	}{
		{"unknown kind", func(c *decoder.Config) { c.Kind = "gru" }, "inject"},
		{"no words", func(c *decoder.Config) { c.Vocab = 0 }, "vocab"},
		{"huge", func(c *decoder.Config) { c.Hidden = 1 << 30 }, "hidden"},
		{"heads do not divide", func(c *decoder.Config) { c.Heads = 3 }, "heads"},
		{"untied LSTM", func(c *decoder.Config) { c.Kind, c.Untied = "attend", true }, "untied"},
		{"dropout of one", func(c *decoder.Config) { c.Dropout = 1 }, "dropout"},
	} {
		config := decodertest.Config("transformer")
		c.edit(&config)
		if err := config.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error about %q", c.name, err, c.want)
		}
	}
}

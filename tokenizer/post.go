package tokenizer

import (
	"encoding/json"
	"fmt"
)

// A postProcessor tells which special tokens go around a text.
type postProcessor struct {
	Type       string            `json:"type"`
	Single     []templatePiece   `json:"single"`         // TemplateProcessing
	Special    map[string]idList `json:"special_tokens"` // their ids
	CLS        *namedID          `json:"cls"`            // BertProcessing, RobertaProcessing
	SEP        *namedID          `json:"sep"`
	Processors []postProcessor   `json:"processors"` // Sequence
}

type idList struct {
	IDs []int `json:"ids"`
}

// A templatePiece is a special token or the place of the text.
type templatePiece struct {
	SpecialToken *struct {
		ID string `json:"id"`
	}
	Sequence *struct {
		ID string `json:"id"`
	}
}

// A namedID is a token and its id, in a list.
type namedID struct{ id int }

func (n *namedID) UnmarshalJSON(b []byte) error {
	var token string
	list := [2]any{&token, &n.id}
	return json.Unmarshal(b, &list)
}

// maxAround bounds the special tokens around a text.
const maxAround = 64

// buildPost finds the special tokens around a text.
func (t *Tokenizer) buildPost(d *definition) error {
	if absent(d.PostProcessor) {
		return nil
	}
	var p postProcessor
	if err := json.Unmarshal(d.PostProcessor, &p); err != nil {
		return fmt.Errorf("post_processor: %w", err)
	}
	var err error
	if t.before, t.after, err = p.around(); err != nil {
		return fmt.Errorf("post_processor: %w", err)
	}
	for _, ids := range [][]int{t.before, t.after} {
		for _, id := range ids {
			if t.Token(id) == "" {
				return fmt.Errorf("post_processor: there is no token with id %d", id)
			}
		}
	}
	return nil
}

// around returns the ids before and after a text.
func (p *postProcessor) around() (before, after []int, err error) {
	switch p.Type {
	case "ByteLevel": // about offsets only
		return nil, nil, nil
	case "BertProcessing", "RobertaProcessing":
		if p.CLS == nil || p.SEP == nil {
			return nil, nil, fmt.Errorf("%s lacks cls or sep", p.Type)
		}
		return []int{p.CLS.id}, []int{p.SEP.id}, nil
	case "TemplateProcessing":
		return p.template()
	case "Sequence":
		for i := range p.Processors {
			b, a, err := p.Processors[i].around()
			if err != nil {
				return nil, nil, err
			}
			before, after = append(b, before...), append(after, a...)
		}
		if len(before)+len(after) > maxAround {
			return nil, nil, fmt.Errorf("more than %d tokens around a text", maxAround)
		}
		return before, after, nil
	}
	return nil, nil, fmt.Errorf("type %.40q is not supported", p.Type)
}

func (p *postProcessor) template() (before, after []int, err error) {
	texts := 0
	for i, piece := range p.Single {
		switch {
		case piece.Sequence != nil:
			texts++
		case piece.SpecialToken == nil:
			return nil, nil, fmt.Errorf("single[%d] is neither SpecialToken nor Sequence", i)
		case texts == 0:
			before = append(before, p.Special[piece.SpecialToken.ID].IDs...)
		default:
			after = append(after, p.Special[piece.SpecialToken.ID].IDs...)
		}
		if len(before)+len(after) > maxAround {
			return nil, nil, fmt.Errorf("more than %d tokens around a text", maxAround)
		}
	}
	if texts != 1 {
		return nil, nil, fmt.Errorf("single has the text %d times, not once", texts)
	}
	return before, after, nil
}

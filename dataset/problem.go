package dataset

import "fmt"

// A Problem is one thing that could not be used, or that a person should know of.
type Problem struct {
	Kind  string // one of Kinds
	Name  string // the picture's, as far as it is known
	Where string // "captions.txt:812"; empty where a picture is meant
	Err   error  // what exactly; may be nil
}

// The kinds of problems, and what became of the thing.
const (
	NoPicture  = "captions without a picture (left out)"
	NoCaption  = "pictures without a caption (left out)"
	Unreadable = "unreadable pictures (left out)"
	Ambiguous  = "names that fit several pictures (left out)"
	BadName    = "names that point out of the folder (left out)"
	BadLine    = "lines that can't be read (left out)"
	Duplicate  = "captions that their picture has twice (both kept)"
	BadSplit   = "unknown splits (the picture is in no split)"
	NotHere    = "names in a list of a split, without a captioned picture"
	TwoSplits  = "the same picture in two splits"
	Identical  = "pictures that are the same under two names"
)

// Kinds are all kinds of problems in the order in which a report shows them.
var Kinds = []string{NoPicture, NoCaption, Unreadable, Ambiguous, BadName, BadLine, Duplicate, BadSplit, NotHere, TwoSplits, Identical}

// String tells name, place and cause in one line.
func (p Problem) String() string {
	s := p.Name
	if p.Where != "" {
		if s != "" {
			s = ": " + s
		}
		s = p.Where + s
	}
	if p.Err == nil {
		return s
	}
	if s == "" {
		return p.Err.Error()
	}
	return fmt.Sprintf("%s: %v", s, p.Err)
}

// Counts tells how many problems there are of each kind that occurs.
func (s *Set) Counts() map[string]int {
	n := map[string]int{}
	for _, p := range s.Problems {
		n[p.Kind]++
	}
	return n
}

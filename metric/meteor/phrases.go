package meteor

// phrases are paraphrases as a tree: a phrase is the node of its last word. Nodes
// of first words have the words' own numbers.
type phrases struct {
	nodes  map[uint64]int32 // by the node of the word before and the word
	others [][]int32        // by node: its right sides, in the order of the table
	used   []bool           // by node: a side of a pair ends there
	inner  []bool           // by node: some phrase goes on
}

// newPhrases makes the tree of what [table.find] has found.
func newPhrases(words int, found [][]int32) *phrases {
	p := &phrases{nodes: map[uint64]int32{}, others: make([][]int32, words), used: make([]bool, words), inner: make([]bool, words)}
	left := int32(0)
	for _, list := range found {
		for len(list) > 0 {
			n := list[0]
			if n < 0 {
				left, list = p.node(list[1:1-n]), list[1-n:]
				continue
			}
			right := p.node(list[1 : 1+n])
			list = list[1+n:]
			p.used[left], p.used[right] = true, true
			p.others[left] = append(p.others[left], right)
		}
	}
	return p
}

func key(node, word int32) uint64 { return uint64(node)<<32 | uint64(word) }

// node returns the node of a phrase, a new one if there is none.
func (p *phrases) node(words []int32) int32 {
	node := words[0]
	for _, w := range words[1:] {
		next, ok := p.nodes[key(node, w)]
		if !ok {
			next = int32(len(p.others))
			p.nodes[key(node, w)] = next
			p.inner[node] = true
			p.others, p.used, p.inner = append(p.others, nil), append(p.used, false), append(p.inner, false)
		}
		node = next
	}
	return node
}

// A span is where a phrase stands in a sentence.
type span struct{ from, end int32 }

// in lists the phrases of a sentence, from left to right and from short to long.
func (p *phrases) in(words []int32) (nodes []int32, spans []span) {
	for from, w := range words {
		node := w
		for end := from + 1; ; end++ {
			if p.used[node] {
				nodes, spans = append(nodes, node), append(spans, span{int32(from), int32(end)})
			}
			if end == len(words) || !p.inner[node] {
				break
			}
			next, ok := p.nodes[key(node, words[end])]
			if !ok {
				break
			}
			node = next
		}
	}
	return nodes, spans
}

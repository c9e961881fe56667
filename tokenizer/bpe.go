package tokenizer

// A word is one in the making: a list of tokens, and the merges that may come next. It is used
// again for the next word.
type word struct {
	tokens []node
	queue  []candidate // a binary heap, the next merge first
}

// A node is a token of a word, linked to its neighbours, since merging takes tokens out.
type node struct {
	id         int32 // -1 once merged into the one before
	prev, next int32 // -1 at the ends
}

// A candidate is the merge of the token at a place with the next one.
type candidate struct {
	merge
	at int32
}

func (c candidate) before(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.at < d.at
}

// encode appends the ids of the word s. It takes n log n steps for n bytes.
func (w *word) encode(m *byteBPE, ids []int, s string) []int {
	if id, ok := m.words[s]; ok {
		return append(ids, id)
	}
	w.split(m, s)
	for i := range len(w.tokens) - 1 {
		w.offer(m, int32(i))
	}
	for len(w.queue) > 0 {
		w.merge(m, w.pop())
	}
	for i := int32(0); int(i) < len(w.tokens); i = w.tokens[i].next {
		ids = append(ids, int(w.tokens[i].id))
		if w.tokens[i].next < 0 {
			break
		}
	}
	return ids
}

// split makes the tokens of single bytes.
func (w *word) split(m *byteBPE, s string) {
	w.tokens = w.tokens[:0]
	wasUnknown := false
	for i := range len(s) {
		id := m.bytes[s[i]]
		unknown := id < 0
		if unknown {
			id = m.unknown
		}
		if id >= 0 && !(unknown && wasUnknown && m.fuseUnknown) {
			n := int32(len(w.tokens))
			w.tokens = append(w.tokens, node{int32(id), n - 1, n + 1})
		}
		wasUnknown = unknown
	}
	if n := len(w.tokens); n > 0 {
		w.tokens[n-1].next = -1
	}
}

// offer queues the merge of the token at i with the next one, if there is such a merge.
func (w *word) offer(m *byteBPE, i int32) {
	if i < 0 || w.tokens[i].next < 0 {
		return
	}
	if to, ok := m.merges[pair{w.tokens[i].id, w.tokens[w.tokens[i].next].id}]; ok {
		w.push(candidate{to, i})
	}
}

// merge does what c says, unless its tokens have been merged with others since.
func (w *word) merge(m *byteBPE, c candidate) {
	left := &w.tokens[c.at]
	if left.id < 0 || left.next < 0 {
		return
	}
	right := &w.tokens[left.next]
	if to, ok := m.merges[pair{left.id, right.id}]; !ok || to.id != c.id {
		return
	}
	left.id, left.next, right.id = c.id, right.next, -1
	if left.next >= 0 {
		w.tokens[left.next].prev = c.at
	}
	w.offer(m, left.prev)
	w.offer(m, c.at)
}

func (w *word) push(c candidate) {
	q := append(w.queue, c)
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !q[i].before(q[up]) {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
	w.queue = q
}

func (w *word) pop() candidate {
	q := w.queue
	top, end := q[0], len(q)-1
	q[0] = q[end]
	q = q[:end]
	for i := 0; ; {
		down := 2*i + 1
		if down+1 < end && q[down+1].before(q[down]) {
			down++
		}
		if down >= end || !q[down].before(q[i]) {
			break
		}
		q[i], q[down] = q[down], q[i]
		i = down
	}
	w.queue = q
	return top
}

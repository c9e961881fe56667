package metric

// A Diversity is how varied captions are, whatever they describe.
type Diversity struct {
	Captions  int `json:"captions"`  // all that were counted
	Different int `json:"different"` // captions that differ from each other
	Words     int `json:"words"`     // different words

	// Distinct-1 and distinct-2 (Li et al. 2016): different words, and pairs of
	// words, as a share of all.
	Distinct1 float64 `json:"distinct_1"`
	Distinct2 float64 `json:"distinct_2"`

	MeanWords float64 `json:"mean_words"` // in a caption
	Shortest  int     `json:"shortest"`   // words in a caption
	Longest   int     `json:"longest"`

	// mBLEU-4 (Shetty et al. 2017): BLEU-4 of a caption of an image against the other
	// captions of that image; the corpus score of all first captions, of all second
	// ones and so on, and the mean of these. Low means varied.
	MBLEU  float64 `json:"mbleu_4"`
	Images int     `json:"mbleu_images"` // with several captions; 0: there is no mBLEU

	Copied   float64 `json:"copied"`            // the share of captions that stand among the training captions
	Training int     `json:"training_captions"` // 0: there is no such share
}

// Diverse counts captions, one or more for each image, and how many of them are
// copies of training captions, which may be nil. Text is tokenised as for scores.
func Diverse(captions [][]string, training []string) Diversity {
	return diverse(captions, tokenizeEach(flat(captions)), training)
}

// Diverse is [Diverse] for captions of which the first of each image are the
// hypotheses of the corpus, which are tokenised already.
func (c *Corpus) Diverse(captions [][]string, training []string) Diversity {
	var others []string
	for _, list := range captions {
		others = append(others, list[1:]...)
	}
	others = tokenizeEach(others)
	all := make([]string, 0, len(captions)+len(others))
	for i, list := range captions {
		all = append(all, c.texts[c.hyps[i]])
		all = append(all, others[:len(list)-1]...)
		others = others[len(list)-1:]
	}
	return diverse(captions, all, training)
}

// diverse counts captions, of which all are the tokens, in their order.
func diverse(captions [][]string, all, training []string) Diversity {
	d := Diversity{Captions: len(all), Training: len(training)}
	d.count(all)
	d.copied(all, tokenizeEach(training))
	d.among(captions, all)
	return d
}

func (d *Diversity) count(all []string) {
	captions, pairs := map[string]bool{}, map[uint64]bool{}
	v := vocabulary{}
	total, totalPairs := 0, 0
	for i, words := range v.number(all) {
		captions[all[i]] = true
		for k := 1; k < len(words); k++ {
			pairs[uint64(words[k-1])<<32|uint64(words[k])] = true
		}
		total += len(words)
		totalPairs += max(0, len(words)-1)
		if i == 0 {
			d.Shortest = len(words)
		}
		d.Shortest, d.Longest = min(d.Shortest, len(words)), max(d.Longest, len(words))
	}
	d.Different, d.Words = len(captions), len(v)
	d.Distinct1 = share(len(v), total)
	d.Distinct2 = share(len(pairs), totalPairs)
	d.MeanWords = share(total, len(all))
}

func (d *Diversity) copied(all, training []string) {
	known := make(map[string]bool, len(training))
	for _, caption := range training {
		known[caption] = true
	}
	n := 0
	for _, caption := range all {
		if known[caption] {
			n++
		}
	}
	d.Copied = share(n, len(all))
}

// among computes mBLEU; tokens are those of the captions, in their order.
func (d *Diversity) among(captions [][]string, tokens []string) {
	var sets [][]string
	most := 0
	for _, list := range captions {
		if len(list) > 1 {
			sets = append(sets, tokens[:len(list)])
			most = max(most, len(list))
		}
		tokens = tokens[len(list):]
	}
	d.Images = len(sets)
	for k := range most {
		var hyps []string
		var refs [][]string
		for _, set := range sets {
			if k < len(set) {
				hyps = append(hyps, set[k])
				refs = append(refs, append(append([]string{}, set[:k]...), set[k+1:]...))
			}
		}
		if c, err := FromTokens(hyps, refs); err == nil { // always: there is an image, and it has references
			d.MBLEU += bleu(c, orders).Corpus / float64(most)
		}
	}
}

func share(part, whole int) float64 {
	return float64(part) / float64(max(1, whole))
}

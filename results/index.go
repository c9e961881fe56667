package results

import "hash/maphash"

// An index finds the number of a name among others that stand elsewhere. It takes
// 11 to 22 bytes a name.
type index struct {
	name  func(i int) string
	seed  maphash.Seed
	slots []slot // a power of two of them, at most three quarters in use
	used  int
}

// A slot holds a number and its name's hash.
type slot struct {
	hash   uint32
	number int32 // plus 1; 0: free
}

func newIndex(name func(i int) string) *index {
	return &index{name: name, seed: maphash.MakeSeed(), slots: make([]slot, 64)}
}

// find is the number of a name.
func (x *index) find(name []byte) (int, bool) {
	i, ok := x.look(name, x.hash(name))
	return int(x.slots[i].number) - 1, ok
}

// add finds the number of a name that has one, else makes it the next number,
// whose name x.name must know before it is looked for.
func (x *index) add(name []byte) (number int, again bool) {
	hash := x.hash(name)
	i, ok := x.look(name, hash)
	if ok {
		return int(x.slots[i].number) - 1, true
	}
	x.used++
	x.slots[i] = slot{hash, int32(x.used)}
	if 4*x.used > 3*len(x.slots) {
		x.grow()
	}
	return x.used - 1, false
}

func (x *index) hash(name []byte) uint32 { return uint32(maphash.Bytes(x.seed, name)) }

// look is the slot of a name, or the free one where it belongs.
func (x *index) look(name []byte, hash uint32) (int, bool) {
	for i := int(hash); ; i++ {
		i &= len(x.slots) - 1
		switch s := x.slots[i]; {
		case s.number == 0:
			return i, false
		case s.hash == hash && x.name(int(s.number)-1) == string(name):
			return i, true
		}
	}
}

func (x *index) grow() {
	old := x.slots
	x.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.number == 0 {
			continue
		}
		i := int(s.hash) & (len(x.slots) - 1)
		for x.slots[i].number != 0 {
			i = (i + 1) & (len(x.slots) - 1)
		}
		x.slots[i] = s
	}
}

// Aliases are other names of images.
type aliases struct {
	*index
	names, images []string
}

func newAliases() *aliases {
	a := &aliases{}
	a.index = newIndex(func(i int) string { return a.names[i] })
	return a
}

// set makes name another name of an image.
func (a *aliases) set(name, image string) {
	i, again := a.add([]byte(name))
	if again {
		a.images[i] = image
		return
	}
	a.names, a.images = append(a.names, name), append(a.images, image)
}

// of is the image of a name, "" if it is no other name.
func (a *aliases) of(name string) string {
	if i, ok := a.find([]byte(name)); ok {
		return a.images[i]
	}
	return ""
}

package tensor

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Parallel calls f(0) ... f(n-1), each once, in any order and at the same time as workers are
// free, and returns when all are done. The caller works too, so calls may be nested. If an f
// panics, Parallel panics with the value of one of them once the others are done.
func Parallel(n int, f func(tile int)) { ParallelTiles(n, tileFunc(f)) }

// A Tiler does tiles. One from a pool costs no allocation, where a closure does.
type Tiler interface{ Tile(i int) }

// Workers is the number of goroutines, the caller among them, that one Parallel uses at most.
func Workers() int { return currentTeam().workers }

// SetWorkers changes Workers; n < 1 means GOMAXPROCS, which is the default.
func SetWorkers(n int) {
	if n < 1 {
		n = runtime.GOMAXPROCS(0)
	}
	if old := theTeam.Swap(newTeam(n)); old != nil {
		close(old.quit)
	}
}

type tileFunc func(int)

func (f tileFunc) Tile(i int) { f(i) }

// A team is a fixed set of helpers and the jobs that they may help with.
type team struct {
	workers int
	start   sync.Once

	mu     sync.Mutex
	open   []*job
	posted atomic.Int64 // how many jobs there have been

	asleep atomic.Int64 // helpers that wait for wake
	wake   chan struct{}
	quit   chan struct{}
}

var theTeam atomic.Pointer[team]

func newTeam(workers int) *team {
	return &team{workers: workers, wake: make(chan struct{}, workers), quit: make(chan struct{})}
}

func currentTeam() *team {
	if t := theTeam.Load(); t != nil {
		return t
	}
	theTeam.CompareAndSwap(nil, newTeam(runtime.GOMAXPROCS(0)))
	return theTeam.Load()
}

func (t *team) startHelpers() {
	for i := 1; i < t.workers; i++ {
		go t.help(i)
	}
}

// help is worker i: it does tiles of open jobs until the team is told to quit.
func (t *team) help(i int) {
	finished := false
	defer func() {
		if !finished { // a tile called runtime.Goexit
			go t.help(i)
		}
	}()
	for {
		seen := t.posted.Load()
		if j := t.join(); j != nil {
			j.assist(i)
		} else if !t.rest(seen) {
			finished = true
			return
		}
	}
}

// join finds a job with tiles to begin and holds it.
func (t *team) join() *job {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.open) - 1; i >= 0; i-- { // the youngest may be nested in the others
		if j := t.open[i]; j.waits() {
			j.users.Add(1)
			return j
		}
	}
	return nil
}

// looks is how often a worker looks for work, or the end of it, before it sleeps: for some third of a
// millisecond, since waking up takes longer than many a job. On two free cores 300,000 cost a quarter
// of the speed of an int8 encoder, and 10,000 a fifth of that of a float32 one; with another program
// on one of the cores these many cost a tenth.
const looks = 1_000_000

// patience is how many looks a worker takes before it lets others have its processor for a moment:
// where two workers share one, each would wait in vain for the other until its time is up.
const patience = 1 << 13

// rest returns true once there are more jobs than seen, false when the team is to quit. It looks
// a while before it sleeps.
func (t *team) rest(seen int64) bool {
	for i := range looks {
		if t.posted.Load() != seen {
			return true
		}
		if i%patience == patience-1 {
			yield()
		}
	}
	t.asleep.Add(1)
	defer t.asleep.Add(-1)
	if t.posted.Load() != seen {
		return true
	}
	select {
	case <-t.wake:
		return true
	case <-t.quit:
		return false
	}
}

// post opens a job and wakes as many helpers as it has work for.
func (t *team) post(j *job) {
	t.mu.Lock()
	t.open = append(t.open, j)
	t.mu.Unlock()
	t.posted.Add(1)
	for range min(t.asleep.Load(), j.n-1) {
		select {
		case t.wake <- struct{}{}:
		default: // all have been woken
			return
		}
	}
}

func (t *team) close(j *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.open, j)
	t.open = slices.Delete(t.open, i, i+1)
}

// A job is one call of Parallel.
type job struct {
	tiler Tiler
	n     int64
	parts []part        // of the tiles, one for each worker
	left  atomic.Int64  // tiles not finished
	users atomic.Int64  // goroutines that hold the job
	done  chan struct{} // told when the last tile is finished

	panicked atomic.Pointer[any]
}

// A part is neighbouring tiles. Each worker begins with its own and then takes from the others: tiles of
// the same place in one job after the other are mostly done by the same worker, in whose cache they are.
type part struct {
	next atomic.Int64 // to hand out
	end  int64
	_    [6]int64 // workers shall not share lines
}

var jobs = sync.Pool{New: func() any { return &job{done: make(chan struct{}, 1)} }}

// ParallelTiles is Parallel of t.Tile.
func ParallelTiles(n int, t Tiler) {
	if n <= 0 {
		return
	}
	team := currentTeam()
	if n == 1 || team.workers == 1 {
		for i := range n {
			t.Tile(i)
		}
		return
	}
	team.start.Do(team.startHelpers)
	j := jobs.Get().(*job)
	j.tiler, j.n = t, int64(n)
	j.share(team.workers)
	j.left.Store(int64(n))
	j.users.Store(1)
	team.post(j)
	j.run(0)
	team.close(j)
	j.wait()
	panicked := j.panicked.Load()
	j.release()
	if panicked != nil {
		panic(*panicked)
	}
}

// share gives each worker its part.
func (j *job) share(workers int) {
	if len(j.parts) != workers {
		j.parts = make([]part, workers)
	}
	for i := range j.parts {
		j.parts[i].next.Store(j.n * int64(i) / int64(workers))
		j.parts[i].end = j.n * int64(i+1) / int64(workers)
	}
}

// waits tells whether there are tiles to begin.
func (j *job) waits() bool {
	for i := range j.parts {
		if p := &j.parts[i]; p.next.Load() < p.end {
			return true
		}
	}
	return false
}

// assist is a helper's share in a job.
func (j *job) assist(worker int) {
	defer j.release()
	j.run(worker)
}

// run does tiles until none is left to begin.
func (j *job) run(worker int) {
	for i := range j.parts {
		p := &j.parts[(worker+i)%len(j.parts)]
		for {
			tile := p.next.Add(1) - 1
			if tile >= p.end {
				break
			}
			j.one(int(tile))
		}
	}
}

func (j *job) one(i int) {
	normal := false
	defer func() {
		if !normal {
			if v := recover(); v != nil {
				j.panicked.CompareAndSwap(nil, &v)
			}
		}
		if j.left.Add(-1) == 0 {
			j.done <- struct{}{}
		}
	}()
	j.tiler.Tile(i)
	normal = true
}

// wait returns when all tiles are finished. It looks a while before it sleeps, as rest does.
func (j *job) wait() {
	for i := 0; i < looks && j.left.Load() > 0; i++ {
		if i%patience == patience-1 {
			yield()
		}
	}
	<-j.done
}

// release gives the job back once nobody holds it: a helper may wake up after the last tile.
func (j *job) release() {
	if j.users.Add(-1) == 0 {
		j.tiler = nil
		j.panicked.Store(nil)
		jobs.Put(j)
	}
}

package audience

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
)

// streams are the rooms that have been told something lately.
type streams struct {
	mu     sync.Mutex
	byRoom map[string]*stream
}

// maxStreams is how many streams may be idle before they are swept.
const maxStreams = 1024

// stream is the order in which one room's commits are told. Whoever adds a
// commit while nobody tells becomes the one who tells, until nothing waits
// (flat combining): so there is order without a goroutine for each room.
type stream struct {
	room string

	mu        sync.Mutex
	last      int64                 // newest seq told; 0: none yet
	pending   map[int64]room.Result // not told yet, by seq
	telling   bool
	arrived   chan struct{} // wakes the one who tells while he waits for a missing seq
	meter     meter
	announced time.Time // when the newest seq was last announced instead of commits
	used      time.Time
}

// of returns the stream of a room. A new one begins after seq last.
func (s *streams) of(ulid string, last int64, now time.Time) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byRoom[ulid]
	if found == nil {
		s.sweep(now)
		found = &stream{room: ulid, last: last, pending: map[int64]room.Result{}, arrived: make(chan struct{}, 1), used: now}
		s.byRoom[ulid] = found
	}
	return found
}

// known returns the stream of a room, or nil.
func (s *streams) known(ulid string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byRoom[ulid]
}

// sweep forgets idle streams when there are many. A room whose stream is gone
// begins anew with its next commit.
func (s *streams) sweep(now time.Time) {
	if len(s.byRoom) < maxStreams {
		return
	}
	maps.DeleteFunc(s.byRoom, func(_ string, st *stream) bool { return st.idle(now) })
}

func (s *stream) idle(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.telling && len(s.pending) == 0 && now.Sub(s.used) > time.Minute
}

// add takes commits to be told, and reports whether the caller must tell them.
// gapless leaves out those up to last, which were told; else they are late and
// told all the same.
func (s *stream) add(now time.Time, gapless bool, results ...room.Result) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = now
	for _, r := range results {
		if r.Entry.Seq > s.last || !gapless {
			s.pending[r.Entry.Seq] = r
		}
	}
	if s.telling {
		select {
		case s.arrived <- struct{}{}:
		default:
		}
		return false
	}
	s.telling = len(s.pending) > 0
	return s.telling
}

// pass notes that there was nobody to tell up to seq.
func (s *stream) pass(seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.telling && seq > s.last {
		s.last = seq
		maps.DeleteFunc(s.pending, func(n int64, _ room.Result) bool { return n <= seq })
	}
}

// newest is the newest seq told.
func (s *stream) newest() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// run is what can be told now, in order, with the newest state known. When
// gapless, it ends before the first missing seq; gap then says that commits
// wait behind a missing one. done says that nothing waits: the caller tells no
// more.
type run struct {
	results []room.Result // those to tell now
	state   *replica.State
	gap     bool
	done    bool
	last    int64 // told before the run
	behind  int64 // newest seq that waits
}

func (s *stream) peek(gapless bool) run {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := run{last: s.last}
	if len(s.pending) == 0 {
		s.telling, r.done = false, true
		return r
	}
	all := slices.SortedFunc(maps.Values(s.pending), func(a, b room.Result) int { return cmp.Compare(a.Entry.Seq, b.Entry.Seq) })
	r.behind = all[len(all)-1].Entry.Seq
	for i, result := range all {
		if gapless && result.Entry.Seq != s.last+int64(i)+1 {
			break
		}
		r.results = append(r.results, result)
	}
	r.gap = len(r.results) == 0
	for _, result := range all {
		if result.State != nil && (r.state == nil || result.State.Seq > r.state.Seq) {
			r.state = result.State
		}
	}
	return r
}

// abandon ends telling in the middle; what waits is a gap that clients notice.
func (s *stream) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.telling = false
	for seq := range s.pending {
		s.last = max(s.last, seq)
	}
	clear(s.pending)
}

// told takes from what waits the results that were told. One that was added
// since stays, whatever its seq.
func (s *stream) told(results []room.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range results {
		s.last = max(s.last, r.Entry.Seq)
		delete(s.pending, r.Entry.Seq)
	}
}

// meter estimates a rate per second from the current and the last whole
// second, weighted by how much of the latter lies within the past second.
type meter struct {
	second       int64
	count, prior int
}

// add counts n at now and returns the rate with it.
func (m *meter) add(now time.Time, n int) int {
	second := now.Unix()
	switch {
	case second == m.second+1:
		m.prior, m.count, m.second = m.count, 0, second
	case second != m.second:
		m.prior, m.count, m.second = 0, 0, second
	}
	m.count += n
	rest := time.Second - time.Duration(now.Nanosecond())
	return m.count + int(int64(m.prior)*int64(rest)/int64(time.Second))
}

package replica

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/vector"
)

// vectors are those of a database in memory, made at the first search. A
// search brings them to the index state of its own view first; that they may
// hold more than a view knows does no harm, since each hit is looked up in
// the view.
type vectors struct {
	mu     sync.RWMutex // searches share it
	index  *vector.Index
	hashes []indexlog.Hash // by slot
	slots  map[indexlog.Hash]int32
	upTo   int64 // entry of the index log
	reset  int64 // State.reset

	bytes  atomic.Int64
	loaded atomic.Bool

	deadMu    sync.Mutex
	dead      map[indexlog.Hash]int64 // texts that no row had at a seq, and none got since
	again     []indexlog.Hash         // texts that rows got since the last search
	revivedAt int64                   // the newest seq at which rows got texts with vectors
}

// slotBytes is what a slot takes beside its components: hash, place in the
// map, scale.
const slotBytes = 32 + 64 + 4

// maxAgain is how many texts that came back are remembered. With more the
// vectors are made anew.
const maxAgain = 10_000

// revive notes that rows get texts with vectors, before readers can see them.
func (x *vectors) revive(seq int64, texts []indexlog.Hash) {
	if len(texts) == 0 {
		return
	}
	x.deadMu.Lock()
	defer x.deadMu.Unlock()
	x.revivedAt = max(x.revivedAt, seq)
	if !x.loaded.Load() {
		return
	}
	for _, h := range texts {
		delete(x.dead, h)
	}
	if x.again = append(x.again, texts...); len(x.again) > maxAgain {
		x.loaded.Store(false)
		x.again = nil
	}
}

// revive tells the vectors of texts that rows got in a transaction that is
// about to be published.
func (r *Replica) revive(seq int64, c *conn) {
	if db := r.db.Load(); db != nil {
		db.vectors.revive(seq, c.revived)
	}
	c.revived = c.revived[:0]
}

// bury notes that no row of a view has these texts with a vector. A view from
// before rows got any back, or from before texts got vectors again, does not
// tell. The caller has x locked for reading.
func (x *vectors) bury(s *State, texts []indexlog.Hash) {
	if len(texts) == 0 || s.Index < x.upTo {
		return
	}
	x.deadMu.Lock()
	defer x.deadMu.Unlock()
	if s.Seq < x.revivedAt {
		return
	}
	for _, h := range texts {
		x.dead[h] = s.Seq
	}
}

// unbury makes a text one to be found again. The caller has x locked.
func (x *vectors) unbury(h indexlog.Hash) {
	x.deadMu.Lock()
	defer x.deadMu.Unlock()
	delete(x.dead, h)
}

// crowded tells whether so many texts are of no row that the vectors are
// better made anew.
func (x *vectors) crowded() bool {
	x.deadMu.Lock()
	defer x.deadMu.Unlock()
	return len(x.dead) > max(1000, len(x.hashes)/4)
}

// buried gives the slots of texts that no row has at seq; nil: none.
func (x *vectors) buried(seq int64) map[int32]bool {
	x.deadMu.Lock()
	defer x.deadMu.Unlock()
	var slots map[int32]bool
	for h, at := range x.dead {
		if slot, ok := x.slots[h]; ok && at <= seq {
			if slots == nil {
				slots = make(map[int32]bool, len(x.dead))
			}
			slots[slot] = true
		}
	}
	return slots
}

// current gives vectors that hold all that a view knows, locked for reading.
func (v *View) current(ctx context.Context) (*vectors, error) {
	x := &v.db.vectors
	for {
		x.mu.RLock()
		if x.holds(v.state) {
			return x, nil
		}
		x.mu.RUnlock()
		x.mu.Lock()
		own := x.loaded.Load() && x.reset > v.state.reset // the view is of before a change of model
		var err error
		if !own && !x.holds(v.state) {
			err = x.pull(ctx, v)
		}
		x.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if own {
			x = new(vectors)
		}
	}
}

// holds tells whether x has everything that a state knows.
func (x *vectors) holds(s *State) bool {
	x.deadMu.Lock()
	defer x.deadMu.Unlock()
	return x.loaded.Load() && x.reset == s.reset && x.upTo >= s.Index && len(x.again) == 0
}

// pull brings x to the index state of a view. The caller has it locked.
func (x *vectors) pull(ctx context.Context, v *View) error {
	if !x.loaded.Load() || x.reset != v.state.reset || x.crowded() {
		return x.load(ctx, v)
	}
	x.deadMu.Lock()
	again := x.again
	x.again = nil
	x.deadMu.Unlock()
	for _, h := range again {
		if _, ok := x.slots[h]; ok {
			continue
		}
		if err := x.read(ctx, v, "SELECT hash,v FROM vectors WHERE hash=?1 AND state=2", h[:]); err != nil {
			x.loaded.Store(false)
			return err
		}
	}
	if err := x.read(ctx, v, "SELECT hash,v FROM vectors WHERE n>=?1 AND state=2 ORDER BY n", vectorNumber(x.upTo+1, 0)); err != nil {
		x.loaded.Store(false)
		return err
	}
	x.upTo = max(x.upTo, v.state.Index)
	return nil
}

// load makes the vectors anew, of the texts that rows of the view have.
func (x *vectors) load(ctx context.Context, v *View) error {
	x.index, x.hashes, x.slots = vector.NewIndex(v.state.Dim), nil, map[indexlog.Hash]int32{}
	x.deadMu.Lock()
	x.dead, x.again = map[indexlog.Hash]int64{}, nil
	x.loaded.Store(true) // from now on revive notes what comes back
	complete := x.revivedAt > v.state.Seq
	x.deadMu.Unlock()
	x.upTo, x.reset = v.state.Index, v.state.reset
	query := "SELECT hash,v FROM vectors WHERE state=2 ORDER BY n"
	unused, err := v.manyUnused()
	if err == nil && unused && !complete {
		query = "SELECT hash,v FROM vectors WHERE state=2 AND " + v.inUse() + " ORDER BY n"
	}
	if err == nil {
		err = x.read(ctx, v, query)
	}
	if err != nil {
		x.loaded.Store(false)
		x.index, x.hashes, x.slots = nil, nil, nil
		x.bytes.Store(0)
	}
	return err
}

// manyUnused tells whether many vectors are of no row.
func (v *View) manyUnused() (bool, error) {
	var have, used int64
	_, err := v.conn.one("SELECT count(*) FROM vectors", func(s *sqlite.Stmt) { have = s.ColumnInt64(0) })
	for i := range v.state.coverage {
		used += v.state.coverage[i].counts[Indexed] + v.state.coverage[i].counts[Failed]
	}
	return have > 1000 && have > used+used/4, err
}

// inUse is a condition on vectors: a row has the text.
func (v *View) inUse() string {
	var terms []string
	for i := range v.state.coverage {
		num := v.state.coverage[i].table
		terms = append(terms, fmt.Sprintf("EXISTS(SELECT 1 FROM t%d WHERE t%d.h=vectors.hash)", num, num))
	}
	if len(terms) == 0 {
		return "0"
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

// read puts the vectors that a query gives into the index.
func (x *vectors) read(ctx context.Context, v *View, query string, args ...any) error {
	s, err := v.conn.transient(query)
	if err != nil {
		return fmt.Errorf("read vectors: %w", err)
	}
	defer func() { _ = s.Finalize() }() // its error is that of Step
	bindAll(s, args)
	var encoded []byte
	for {
		more, err := s.Step()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read vectors: %w", err)
		}
		if !more {
			break
		}
		var h indexlog.Hash
		s.ColumnBytes(0, h[:])
		encoded = append(encoded[:0], make([]byte, s.ColumnLen(1))...)
		s.ColumnBytes(1, encoded)
		value, err := vector.Decode(encoded)
		if err != nil {
			return fmt.Errorf("read vectors: %w", err)
		}
		slot, known := x.slots[h]
		if !known {
			slot = int32(len(x.hashes))
		}
		if err := x.index.Put(int(slot), value); err != nil {
			return fmt.Errorf("read vectors: %w", err)
		}
		if known {
			x.unbury(h)
			continue
		}
		x.hashes = append(x.hashes, h)
		x.slots[h] = slot
	}
	x.bytes.Store(int64(len(x.hashes)) * int64(slotBytes+v.state.Dim+v.state.Dim/8))
	return nil
}

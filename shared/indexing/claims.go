package indexing

import (
	"sync"

	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/vector"
)

// textKey names a text of a room.
type textKey struct {
	room string
	hash indexlog.Hash
}

// claims are the texts that are being embedded in this process, so that two
// batches with one text ask for it once.
type claims struct {
	mu     sync.Mutex
	byText map[textKey]*claim
}

// claim is one such text. Vector or err is set when done is closed.
type claim struct {
	done   chan struct{}
	vector vector.Int8
	err    error
}

// take claims a text; mine is false when somebody has it already.
func (c *claims) take(key textKey) (taken *claim, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.byText[key]; other != nil {
		return other, false
	}
	taken = &claim{done: make(chan struct{})}
	c.byText[key] = taken
	return taken, true
}

// finish tells the result to whoever waits. It is called when the vector is
// kept, so that whoever comes later finds it.
func (c *claims) finish(key textKey, taken *claim, v vector.Int8, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken.vector, taken.err = v, err
	delete(c.byText, key)
	close(taken.done)
}

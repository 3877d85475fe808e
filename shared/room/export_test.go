package room

import (
	"runtime"
	"time"
)

// WaitQueued waits until n proposals wait in a room's queue.
func (e *Engine) WaitQueued(ulid string, n int) {
	w := &e.room(ulid).writer
	for {
		w.mu.Lock()
		queued := len(w.queue)
		w.mu.Unlock()
		if queued == n {
			return
		}
		runtime.Gosched()
	}
}

// SetPatience sets how long one lead tries.
func (e *Engine) SetPatience(d time.Duration) { e.patience = d }

// SetMaxVisits sets how many rows the alterations of a commit go through.
func (e *Engine) SetMaxVisits(n int64) { e.visits = n }

// SetReadTime sets how long a view may be open.
func (e *Engine) SetReadTime(d time.Duration) { e.readTime = d }

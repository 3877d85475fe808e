package room

import "runtime"

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

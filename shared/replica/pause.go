package replica

import (
	"sync/atomic"
	"time"

	"nanotypedb/shared/commitlog"
)

// maxClockSkew is how far the clocks of two writers are taken to be apart.
const maxClockSkew = time.Second

// pause is the time until which writers leave the next slot to another one,
// who has lost too many to bring in a load.
type pause struct{ until atomic.Int64 } // nanoseconds since 1970

// note takes an entry of another writer into account. One that is read late,
// as when a room is loaded, asks for nothing any more.
func (p *pause) note(e *commitlog.Entry, now time.Time) {
	if e.Pause <= 0 {
		return
	}
	length := time.Duration(e.Pause) * time.Millisecond
	until := now.Add(length)
	if asked := e.At.Time().Add(length + maxClockSkew); asked.Before(until) {
		until = asked
	}
	p.until.Store(until.UnixNano())
}

// Paused is for how long a writer in this process is to leave the next slot
// to another one.
func (r *Replica) Paused() time.Duration {
	until := r.paused.until.Load()
	if until == 0 {
		return 0
	}
	return max(0, time.Unix(0, until).Sub(r.cache.o.Now()))
}

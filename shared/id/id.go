// Package id makes the ids that the server gives: ULIDs that sort by creation.
package id

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

var source = struct {
	sync.Mutex
	entropy *ulid.MonotonicEntropy
	last    uint64
}{entropy: ulid.Monotonic(rand.Reader, 0)}

// New returns a ULID of the moment now. Ids made by one process rise strictly,
// also when the clock stands still or goes back.
func New(now time.Time) string {
	source.Lock()
	defer source.Unlock()
	ms := max(ulid.Timestamp(now), source.last)
	for {
		u, err := ulid.New(ms, source.entropy)
		if err == nil {
			source.last = ms
			return u.String()
		}
		ms++ // the random part of this millisecond is used up
	}
}

// Time gives the moment in a ULID, and whether s is one.
func Time(s string) (time.Time, bool) {
	u, err := ulid.ParseStrict(s)
	if err != nil {
		return time.Time{}, false
	}
	return ulid.Time(u.Time()), true
}

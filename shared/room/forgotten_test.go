package room

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// In a room of many commits ids are forgotten before their 30 days are over.
// An id from before that is refused: it may have been used.
func TestIdsFromAForgottenTimeAreRefused(t *testing.T) {
	end := time.UnixMilli(1_800_000_000_000)
	busy := &replica.State{Forgotten: schema.Millis(end.UnixMilli())}
	tests := []struct {
		name     string
		commitID string
		st       *replica.State
		refused  bool
	}{
		{"made before", stampedAt(end.Add(-time.Minute)), busy, true},
		{"made after", stampedAt(end.Add(time.Hour)), busy, false},
		{"of no time", "sync-42", busy, false},
		{"in a room that forgot nothing", stampedAt(end.Add(-time.Minute)), &replica.State{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := forgotten(tt.commitID, tt.st)
			if got := fault.Is(err, fault.Conflict); got != tt.refused {
				t.Errorf("got %v, want refused: %t", err, tt.refused)
			}
		})
	}
}

func stampedAt(at time.Time) string { return ulid.MustNew(ulid.Timestamp(at), rand.Reader).String() }

//go:build faultpoints

package sqlitequeue_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"nanotypedb/shared/queue/sqlitequeue"
	"nanotypedb/shared/sqlitefile"
)

// TestKilledAtEachPoint lets a child kill itself at each fault point, at a hit
// that rises from round to round. The marker proves that the point was reached.
func TestKilledAtEachPoint(t *testing.T) {
	for _, point := range slices.Concat(sqlitefile.Points, sqlitequeue.Points) {
		t.Run(string(point), func(t *testing.T) {
			folder, all := t.TempDir(), newSaid()
			for round := range crashRounds(t) {
				marker := filepath.Join(t.TempDir(), "marker")
				hit := 1 + round*round
				if round == crashRounds(t)-1 && point != sqlitefile.PointBeforeCheckpoint && point != sqlitefile.PointAfterCheckpoint {
					hit = 100 // far enough for jobs to die
				}
				all.round(t, folder, -1, "NANO_FAULT_POINT="+string(point), "NANO_FAULT_MARKER="+marker,
					"NANO_FAULT_HIT="+strconv.Itoa(hit))
				if reached, err := os.ReadFile(marker); err != nil || string(reached) != string(point) {
					t.Fatalf("the point was not reached: %q, %v", reached, err)
				}
				if t.Failed() {
					t.Fatalf("round %d", round)
				}
			}
			all.verify(t, folder)
		})
	}
}

//go:build faultpoints

package sqlitestore_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store/sqlitestore"
)

// TestKilledAtEachPoint lets a child kill itself at each fault point, at a hit
// that rises from round to round. The marker proves that the point was reached.
func TestKilledAtEachPoint(t *testing.T) {
	for _, point := range slices.Concat(sqlitefile.Points, sqlitestore.Points) {
		t.Run(string(point), func(t *testing.T) {
			folder, all := t.TempDir(), newSaid()
			for round := range crashRounds(t) {
				marker := filepath.Join(t.TempDir(), "marker")
				stderr, err := all.runChild(t, folder, -1, "NANO_FAULT_POINT="+string(point), "NANO_FAULT_MARKER="+marker,
					"NANO_FAULT_HIT="+strconv.Itoa(1+round*round))
				killed(t, stderr, err)
				if reached, err := os.ReadFile(marker); err != nil || string(reached) != string(point) {
					t.Fatalf("the point was not reached: %q, %v", reached, err)
				}
				if all.verify(t, folder); t.Failed() {
					t.Fatalf("round %d", round)
				}
			}
		})
	}
}

package indexlog

import (
	"encoding/hex"
	"strconv"
	"strings"

	"nanotypedb/shared/store"
)

const (
	sortPrefix = "INDEX#"
	digits     = 16
	maxN       = 1e16 - 1 // what the digits hold
)

// Partition is the partition of everything that belongs to the index of a
// room; room is the ULID.
func Partition(room string) string { return "VEC#" + room }

// Key is where the entry n of a room's index log is kept.
func Key(room string, n int64) store.Key { return store.Key{PK: Partition(room), SK: sortKey(n)} }

func sortKey(n int64) string {
	text := strconv.FormatInt(max(0, min(n, maxN)), 10)
	return sortPrefix + strings.Repeat("0", digits-len(text)) + text
}

// NOf gives the n in a sort key, and whether it is that of an entry.
func NOf(sk string) (n int64, ok bool) {
	text, ok := strings.CutPrefix(sk, sortPrefix)
	if !ok || len(text) != digits {
		return 0, false
	}
	u, err := strconv.ParseUint(text, 10, 63)
	if err != nil || u == 0 {
		return 0, false
	}
	return int64(u), true
}

// VectorKey is where the vector that a model gives a text of a room is kept.
func VectorKey(room, model string, h Hash) store.Key {
	return store.Key{PK: Partition(room), SK: "VEC#" + model + "#" + hex.EncodeToString(h[:])}
}

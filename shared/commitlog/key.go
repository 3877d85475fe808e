package commitlog

import (
	"strconv"
	"strings"

	"nanotypedb/shared/store"
)

const (
	sortPrefix = "LOG#"
	seqDigits  = 16
	maxSeq     = 1e16 - 1 // what the digits hold
)

// Partition is the partition of everything that belongs to a room's log; room
// is the ULID.
func Partition(room string) string { return "ROOM#" + room }

// RoomOf gives the room of a log's partition key, and whether it is one.
func RoomOf(pk string) (room string, ok bool) { return strings.CutPrefix(pk, Partition("")) }

// Key is where the entry seq of a room is kept.
func Key(room string, seq int64) store.Key {
	return store.Key{PK: Partition(room), SK: sortKey(seq)}
}

func sortKey(seq int64) string {
	digits := strconv.FormatInt(max(0, min(seq, maxSeq)), 10)
	return sortPrefix + strings.Repeat("0", seqDigits-len(digits)) + digits
}

// SeqOf gives the seq in a sort key, and whether it is that of an entry.
func SeqOf(sk string) (seq int64, ok bool) {
	digits, ok := strings.CutPrefix(sk, sortPrefix)
	if !ok || len(digits) != seqDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n == 0 {
		return 0, false
	}
	return int64(n), true
}

package commitlog

import "strings"

// RoomOf gives the room of a log's partition key, and whether it is one.
func RoomOf(pk string) (room string, ok bool) { return strings.CutPrefix(pk, Partition("")) }

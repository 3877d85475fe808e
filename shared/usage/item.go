package usage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"nanotypedb/shared/store"
)

// How long figures are kept.
const (
	KeepHours = 90 * 24 * time.Hour
	KeepDays  = 396 * 24 * time.Hour // 13 months
)

const (
	hourLayout = "2006-01-02T15"
	dayLayout  = "2006-01-02"
	hourPrefix = "H#"
	dayPrefix  = "D#"
)

// Principals that are no user: System is work that nobody in particular caused.
const System = "system"

// Partition is where a room's usage is kept; room is the ULID.
func Partition(room string) string { return "USE#" + room }

func hourKey(room string, hour time.Time, principal string) store.Key {
	return store.Key{PK: Partition(room), SK: hourPrefix + hour.Format(hourLayout) + "#" + principal}
}

func dayKey(room string, day time.Time, principal string) store.Key {
	return store.Key{PK: Partition(room), SK: dayPrefix + day.Format(dayLayout) + "#" + principal}
}

// splitKey gives the period and the principal of a sort key.
func splitKey(sk string) (at time.Time, principal string, err error) {
	layout, rest := hourLayout, strings.TrimPrefix(sk, hourPrefix)
	if strings.HasPrefix(sk, dayPrefix) {
		layout, rest = dayLayout, strings.TrimPrefix(sk, dayPrefix)
	}
	period, principal, found := strings.Cut(rest, "#")
	at, err = time.Parse(layout, period)
	if !found || err != nil {
		return at, principal, fmt.Errorf("usage: sort key %q names no period and principal", sk)
	}
	return at, principal, nil
}

// maxWriters is how many processes an item remembers. One that was forgotten
// could count a write of unknown outcome twice, if that many others came in
// between its two attempts.
const maxWriters = 12

// record is the data of an item.
type record struct {
	Counts  Counts `json:"c"`
	Log     int64  `json:"log,omitempty"` // entries up to this seq are counted
	Writers []mark `json:"w,omitempty"`   // who added, the newest last
}

// mark is the newest addition of a process.
type mark struct {
	Writer string `json:"id"`
	N      int64  `json:"n"`
}

// take notes the n-th addition of a writer, and reports false when it is in
// the counts already.
func (r *record) take(writer string, n int64) bool {
	at := slices.IndexFunc(r.Writers, func(m mark) bool { return m.Writer == writer })
	if at >= 0 {
		if r.Writers[at].N >= n {
			return false
		}
		r.Writers = slices.Delete(r.Writers, at, at+1)
	}
	r.Writers = append(r.Writers, mark{Writer: writer, N: n})
	if extra := len(r.Writers) - maxWriters; extra > 0 {
		r.Writers = slices.Delete(r.Writers, 0, extra)
	}
	return true
}

func decodeRecord(data []byte) (record, error) {
	var r record
	if len(data) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("decode usage item: %w", err)
	}
	return r, nil
}

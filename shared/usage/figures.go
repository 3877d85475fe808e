// Package usage counts what rooms and principals consume, exactly and once,
// and says what it costs.
//
// A principal's figures of an hour (UTC) in a room are one item. What follows
// from the log (commits, rows written, their write units) is counted from the
// log, up to a seq that the item names; everything else is counted where it
// happens, kept in memory and added under a number that the item remembers. So
// neither a crash nor a repeated write counts anything twice.
package usage

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// Figure is one thing that is counted.
type Figure int

// The figures. Units of the store are counted in eighths of a unit, because an
// eventually consistent read of a small item costs half of one.
const (
	Reads        Figure = iota // rows returned
	Writes                     // rows changed
	AI                         // texts embedded: documents and queries
	Commits                    // entries of the log
	Requests                   // requests over HTTP
	Messages                   // messages over sockets, to and from clients, each started 32 KB
	Bytes                      // bytes of answers
	Tokens                     // tokens that models were asked to read
	ReadUnits                  // eighths of read units of the store
	WriteUnits                 // eighths of write units of the store
	Queued                     // requests to queues
	ComputeTime                // milliseconds of functions
	Invocations                // of functions
	Errors                     // requests that failed by our fault: internal or unavailable
	TableStored                // KB-hours in the table
	BlobsStored                // KB-hours in the bucket
	firstLatency               // how many requests took at most latencies[0], and so on
	figures      = firstLatency + Figure(len(latencies))
)

// latencies are the upper bounds, in milliseconds, of the classes in which
// requests are counted by the time they took; the last has none.
var latencies = [...]int64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, math.MaxInt64}

var names = append([]string{
	"reads", "writes", "ai", "commits", "requests", "messages", "bytes", "tokens", "readUnits", "writeUnits", "queued", "computeMs", "invocations", "errors",
	"tableKBh", "blobsKBh",
}, latencyNames()...)

func latencyNames() []string {
	list := make([]string, len(latencies))
	for i, ms := range latencies {
		list[i] = "ms" + strconv.FormatInt(ms, 10)
	}
	list[len(list)-1] = "msMore"
	return list
}

// Took is the figure that counts a request of this duration.
func Took(d time.Duration) Figure {
	i, _ := slices.BinarySearch(latencies[:], int64((d+time.Millisecond-1)/time.Millisecond))
	return firstLatency + Figure(i)
}

// Timed is how many requests were timed.
func (c Counts) Timed() int64 {
	var all int64
	for _, n := range c[firstLatency:] {
		all += n
	}
	return all
}

// Latency is an upper bound of the time that the share q (0 to 1) of all timed
// requests took at most, and false when none was timed or there is no bound.
func (c Counts) Latency(q float64) (time.Duration, bool) {
	all := c.Timed()
	left := int64(math.Ceil(q * float64(all)))
	for i, n := range c[firstLatency:] {
		if left -= n; left <= 0 && all > 0 {
			return time.Duration(latencies[i]) * time.Millisecond, i < len(latencies)-1
		}
	}
	return 0, false
}

// String is the figure's name in items and answers.
func (f Figure) String() string { return names[f] }

// Counts holds every figure.
type Counts [figures]int64

// Of makes counts of one figure.
func Of(f Figure, n int64) Counts {
	var c Counts
	c[f] = n
	return c
}

// Plus is the sum of both.
func (c Counts) Plus(other Counts) Counts {
	for f := range c {
		c[f] += other[f]
	}
	return c
}

// Divide gives each room its part by its share. The parts sum to the whole.
func (c Counts) Divide(shares map[string]int64) map[string]Counts {
	rooms := slices.Sorted(maps.Keys(shares))
	all, before := int64(0), int64(0)
	for _, share := range shares {
		all += share
	}
	parts := make(map[string]Counts, len(shares))
	for _, room := range rooms {
		if shares[room] <= 0 {
			continue
		}
		var part Counts
		after := before + shares[room]
		for f, n := range c {
			part[f] = n*after/all - n*before/all
		}
		parts[room], before = part, after
	}
	return parts
}

// Zero reports whether nothing was counted.
func (c Counts) Zero() bool { return c == Counts{} }

// MarshalJSON leaves out what is 0, so that an item stays small.
func (c Counts) MarshalJSON() ([]byte, error) {
	members := make(map[string]int64, figures)
	for f, n := range c {
		if n != 0 {
			members[names[f]] = n
		}
	}
	return json.Marshal(members)
}

// UnmarshalJSON ignores figures that a newer version counts.
func (c *Counts) UnmarshalJSON(data []byte) error {
	var members map[string]int64
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("decode usage counts: %w", err)
	}
	*c = Counts{}
	for name, n := range members {
		if f := slices.Index(names, name); f >= 0 {
			c[f] = n
		}
	}
	return nil
}

// bytesPerToken estimates tokens where the model does not tell them: about four
// letters of English a token.
const bytesPerToken = 4

// Embedded is what embedding one text counts for.
func Embedded(text string) Counts {
	c := Of(AI, 1)
	c[Tokens] = int64(len(text)+bytesPerToken-1) / bytesPerToken
	return c
}

package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A laptop's memory is dearer than a little more collecting, so the heap may
// grow by half of what is alive before it is collected. But a small heap would
// then be collected many times a second: it may always grow by minGrowth.
const (
	growth    = 50 // per cent, as GOGC
	minGrowth = 12 << 20
)

// tuneCollector keeps the collector at growth and minGrowth: after each
// collection it sets GOGC anew, since that knows only per cent.
func tuneCollector() {
	const goHeapMinimum = 4 << 20 // of the runtime, at GOGC=100
	debug.SetGCPercent(minGrowth * 100 / goHeapMinimum)
	c := &collector{percent: minGrowth * 100 / goHeapMinimum}
	c.afterNext()
}

// collector is owned by the finalizer of a collection's mark.
type collector struct{ percent int }

// mark is garbage that the next collection finds.
type mark struct{ _ [16]byte }

func (c *collector) afterNext() {
	runtime.SetFinalizer(new(mark), func(*mark) {
		c.collected()
		c.afterNext()
	})
}

// collected sets GOGC for what is alive now, when it would change by much.
func (c *collector) collected() {
	// What GOGC is a percentage of, see runtime/debug.SetGCPercent.
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(samples)
	var alive uint64
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			alive += s.Value.Uint64()
		}
	}
	percent := percentFor(alive)
	if off := percent - c.percent; off*8 > c.percent || off*8 < -c.percent {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
}

// percentFor is GOGC for so many bytes alive.
func percentFor(alive uint64) int { return max(growth, int(minGrowth*100/max(alive, 1<<20))) }

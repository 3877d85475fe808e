package replica

import (
	"bytes"
	"os"
	"runtime/metrics"
	"strconv"
)

// anonymousMemory is about what SQLite has allocated in this process, in
// bytes: the memory of the process that is neither Go's nor that of mapped
// files. SQLite's own count would slow every allocation down. It is 0 where
// the system does not tell, which is everywhere but on Linux: there only time
// bounds a statement.
func anonymousMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text) // size, resident, shared … in pages
	if len(fields) < 3 {
		return 0
	}
	resident, err1 := strconv.ParseInt(string(fields[1]), 10, 64)
	shared, err2 := strconv.ParseInt(string(fields[2]), 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	own := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(own)
	inUse := int64(own[0].Value.Uint64()) - int64(own[1].Value.Uint64()) - int64(own[2].Value.Uint64())
	return (resident-shared)*int64(os.Getpagesize()) - inUse
}

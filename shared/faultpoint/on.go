//go:build faultpoints

package faultpoint

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

var (
	armed  = Name(os.Getenv("NANO_FAULT_POINT"))
	marker = os.Getenv("NANO_FAULT_MARKER")
	after  = hitsFromEnv()
	hits   atomic.Int64
)

func hitsFromEnv() int64 {
	n, err := strconv.ParseInt(os.Getenv("NANO_FAULT_HIT"), 10, 64)
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// Reach kills the process when the armed point is hit for the set time.
func Reach(name Name) {
	if name != armed || hits.Add(1) != after {
		return
	}
	if err := os.WriteFile(marker, []byte(name), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "faultpoint: marker not written:", err)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

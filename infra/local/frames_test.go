package local

import (
	"testing"

	"pgregory.net/rapid"
)

// frame is a masked client frame with a payload of n bytes.
func frame(n int) []byte {
	f := []byte{0x81}
	switch {
	case n < 126:
		f = append(f, 0x80|byte(n))
	case n < 1<<16:
		f = append(f, 0x80|126, byte(n>>8), byte(n))
	default:
		f = append(f, 0x80|127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	f = append(f, 1, 2, 3, 4)
	return append(f, make([]byte, n)...)
}

func TestFrameScanFindsTheLargestFrameHoweverItIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 70_000), 1, 5).Draw(t, "sizes")
		var stream []byte
		want := 0
		for _, n := range sizes {
			stream = append(stream, frame(n)...)
			want = max(want, n)
		}
		var scan frameScan
		var got uint64
		for len(stream) > 0 {
			n := min(rapid.IntRange(1, 40_000).Draw(t, "chunk"), len(stream))
			got = max(got, scan.feed(stream[:n]))
			stream = stream[n:]
		}
		if got != uint64(want) {
			t.Fatalf("largest frame %d, want %d", got, want)
		}
	})
}

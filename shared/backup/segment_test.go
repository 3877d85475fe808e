package backup

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"nanotypedb/shared/fault"
)

func TestSegmentsComeBack(t *testing.T) {
	for _, entries := range [][][]byte{{[]byte("one")}, {[]byte("a"), bytes.Repeat([]byte("b"), 300_000), []byte("c")}} {
		content, err := sealed("room", 7, entries)
		if err != nil {
			t.Fatal(err)
		}
		want := segmentHeader{Room: "room", From: 7, To: 7 + int64(len(entries)) - 1}
		var got [][]byte
		err = decodeSegment(bytes.NewReader(content), want, func(seq int64, data []byte) error {
			if seq != 7+int64(len(got)) {
				t.Errorf("entry %d after %d others", seq, len(got))
			}
			got = append(got, bytes.Clone(data))
			return nil
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(entries) {
			t.Errorf("%d entries came back as %d: %v", len(entries), len(got), err)
		}
		for _, other := range []segmentHeader{{Room: "other", From: 7, To: want.To}, {Room: "room", From: 6, To: want.To}, {Room: "room", From: 7, To: want.To + 1}} {
			if err := decodeSegment(bytes.NewReader(content), other, func(int64, []byte) error { return nil }); !isDamage(err) {
				t.Errorf("taken for %+v: %v", other, err)
			}
		}
	}
}

func isDamage(err error) bool {
	var d *damage
	return errors.As(err, &d)
}

func TestASegmentOfANewerProgram(t *testing.T) {
	var content bytes.Buffer
	content.WriteString(segmentMagic)
	z, err := zstd.NewWriter(&content)
	if err != nil {
		t.Fatal(err)
	}
	head := `{"format":2,"room":"room","from":1,"to":1}`
	if _, err := z.Write(append([]byte{byte(len(head))}, head...)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	err = decodeSegment(&content, segmentHeader{Room: "room", From: 1, To: 1}, nil)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("%v", err)
	}
}

func FuzzDecodeSegment(f *testing.F) {
	for _, entries := range [][][]byte{{[]byte("one"), []byte("two")}, {bytes.Repeat([]byte("x"), 4000), []byte("y")}} {
		content, err := sealed("room", 1, entries)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
		f.Add(content[:len(content)/2])
	}
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, content []byte) {
		entries := 0
		err := decodeSegment(bytes.NewReader(content), segmentHeader{Room: "room", From: 1, To: 2}, func(seq int64, data []byte) error {
			if entries++; seq != int64(entries) || len(data) > maxSegmentFrame {
				t.Errorf("entry %d of %d bytes", seq, len(data))
			}
			return nil
		})
		if err == nil && entries != 2 {
			t.Errorf("%d entries without an error", entries)
		}
	})
}

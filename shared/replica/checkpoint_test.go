package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

const hour = time.Hour

// noise is text that does not compress, so that an image needs parts or a blob.
func noise(n int) string {
	var b strings.Builder
	for x := uint32(n + 1); b.Len() < 480; {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		fmt.Fprintf(&b, "%08x", x)
	}
	return b.String()
}

// noisy is a room whose image is about n KB.
func noisy(tb testing.TB, w *world, kb int) *replica.Replica {
	r := w.create(w.cache())
	for i := 0; i < kb*4; {
		var ops []commitlog.Op
		for range 1000 {
			ops = append(ops, insert(rowID(i), noise(i)))
			i++
		}
		w.commit(r, ops...)
	}
	return r
}

func TestCheckpointsComeBack(t *testing.T) {
	for name, kb := range map[string]int{"one part": 0, "several parts": 400, "a blob": 1500} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := noisy(t, w, kb)
			must(t, r.Checkpoint(t.Context()))
			infos, _, err := w.blobs.List(t.Context(), "", "", 0)
			must(t, err)
			parts := w.st.count("CHECKPOINT#PART#")
			if (len(infos) == 1) != (name == "a blob") || (parts > 1) != (name == "several parts") || (parts == 1) != (name == "one part") {
				t.Errorf("%d blobs, %d parts", len(infos), parts)
			}
			w.st.removePrefix("LOG#000000000000000") // all but the checkpoint is needed for
			loaded := w.acquire(w.cache())
			if loaded.State().Sums != r.State().Sums || !sameState(loaded.State(), r.State()) {
				t.Errorf("loaded %+v, want %+v", loaded.State(), r.State())
			}
			checkRecount(t, "loaded", loaded)
			w.commit(loaded, insert("after", "x"))
			if n := loaded.State().Rows; n != r.State().Rows+1 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

func TestCheckpointIsDueByTheTail(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	if r.CheckpointDue() {
		t.Error("due after one small entry")
	}
	for i := range 150 {
		w.commit(r, insert(rowID(i), noise(i)))
	}
	if !r.CheckpointDue() {
		t.Error("not due after 70 KB")
	}
	follower := w.acquire(w.cache())
	if !follower.CheckpointDue() {
		t.Error("not due for a follower")
	}
	must(t, r.Checkpoint(t.Context()))
	if r.CheckpointDue() {
		t.Error("due after a checkpoint")
	}
	must(t, follower.Checkpoint(t.Context()))
	if w.st.count("CHECKPOINT#PART#") != 1 || follower.CheckpointDue() {
		t.Error("a second checkpoint was written at the same seq, or not noticed")
	}
	for range 2001 {
		w.commit(r)
	}
	if !r.CheckpointDue() {
		t.Error("not due after 2,001 entries")
	}
}

// TestDamagedCheckpointsAreRefused: any change of any part makes the loader
// replay the log, and say that the room is unavailable when that is gone.
func TestDamagedCheckpointsAreRefused(t *testing.T) {
	for name, harm := range map[string]func(w *world){
		"a flipped bit": func(w *world) {
			w.st.edit("CHECKPOINT#PART#", func(d []byte) []byte { d[len(d)/2] ^= 1; return d })
		},
		"a flipped bit in the header": func(w *world) {
			w.st.edit("CHECKPOINT#PART#", func(d []byte) []byte { d[40] ^= 1; return d })
		},
		"another seq in the header": func(w *world) {
			w.st.edit("CHECKPOINT#PART#", func(d []byte) []byte { return bytes.Replace(d, []byte(`"seq":2`), []byte(`"seq":1`), 1) })
		},
		"another SHA-256": func(w *world) {
			w.st.edit("CHECKPOINT#PART#", func(d []byte) []byte {
				at := bytes.Index(d, []byte(`"sha256":"`)) + len(`"sha256":"`)
				d[at] = map[bool]byte{true: '1', false: '0'}[d[at] == '0']
				return d
			})
		},
		"cut":           func(w *world) { w.st.edit("CHECKPOINT#PART#", func(d []byte) []byte { return d[:len(d)-1] }) },
		"more after it": func(w *world) { w.st.edit("CHECKPOINT#PART#", func(d []byte) []byte { return append(d, d...) }) },
		"empty":         func(w *world) { w.st.edit("CHECKPOINT#PART#", func(d []byte) []byte { return nil }) },
		"gone":          func(w *world) { w.st.removePrefix("CHECKPOINT#PART#") },
		"a pointer with another": func(w *world) {
			w.st.edit("CHECKPOINT#HEAD", func(d []byte) []byte { return bytes.Replace(d, []byte(`"seq":2`), []byte(`"seq":1`), 1) })
		},
		"a pointer that is none": func(w *world) { w.st.edit("CHECKPOINT#HEAD", func(d []byte) []byte { return []byte("{") }) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.create(w.cache())
			w.commit(r, insert("a", "first"))
			must(t, r.Checkpoint(t.Context()))
			w.commit(r, insert("b", "second"))
			harm(w)
			loaded := w.acquire(w.cache())
			if loaded.State().Sums != r.State().Sums {
				t.Error("loaded something else")
			}
			w.st.remove(commitlog.Key(ulid, 1))
			if _, _, err := w.cache().Acquire(t.Context(), ulid); !fault.Is(err, fault.Unavailable) {
				t.Errorf("without the log: %v", err)
			}
			w.st.removePrefix("LOG#")
			if _, _, err := w.cache().Acquire(t.Context(), ulid); !fault.Is(err, fault.Unavailable) {
				t.Errorf("without any log: %v", err)
			}
			must(t, r.Checkpoint(t.Context())) // which repairs it
			if got := w.acquire(w.cache()).State().Sums; got != r.State().Sums {
				t.Error("the next checkpoint does not load")
			}
		})
	}
}

func TestAHoleInTheLogIsBridgedByACheckpoint(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	follower := w.acquire(w.cache())
	for i := range 5 {
		w.commit(r, insert(rowID(i), "x"))
	}
	must(t, r.Checkpoint(t.Context()))
	w.st.remove(commitlog.Key(ulid, 3))
	must(t, follower.CatchUp(t.Context()))
	if follower.State().Sums != r.State().Sums {
		t.Error("the follower did not get there")
	}
	w.st.removePrefix("CHECKPOINT#")
	if _, _, err := w.cache().Acquire(t.Context(), ulid); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a hole that nothing covers: %v", err)
	}
}

// TestACheckpointBrokenOffHarmsNothing stops it at every write.
func TestACheckpointBrokenOffHarmsNothing(t *testing.T) {
	stop := errors.New("stopped")
	for at := 1; ; at++ {
		w := newWorld(t)
		r := noisy(t, w, 400)
		must(t, r.Checkpoint(t.Context()))
		w.commit(r, insert("b", "second"))
		n := 0
		w.st.fail = func(op string, _ store.Key) error {
			if op == "write" {
				n++
			}
			if n == at {
				return stop
			}
			return nil
		}
		err := r.Checkpoint(t.Context())
		w.st.fail = nil
		if err == nil {
			if at < 4 {
				t.Errorf("only %d writes", at)
			}
			return
		}
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if got := w.acquire(w.cache()).State().Sums; got != r.State().Sums {
			t.Errorf("stopped at write %d, another replica has other sums", at)
		}
		must(t, r.Checkpoint(t.Context()))
		w.close()
	}
}

func TestThePointerGoesForwardOnly(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	slow := w.acquire(w.cache())
	w.commit(r, insert("a", "first"))
	once := true
	w.st.fail = func(op string, key store.Key) error {
		if op == "write" && key.SK == "CHECKPOINT#HEAD" && once {
			once = false
			w.st.mu.Unlock() // another process is faster
			err := r.Checkpoint(context.Background())
			w.st.mu.Lock()
			return err
		}
		return nil
	}
	must(t, slow.Checkpoint(t.Context()))
	w.st.fail = nil
	data := w.st.items[store.Key{PK: commitlog.Partition(ulid), SK: "CHECKPOINT#HEAD"}]
	if !bytes.Contains(data, []byte(`"seq":2`)) {
		t.Errorf("the pointer is %s", data)
	}
}

// idTime is now, or later: the time that ids have reached, which never goes
// back. Checkpoints are kept by the time in their ids.
func idTime(now time.Time) time.Time {
	reached, _ := id.Time(id.New(now))
	return reached.Add(time.Second)
}

func TestSweepKeepsADay(t *testing.T) {
	for name, kb := range map[string]int{"parts": 0, "blobs": 1500} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.now = idTime(w.now)
			c := w.cache()
			r := noisy(t, w, kb)
			count := func() int {
				infos, _, err := w.blobs.List(t.Context(), "", "", 0)
				must(t, err)
				return w.st.count("CHECKPOINT#PART#") + len(infos)
			}
			must(t, r.Checkpoint(t.Context()))
			w.now = w.now.Add(240 * hour)
			w.commit(r, insert("x", "x"))
			must(t, r.Checkpoint(t.Context()))
			must(t, c.Sweep(t.Context(), ulid))
			if count() != 2 {
				t.Errorf("%d checkpoints just after the second", count())
			}
			w.now = w.now.Add(24*hour + time.Second)
			must(t, c.Sweep(t.Context(), ulid))
			if count() != 1 {
				t.Errorf("%d checkpoints a day later", count())
			}
			if got := w.acquire(w.cache()).State().Sums; got != r.State().Sums {
				t.Error("the newest does not load")
			}
		})
	}
}

// TestManyCheckpointsADay: the pointer does not grow with them, and each stays
// a day after it was replaced.
func TestManyCheckpointsADay(t *testing.T) {
	w := newWorld(t)
	w.now = idTime(w.now)
	c := w.cache()
	r := w.create(c)
	for i := range 60 {
		w.commit(r, insert(rowID(i), "x"))
		must(t, r.Checkpoint(t.Context()))
		w.now = w.now.Add(10 * time.Second)
	}
	pointer, err := w.st.Get(t.Context(), store.Key{PK: commitlog.Partition(ulid), SK: "CHECKPOINT#HEAD"}, true)
	must(t, err)
	if len(pointer.Data) > 1000 {
		t.Errorf("the pointer has %d bytes", len(pointer.Data))
	}
	w.now = w.now.Add(24*hour - 20*time.Second)
	must(t, c.Sweep(t.Context(), ulid))
	if n := w.st.count("CHECKPOINT#PART#"); n != 60 {
		t.Errorf("%d checkpoints are left within a day", n)
	}
	w.now = w.now.Add(hour + 10*time.Minute)
	must(t, c.Sweep(t.Context(), ulid))
	if n := w.st.count("CHECKPOINT#PART#"); n != 1 {
		t.Errorf("%d checkpoints are left", n)
	}
}

func TestImageTellsWhatItIs(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "a secret"), insert("b", "second"))
	w.commit(r, remove("a"))
	var b bytes.Buffer
	h, err := r.Image(t.Context(), &b)
	must(t, err)
	if h.Seq != 3 || h.Rows != 1 || h.Room != ulid || h.Sums != r.State().Sums || h.Schema.Table("tasks") == nil {
		t.Errorf("header is %+v", h)
	}
	var db bytes.Buffer
	again, err := replica.ReadImage(t.Context(), bytes.NewReader(b.Bytes()), &db)
	must(t, err)
	if again.SHA256 != h.SHA256 || int64(db.Len()) != h.Size {
		t.Error("the image does not come back")
	}
	if bytes.Contains(db.Bytes(), []byte("a secret")) {
		t.Error("a deleted row is still in the image")
	}
}

func FuzzReadImage(f *testing.F) {
	w := newWorld(f)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first"))
	var b bytes.Buffer
	_, err := r.Image(f.Context(), &b)
	must(f, err)
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:40])
	f.Add([]byte("NANOIMG\n\xff\xff\xff\xff{}"))
	f.Add([]byte("NANOIMG\n\x02\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out := &counter{}
		h, err := replica.ReadImage(t.Context(), bytes.NewReader(data), out)
		if err == nil && h.Size != out.n {
			t.Errorf("size %d, wrote %d", h.Size, out.n)
		}
	})
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

// TestABombIsBounded: an image that says it is small and is not writes no
// more than it said.
func TestABombIsBounded(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	for i := range 20 {
		w.commit(r, insert(rowID(i), strings.Repeat("x", 500)))
	}
	var b bytes.Buffer
	h, err := r.Image(t.Context(), &b)
	must(t, err)
	digits := len(fmt.Sprint(h.Size))
	lying := bytes.Replace(b.Bytes(), fmt.Appendf(nil, `"size":%d`, h.Size), fmt.Appendf(nil, `"size":%*d`, digits, 1000), 1)
	out := &counter{}
	if _, err := replica.ReadImage(t.Context(), bytes.NewReader(lying), out); err == nil || out.n > 8<<10 {
		t.Errorf("wrote %d bytes: %v", out.n, err)
	}
	for _, text := range []string{
		`{"format":1,"seq":1,"size":4000000000,"schema":{}}`, `{"format":1,"seq":1,"size":-1}`, `{"format":0,"seq":1}`,
		`{"format":1,"seq":0}`, `{"format":1,"seq":1,"content":"00"}`, `null`, `[]`,
	} {
		if _, err := replica.DecodeHeader([]byte(text)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
	if _, err := replica.DecodeHeader([]byte(`{"format":9,"seq":1}`)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a newer format: %v", err)
	}
}

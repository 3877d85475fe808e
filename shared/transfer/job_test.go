package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/signedblob"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/job"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
	"nanotypedb/shared/transfer"
)

// box is a queue that keeps what was sent, for the test to hand out.
type box struct {
	queue.Queue
	bodies []string
}

func (b *box) Send(_ context.Context, messages ...queue.Outgoing) error {
	for _, m := range messages {
		b.bodies = append(b.bodies, m.Body)
	}
	return nil
}

// announced counts what the live side is told.
type announced struct{ seqs []int64 }

func (a *announced) Announce(_ context.Context, _ string, seq int64) error {
	a.seqs = append(a.seqs, seq)
	return nil
}

// worker is a world whose service has jobs.
type worker struct {
	*world
	queue  *box
	jobs   *job.Runner
	server *signedblob.Server
	told   *announced
}

// newWorker makes one; inline says whether jobs are done at once.
func newWorker(t testing.TB, inline bool) *worker {
	t.Helper()
	w := &worker{world: newWorld(t), queue: &box{}, told: &announced{}}
	w.open(w.rooms, w.store, w.blobs, inline)
	return w
}

// open begins a process that does jobs.
func (w *worker) open(rooms transfer.Rooms, st store.Store, blobs blob.Store, inline bool) {
	shared := *w.world
	w.world = &shared
	w.server = signedblob.New(blobs, "", nil)
	o := job.Options{Store: st, Queue: w.queue, Log: slog.New(slog.DiscardHandler)}
	if !inline {
		o.Inline = -1
	}
	w.jobs = job.New(o)
	w.service = transfer.New(transfer.Options{
		Rooms: rooms, Replicas: w.replicas, Blobs: blobs, Addresses: w.server, Jobs: w.jobs, Announcer: w.told, Log: slog.New(slog.DiscardHandler),
	})
}

// work hands out the messages.
func (w *worker) work(ctx context.Context) error {
	w.Helper()
	for len(w.queue.bodies) > 0 {
		body := w.queue.bodies[0]
		w.queue.bodies = w.queue.bodies[1:]
		if err := w.jobs.Handle(ctx, queue.Message{Body: body, Receives: 1}); err != nil {
			return err
		}
	}
	return nil
}

// put uploads a file as a browser does.
func (w *worker) put(p access.Principal, data []byte) string {
	w.Helper()
	u, err := w.service.NewUpload(w.Context(), p, den, int64(len(data)))
	if err != nil {
		w.Fatal(err)
	}
	out := httptest.NewRecorder()
	w.server.ServeHTTP(out, httptest.NewRequest(u.Address.Method, u.Address.URL, bytes.NewReader(data)))
	if out.Code != http.StatusOK {
		w.Fatalf("upload: %d %s", out.Code, out.Body)
	}
	return u.ID
}

// rows makes a file of n rows from a number on.
func rowsFile(from, n int) []byte {
	var b bytes.Buffer
	b.WriteString("id,name,n\n")
	for i := range n {
		fmt.Fprintf(&b, "row-%07d,%s %d,%d\n", from+i, strings.Repeat("name", 5), i, i)
	}
	return b.Bytes()
}

func (w *worker) count(p access.Principal, table string) (n int) {
	w.Helper()
	return strings.Count(w.file(p, transfer.NDJSON, table), "\n")
}

// A file with more rows than a commit takes is loaded by one commit, also by
// an editor, and announced once.
func TestLargeImports(t *testing.T) {
	w := newWorker(t, true)
	w.table("t", "shared", `{"name":"name","type":"text"}`, `{"name":"n","type":"integer"}`)
	csv := transfer.Import{Format: transfer.CSV}
	before := w.seq()
	report, err := w.bring(bob, csv, string(rowsFile(0, 3000)))
	if err != nil || report.Seq != before+1 || report.Rows != 3000 || w.seq() != before+1 || w.count(vera, "t") != 3000 {
		t.Fatalf("%v %+v, %d rows", err, report, w.count(vera, "t"))
	}
	if fmt.Sprint(w.told.seqs) != fmt.Sprint([]int64{before + 1}) {
		t.Errorf("announced %v", w.told.seqs)
	}
	report, err = w.bring(bob, transfer.Import{Table: "made", Format: transfer.CSV, Create: true}, string(rowsFile(0, 2000)))
	if err != nil || report.Seq != before+2 || w.count(vera, "made") != 2000 {
		t.Fatalf("%v %+v", err, report)
	}
	report, err = w.bring(ada, transfer.Import{Format: transfer.CSV, Mode: transfer.Replace}, string(rowsFile(1500, 3000)))
	if err != nil || report.Seq != before+3 || w.count(vera, "t") != 3000 {
		t.Fatalf("%v %+v", err, report)
	}
	if file := w.file(ada, transfer.CSV, "t"); !strings.HasPrefix(file, "id,name,n\r\nrow-0001500,") {
		t.Errorf("%.60s", file)
	}
	for name, bad := range map[string][]byte{
		"taken": rowsFile(4000, 1500), "a text": append(rowsFile(9000, 1500), "x,y,z\n"...), "twice": append(rowsFile(9000, 1500), "row-0009000,,\n"...),
	} {
		var f *fault.Error
		if _, err := w.bring(bob, csv, string(bad)); !errors.As(err, &f) || f.Code != fault.Invalid || f.Details["errorCount"] == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.seq() != before+3 {
		t.Error("what was refused changed something")
	}
}

// A job goes on by the queue, and its result is the report.
func TestImportGoesOnByTheQueue(t *testing.T) {
	w := newWorker(t, false)
	w.table("t", "shared", `{"name":"name","type":"text"}`, `{"name":"n","type":"integer"}`)
	upload := w.put(bob, rowsFile(0, 1500))
	im := transfer.Import{Table: "t", Format: transfer.CSV, Mode: transfer.Append}
	done, err := w.service.Import(t.Context(), bob, den, im, transfer.Input{Upload: upload})
	if err != nil || done.Job == nil {
		t.Fatalf("%+v %v", done, err)
	}
	if err := w.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	j, err := w.jobs.Get(t.Context(), done.Job.Room, done.Job.ID)
	var report transfer.Report
	if err != nil || j.State != job.Done || json.Unmarshal(j.Result, &report) != nil || report.Rows != 1500 || report.Seq != w.seq() || w.count(ada, "t") != 1500 {
		t.Fatalf("%+v %v", j, err)
	}
	for who, p := range map[string]access.Principal{"another member": ada, "a stranger": eve} {
		if _, err := w.service.Import(t.Context(), p, den, im, transfer.Input{Upload: upload}); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s used the upload: %v", who, err)
		}
	}
}

// What somebody may no longer do is not done for him.
func TestAJobOfARemovedMember(t *testing.T) {
	w := newWorker(t, false)
	w.table("t", "shared", `{"name":"name","type":"text"}`, `{"name":"n","type":"integer"}`)
	done, err := w.service.Import(t.Context(), bob, den, transfer.Import{Table: "t", Format: transfer.CSV, Mode: transfer.Append}, transfer.Input{Body: rowsFile(0, 1500)})
	if err != nil || done.Job == nil {
		t.Fatal(err)
	}
	if _, err := w.rooms.RemoveMember(t.Context(), ada, den, "bob"); err != nil {
		t.Fatal(err)
	}
	if err := w.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	j, err := w.jobs.Get(t.Context(), done.Job.Room, done.Job.ID)
	if err != nil || j.State != job.Failed || j.Error.Code != fault.NotFound || w.count(ada, "t") != 0 {
		t.Errorf("%+v %v", j, err)
	}
}

// The same commitId imports once, however large the file is.
func TestImportIsIdempotent(t *testing.T) {
	w := newWorker(t, true)
	w.table("t", "shared", `{"name":"name","type":"text"}`, `{"name":"n","type":"integer"}`)
	for _, n := range []int{10, 2000} {
		file := bytes.ReplaceAll(rowsFile(0, n), []byte("row-"), []byte(fmt.Sprint("of", n, "-")))
		im := transfer.Import{Format: transfer.CSV, CommitID: fmt.Sprint("import-", n)}
		first, err := w.bring(bob, im, string(file))
		if err != nil {
			t.Fatal(err)
		}
		second, err := w.bring(bob, im, string(file))
		if err != nil || second.Seq != first.Seq || w.seq() != first.Seq {
			t.Errorf("%d rows: %v %+v after %+v", n, err, second, first)
		}
	}
}

// life is that of a process that dies at one of its effects on store and
// blobs, which may have been done or not.
type life struct {
	left int
	done bool
}

var errDead = errors.New("the process was killed")

// effect does what the process lives for.
func (l *life) effect(do func() error) error {
	l.left--
	if l.left > 0 || l.left == 0 && l.done {
		if err := do(); err != nil || l.left > 0 {
			return err
		}
	}
	return errDead
}

type mortalStore struct {
	store.Store
	*life
}

func (m mortalStore) Write(ctx context.Context, writes ...store.Write) error {
	return m.effect(func() error { return m.Store.Write(ctx, writes...) })
}

func (m mortalStore) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	if m.left <= 0 {
		return store.Item{}, errDead
	}
	return m.Store.Get(ctx, key, strong)
}

type mortalBlobs struct {
	blob.Store
	*life
}

func (m mortalBlobs) PutNew(ctx context.Context, key string, r io.Reader, size int64) error {
	return m.effect(func() error { return m.Store.PutNew(ctx, key, r, size) })
}

func (m mortalBlobs) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	return m.effect(func() error { return m.Store.Put(ctx, key, r, size) })
}

// mortalRooms is an engine whose commits are effects. What happens within a
// commit is the engine's to prove.
type mortalRooms struct {
	*room.Engine
	*life
}

func (m mortalRooms) Load(ctx context.Context, p access.Principal, ref room.Ref, req room.LoadRequest) (r room.Result, err error) {
	err = m.effect(func() error {
		r, err = m.Engine.Load(ctx, p, ref, req)
		return err
	})
	return r, err
}

func (m mortalRooms) CreateUnder(ctx context.Context, p access.Principal, ulid, id, name string) (i room.Info, err error) {
	err = m.effect(func() error {
		i, err = m.Engine.CreateUnder(ctx, p, ulid, id, name)
		return err
	})
	return i, err
}

// Killed at any of its effects, an import is done once or not at all, and
// what was begun is finished by the next process.
func TestImportKilledAtEachEffect(t *testing.T) {
	for _, done := range []bool{false, true} {
		for n := 1; importKilledAt(t, n, done); n++ {
			if n > 40 {
				t.Fatal("an import has no end of effects")
			}
		}
	}
}

// importKilledAt reports whether the process died.
func importKilledAt(t *testing.T, n int, done bool) bool {
	t.Helper()
	w := newWorker(t, false)
	w.table("t", "shared", `{"name":"name","type":"text"}`, `{"name":"n","type":"integer"}`)
	before := w.seq()
	first := &life{left: n, done: done}
	mortal := *w
	mortal.open(mortalRooms{w.rooms, first}, mortalStore{w.store, first}, mortalBlobs{w.blobs, first}, false)
	_, err := mortal.service.Import(t.Context(), bob, den, transfer.Import{Table: "t", Format: transfer.CSV, Mode: transfer.Append}, transfer.Input{Body: rowsFile(0, 1500)})
	began := err == nil
	messages := append([]string{}, w.queue.bodies...)
	_ = mortal.work(t.Context()) // dies somewhere here, or ends
	w.open(w.rooms, w.store, w.blobs, false)
	for range 2 { // messages come again
		w.queue.bodies = append([]string{}, messages...)
		if err := w.work(t.Context()); err != nil && began {
			t.Fatalf("killed at %d (done: %t), the next process failed: %v", n, done, err)
		}
	}
	rows, seq := w.count(ada, "t"), w.seq()
	if rows != 0 && rows != 1500 || began && rows == 0 || rows == 1500 && seq != before+1 {
		t.Errorf("killed at %d (done: %t): %d rows at seq %d after %d", n, done, rows, seq, before)
	}
	return first.left <= 0
}

// peak runs fn and gives the most memory that the heap had grown by.
func peak(fn func()) int64 {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	runtime.GC()
	before, most := heap(), make(chan int64)
	stop := make(chan struct{})
	go func() {
		top := int64(0)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				most <- top
				return
			case <-tick.C:
				runtime.GC()
				top = max(top, heap())
			}
		}
	}()
	fn()
	close(stop)
	return <-most - before
}

// The memory of an import grows with the ids that it has to compare, not with
// the file.
func TestImportMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 rows take some seconds")
	}
	w := newWorker(t, false)
	w.table("t", "shared", `{"name":"name","type":"text"}`, `{"name":"n","type":"integer"}`)
	upload := w.put(bob, bytes.ReplaceAll(rowsFile(0, manyRows), []byte("name"), bytes.Repeat([]byte("name "), 40)))
	done, err := w.service.Import(t.Context(), bob, den, transfer.Import{Table: "t", Format: transfer.CSV, Mode: transfer.Append}, transfer.Input{Upload: upload})
	if err != nil || done.Job == nil {
		t.Fatal(err)
	}
	grown := peak(func() {
		if err := w.work(t.Context()); err != nil {
			t.Error(err)
		}
	})
	j, err := w.jobs.Get(t.Context(), done.Job.Room, done.Job.ID)
	if err != nil || j.State != job.Done {
		t.Fatalf("%+v %v", j, err)
	}
	if grown > 64<<20 {
		t.Errorf("a file of %d rows took %d bytes of memory", manyRows, grown)
	} else {
		t.Logf("%d bytes", grown)
	}
}

// The export of a large room is made by a job, and fetched by whoever asked
// for it, as he may see the room.
func TestExportByJob(t *testing.T) {
	w := newWorker(t, false)
	w.furnish()
	w.service.Direct = 1
	then := w.seq()
	want := map[string][]byte{"ada": w.whole(den, transfer.NDJSON)}
	w.ops(ada, `{"op":"insert","table":"notes","id":"later","row":{"text":"later"}}`)
	for _, seq := range []int64{then, 0} {
		if seq == 0 {
			want["ada"] = w.whole(den, transfer.NDJSON)
		}
		for _, p := range []access.Principal{ada, bob} {
			d, err := w.service.Export(t.Context(), p, den, transfer.Request{Format: transfer.NDJSON, Seq: seq})
			if err != nil || d.Job == nil {
				t.Fatalf("%+v %v", d, err)
			}
			if _, err := w.service.Fetch(t.Context(), p, den, d.Job.ID); !fault.Is(err, fault.Conflict) {
				t.Errorf("before it is done: %v", err)
			}
			if err := w.work(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := w.service.Fetch(t.Context(), vera, den, d.Job.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("fetched by somebody else: %v", err)
			}
			got, err := w.service.Fetch(t.Context(), p, den, d.Job.ID)
			if err != nil || got.URL == "" {
				t.Fatalf("%+v %v", got, err)
			}
			out := httptest.NewRecorder()
			w.server.ServeHTTP(out, httptest.NewRequest(http.MethodGet, got.URL, nil))
			if text := out.Body.String(); p.User.ID == "ada" && text != string(want["ada"]) || p.User.ID == "bob" && (strings.Contains(text, "hers") || !strings.Contains(text, "his")) {
				t.Errorf("%s at %d: %s", p.User.ID, seq, text)
			}
		}
	}
	if _, err := w.service.Export(t.Context(), ada, den, transfer.Request{Format: transfer.CSV, Table: "none"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

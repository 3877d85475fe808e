package sqlitequeue_test

import (
	"context"
	"flag"
	"testing"
	"testing/synctest"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/queuetest"
	"nanotypedb/shared/queue/sqlitequeue"
	"nanotypedb/shared/sqlitefile"
)

// opened is the queues of a file in a folder.
type opened struct {
	*sqlitequeue.Queues
	file   *sqlitefile.File
	folder string
}

func openQueues(tb testing.TB, folder string) *opened {
	tb.Helper()
	file, err := sqlitefile.Open(context.Background(), folder, sqlitefile.Options{})
	if err != nil {
		tb.Fatalf("open file: %v", err)
	}
	o := &opened{file: file, folder: folder}
	tb.Cleanup(func() { o.close(tb) })
	if o.Queues, err = sqlitequeue.Open(context.Background(), file); err != nil {
		tb.Fatalf("open queues: %v", err)
	}
	return o
}

// close may be called twice.
func (o *opened) close(tb testing.TB) {
	tb.Helper()
	if err := o.file.Close(); err != nil {
		tb.Errorf("close file: %v", err)
	}
}

func (o *opened) queue(tb testing.TB, options sqlitequeue.Options) *sqlitequeue.Queue {
	tb.Helper()
	q, err := o.Queue(options)
	if err != nil {
		tb.Fatal(err)
	}
	return q
}

var (
	living = sqlitequeue.Options{Name: "jobs", MaxReceives: queuetest.MaxReceives, DeadLetter: "jobs-dead"}
	dead   = sqlitequeue.Options{Name: "jobs-dead"}
)

func (o *opened) instance(tb testing.TB) queuetest.Instance {
	return queuetest.Instance{
		Queue: o.queue(tb, living), Dead: o.queue(tb, dead),
		Reopen: func(tb testing.TB) queuetest.Instance {
			o.close(tb)
			return openQueues(tb, o.folder).instance(tb)
		},
	}
}

func TestConformance(t *testing.T) {
	if err := flag.Set("rapid.checks", "50"); err != nil { // each opens a file
		t.Fatal(err)
	}
	queuetest.Run(t, queuetest.Harness{
		Open:   func(tb testing.TB) queuetest.Instance { return openQueues(tb, tb.TempDir()).instance(tb) },
		Bubble: synctest.Test,
	})
}

func TestQueueOptions(t *testing.T) {
	o := openQueues(t, t.TempDir())
	for name, options := range map[string]sqlitequeue.Options{
		"no name":             {},
		"its own dead":        {Name: "a", MaxReceives: 5, DeadLetter: "a"},
		"no dead":             {Name: "a", MaxReceives: 5},
		"no limit":            {Name: "a", DeadLetter: "b"},
		"negative limit":      {Name: "a", MaxReceives: -1},
		"retention too long":  {Name: "a", Retention: queue.MaxRetention + 1},
		"retention backwards": {Name: "a", Retention: -1},
	} {
		if _, err := o.Queue(options); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

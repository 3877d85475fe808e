package indexing

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/id"
	"nanotypedb/shared/indexlog"
)

const aRoom = "01JBADBADBADBADBADBADBADBA"

func drawJob(t *rapid.T) Job {
	if rapid.Bool().Draw(t, "sweep") {
		return Job{Room: aRoom, Sweep: &Sweep{
			Table: rapid.IntRange(0, 1000).Draw(t, "table"), Key: rapid.StringMatching(`[A-Za-z0-9_-]{0,64}`).Draw(t, "key"),
			Old: rapid.Bool().Draw(t, "old"), Failed: rapid.Bool().Draw(t, "failed"), Begin: rapid.Bool().Draw(t, "begin"),
		}}
	}
	return Job{
		Room: aRoom, Table: rapid.IntRange(1, 1000).Draw(t, "table"), Row: rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "row"),
		Hash: indexlog.TextHash(rapid.String().Draw(t, "text")), Seq: rapid.Int64Range(1, 1<<50).Draw(t, "seq"), Again: rapid.Bool().Draw(t, "again"),
	}
}

func TestJobsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := drawJob(t)
		body := j.Encode()
		got, err := DecodeJob(body)
		if err != nil || got.Encode() != body || len(body) > 400 {
			t.Fatalf("%s: got %+v, %v", body, got, err)
		}
	})
}

// The same text of the same row is the same job, and no other is.
func TestAJobIsNamedByRoomRowAndText(t *testing.T) {
	job := Job{Room: aRoom, Table: 1, Row: "a", Hash: indexlog.TextHash("x"), Seq: 5}
	same := job
	same.Seq, same.Again = 9, true
	if len(job.ID()) != 26 || same.ID() != job.ID() {
		t.Errorf("%s and %s", job.ID(), same.ID())
	}
	for name, change := range map[string]func(*Job){
		"room": func(j *Job) { j.Room = "01JBADBADBADBADBADBADBADBB" }, "table": func(j *Job) { j.Table = 11 },
		"row": func(j *Job) { j.Row = "b" }, "text": func(j *Job) { j.Hash = indexlog.TextHash("y") },
	} {
		other := job
		if change(&other); other.ID() == job.ID() {
			t.Errorf("another %s makes no other job", name)
		}
	}
	if _, ok := id.Time(job.Room); !ok {
		t.Error("the room of this test is none")
	}
}

func TestDecodeJobRefusesWhatIsNoJob(t *testing.T) {
	good := Job{Room: aRoom, Table: 1, Row: "a", Hash: indexlog.TextHash("x"), Seq: 5}.Encode()
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, body := range map[string]string{
		"empty": "", "null": "null", "text": "hello", "newer": change(`"v":1`, `"v":2`), "no version": change(`"v":1,`, ``),
		"other room": change(aRoom, "01JBADBADBADBADBADBADBADBB"), "no room": change(aRoom, "plans"), "other row": change(`"row":"a"`, `"row":"b"`),
		"other id": change(`"id":"`, `"id":"A`), "table 0": change(`"table":1`, `"table":0`), "seq 0": change(`"seq":5`, `"seq":0`),
		"text in it": change(`"seq":5`, `"seq":5,"text":"secret"`), "twice": change(`"seq":5`, `"seq":5,"seq":5`), "short hash": change(`"hash":"`, `"hash":"A`),
		"rest": good + good, "large": good + strings.Repeat(" ", maxJobBytes), "sweep from nowhere": `{"v":1,"room":"` + aRoom + `","sweep":{"table":-1}}`,
	} {
		if j, err := DecodeJob(body); err == nil {
			t.Errorf("%s: decoded as %+v", name, j)
		}
	}
}

// The seeds are in testdata/fuzz.
func FuzzDecodeJob(f *testing.F) {
	f.Fuzz(func(t *testing.T, body string) {
		j, err := DecodeJob(body)
		if err != nil {
			return
		}
		again, err := DecodeJob(j.Encode())
		if err != nil || again.Encode() != j.Encode() {
			t.Fatalf("%q: %v", body, err)
		}
	})
}

func FuzzDecodeFailure(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if failure, err := decodeFailure(data); err == nil && failure.job(aRoom).Hash != failure.Hash {
			t.Fatal("another text")
		}
	})
}

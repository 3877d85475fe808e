package indexing

import (
	"context"
	"errors"
	"fmt"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/vector"
)

// Delivery is a job and how often it was received, this time included.
type Delivery struct {
	Job      Job
	Receives int
}

// Result is what became of deliveries.
type Result struct {
	Errs    []error   // by delivery; nil: nothing is left to do for it
	Indexed []Indexed // what the index logs of rooms say since

	known []bool // by delivery: there is a failure to forget
}

// Indexed is an entry of a room's index log. State is one of the room that is
// not older than the rows.
type Indexed struct {
	Room  string
	N     int64
	Rows  []Row
	State *replica.State
}

// Row is a row that an entry is about. Vector is empty when its text failed.
type Row struct {
	Table     int
	ID        string
	Creator   string
	Version   int64
	State     replica.VectorState
	Vector    vector.Int8
	Delivery  int // that asked for it
	hash      indexlog.Hash
	encoded   []byte
	errReason string
}

// work is what is known of a delivery.
type work struct {
	Delivery
	text   string
	row    replica.Row
	stale  bool // the row has another text, or is gone
	known  bool // there is a FAIL# item
	err    error
	vector vector.Int8
}

func (w *work) open() bool { return !w.stale && w.err == nil && len(w.vector.Values) == 0 }

func (w *work) key() textKey { return textKey{w.Job.Room, w.Job.Hash} }

// Index brings the texts of deliveries to vectors, and says and tells so in
// their rooms. Deliveries fail one by one. It calls the model once for all that
// have no vector yet, and again only for what the model was too busy for.
// Whoever calls it does what hangs off new vectors, and then settles.
func (x *Indexer) Index(ctx context.Context, deliveries []Delivery) Result {
	works := make([]*work, len(deliveries))
	rooms := map[string][]int{}
	for i, d := range deliveries {
		works[i] = &work{Delivery: d}
		rooms[d.Job.Room] = append(rooms[d.Job.Room], i)
	}
	names := make([]string, 0, len(rooms))
	for room := range rooms {
		names = append(names, room)
	}
	atOnce(len(names), 8, func(i int) { x.look(ctx, names[i], works, rooms[names[i]]) })
	atOnce(len(works), 8, func(i int) { x.recall(ctx, works[i]) })
	x.embed(ctx, works)
	said := make([][]Indexed, len(names))
	atOnce(len(names), 8, func(i int) { said[i] = x.say(ctx, names[i], works, rooms[names[i]]) })
	result := Result{Errs: make([]error, len(works)), known: make([]bool, len(works))}
	for _, of := range said {
		result.Indexed = append(result.Indexed, of...)
	}
	for i, w := range works {
		result.Errs[i], result.known[i] = w.err, w.known
	}
	return result
}

// look reads what the rows of a room are now, and which of their texts have
// vectors.
func (x *Indexer) look(ctx context.Context, room string, works []*work, which []int) {
	seq := int64(0)
	for _, i := range which {
		seq = max(seq, works[i].Job.Seq)
	}
	err := x.view(ctx, room, seq, func(r *replica.Replica, v *replica.View) error {
		if st := v.State(); x.Embedder != nil && st.Model != "" && st.Model != x.model() && !st.Closed {
			if err := x.claimModel(ctx, room); err != nil { // before anything is asked for
				return err
			}
		}
		for _, i := range which {
			if err := x.lookAt(ctx, v, works[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, "there is no such room").Because(err)
	}
	for _, i := range which {
		if err != nil {
			works[i].err = err
		}
	}
}

// lookAt reads one row. Its text may have a vector of the model already, as
// when the same text was in another row, or comes back by an undo.
func (x *Indexer) lookAt(ctx context.Context, v *replica.View, w *work) error {
	if v.State().Closed {
		w.stale = true
		return nil
	}
	text, hash, row, ok, err := v.RowText(ctx, w.Job.Table, w.Job.Row)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err != nil || !ok || text == "" || hash != w.Job.Hash {
		w.stale = true
		return nil
	}
	w.text, w.row = text, row
	if v.State().Model == x.model() {
		w.vector, _, err = v.Vector(ctx, hash)
	}
	return err
}

// recall finds out what an earlier attempt ended with, if there may have been
// one: a text that the model refused for good is not asked for again.
func (x *Indexer) recall(ctx context.Context, w *work) {
	if w.err != nil || w.Receives < 2 && !w.Job.Again {
		return
	}
	f, err := x.failure(ctx, w.Job.Room, w.Job.ID())
	switch {
	case err != nil:
		w.err = err
	case f == nil:
	default:
		w.known = true
		if f.Class == string(embedder.Refused) && f.Model == x.model() && w.open() {
			w.err = embedder.Refuse("%s", f.Error)
		}
	}
}

// say appends what works of a room have come to, to its index log.
func (x *Indexer) say(ctx context.Context, room string, works []*work, which []int) []Indexed {
	mine := make([]*work, len(works)) // so that places are those of deliveries
	for _, i := range which {
		mine[i] = works[i]
	}
	rows := rows(mine)
	said, err := x.appendRows(ctx, room, rows)
	if err != nil {
		for _, row := range rows {
			works[row.Delivery].err = err
		}
		return nil
	}
	return said
}

// rows are those of works that have a vector.
func rows(works []*work) (rows []Row) {
	for i, w := range works {
		if w != nil && w.err == nil && !w.stale && len(w.vector.Values) > 0 {
			rows = append(rows, Row{Table: w.Job.Table, ID: w.Job.Row, Creator: w.row.CreatedBy, Version: w.row.Version,
				State: replica.Indexed, Vector: w.vector, Delivery: i, hash: w.Job.Hash, encoded: w.vector.Encode()})
		}
	}
	return rows
}

// maxEntryVectors is how many bytes of vectors go into one entry, which then
// stays far below indexlog.MaxEntryBytes in base64 and with its rows.
const maxEntryVectors = 150 << 10

// appendRows appends rows to the index log of a room that has the model, in
// one entry or, when they are large, several.
func (x *Indexer) appendRows(ctx context.Context, room string, rows []Row) (said []Indexed, err error) {
	if len(rows) == 0 {
		return nil, nil
	}
	r, release, err := x.Replicas.Acquire(ctx, room)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := x.adopt(ctx, r, room); err != nil {
		return nil, err
	}
	for len(rows) > 0 {
		n, size := 0, 0
		for n < len(rows) && size < maxEntryVectors {
			size += len(rows[n].encoded) + len(rows[n].ID) + 100
			n++
		}
		entry := &indexlog.Entry{At: x.millis(), Model: x.Embedder.Model(), Dim: x.Embedder.Dim(), Texts: texts(rows[:n])}
		at, err := x.record(ctx, r, room, entry)
		if err != nil {
			return said, err
		}
		said = append(said, Indexed{Room: room, N: at, Rows: rows[:n], State: r.State()})
		x.Tell(ctx, said[len(said)-1])
		rows = rows[n:]
	}
	return said, nil
}

// record appends an entry and brings the room's replica up to it, so that it
// is searched at once.
func (x *Indexer) record(ctx context.Context, r *replica.Replica, room string, e *indexlog.Entry) (int64, error) {
	n, err := indexlog.Append(ctx, x.Store, room, e, r.State().Index)
	if err != nil {
		return 0, err
	}
	faultpoint.Reach(PointAppended)
	if err := r.CatchUpIndexTo(ctx, n); err != nil {
		x.Log.WarnContext(ctx, "the index of this process is behind", "room", room, "n", n, "error", err)
	}
	return n, nil
}

// texts are those of rows, each once.
func texts(rows []Row) []indexlog.Text {
	at := map[indexlog.Hash]int{}
	var all []indexlog.Text
	for _, row := range rows {
		i, seen := at[row.hash]
		if !seen {
			i = len(all)
			at[row.hash] = i
			all = append(all, indexlog.Text{Hash: row.hash, Vector: row.encoded, Failed: row.State == replica.Failed, Reason: row.errReason})
		}
		all[i].Rows = append(all[i].Rows, indexlog.RowRef{Table: row.Table, ID: row.ID})
	}
	return all
}

// adopt makes the embedder's model that of the room. Vectors of another count
// no more, and a sweep embeds their texts anew in the background. Its job is
// sent first: it adopts the model too, should this process die.
func (x *Indexer) adopt(ctx context.Context, r *replica.Replica, room string) error {
	if x.Embedder == nil {
		return errors.New("indexing: no model is at hand")
	}
	for sent := false; ; {
		st := r.State()
		if st.Model == x.Embedder.Model() {
			return nil
		}
		if st.Model != "" && !sent {
			x.Log.InfoContext(ctx, "the room is embedded anew by another model", "room", room, "was", st.Model, "is", x.Embedder.Model())
			if err := x.Send(ctx, Job{Room: room, Sweep: &Sweep{}}); err != nil {
				return err
			}
			sent = true
		}
		if err := x.claimModel(ctx, room); err != nil {
			return err
		}
		if _, err := x.reset(ctx, r, room, st, x.Embedder.Model(), x.Embedder.Dim()); err != nil {
			return err
		}
	}
}

// reset begins the index of a room anew, unless it has moved on from st.
func (x *Indexer) reset(ctx context.Context, r *replica.Replica, room string, st *replica.State, model string, dim int) (won bool, err error) {
	next := st.Index + 1
	won, err = indexlog.AppendAt(ctx, x.Store, room, &indexlog.Entry{At: x.millis(), Model: model, Dim: dim, Reset: true}, next)
	if err != nil {
		return false, err
	}
	if won {
		faultpoint.Reach(PointReset)
	}
	if err := r.CatchUpIndexTo(ctx, next); err != nil {
		return won, fmt.Errorf("follow the index of room %s: %w", room, err)
	}
	if won && next == 1 {
		x.Tell(ctx, Indexed{Room: room, N: next, State: r.State()})
	} // a later one is about all rows: clients see that n is missing, and read them anew
	return won, nil
}

// Settle ends a delivery that is done: what failed before is forgotten.
func (x *Indexer) Settle(ctx context.Context, d Delivery, result *Result, i int) error {
	if !result.known[i] {
		return nil
	}
	return x.forget(ctx, d.Job.Room, d.Job.ID())
}

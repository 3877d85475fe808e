package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/schema"
)

// load applies bulk content from a blob. It touches the rows that differ and
// no others: a row that is the same but for its version keeps that. A writer's
// load is checked like any commit, and Was, Made, Tables and the counts of op
// are filled.
func (d *Draft) load(ctx context.Context, op *commitlog.Op) (err error) {
	if op.Load == nil {
		return fmt.Errorf("replica: entry %d loads nothing", d.entry.Seq)
	}
	source, err := d.r.cache.openLoad(ctx, op.Load)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	in, err := loadfile.NewReader(&contextReader{ctx, source}, 0)
	if err != nil {
		return fmt.Errorf("load %s: %w", op.Load.Blob, err)
	}
	defer in.Close()
	l := &loader{draft: d, header: in.Header(), bulk: op.Load, tables: map[int]*loadTable{}}
	defer func() { err = errors.Join(err, l.release()) }()
	if err := l.run(ctx, in); err != nil {
		return fmt.Errorf("load %s: %w", op.Load.Blob, err)
	}
	if in.Sum().SHA256 != op.Load.SHA256 {
		return damaged("load %s: the SHA-256 is another", op.Load.Blob)
	}
	d.loaded += dueMaxBytes + 1
	return d.keepChange(op)
}

// loader is one load under way.
type loader struct {
	draft  *Draft
	header *loadfile.Header
	bulk   *commitlog.Bulk
	tables map[int]*loadTable
	values []schema.Value
}

// loadTable is one table of a load.
type loadTable struct {
	ts       *tableStmts
	position []int // by column number: place in the definition, or -1
	fresh    bool  // there are no rows to look for
	replaces bool  // rows that the blob does not have go
	rebuilt  bool  // the table was made anew; what its rows were is in w<num>
	unique   bool
	rows     int64 // before
	lastKey  int64 // before
	seen     keySet
	touches  int
	words    *bulkWords

	tightened bool // its columns ask for more than they did, of rows that stay too
}

// release frees what a load that failed still holds.
func (l *loader) release() (err error) {
	for _, t := range l.tables {
		err = errors.Join(err, t.words.release())
	}
	return err
}

func (l *loader) run(ctx context.Context, in *loadfile.Reader) error {
	d := l.draft
	if l.header.Room != d.work.Room {
		return fault.New(fault.Invalid, "the bulk content is of another room")
	}
	if l.header.Base >= d.work.Seq {
		return fault.New(fault.Invalid, "the bulk content was made for seq %d, which the room has not reached", l.header.Base)
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	if err := l.records(ctx, in); err != nil {
		return err
	}
	for i := range l.header.Tables {
		t := l.tables[l.header.Tables[i].Num]
		if err := l.end(ctx, t); err != nil {
			return err
		}
		if err := t.words.close(t.fresh); err != nil {
			return err
		}
	}
	if !d.following {
		counts := in.Sum().Counts
		l.bulk.Rows, l.bulk.Deletes = counts.Rows, counts.Deletes
	}
	return nil
}

// begin brings the tables to the definitions of the load. Those that go go
// first, so that their names are free.
func (l *loader) begin(ctx context.Context) error {
	for _, num := range l.header.Dropped {
		if err := l.drop(ctx, num); err != nil {
			return err
		}
	}
	next := l.draft.work.Schema
	for i := range l.header.Tables {
		next = next.WithTable(l.definition(&l.header.Tables[i]))
	}
	if !l.draft.following {
		if err := next.Fits(); err != nil {
			return err
		}
	}
	for i := range l.header.Tables {
		if err := l.table(ctx, next.TableByNum(l.header.Tables[i].Num)); err != nil {
			return err
		}
	}
	return nil
}

// definition is that of the load, but that counters never go down and a table
// that is `own` stays so.
func (l *loader) definition(def *schema.Table) *schema.Table {
	now := l.draft.work.Schema.TableByNum(def.Num)
	if now == nil {
		return def
	}
	next := *def
	next.NextColumn = max(def.NextColumn, now.NextColumn)
	if now.Access == schema.Own {
		next.Access = schema.Own
	}
	return &next
}

// note tells in the entry what a table was.
func (l *loader) note(num int, was *schema.Table) {
	if l.draft.following {
		return
	}
	at, _ := slices.BinarySearch(l.bulk.Tables, num)
	l.bulk.Tables = slices.Insert(l.bulk.Tables, at, num)
	if was != nil {
		l.bulk.Was = append(l.bulk.Was, schema.Table{Num: was.Num, Name: was.Name, Access: was.Access, Columns: named(was.Columns), NextColumn: was.NextColumn})
	}
}

func (l *loader) drop(ctx context.Context, num int) error {
	def := l.draft.work.Schema.TableByNum(num)
	if def == nil {
		return nil
	}
	l.note(num, def)
	ts, err := l.draft.conn.table(def)
	if err != nil {
		return err
	}
	return l.draft.removeTable(ctx, ts)
}

// table brings one table to its definition.
func (l *loader) table(ctx context.Context, def *schema.Table) error {
	d := l.draft
	now := d.work.Schema.TableByNum(def.Num)
	t := &loadTable{replaces: l.header.Replaces(def.Num)}
	l.tables[def.Num] = t
	switch {
	case now == nil:
		l.note(def.Num, nil)
		if !d.following {
			l.bulk.Made = append(l.bulk.Made, def.Num)
		}
		t.fresh = true
		if err := d.makeTable(def); err != nil {
			return err
		}
	case now.Equal(def):
		l.note(def.Num, nil)
		def = now
	case schema.Stays(now, def):
		l.note(def.Num, now)
		t.tightened = schema.Tightens(now, def) && !t.replaces
		if err := l.redefine(now, def); err != nil {
			return err
		}
	case t.replaces:
		l.note(def.Num, now)
		t.rebuilt, t.fresh = true, true
		if err := l.rebuild(ctx, now, def); err != nil {
			return err
		}
	default:
		return fault.New(fault.Conflict, "the columns of table %s are not those that the bulk content was made for", now.Name)
	}
	return l.open(t, def)
}

// open prepares a table for its records.
func (l *loader) open(t *loadTable, def *schema.Table) (err error) {
	if t.ts, err = l.draft.conn.table(def); err != nil {
		return err
	}
	most := 0
	for i := range def.Columns {
		most = max(most, def.Columns[i].Num)
		t.unique = t.unique || def.Columns[i].Unique
	}
	t.position = slices.Repeat([]int{-1}, most+1)
	for i := range def.Columns {
		t.position[def.Columns[i].Num] = i
	}
	if t.words, err = openWords(l.draft.conn, def); err != nil || t.fresh {
		return err
	}
	s, err := l.draft.conn.transient(fmt.Sprintf("SELECT count(*),coalesce(max(k),0) FROM t%d", def.Num))
	if err != nil {
		return err
	}
	if _, err = s.Step(); err == nil {
		t.rows, t.lastKey = s.ColumnInt64(0), s.ColumnInt64(1)
	}
	t.fresh = t.rows == 0
	return errors.Join(err, s.Finalize())
}

// redefine changes what a table asks of its columns, and no row.
func (l *loader) redefine(now, def *schema.Table) error {
	d := l.draft
	for i := range def.Columns {
		is, was := &def.Columns[i], now.ColumnByNum(def.Columns[i].Num)
		query := ""
		switch {
		case is.Unique && !was.Unique:
			query = createIndex(def.Num, is.Num)
			if !d.following {
				d.touched = append(d.touched, touch{def.Num, is.Num, nil, d.ops, "row"})
			}
		case !is.Unique && was.Unique:
			query = dropIndex(def.Num, is.Num)
		default:
			continue
		}
		if err := d.conn.script(query); err != nil {
			return fmt.Errorf("redefine table: %w", err)
		}
	}
	d.changeSchema(d.work.Schema.WithTable(def))
	return nil
}

// checkRows checks the rows of a table, those too that a merge has left as
// they are, against what its columns ask for from now on.
func (l *loader) checkRows(ctx context.Context, t *loadTable) error {
	ts, def := t.ts, t.ts.def
	var cells []schema.Cell
	return ts.each(ctx, func(_ int64, row *Row) error {
		cells = ts.cells(row, cells)
		if err := schema.Fits(def, cells); err != nil {
			return fault.New(fault.Conflict, "row %s of table %s does not fit its definition", row.ID, def.Name).Because(err)
		}
		return nil
	})
}

// cells are a row's values that are not null, in order of column number.
func (ts *tableStmts) cells(row *Row, scratch []schema.Cell) []schema.Cell {
	scratch = scratch[:0]
	for _, i := range ts.byNum {
		if row.Values[i] != nil {
			scratch = append(scratch, schema.Cell{Num: ts.def.Columns[i].Num, Value: row.Values[i]})
		}
	}
	return scratch
}

// rebuild makes a table anew under another definition. The versions of the
// rows it had are kept aside, with the hashes of their content, so that rows
// that come back the same keep them.
func (l *loader) rebuild(ctx context.Context, now, def *schema.Table) error {
	d := l.draft
	if err := d.conn.script(fmt.Sprintf("CREATE TABLE w%d(id TEXT PRIMARY KEY,ver INTEGER NOT NULL,hash BLOB NOT NULL)WITHOUT ROWID,STRICT", def.Num)); err != nil {
		return fmt.Errorf("rebuild table: %w", err)
	}
	s, err := d.conn.transient(fmt.Sprintf("INSERT INTO w%d(id,ver,hash) VALUES(?1,?2,?3)", def.Num))
	if err != nil {
		return fmt.Errorf("rebuild table: %w", err)
	}
	ts, err := d.conn.table(now)
	if err == nil {
		err = ts.each(ctx, func(_ int64, row *Row) error {
			hash := d.hash.row(now, ts.byNum, row)
			bindAll(s, []any{row.ID, row.Version, hash[:]})
			return run(s)
		})
	}
	if err = errors.Join(err, s.Finalize()); err != nil {
		return fmt.Errorf("rebuild table: %w", err)
	}
	if err := d.removeTable(ctx, ts); err != nil {
		return err
	}
	return d.makeTable(def)
}

// records applies the rows and deletions of the blob.
func (l *loader) records(ctx context.Context, in *loadfile.Reader) error {
	for n := 0; ; n++ {
		r, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && n%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		switch r.Kind {
		case loadfile.Row:
			err = l.put(l.tables[r.Table], r)
		case loadfile.Delete:
			err = l.remove(l.tables[r.Table], r)
		default: // vectors are index state: whoever staged the blob has put them into the index log
		}
		if err != nil {
			return err
		}
	}
}

// row makes a record a row of its table.
func (l *loader) row(t *loadTable, r *loadfile.Record) (Row, error) {
	if !l.draft.following {
		if err := schema.Fits(t.ts.def, r.Cells); err != nil {
			return Row{}, fault.Under("row "+r.ID, err)
		}
	}
	if n := len(t.ts.def.Columns); cap(l.values) < n {
		l.values = make([]schema.Value, n)
	}
	values := l.values[:len(t.ts.def.Columns)]
	clear(values)
	for _, c := range r.Cells {
		if c.Num >= len(t.position) || t.position[c.Num] < 0 {
			return Row{}, damaged("load: table %d has no column %d", r.Table, c.Num)
		}
		values[t.position[c.Num]] = c.Value
	}
	return Row{ID: r.ID, Version: l.draft.entry.Seq, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, CreatedBy: r.Creator, Values: values}, nil
}

func (l *loader) put(t *loadTable, r *loadfile.Record) error {
	row, err := l.row(t, r)
	if err != nil {
		return err
	}
	d := l.draft
	if t.rebuilt {
		if err := l.version(t, &row); err != nil {
			return err
		}
	}
	if t.fresh {
		l.touch(t, r.Cells)
		return d.addRow(t.ts, &row)
	}
	old, key, found, err := t.ts.row(r.ID)
	if err != nil {
		return fmt.Errorf("read row: %w", err)
	}
	if !found {
		l.touch(t, r.Cells)
		return l.add(t, &row)
	}
	if key > t.lastKey || t.replaces && !t.seen.add(key) {
		return comesTwice(t.ts.def, r.ID)
	}
	return l.change(t, key, &old, &row)
}

func comesTwice(def *schema.Table, id string) error {
	return fault.New(fault.Conflict, "the row %q of table %s comes twice", id, def.Name)
}

// change brings a row that is there to what the blob has.
func (l *loader) change(t *loadTable, key int64, old, row *Row) error {
	d := l.draft
	var cells []schema.Cell
	for _, i := range t.ts.byNum {
		if old.Values[i] != row.Values[i] {
			cells = append(cells, schema.Cell{Num: t.ts.def.Columns[i].Num, Value: row.Values[i]})
		}
	}
	sameBirth := old.CreatedBy == row.CreatedBy && old.CreatedAt == row.CreatedAt
	if sameBirth && old.UpdatedAt == row.UpdatedAt && len(cells) == 0 {
		return nil
	}
	l.touch(t, cells)
	if !sameBirth {
		if err := l.removeRow(t, key, old); err != nil {
			return err
		}
		return l.add(t, row)
	}
	if t.ts.embeds(cells) {
		if err := errors.Join(t.words.before(key, old), t.words.after(key)); err != nil {
			return err
		}
	}
	return d.changeRow(t.ts, key, old, row, cells)
}

// add inserts a row into a table that has others.
func (l *loader) add(t *loadTable, row *Row) error {
	if err := l.draft.addRow(t.ts, row); err != nil {
		return err
	}
	return t.words.after(l.draft.conn.db.LastInsertRowID())
}

func (l *loader) removeRow(t *loadTable, key int64, row *Row) error {
	if err := t.words.before(key, row); err != nil {
		return err
	}
	return l.draft.removeRow(t.ts, key, row)
}

// version gives a row of a table made anew the version it had, when it is
// still the same.
func (l *loader) version(t *loadTable, row *Row) error {
	ts := t.ts
	s, done, err := ts.list(fmt.Sprintf("SELECT ver,hash FROM w%d WHERE id=?1", ts.def.Num))
	if err != nil {
		return fmt.Errorf("find version: %w", err)
	}
	s.BindText(1, row.ID)
	found, err := s.Step()
	if err == nil && found {
		var was [32]byte
		s.ColumnBytes(1, was[:])
		if was == l.draft.hash.row(ts.def, ts.byNum, row) {
			row.Version = s.ColumnInt64(0)
		}
	}
	if endErr := done(); err == nil {
		err = endErr
	}
	return err
}

func (l *loader) remove(t *loadTable, r *loadfile.Record) error {
	if t.fresh {
		return nil
	}
	row, key, found, err := t.ts.row(r.ID)
	if err != nil || !found {
		return err
	}
	return l.removeRow(t, key, &row)
}

// maxTouches is how many values of a table are checked for uniqueness one by
// one; beyond it whole columns are.
const maxTouches = 10_000

func (l *loader) touch(t *loadTable, cells []schema.Cell) {
	d := l.draft
	if !t.unique || d.following || t.touches > maxTouches {
		return
	}
	before := len(d.touched)
	d.touch(t.ts.def, cells, "row")
	if t.touches += len(d.touched) - before; t.touches <= maxTouches {
		return
	}
	for i := range t.ts.def.Columns {
		if col := &t.ts.def.Columns[i]; col.Unique {
			d.touched = append(d.touched, touch{t.ts.def.Num, col.Num, nil, d.ops, "row"})
		}
	}
}

// end removes what a table that is replaced had and the blob has not.
func (l *loader) end(ctx context.Context, t *loadTable) error {
	if t.rebuilt {
		if err := t.ts.finalize(); err != nil { // of the table that goes
			return err
		}
		return l.draft.conn.script(fmt.Sprintf("DROP TABLE w%d", t.ts.def.Num))
	}
	if t.tightened && !l.draft.following {
		return l.checkRows(ctx, t)
	}
	if !t.replaces || t.rows == t.seen.n {
		return nil
	}
	err := t.ts.each(ctx, func(key int64, row *Row) error {
		switch {
		case key > t.lastKey:
			return errStop
		case t.seen.has(key):
			return nil
		}
		return l.removeRow(t, key, row)
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

var errStop = errors.New("replica: enough")

// keySet is a set of the integer keys of rows, which are dense.
type keySet struct {
	words map[int64]uint64
	n     int64
}

// add adds a key, and tells whether it was not there.
func (k *keySet) add(key int64) bool {
	if k.words == nil {
		k.words = map[int64]uint64{}
	}
	word, bit := key>>6, uint64(1)<<(key&63)
	if k.words[word]&bit != 0 {
		return false
	}
	k.words[word] |= bit
	k.n++
	return true
}

func (k *keySet) has(key int64) bool { return k.words[key>>6]&(1<<(key&63)) != 0 }

// skipRecords is how many records of a load make it worth to look for a
// checkpoint that has them, rather than to apply them one by one.
const skipRecords = 20_000

// skips reports whether the next entries hold a large load that the newest
// checkpoint covers. Without that a replica whose callers wait for less time
// than the load takes would try for ever.
func (r *Replica) skips(ctx context.Context, next *tail) bool {
	seq := int64(0)
	if next != nil {
		for _, e := range next.entries {
			for i := range e.Ops {
				if l := e.Ops[i].Load; l != nil && l.Rows+l.Deletes > skipRecords {
					seq = e.Seq
				}
			}
		}
	}
	if seq <= r.State().Seq {
		return false
	}
	p, _, err := r.cache.readPointer(ctx, r.room)
	return err == nil && p != nil && p.Seq >= seq
}

package transfer_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/transfer"
	"nanotypedb/shared/transfer/plainsqlite"
)

// whole is an export of a room as SQLite file.
func (w *world) whole(ref room.Ref, format transfer.Format) []byte {
	w.Helper()
	var out bytes.Buffer
	err := w.rooms.Read(w.Context(), ada, ref, func(v *room.View) error {
		return transfer.Export(w.Context(), transfer.View(v), transfer.Request{Format: format}, &out)
	})
	if err != nil {
		w.Fatal(err)
	}
	return out.Bytes()
}

// furnish gives the den tables and rows of several people.
func (w *worker) furnish() {
	w.Helper()
	w.table("art", "shared", columns...)
	w.table("notes", "own", `{"name":"text","type":"text","required":true}`, `{"name":"size","type":"integer"}`)
	for i, text := range texts {
		w.ops(bob, fmt.Sprintf(`{"op":"insert","table":"art","id":"a%d","row":{"title":%q,"code":"%d","ratio":%d.5,"done":true,"extra":{"n":%d},"day":"2026-11-23"}}`,
			i, strings.ToValidUTF8(strings.Map(printable, text), ""), i, i, i))
	}
	w.ops(ada, `{"op":"insert","table":"notes","id":"n1","row":{"text":"hers","size":1}}`)
	w.ops(bob, `{"op":"insert","table":"notes","id":"n2","row":{"text":"his"}}`)
}

func printable(r rune) rune {
	if r < ' ' || r == '\ufeff' || r > 0xffff {
		return -1
	}
	return r
}

func (w *worker) restore(r transfer.Restore) (transfer.Restored, error) {
	w.Helper()
	done, j, err := w.service.RestoreUpload(w.Context(), ada, den, r)
	if err == nil && j != nil {
		w.Errorf("it goes on: %+v", j)
	}
	return done, err
}

// What was exported comes back byte for byte, into the room after whatever
// happened to it, and into a new one.
func TestRestoreOfAnUpload(t *testing.T) {
	w := newWorker(t, true)
	w.furnish()
	file, text := w.whole(den, transfer.SQLite), w.whole(den, transfer.NDJSON)
	upload := w.put(ada, file)
	w.ops(bob, `{"op":"delete","table":"art","id":"a3"}`, `{"op":"update","table":"art","id":"a4","set":{"title":"new"}}`,
		`{"op":"insert","table":"art","id":"more","row":{"code":"more"}}`)
	w.ops(ada, `{"op":"alterTable","table":"art","drop":["ratio"],"add":[{"name":"later","type":"text"}]}`, `{"op":"dropTable","table":"notes"}`,
		`{"op":"createTable","table":"late","columns":[]}`, `{"op":"insert","table":"late","row":{}}`)
	before := w.seq()
	dry, err := w.restore(transfer.Restore{Upload: upload, Drop: true, DryRun: true})
	n := int64(len(texts))
	want := map[string]transfer.Changes{"art": {Added: 1, Changed: n - 1, Removed: 1}, "notes": {Added: 2}, "late": {Removed: 1}, "tasks": {}}
	if err != nil || w.seq() != before || fmt.Sprint(dry.Tables) != fmt.Sprint(want) || !dry.DryRun {
		t.Fatalf("%v %+v", err, dry)
	}
	done, err := w.restore(transfer.Restore{Upload: upload, Drop: true})
	if err != nil || done.Seq != before+1 || w.seq() != before+1 || fmt.Sprint(done.Tables) != fmt.Sprint(want) {
		t.Fatalf("%v %+v", err, done)
	}
	if got := w.whole(den, transfer.NDJSON); !bytes.Equal(got, text) {
		t.Errorf("%s\nwant\n%s", got, text)
	}
	if !bytes.Equal(w.whole(den, transfer.SQLite), file) {
		t.Error("the file is another one")
	}
	if seen := w.file(bob, transfer.NDJSON, "notes"); strings.Contains(seen, "hers") || !strings.Contains(seen, "his") {
		t.Errorf("notes are no longer own: %s", seen)
	}
	done, err = w.restore(transfer.Restore{Upload: upload, Into: &transfer.NewRoom{ID: "twin", Name: "Twin"}})
	if err != nil || done.Room != "twin" || done.Seq != 2 {
		t.Fatalf("%v %+v", err, done)
	}
	if !bytes.Equal(w.whole(room.Ref{ID: "twin"}, transfer.SQLite), file) {
		t.Error("the new room has another export")
	}
	if _, err := w.restore(transfer.Restore{Upload: upload, Into: &transfer.NewRoom{ID: "twin", Name: "Again"}}); !fault.Is(err, fault.Conflict) {
		t.Errorf("into a room that is there: %v", err)
	}
	w.ops(ada, `{"op":"delete","table":"art","id":"a1"}`, `{"op":"delete","table":"notes","id":"n1"}`)
	if _, err = w.restore(transfer.Restore{Upload: upload, Tables: []string{"notes"}}); err != nil {
		t.Fatal(err)
	}
	if w.count(ada, "notes") != 2 || w.count(ada, "art") != len(texts)-1 {
		t.Error("another table than the one asked for was restored")
	}
}

func TestWhoMayRestore(t *testing.T) {
	w := newWorker(t, true)
	w.furnish()
	file := w.whole(den, transfer.SQLite)
	for _, c := range []struct {
		who    access.Principal
		upload string
		want   fault.Code
	}{
		{bob, w.put(bob, file), fault.Forbidden}, {vera, "01M85DEVK0T4YX8Z2EP2JHQ6VV", fault.Forbidden}, {eve, "01M85DEVK0T4YX8Z2EP2JHQ6VV", fault.NotFound},
		{ada, w.put(bob, file), fault.NotFound}, {ada, "../../x", fault.NotFound}, {ada, "", fault.NotFound},
	} {
		if _, _, err := w.service.RestoreUpload(t.Context(), c.who, den, transfer.Restore{Upload: c.upload}); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v", c.who.User.ID, err)
		}
	}
}

// edited changes a file by SQL, without its checks.
func edited(t *testing.T, file []byte, statements ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range append([]string{"PRAGMA ignore_check_constraints=ON", "PRAGMA writable_schema=ON"}, statements...) {
		s, _, err := db.PrepareTransient(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		for more := true; more; {
			if more, err = s.Step(); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		if err := s.Finalize(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// patched overwrites bytes.
func patched(file []byte, at int, with ...byte) []byte {
	out := bytes.Clone(file)
	copy(out[at:], with)
	return out
}

// bomb makes a table refer to its first page again and again.
func bomb(t *testing.T, file []byte) []byte {
	t.Helper()
	out := bytes.Clone(file)
	page := int(binary.BigEndian.Uint16(out[16:]))
	done := false
	for at := page; at < len(out); at += page {
		if out[at] != 5 { // an interior page of a table
			continue
		}
		n := int(binary.BigEndian.Uint16(out[at+3:]))
		first := at + int(binary.BigEndian.Uint16(out[at+12:]))
		for i := range n {
			cell := at + int(binary.BigEndian.Uint16(out[at+12+2*i:]))
			copy(out[cell:cell+4], out[first:first+4])
		}
		done = true
	}
	if !done {
		t.Fatal("there is no interior page")
	}
	return out
}

// Files that are damaged, foreign, newer or made to harm are refused with a
// reason, and nothing changes: no commit, no room.
func TestHostileUploads(t *testing.T) {
	w := newWorker(t, true)
	w.furnish()
	good := w.whole(den, transfer.SQLite)
	w.table("many", "shared", `{"name":"text","type":"text"}`)
	for i := range 4 {
		var ops []string
		for n := range 50 {
			ops = append(ops, fmt.Sprintf(`{"op":"insert","table":"many","id":"%02d-%02d","row":{"text":%q}}`, i, n, strings.Repeat("x", 900)))
		}
		w.ops(ada, ops...)
	}
	deep := w.whole(den, transfer.SQLite)
	sql := func(statements ...string) []byte { return edited(t, good, statements...) }
	schemaOf := func(table, from, to string) []byte {
		return sql(fmt.Sprintf(`UPDATE sqlite_schema SET sql=replace(sql,%s,%s) WHERE name='%s'`, quoted(from), quoted(to), table))
	}
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"one byte":            {[]byte("S"), "only 1 bytes"},
		"no database":         {bytes.Repeat([]byte("SQL! "), 500), "no SQLite database"},
		"only the header":     {good[:100], "damaged"},
		"truncated":           {good[:len(good)-5000], "damaged"},
		"too long":            {append(bytes.Clone(good), make([]byte, 5000)...), "damaged"},
		"page size":           {patched(good, 16, 0, 3), "damaged"},
		"zeroes":              {append(bytes.Clone(good[:4096]), make([]byte, len(good)-4096)...), "damaged"},
		"another program's":   {patched(good, 68, 0, 0, 0, 0), "not an export"},
		"a newer format":      {patched(good, 60, 0, 0, 0, 2), "newer version"},
		"format 0":            {patched(good, 60, 0, 0, 0, 0), "format is 0"},
		"a write-ahead log":   {patched(good, 18, 2, 2), "write-ahead log"},
		"UTF-16":              {patched(good, 56, 0, 0, 0, 2), "not UTF-8"},
		"a trigger":           {sql(`CREATE TRIGGER x AFTER INSERT ON art BEGIN DELETE FROM notes; END`), `the trigger "x"`},
		"a view":              {sql(`CREATE VIEW x AS SELECT * FROM art`), `the view "x"`},
		"a virtual table":     {sql(`CREATE VIRTUAL TABLE x USING fts5(a)`), `table "x"`},
		"an index":            {sql(`CREATE INDEX x ON art(title)`), `the index "x"`},
		"an expression index": {sql(`CREATE INDEX x ON art(upper(title))`), `the index "x"`},
		"a foreign table":     {sql(`CREATE TABLE x (id TEXT)`), `table "x"`},
		"a generated column":  {sql(`ALTER TABLE notes ADD COLUMN x TEXT AS (upper(text))`), `table "notes"`},
		"a random column":     {sql(`ALTER TABLE notes ADD COLUMN x TEXT AS (hex(randomblob(9)))`), "damaged"},
		"another column":      {sql(`ALTER TABLE notes ADD COLUMN x TEXT`), `table "notes"`},
		"another definition":  {schemaOf("notes", `"size" INTEGER`, `"size" REAL`), `table "notes"`},
		"another check":       {schemaOf("art", `length("title") <= 40`, `length("title") <= 99`), `table "art"`},
		"a name with a path":  {schemaOf("notes", `"notes"`, `"../notes"`), "damaged"},
		"no schema":           {schemaOf("notes", `CREATE`, `DROP`), "damaged"},
		"no tables":           {sql(`DELETE FROM sqlite_schema`), "no tables"},
		"a blob for text":     {sql(`UPDATE art SET title=x'00ff' WHERE id='a1'`), "row a1: title must not be a blob"},
		"text for an integer": {sql(`UPDATE art SET size='many' WHERE id='a1'`), "row a1: size must not be a text"},
		"a large integer":     {sql(`UPDATE art SET size=9007199254740993 WHERE id='a1'`), "row a1: size must be a whole number"},
		"infinity":            {sql(`UPDATE art SET ratio=9e999 WHERE id='a1'`), "row a1: ratio must be a finite number"},
		"a boolean of 7":      {sql(`UPDATE art SET done=7 WHERE id='a1'`), "row a1: done must not be the number 7"},
		"no such day":         {sql(`UPDATE art SET day='2026-02-30' WHERE id='a1'`), "row a1: day must be a date"},
		"no JSON":             {sql(`UPDATE art SET extra='{' WHERE id='a1'`), "row a1: "},
		"no enum value":       {sql(`UPDATE art SET kind='z' WHERE id='a1'`), "row a1: kind must be one of"},
		"a long text":         {sql(`UPDATE art SET title=hex(zeroblob(100)) WHERE id='a1'`), "row a1: title must have at most 40 characters"},
		"a number for a time": {sql(`UPDATE art SET _createdAt=7 WHERE id='a1'`), "row a1: _createdAt must be an RFC 3339 time"},
		"no creator":          {sql(`UPDATE art SET _createdBy=x'' WHERE id='a1'`), "row a1: _createdBy must not be a blob"},
		"not UTF-8":           {sql(`UPDATE art SET must=CAST(x'ff41' AS TEXT) WHERE id='a1'`), "row a1: must must be UTF-8"},
		"NUL":                 {sql(`UPDATE art SET must=char(65,0,65) WHERE id='a1'`), "row a1: must must not contain"},
		"a row id of a path":  {sql(`UPDATE art SET id='../a1' WHERE id='a1'`), `the row id "../a1"`},
		"a row id of nothing": {sql(`UPDATE art SET id='' WHERE id='a1'`), `the row id ""`},
		"a large row":         {sql(`UPDATE art SET must=hex(zeroblob(40000)) WHERE id='a1'`), "row a1: it has 80"},
		"a huge cell":         {sql(`UPDATE art SET must=hex(zeroblob(400000)) WHERE id='a1'`), "damaged"},
		"a bomb":              {bomb(t, deep), "two rows with the id"},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.whole(den, transfer.NDJSON)
			seq := w.seq()
			upload := w.put(ada, c.file)
			for _, r := range []transfer.Restore{{DryRun: true}, {}, {Drop: true}, {Into: &transfer.NewRoom{ID: "into", Name: "Into"}}} {
				r.Upload = upload
				done, err := w.restore(r)
				if code := fault.CodeOf(err); code != fault.Invalid && code != fault.Unavailable && code != fault.TooLarge && code != fault.Conflict {
					t.Fatalf("%+v: %v %+v", r, err, done)
				}
				if !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want %q", err, c.says)
				}
			}
			if w.seq() != seq || !bytes.Equal(w.whole(den, transfer.NDJSON), before) {
				t.Error("something changed")
			}
			if err := w.rooms.Read(t.Context(), ada, room.Ref{ID: "into"}, func(*room.View) error { return nil }); !fault.Is(err, fault.NotFound) {
				t.Errorf("a room was left behind: %v", err)
			}
		})
	}
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Killed at any of its effects, a restore is done once or not at all, and no room is
// left that nobody fills.
func TestRestoreKilledAtEachEffect(t *testing.T) {
	for _, into := range []*transfer.NewRoom{nil, {ID: "twin", Name: "Twin"}} {
		for _, done := range []bool{false, true} {
			for n := 1; restoreKilledAt(t, into, n, done); n++ {
				if n > 60 {
					t.Fatal("a restore has no end of effects")
				}
			}
		}
	}
}

func restoreKilledAt(t *testing.T, into *transfer.NewRoom, n int, done bool) bool {
	t.Helper()
	w := newWorker(t, false)
	w.table("t", "shared", `{"name":"name","type":"text"}`)
	w.ops(ada, `{"op":"insert","table":"t","id":"a","row":{"name":"then"}}`)
	file := w.whole(den, transfer.SQLite)
	upload := w.put(ada, file)
	w.ops(ada, `{"op":"update","table":"t","id":"a","set":{"name":"now"}}`)
	now := w.whole(den, transfer.SQLite)
	first := &life{left: n, done: done}
	mortal := *w
	mortal.open(mortalRooms{w.rooms, first}, mortalStore{w.store, first}, mortalBlobs{w.blobs, first}, false)
	_, j, err := mortal.service.RestoreUpload(t.Context(), ada, den, transfer.Restore{Upload: upload, Into: into})
	began := err == nil && j != nil
	messages := append([]string{}, w.queue.bodies...)
	_ = mortal.work(t.Context())
	w.open(w.rooms, w.store, w.blobs, false)
	for range 2 {
		w.queue.bodies = append([]string{}, messages...)
		if err := w.work(t.Context()); err != nil && began {
			t.Fatalf("killed at %d (done: %t), the next process failed: %v", n, done, err)
		}
	}
	where := den
	if into != nil {
		where = room.Ref{ID: into.ID}
	}
	if began {
		if got := w.whole(where, transfer.SQLite); !bytes.Equal(got, file) {
			t.Errorf("killed at %d (done: %t): not restored", n, done)
		}
	} else if got := w.whole(den, transfer.SQLite); !bytes.Equal(got, now) && !bytes.Equal(got, file) {
		t.Errorf("killed at %d (done: %t): neither before nor after", n, done)
	}
	return first.left <= 0
}

// Whatever bytes a file has, it is read or refused, never more.
func FuzzSqliteFile(f *testing.F) {
	w := newWorker(f, true)
	w.furnish()
	good := w.whole(den, transfer.SQLite)
	f.Add(200, byte(7), 5000, byte(0), 0)
	f.Add(4096, byte(255), 4099, byte(255), 100)
	f.Add(18, byte(2), 19, byte(2), 0)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, at int, with byte, at2 int, with2 byte, cut int) {
		data := bytes.Clone(good)
		for i, b := range map[int]byte{at: with, at2: with2} {
			if i >= 0 {
				data[i%len(data)] = b
			}
		}
		if cut > 0 {
			data = data[:len(data)-cut%len(data)]
		}
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		err := readFile(t.Context(), path)
		if err != nil && fault.CodeOf(err) == fault.Internal {
			t.Fatalf("%v", err)
		}
	})
}

func readFile(ctx context.Context, path string) error {
	r, err := plainsqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	for _, table := range r.Tables() {
		if err := r.Rows(ctx, table.Name, func(*replica.Row) error { return nil }); err != nil {
			_ = r.Close()
			return err
		}
	}
	return r.Close()
}

// Reading ends with its context.
func TestReadingAFileEndsWithItsContext(t *testing.T) {
	w := newWorker(t, true)
	w.furnish()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, w.whole(den, transfer.SQLite), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := plainsqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := r.Rows(ctx, "art", func(*replica.Row) error { return nil }); err != context.Canceled {
		t.Errorf("%v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

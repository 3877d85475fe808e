package replica_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// sqlRoom has tasks of ada's, and a table 2 `own` named t1 with rows of ada's
// and bob's.
func sqlRoom(tb testing.TB, w *world) *replica.Replica {
	tb.Helper()
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple", full...), insert("b", "blue sky"))
	w.commit(r, commitlog.Op{Kind: commitlog.CreateTable, Def: &schema.Table{Num: 2, Name: "t1", Access: schema.Own, NextColumn: 3, Columns: []schema.Column{
		{Num: 1, Name: "order", Type: schema.Text, Embed: true}, {Num: 2, Name: "when", Type: schema.Timestamp}}}})
	for id, by := range map[string]string{"mine": "bob", "secret": "ada"} {
		w.commit(r, commitlog.Op{Kind: commitlog.Insert, Table: 2, ID: id, Creator: by,
			Set: []schema.Cell{{Num: 1, Value: id + " text"}, {Num: 2, Value: schema.Millis(1_795_470_000_123)}}})
	}
	return r
}

// bobs is what bob sees of tables that are `own`.
func bobs(t *schema.Table) string {
	if t.Access == schema.Own {
		return "bob"
	}
	return ""
}

// query runs a statement as bob.
func query(ctx context.Context, r *replica.Replica, sql string, params ...string) (out replica.SQLResult, err error) {
	q := replica.SQLQuery{SQL: sql, Own: bobs}
	for _, p := range params {
		q.Params = append(q.Params, json.RawMessage(p))
	}
	err = r.View(ctx, func(v *replica.View) error {
		out, err = v.SQL(ctx, q)
		return err
	})
	return out, err
}

func TestSQL(t *testing.T) {
	w := newWorld(t)
	r := sqlRoom(t, w)
	for _, c := range []struct{ sql, params, want string }{
		{"SELECT 1", "", `{"Columns":["1"],"Rows":[[1]],"Truncated":false}`},
		{"select id, title, _version from tasks order by id;", "", `{"Columns":["id","title","_version"],"Rows":[["a","red apple",2],["b","blue sky",2]],"Truncated":false}`},
		{"SELECT count(*) AS n FROM tasks", "", `{"Columns":["n"],"Rows":[[2]],"Truncated":false}`},
		{"SELECT count(*) AS n FROM t1", "", `{"Columns":["n"],"Rows":[[1]],"Truncated":false}`},
		{`SELECT count(*) AS n FROM tasks CROSS JOIN (SELECT 1)`, "", `{"Columns":["n"],"Rows":[[2]],"Truncated":false}`},
		{`SELECT * FROM T1`, "", `{"Columns":["id","order","when","_version","_createdAt","_updatedAt","_createdBy"],` +
			`"Rows":[["mine","mine text","2026-11-23T21:40:00.123Z",%,"2027-01-15T08:00:00.000Z","2027-01-15T08:00:00.000Z","bob"]],"Truncated":false}`},
		{"SELECT id FROM tasks WHERE title = ?2 OR id = ?1", `"b"|"red apple"`, `{"Columns":["id"],"Rows":[["a"],["b"]],"Truncated":false}`},
		{"SELECT ?, ?, ?, ?, ?", `null|true|1.5|12|"x"`, `{"Columns":["?","?","?","?","?"],"Rows":[[null,1,1.5,12,"x"]],"Truncated":false}`},
		{"SELECT done, extra, json_extract(extra,'$.a[0]') j FROM tasks WHERE id='a'", "", `{"Columns":["done","extra","j"],"Rows":[[1,"{\"a\":[1]}",1]],"Truncated":false}`},
		{"SELECT 9007199254740992, 1e999, x'00ff', 'é'", "", `{"Columns":["9007199254740992","1e999","x'00ff'","'é'"],"Rows":[["9007199254740992","+Inf","00ff","é"]],"Truncated":false}`},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3) SELECT sum(i) s FROM n -- to the end", "", `{"Columns":["s"],"Rows":[[6]],"Truncated":false}`},
		{"WITH tasks AS (SELECT 7 AS id) SELECT id FROM tasks", "", `{"Columns":["id"],"Rows":[[7]],"Truncated":false}`},
		{"SELECT instr('éa','a'), replace('aXa','a','b'), trim('xxyxx','x'), ltrim('xy','x'), rtrim('yx','x'), instr(null,'a') FROM tasks LIMIT 1", "",
			`{"Columns":["instr('éa','a')","replace('aXa','a','b')","trim('xxyxx','x')","ltrim('xy','x')","rtrim('yx','x')","instr(null,'a')"],"Rows":[[2,"bXb","y","y","y",null]],"Truncated":false}`},
		{"SELECT a.id, b.id, 2 AS id FROM t1 a JOIN t1 b;", "", `{"Columns":["id","id","id"],"Rows":[["mine","mine",2]],"Truncated":false}`},
		{"WITH x AS (SELECT 1) SELECT count(*) n FROM x", "", `{"Columns":["n"],"Rows":[[1]],"Truncated":false}`},
		{"SELECT title, row_number() OVER (ORDER BY title) n FROM tasks", "", `{"Columns":["title","n"],"Rows":[["blue sky",1],["red apple",2]],"Truncated":false}`},
		{"VALUES (1),(2); -- done", "", `{"Columns":["column1"],"Rows":[[1],[2]],"Truncated":false}`},
	} {
		var params []string
		if c.params != "" {
			params = strings.Split(c.params, "|")
		}
		got, err := query(t.Context(), r, c.sql, params...)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		if got.Seq != r.State().Seq {
			t.Errorf("%s: at seq %d", c.sql, got.Seq)
		}
		text, err := json.Marshal(map[string]any{"Columns": got.Columns, "Rows": got.Rows, "Truncated": got.Truncated})
		must(t, err)
		before, after, _ := strings.Cut(c.want, "%")
		if !strings.HasPrefix(string(text), before) || !strings.HasSuffix(string(text), after) {
			t.Errorf("%s: got %s, want %s", c.sql, text, c.want)
		}
	}
	if row, found, err := readRow(t, r, "a"); err != nil || !found || row.Values[0] != "red apple" {
		t.Errorf("after all that a row is %v, %v", row, err)
	}
}

func readRow(tb testing.TB, r *replica.Replica, id string) (row replica.Row, found bool, err error) {
	tb.Helper()
	err = r.View(tb.Context(), func(v *replica.View) error {
		row, found, err = v.Row(tb.Context(), 1, id)
		return err
	})
	return row, found, err
}

// attacks are statements that must be refused, each with the code and a part
// of what is said.
var attacks = []struct {
	sql  string
	code fault.Code
	says string
}{
	{"INSERT INTO tasks(id) VALUES('x')", fault.Forbidden, "only a single SELECT"},
	{"DELETE FROM main.t1", fault.Forbidden, "only a single SELECT"},
	{"UPDATE t2 SET c1='x'", fault.Forbidden, "only a single SELECT"},
	{"DROP TABLE t2", fault.Forbidden, "only a single SELECT"},
	{"CREATE TABLE x(a)", fault.Forbidden, "only a single SELECT"},
	{"CREATE TEMP TABLE x AS SELECT 1", fault.Forbidden, "only a single SELECT"},
	{"CREATE TEMP VIEW y AS SELECT * FROM main.t1", fault.Forbidden, "only a single SELECT"},
	{"ALTER TABLE t2 RENAME TO t9", fault.Forbidden, "only a single SELECT"},
	{"BEGIN", fault.Forbidden, "only a single SELECT"},
	{"COMMIT", fault.Forbidden, "only a single SELECT"},
	{"SAVEPOINT s", fault.Forbidden, "only a single SELECT"},
	{"VACUUM INTO '/tmp/stolen'", fault.Forbidden, "only a single SELECT"},
	{"REINDEX", fault.Forbidden, "only a single SELECT"},
	{"ANALYZE", fault.Forbidden, "only a single SELECT"},
	{"ATTACH '/etc/passwd' AS x", fault.Forbidden, "attached"},
	{"DETACH main", fault.Forbidden, "attached"},
	{"PRAGMA query_only=OFF", fault.Forbidden, "PRAGMA"},
	{"PRAGMA table_info(t1)", fault.Forbidden, "PRAGMA"},
	{"SELECT * FROM pragma_table_info('t2')", fault.Forbidden, "no table pragma_table_info"},
	{"SELECT * FROM pragma_database_list", fault.Forbidden, "no table pragma_database_list"},
	{"SELECT load_extension('x')", fault.Forbidden, ""},
	{"SELECT zeroblob(1000000000)", fault.Forbidden, "zeroblob"},
	{"SELECT randomblob(100000000)", fault.Forbidden, "randomblob"},
	{"SELECT sqlite_version()", fault.Forbidden, "sqlite_version"},
	{"SELECT fts5(1)", fault.Forbidden, "fts5"},
	{"SELECT * FROM sqlite_master", fault.Forbidden, "no table sqlite_master"},
	{"SELECT * FROM sqlite_schema", fault.Forbidden, "no table sqlite_master"},
	{"SELECT * FROM temp.sqlite_master", fault.Forbidden, "no table sqlite_temp_master"},
	{"SELECT * FROM sqlite_temp_schema", fault.Forbidden, "no table sqlite_temp_master"},
	{"SELECT * FROM head", fault.Forbidden, "no table head"},
	{"SELECT meta FROM room", fault.Forbidden, "no table room"},
	{"SELECT count(*) FROM commits", fault.Forbidden, "no table commits"},
	{"SELECT hash FROM vectors", fault.Forbidden, "no table vectors"},
	{"SELECT * FROM f1", fault.Forbidden, "no table f1"},
	{"SELECT * FROM f1('apple')", fault.Forbidden, "no table f1"},
	{"SELECT highlight(f1,0,'a','b') FROM f1('apple')", fault.Forbidden, ""},
	{"SELECT * FROM f1_content", fault.Invalid, "no such table"},
	{"SELECT * FROM f2_data", fault.Forbidden, "no table f2_data"},
	{"SELECT * FROM dbstat", fault.Forbidden, "no table dbstat"},
	{"SELECT * FROM sqlite_dbpage", fault.Forbidden, "no table sqlite_dbpage"},
	{"SELECT * FROM json_each('[1]')", fault.Forbidden, "no table json_each"},
	// Rows of others, by SQLite's own tables …
	{"SELECT * FROM main.t1", fault.Forbidden, "no table t1"},
	{"SELECT * FROM t2", fault.Forbidden, "no table t2"},
	{"SELECT count(*) FROM t2", fault.Forbidden, "no table t2"},
	{"SELECT 1 FROM t2", fault.Forbidden, "no table t2"},
	{"SELECT EXISTS(SELECT 1 FROM t2)", fault.Forbidden, "no table t2"},
	{"SELECT rowid FROM main.t2", fault.Forbidden, "no table t2"},
	{"SELECT 1 FROM tasks, main.t2", fault.Forbidden, "no table t2"},
	{"SELECT (SELECT max(c1) FROM t2) FROM t1", fault.Forbidden, "no table t2"},
	// … by names that are like those of views …
	{"WITH t1 AS (SELECT * FROM main.t2) SELECT * FROM t1", fault.Forbidden, "no table t2"},
	{"WITH tasks AS (SELECT * FROM t2) SELECT * FROM tasks", fault.Forbidden, "no table t2"},
	{"SELECT * FROM (SELECT * FROM t2) AS t1", fault.Forbidden, "no table t2"},
	{"SELECT * FROM (SELECT count(*) FROM t2) AS tasks", fault.Forbidden, "no table t2"},
	{"WITH RECURSIVE t1(x) AS (SELECT 1 UNION ALL SELECT k FROM main.t2) SELECT * FROM t1", fault.Forbidden, "no table t2"},
	{"SELECT * FROM t1 UNION ALL SELECT c1,c2,1,1,1,1,1 FROM t2", fault.Forbidden, "no table t2"},
	{"SELECT * FROM t1 WHERE id IN (SELECT id FROM t2)", fault.Forbidden, "no table t2"},
	{"SELECT id FROM t1 ORDER BY (SELECT group_concat(c1) FROM t2)", fault.Forbidden, "no table t2"},
	{"SELECT id FROM tasks GROUP BY id HAVING (SELECT count(*) FROM t2)>0", fault.Forbidden, "no table t2"},
	{"SELECT sum(k) OVER (PARTITION BY by) FROM t2", fault.Forbidden, "no table t2"},
	{"SELECT 1 FROM tasks JOIN t2 USING(id)", fault.Forbidden, "no table t2"},
	{"SELECT 1 FROM tasks NATURAL JOIN main.t2", fault.Forbidden, "no table t2"},
	{"VALUES((SELECT c1 FROM t2))", fault.Forbidden, "no table t2"},
	{"SELECT * FROM t2 INDEXED BY t2_h", fault.Forbidden, "no table t2"},
	// … and other ways.
	{"SELECT 1; DELETE FROM main.t1", fault.Invalid, "one statement"},
	{"SELECT 1; SELECT 2", fault.Invalid, "one statement"},
	{"SELECT 1; PRAGMA query_only=OFF", fault.Forbidden, "PRAGMA"},
	{"-- nothing", fault.Forbidden, "only a single SELECT"},
	{";", fault.Forbidden, "only a single SELECT"},
	{"SELEC 1", fault.Invalid, "syntax error"},
	{"SELECT nope FROM tasks", fault.Invalid, "no such column: nope"},
	{"SELECT * FROM nowhere", fault.Invalid, "no such table: nowhere"},
	{"SELECT c1 FROM tasks", fault.Invalid, "no such column: c1"},
	{"SELECT rowid, k FROM tasks", fault.Invalid, "no such column"},
	{"SELECT ?", fault.Invalid, "1 places"},
	{"SELECT ?999", fault.Invalid, "variable number"},
	{"SELECT 1\x00", fault.Invalid, "U+0000"},
	{"  ", fault.Invalid, "a statement is needed"},
	{"SELECT '" + strings.Repeat("x", 70_000) + "'", fault.TooLarge, "65536 bytes"},
	{"SELECT " + strings.Repeat("abs(", 300) + "1" + strings.Repeat(")", 300), fault.Invalid, ""},
	{"SELECT count(*) FROM main.t1", fault.Forbidden, "no table t1"},
	{"WITH x(c1) AS (SELECT 'x') SELECT c1 FROM x FULL JOIN t2 USING(c1)", fault.Invalid, "cannot join using column c1"},
	{"WITH x(c1) AS (SELECT 'x') SELECT c1 FROM x FULL JOIN main.t2 USING(c1)", fault.Invalid, "no such table"},
	{"WITH x(id) AS (SELECT 'x') SELECT id FROM x NATURAL FULL JOIN t2", fault.Forbidden, "no table t2"},
	{"WITH x(data) AS (SELECT 'x') SELECT hex(data) FROM x FULL JOIN sqlite_dbpage USING(data)", fault.Forbidden, ""},
	{"SELECT 1 FROM head", fault.Forbidden, "no table head"},
	{"SELECT count(*) FROM sqlite_schema", fault.Forbidden, "no table sqlite_"},
	{"SELECT 1 FROM pragma_compile_options", fault.Forbidden, "no table pragma_compile_options"},
	{"SELECT 1 FROM json_each('[1,2]')", fault.Forbidden, "no table json_each"},
	{"SELECT 1 FROM dbstat", fault.Forbidden, "no table dbstat"},
	{"SELECT 1 FROM f1", fault.Forbidden, "no table f1"},
	{"SELECT printf('%1000000000d',1)", fault.TooLarge, "above 1048576 bytes"},
	{"SELECT printf('%.*c',1000000000,'x')", fault.TooLarge, "above 1048576 bytes"},
	{"SELECT replace(hex(printf('%.*c',100000,'x')),'7',printf('%.*c',100000,'y'))", fault.TooLarge, "above 1048576 bytes"},
	{"WITH RECURSIVE n(s) AS (SELECT 'x' UNION ALL SELECT s||s FROM n) SELECT max(length(s)) FROM n", fault.TooLarge, "above 1048576 bytes"},
	{"SELECT group_concat(a.s||b.s) FROM (SELECT printf('%.*c',10000,'x') s FROM tasks) a, (SELECT printf('%.*c',600000,'x') s FROM tasks) b", fault.TooLarge, "above 1048576 bytes"},
}

// unseen is what SQLite says of names that lead nowhere for a statement.
var unseen = regexp.MustCompile(`no such (table: main\.|column: (c1|k|meta|hash)$|index)|(t2|f1|f2_data).* (is a view|may not be altered|is not a function)|cannot join using`)

func TestHostileSQLIsRefused(t *testing.T) {
	w := newWorld(t)
	r := sqlRoom(t, w)
	for _, a := range attacks {
		got, err := query(t.Context(), r, a.sql)
		var f *fault.Error
		if !errors.As(err, &f) || (f.Code != a.code || !strings.Contains(f.Reason, a.says)) && !unseen.MatchString(f.Reason) {
			t.Errorf("%.100s: got %v, %v", a.sql, got, err)
			continue
		}
		if strings.Contains(f.Reason, "secret text") || got.Rows != nil || len(f.Reason) > 400 {
			t.Errorf("%.100s: says %s", a.sql, f.Reason)
		}
	}
	checkRecount(t, "after all that", r)
}

// What would go on for ever, or take all memory, ends.
func TestEndlessSQLEnds(t *testing.T) {
	w := newWorld(t)
	r := sqlRoom(t, w)
	r.SetSQLTime(time.Second)
	endless := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
	doubled := "WITH c0 AS (SELECT 1 x)"
	for i := range 40 {
		doubled += fmt.Sprintf(", c%d AS (SELECT 1 x FROM c%d a, c%d b)", i+1, i, i)
	}
	for name, sql := range map[string]string{
		"recursion":       endless + "SELECT count(*) FROM n",
		"a cross join":    endless + "SELECT count(*) FROM n a, n b",
		"sorted texts":    endless + "SELECT printf('%.*c',1000000,i) s FROM n ORDER BY s",
		"distinct texts":  endless + "SELECT count(DISTINCT printf('%.*c',100000,'x')||i) FROM n",
		"a long queue":    "WITH RECURSIVE n(i,s) AS (SELECT 1,printf('%.*c',100000,'x') UNION ALL SELECT i+j,s||i FROM n,(SELECT 1 j UNION ALL SELECT 2)) SELECT count(*) FROM n",
		"doubled parse":   doubled + " SELECT count(*) FROM c40",
		"long comparison": endless + "SELECT count(*) FROM n WHERE instr(i||printf('%.*c',1000000,'a'),printf('%.*c',500000,'a')||'b')",
		"a long pattern":  endless + "SELECT count(*) FROM n WHERE i||printf('%.*c',1000000,'a') LIKE '%'||printf('%.*c',100,'a')||'b'",
	} {
		t.Run(name, func(t *testing.T) {
			start, before := time.Now(), replica.AnonymousMemory()
			_, err := query(t.Context(), r, sql)
			took, grown := time.Since(start), replica.AnonymousMemory()-before
			t.Logf("%v after %v and %d MB", err, took, grown>>20)
			if !fault.Is(err, fault.TooLarge) && !fault.Is(err, fault.Invalid) {
				t.Errorf("got %v", err)
			}
			if took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestSQLEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	r := sqlRoom(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	begun := time.AfterFunc(20*time.Millisecond, cancel)
	defer begun.Stop()
	_, err := query(ctx, r, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSQLIsCutByRowsAndBytes(t *testing.T) {
	w := newWorld(t)
	r := sqlRoom(t, w)
	endless := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n"
	got, err := query(t.Context(), r, endless)
	if err != nil || len(got.Rows) != 10_000 || !got.Truncated {
		t.Errorf("%d rows, %v", len(got.Rows), err)
	}
	must(t, r.View(t.Context(), func(v *replica.View) error {
		got, err := v.SQL(t.Context(), replica.SQLQuery{SQL: endless, MaxBytes: 100})
		if len(got.Rows) < 10 || len(got.Rows) > 25 || !got.Truncated {
			t.Errorf("%d rows", len(got.Rows))
		}
		return err
	}))
}

// FuzzSQL: whatever bob says, nothing of ada's own row comes back, nothing
// changes, and no error is internal.
func FuzzSQL(f *testing.F) {
	for _, a := range attacks {
		f.Add(a.sql)
	}
	f.Add("SELECT * FROM tasks JOIN t1 ON 1")
	w := newWorld(f)
	r := sqlRoom(f, w)
	f.Fuzz(func(t *testing.T, sql string) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		got, err := query(ctx, r, sql)
		if err != nil && fault.CodeOf(err) == fault.Internal && ctx.Err() == nil {
			t.Errorf("%q: %v", sql, err)
		}
		text := fmt.Sprint(got)
		if strings.Contains(text, "secret text") && !strings.Contains(sql, "secret") {
			t.Errorf("%q gave %s", sql, text)
		}
	})
}

package replica

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
)

// indexTables hold what the index log says. vectors has a row for each text
// that has a vector or failed, under a number that rises with the log. That a
// text is of no row any more changes nothing: which commits a replica knows
// when it reads an entry is chance, and only so is what two replicas know of
// a text a matter of the entries alone. View.Unused finds them, for an entry
// that clears them.
var indexTables = []string{
	`CREATE TABLE indexed(one INTEGER PRIMARY KEY CHECK(one=1),n INTEGER NOT NULL,reset INTEGER NOT NULL,model TEXT NOT NULL,dim INTEGER NOT NULL)STRICT`,
	`INSERT INTO indexed VALUES(1,0,0,'',0)`,
	`CREATE TABLE vectors(n INTEGER PRIMARY KEY,hash BLOB NOT NULL UNIQUE,state INTEGER NOT NULL,v BLOB)STRICT`,
}

// createTextIndex finds the rows of a text.
func createTextIndex(table int) string {
	return fmt.Sprintf("CREATE INDEX t%d_h ON t%d(h) WHERE h IS NOT NULL", table, table)
}

// textsPerEntry bounds the texts of an entry in the numbers of vectors: one
// of 350 KB has fewer.
const textsPerEntry = 1 << 14

func vectorNumber(entry int64, text int) int64 { return entry*textsPerEntry + int64(text) }

// coverage counts the rows of a table by what became of their texts.
type coverage struct {
	table  int
	counts [Failed + 1]int64
}

// coverages are those of the tables that have rows with texts, in order of
// number. They are immutable: states share them.
type coverages []coverage

// with gives the coverages with one row more or less.
func (c coverages) with(table int, state VectorState, by int64) coverages {
	if state == NoText || by == 0 {
		return c
	}
	at, found := slices.BinarySearchFunc(c, table, func(x coverage, table int) int { return x.table - table })
	next := make(coverages, 0, len(c)+1)
	next = append(next, c[:at]...)
	one := coverage{table: table}
	if found {
		one = c[at]
		c = c[1:]
	}
	one.counts[state] += by
	if one.counts != [Failed + 1]int64{} {
		next = append(next, one)
	}
	return append(next, c[at:]...)
}

// of is the coverage of one table.
func (c coverages) of(table int) coverage {
	for i := range c {
		if c[i].table == table {
			return c[i]
		}
	}
	return coverage{table: table}
}

const coverageFormat = 1

func (c coverages) encode() []byte {
	dst := append(make([]byte, 0, 1+16*len(c)), coverageFormat)
	for i := range c {
		dst = binary.AppendVarint(dst, int64(c[i].table))
		for _, n := range c[i].counts[Pending:] {
			dst = binary.AppendVarint(dst, n)
		}
	}
	return dst
}

func decodeCoverages(data []byte) (coverages, error) {
	if len(data) == 0 || data[0] != coverageFormat {
		return nil, fmt.Errorf("replica: coverage of another format")
	}
	var nums []int64
	for data = data[1:]; len(data) > 0; {
		v, n := binary.Varint(data)
		if n <= 0 {
			return nil, fmt.Errorf("replica: malformed coverage")
		}
		nums, data = append(nums, v), data[n:]
	}
	const each = 1 + int(Failed)
	if len(nums)%each != 0 {
		return nil, fmt.Errorf("replica: malformed coverage")
	}
	var c coverages
	for part := range slices.Chunk(nums, each) {
		one := coverage{table: int(part[0])}
		copy(one.counts[Pending:], part[1:])
		c = append(c, one)
	}
	return c, nil
}

// readIndex reads the index state of a database into a state.
func (s *State) readIndex(c *conn, covered []byte) (err error) {
	if s.coverage, err = decodeCoverages(covered); err != nil {
		return err
	}
	found, err := c.one("SELECT n,reset,model,dim FROM indexed", func(r *sqlite.Stmt) {
		s.Index, s.reset, s.Model, s.Dim = r.ColumnInt64(0), r.ColumnInt64(1), r.ColumnText(2), r.ColumnInt(3)
	})
	if err != nil || !found {
		return fmt.Errorf("read index state of replica (found: %t): %w", found, err)
	}
	return nil
}

func writeIndex(c *conn, s *State) error {
	if err := c.exec("UPDATE indexed SET n=?,reset=?,model=?,dim=?", s.Index, s.reset, s.Model, s.Dim); err != nil {
		return fmt.Errorf("write index state of replica: %w", err)
	}
	return nil
}

// embeds tells whether any of the cells is embedded.
func (ts *tableStmts) embeds(cells []schema.Cell) bool {
	for _, at := range ts.texts {
		for i := range cells {
			if cells[i].Num == ts.def.Columns[at].Num {
				return true
			}
		}
	}
	return false
}

// hash gives the hash of a row's text, and whether it has one.
func (ts *tableStmts) hash(row *Row) (indexlog.Hash, bool) {
	if len(ts.texts) == 0 {
		return indexlog.Hash{}, false
	}
	ts.text = schema.AppendEmbedText(ts.text[:0], ts.texts, row.Values)
	if len(ts.text) == 0 {
		return indexlog.Hash{}, false
	}
	return sha256.Sum256(ts.text), true
}

// bindText binds vs and h of a row from place i on, and sets its Vector.
func (ts *tableStmts) bindText(s *sqlite.Stmt, i int, row *Row) error {
	h, ok := ts.hash(row)
	if !ok {
		row.Vector = NoText
		s.BindNull(i)
		s.BindNull(i + 1)
		return nil
	}
	var err error
	if row.Vector, err = ts.conn.textState(h); err != nil {
		return err
	}
	s.BindInt64(i, int64(row.Vector))
	s.BindBytes(i+1, h[:])
	if row.Vector == Indexed {
		ts.conn.revived = append(ts.conn.revived, h)
	}
	return nil
}

// textState is what the index log says of a text.
func (c *conn) textState(h indexlog.Hash) (VectorState, error) {
	state := Pending
	_, err := c.one("SELECT state FROM vectors WHERE hash=?1", func(s *sqlite.Stmt) { state = VectorState(s.ColumnInt64(0)) }, h[:])
	if err != nil {
		return NoText, fmt.Errorf("find vector: %w", err)
	}
	return state, nil
}

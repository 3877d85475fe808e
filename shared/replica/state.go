package replica

import (
	"encoding/json"
	"fmt"
	"maps"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// imageFormat is the number of the layout of a replica's own tables. An image
// of another one is not read: the log or a newer program makes a new one.
const imageFormat = 2

// ownTables are the tables of a replica beside those of the room. Row seq of
// commits belongs to the entry of that seq, so the oldest come first.
var ownTables = []string{
	`CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one=1),format INTEGER NOT NULL,seq INTEGER NOT NULL,at INTEGER NOT NULL,forgotten INTEGER NOT NULL,` +
		`content BLOB NOT NULL,state BLOB NOT NULL,rows INTEGER NOT NULL,bytes INTEGER NOT NULL,coverage BLOB NOT NULL)STRICT`,
	`CREATE TABLE room(one INTEGER PRIMARY KEY CHECK(one=1),meta TEXT NOT NULL)STRICT`,
	`CREATE TABLE commits(seq INTEGER PRIMARY KEY,user TEXT NOT NULL,id TEXT NOT NULL,digest TEXT NOT NULL,` +
		`at INTEGER NOT NULL,UNIQUE(user,id))STRICT`,
}

// State is everything about a room at one seq that is small enough to keep in
// memory: all but rows and commit ids. It is immutable and shared.
type State struct {
	Room        string // the internal ULID
	ID          string // the id that users see
	Name        string
	Seq         int64
	At          schema.Millis // of entry Seq
	CreatedAt   schema.Millis
	Closed      bool
	Schema      *schema.Schema
	SchemaSeq   int64 // of the newest entry that changed the schema
	Members     map[string]access.Member
	Invitations map[string]access.Role // by e-mail address, lower case
	Sums        commitlog.Sums
	Rows        int64
	Bytes       int64 // rows, full-text index and vectors, made yet or not, as counted against NANO_ROOM_MAX_MB

	oldest commitMark // of the oldest commit id in the database

	// Forgotten is the time up to which commit ids were forgotten because many
	// commits followed them, though they are younger than 30 days; 0: none.
	Forgotten schema.Millis

	memberEdits int64 // rises with every change of Members and Invitations

	// What the index log says up to entry Index of it. It is no part of the
	// sums, and changes without a seq.
	Index int64
	Model string // of the vectors; empty before the first
	Dim   int

	reset    int64     // the entry of the index log that began Model
	coverage coverages // of tables with texts
}

// Row is one row; Values are in the order of the table's Columns.
type Row struct {
	ID        string
	Version   int64
	CreatedAt schema.Millis
	UpdatedAt schema.Millis
	CreatedBy string
	Vector    VectorState // of its text; index state, no part of the row
	Values    []schema.Value
}

// emptyState is the state before a room's first entry.
func emptyState(room string) *State {
	s := &State{
		Room:        room,
		Schema:      &schema.Schema{NextTable: 1},
		Members:     map[string]access.Member{},
		Invitations: map[string]access.Role{},
	}
	s.Sums = new(hasher).small(s)
	return s
}

// meta is the part of a State that seldom changes, as stored.
type meta struct {
	Room        string                 `json:"room"`
	ID          string                 `json:"id"`
	Name        string                 `json:"name"`
	CreatedAt   schema.Millis          `json:"createdAt"`
	Closed      bool                   `json:"closed,omitempty"`
	Schema      json.RawMessage        `json:"schema"`
	SchemaSeq   int64                  `json:"schemaSeq"`
	Members     []access.Member        `json:"members"`
	Invitations map[string]access.Role `json:"invitations"`
}

// sameMeta reports whether nothing of the seldom changing part differs.
func sameMeta(a, b *State) bool {
	return a.Schema == b.Schema && a.ID == b.ID && a.Name == b.Name && a.CreatedAt == b.CreatedAt && a.Closed == b.Closed &&
		a.memberEdits == b.memberEdits
}

func writeState(c *conn, s *State, withMeta bool) error {
	err := c.exec("INSERT OR REPLACE INTO head(one,format,seq,at,forgotten,content,state,rows,bytes,coverage) VALUES(1,?,?,?,?,?,?,?,?,?)",
		imageFormat, s.Seq, s.At, s.Forgotten, s.Sums.Content[:], s.Sums.State[:], s.Rows, s.Bytes, s.coverage.encode())
	if err != nil {
		return fmt.Errorf("write head of replica: %w", err)
	}
	if !withMeta {
		return nil
	}
	m := meta{Room: s.Room, ID: s.ID, Name: s.Name, CreatedAt: s.CreatedAt, Closed: s.Closed,
		Schema: schema.EncodeSchema(s.Schema), SchemaSeq: s.SchemaSeq, Invitations: s.Invitations}
	for member := range maps.Values(s.Members) {
		m.Members = append(m.Members, member)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode state of replica: %w", err)
	}
	if err := c.exec("INSERT OR REPLACE INTO room(one,meta) VALUES(1,?)", string(data)); err != nil {
		return fmt.Errorf("write state of replica: %w", err)
	}
	return nil
}

func readState(c *conn) (*State, error) {
	s := &State{Members: map[string]access.Member{}, Invitations: map[string]access.Role{}}
	format := int64(0)
	var covered []byte
	found, err := c.one("SELECT seq,at,content,state,rows,bytes,format,forgotten,coverage FROM head", func(r *sqlite.Stmt) {
		covered = columnBlob(r, 8)
		s.Seq, s.At = r.ColumnInt64(0), schema.Millis(r.ColumnInt64(1))
		s.Sums = commitlog.Sums{Content: columnSum(r, 2), State: columnSum(r, 3)}
		s.Forgotten = schema.Millis(r.ColumnInt64(7))
		s.Rows, s.Bytes, format = r.ColumnInt64(4), r.ColumnInt64(5), r.ColumnInt64(6)
	})
	if err != nil || !found {
		return nil, fmt.Errorf("read head of replica (found: %t): %w", found, err)
	}
	if format != imageFormat {
		return nil, fault.New(fault.Unavailable, "the room was written by another version of the program")
	}
	var text string
	found, err = c.one("SELECT meta FROM room", func(r *sqlite.Stmt) { text = r.ColumnText(0) })
	if err != nil || !found {
		return nil, fmt.Errorf("read state of replica (found: %t): %w", found, err)
	}
	if err := s.decodeMeta([]byte(text)); err != nil {
		return nil, err
	}
	if err := s.readIndex(c, covered); err != nil {
		return nil, err
	}
	s.oldest, err = oldestCommit(c)
	return s, err
}

func (s *State) decodeMeta(data []byte) error {
	var m meta
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("decode state of replica: %w", err)
	}
	sch, err := schema.DecodeSchema(m.Schema)
	if err != nil {
		return fmt.Errorf("decode schema of replica: %w", err)
	}
	s.Room, s.ID, s.Name, s.CreatedAt, s.Closed = m.Room, m.ID, m.Name, m.CreatedAt, m.Closed
	s.Schema, s.SchemaSeq = sch, m.SchemaSeq
	for _, member := range m.Members {
		s.Members[member.User] = member
	}
	maps.Copy(s.Invitations, m.Invitations)
	return nil
}

func columnSum(s *sqlite.Stmt, i int) (sum commitlog.Sum) {
	s.ColumnBytes(i, sum[:])
	return sum
}

package promises

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Promise 4: a client that reconnects with `since` ends in the same state as
// one that never left.

// mirror is a client that keeps a copy of a room as it is told.
type mirror struct {
	*testing.T
	name  string
	lives *lives
	who   person
	cuts  *rand.Rand // nil: it never leaves of its own accord

	have   int64 // the newest seq applied
	tables map[string]*mirrorTable
	count  map[string]int // what happened, by kind
	doubts []string       // what did not fit the copy, since it was last loaded
}

// mirrorTable is a copy of a table. Commits up to since are in it already.
type mirrorTable struct {
	since int64
	rows  map[string]map[string]any
}

// wireOp is an operation as clients are told it.
type wireOp struct {
	Op, Table, ID string
	Row, Set      map[string]any
	Version       int64
	Add           []struct{ Name string }
	Drop          []string
	Rename        map[string]string
	Name          string
}

type wireCommit struct {
	Seq       int64
	At        string
	Ops       []wireOp
	Truncated bool
}

// goal is the seq to reach; it is closed when known.
type goal struct {
	seq   int64
	known chan struct{}
}

func (g *goal) reached(have int64) bool {
	select {
	case <-g.known:
		return have >= g.seq
	default:
		return false
	}
}

// follow keeps up with the room, through many connections, to the goal.
func (m *mirror) follow(ctx context.Context, g *goal) {
	for !g.reached(m.have) && ctx.Err() == nil && !m.Failed() {
		addr, next := m.lives.now()
		m.who.addr = addr
		err := m.session(ctx, g)
		if err == nil {
			continue
		}
		if code := refusalCode(err); code != "" && code != "unauthenticated" {
			m.Errorf("%s: %v", m.name, err)
			return
		}
		if m.count["connections lost"]++; m.count["connections lost"] > 1000 {
			m.Errorf("%s gets no further than seq %d: %v", m.name, m.have, err)
		}
		// The runner may be down: wait for its next life, but not for long.
		soon := time.NewTimer(5 * time.Millisecond)
		select {
		case <-next:
		case <-soon.C:
		case <-ctx.Done():
		}
		soon.Stop()
	}
	if ctx.Err() != nil {
		m.Errorf("%s did not get to the end: it has seq %d", m.name, m.have)
	}
}

// doom decides how a session ends: after so many steps, or some time.
type doom struct {
	steps int // left; below zero: no end by steps
	end   func()
}

func (m *mirror) doom(s *socket, g *goal) (*doom, func()) {
	d := &doom{steps: -1}
	select {
	case <-g.known: // let it finish
		return d, func() {}
	default:
	}
	if m.cuts == nil {
		return d, func() {}
	}
	ends := map[string]func(){"cut": s.cut, "half closed": s.halfClose, "closed": s.close}
	how := slices.Sorted(maps.Keys(ends))[m.cuts.IntN(len(ends))]
	m.count[how]++
	if m.cuts.IntN(2) == 0 {
		d.steps, d.end = m.cuts.IntN(40), ends[how]
		return d, func() {}
	}
	timer := time.AfterFunc(time.Duration(m.cuts.IntN(60_000))*time.Microsecond, ends[how])
	return d, func() { timer.Stop() }
}

// step ends the connection when it is time.
func (d *doom) step() {
	if d.steps == 0 {
		d.end()
	}
	d.steps--
}

// session is one connection: nil when the goal is reached.
func (m *mirror) session(ctx context.Context, g *goal) error {
	s, err := m.who.dial(ctx, "den")
	if err != nil {
		return err
	}
	defer s.close()
	d, calm := m.doom(s, g)
	defer calm()
	if err := m.subscribe(ctx, s, d); err != nil {
		return err
	}
	for !g.reached(m.have) {
		select {
		case <-s.arrived:
			for _, note := range s.heard() {
				d.step()
				if err := m.hear(ctx, s, d, note); err != nil {
					return err
				}
			}
		case <-s.done:
			return errCut
		case <-g.known:
			if err := m.catchUp(ctx, s, d); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// page is an answer of subscribe or log.read.
type page struct {
	Seq     int64
	Commits []wireCommit
	More    bool
	Reset   bool
}

func (m *mirror) subscribe(ctx context.Context, s *socket, d *doom) error {
	params := map[string]any{"since": m.have}
	if m.tables == nil { // the first time: begin with what is there
		params = map[string]any{}
	}
	var p page
	if err := s.call(ctx, "subscribe", params, &p); err != nil {
		return err
	}
	d.step()
	if m.tables == nil {
		return m.reload(ctx, s, d)
	}
	return m.take(ctx, s, d, p)
}

// take applies a page, and what follows it.
func (m *mirror) take(ctx context.Context, s *socket, d *doom, p page) error {
	if p.Reset {
		return m.reload(ctx, s, d)
	}
	for _, c := range p.Commits {
		m.apply(c)
	}
	if p.More || m.have < p.Seq {
		m.count["further pages"]++
		return m.catchUp(ctx, s, d)
	}
	return nil
}

// catchUp reads the log from the mirror's seq; what does not fit a message, by
// HTTP.
func (m *mirror) catchUp(ctx context.Context, s *socket, d *doom) error {
	d.step()
	var p page
	err := s.call(ctx, "log.read", map[string]any{"since": m.have}, &p)
	var refusal *rpcError
	if errors.As(err, &refusal) && refusal.Data.UseHTTP {
		m.count["by HTTP"]++
		p = page{}
		err = m.who.call(ctx, "GET", fmt.Sprintf("/v1/rooms/den/log?since=%d&limit=2", m.have), nil, &p)
	}
	if err != nil {
		return err
	}
	return m.take(ctx, s, d, p)
}

// reload reads all tables anew. Each is exact at a seq of its own.
func (m *mirror) reload(ctx context.Context, s *socket, d *doom) error {
	m.count["resets"]++
	d.step()
	var schema struct {
		Seq    int64
		Tables []struct{ Name string }
	}
	if err := m.who.call(ctx, "GET", "/v1/rooms/den/schema", nil, &schema); err != nil {
		return err
	}
	tables, oldest := map[string]*mirrorTable{}, schema.Seq
	for _, t := range schema.Tables {
		var p struct {
			Rows   []map[string]any
			Cursor string
			Seq    int64
		}
		err := m.who.call(ctx, "GET", "/v1/rooms/den/tables/"+t.Name+"/rows?limit=1000", nil, &p)
		var gone *problem
		if errors.As(err, &gone) && gone.Status == 404 {
			return m.reload(ctx, s, d) // renamed or dropped meanwhile
		}
		if err != nil {
			return err
		}
		if p.Cursor != "" {
			m.Fatalf("table %s has more than a page", t.Name)
		}
		table := &mirrorTable{since: p.Seq, rows: map[string]map[string]any{}}
		for _, row := range p.Rows {
			table.rows[row["id"].(string)] = row
		}
		tables[t.Name] = table
	}
	m.tables, m.have, m.doubts = tables, oldest, nil
	return m.catchUp(ctx, s, d)
}

// hear takes a notification.
func (m *mirror) hear(ctx context.Context, s *socket, d *doom, note message) error {
	switch note.Method {
	case "reset":
		var reset struct{ Seq int64 }
		if err := json.Unmarshal(note.Params, &reset); err != nil {
			return err
		}
		if reset.Seq > m.have {
			return m.reload(ctx, s, d)
		}
	case "commit":
		var c wireCommit
		if err := json.Unmarshal(note.Params, &c); err != nil {
			return err
		}
		switch {
		case c.Seq <= m.have:
			m.count["told again"]++
		case c.Truncated:
			m.count["truncated"]++
			return m.catchUp(ctx, s, d)
		case c.Seq > m.have+1:
			m.count["gaps"]++
			return m.catchUp(ctx, s, d)
		default:
			m.apply(c)
			m.count["live"]++
		}
	}
	return nil
}

// apply applies one commit, which must be the next, and complains about what
// does not fit the copy.
func (m *mirror) apply(c wireCommit) {
	if c.Seq <= m.have {
		m.count["told again"]++
		return
	}
	if c.Seq != m.have+1 || c.Truncated {
		m.Errorf("%s: commit %d comes after %d", m.name, c.Seq, m.have)
	}
	m.have = c.Seq
	for _, op := range c.Ops {
		m.applyOp(c, op)
	}
}

// doubt keeps what does not fit. Who was given another role since is shown the
// commits before that by the new one, and told to load anew after them.
func (m *mirror) doubt(format string, args ...any) {
	m.doubts = append(m.doubts, fmt.Sprintf(format, args...))
}

func (m *mirror) applyOp(c wireCommit, op wireOp) {
	t := m.tables[op.Table]
	if t != nil && c.Seq <= t.since {
		return
	}
	switch op.Op {
	case "insert", "update", "delete", "alterTable", "dropTable":
		if t == nil {
			m.doubt("%d %s in table %s, which is not there", c.Seq, op.Op, op.Table)
			return
		}
	}
	switch op.Op {
	case "createTable":
		m.tables[op.Table] = &mirrorTable{rows: map[string]map[string]any{}}
	case "dropTable":
		delete(m.tables, op.Table)
	case "alterTable":
		m.alter(t, op)
	case "insert", "update", "delete":
		m.applyRow(t, c, op)
	}
}

func (m *mirror) applyRow(t *mirrorTable, c wireCommit, op wireOp) {
	row, there := t.rows[op.ID]
	if there != (op.Op != "insert") || op.Version != c.Seq && op.Op != "delete" {
		m.doubt("%d %s %s of version %d, the row is there: %v", c.Seq, op.Op, op.ID, op.Version, there)
		return
	}
	switch op.Op {
	case "insert":
		t.rows[op.ID] = op.Row
	case "update":
		if was := row["_version"].(float64); was >= float64(c.Seq) {
			m.doubt("%d updates %s, which has version %v", c.Seq, op.ID, was)
		}
		maps.Copy(row, op.Set)
		row["_version"], row["_updatedAt"] = float64(c.Seq), c.At
	case "delete":
		delete(t.rows, op.ID)
	}
}

// alter follows what changes no values; the rest comes as a reset.
func (m *mirror) alter(t *mirrorTable, op wireOp) {
	for _, row := range t.rows {
		renamed := map[string]any{}
		for old, is := range op.Rename {
			renamed[is] = row[old]
			delete(row, old)
		}
		maps.Copy(row, renamed)
		for _, name := range op.Drop {
			delete(row, name)
		}
		for _, column := range op.Add {
			row[column.Name] = nil
		}
	}
	if op.Name != "" {
		delete(m.tables, op.Table)
		m.tables[op.Name] = t
	}
}

// sameAs compares the copy with what somebody reads now.
func (m *mirror) sameAs(who *person) {
	m.Helper()
	if len(m.doubts) > 0 {
		m.Errorf("%s was told what did not fit its copy: %v", m.name, m.doubts)
	}
	var schema struct{ Tables []struct{ Name string } }
	if err := who.call(m.Context(), "GET", "/v1/rooms/den/schema", nil, &schema); err != nil {
		m.Fatal(err)
	}
	if len(schema.Tables) != len(m.tables) {
		m.Errorf("%s has tables %v, the room %v", m.name, slices.Sorted(maps.Keys(m.tables)), schema.Tables)
	}
	for _, t := range schema.Tables {
		want, got := who.rows(m.T, "den", t.Name), map[string]map[string]any{}
		if m.tables[t.Name] != nil {
			got = m.tables[t.Name].rows
		}
		if len(want) != len(got) {
			m.Errorf("%s has %d rows in %s, the room %d", m.name, len(got), t.Name, len(want))
		}
		for id, row := range want {
			delete(got[id], "_vector") // it was so when the page was read
			if !reflect.DeepEqual(row, got[id]) {
				m.Errorf("%s has %s/%s as\n%v, the room as\n%v", m.name, t.Name, id, got[id], row)
				return
			}
		}
	}
}

// author keeps changing the room, until each change is known to have happened.
type author struct {
	*testing.T
	lives   *lives
	owner   person
	rnd     *rand.Rand
	ids     map[string][]string // rows that are there, by table
	n       int
	wide    bool // notes.extra is there
	text    bool // tasks.rank is text
	own     bool // notes is own
	renamed bool
}

// commit makes a commit, through as many lives of the runner as it takes.
func (a *author) commit(ctx context.Context, who person, ops ...any) int64 {
	a.n++
	body := map[string]any{"commitId": fmt.Sprintf("author-%d", a.n), "ops": ops}
	for {
		addr, next := a.lives.now()
		who.addr = addr
		var done commit
		err := who.call(ctx, "POST", "/v1/rooms/den/commits", body, &done)
		if err == nil {
			return done.Seq
		}
		if refusalCode(err) != "" {
			a.Errorf("%v: %v", ops, err)
			return 0
		}
		select {
		case <-next:
		case <-ctx.Done():
			a.Error(ctx.Err())
			return 0
		}
	}
}

// change makes one change of any kind.
func (a *author) change(ctx context.Context, bob person) {
	who, table := a.owner, "tasks"
	if a.rnd.IntN(2) == 0 {
		table = "notes"
		if a.rnd.IntN(2) == 0 {
			who = bob
		}
	}
	switch dice := a.rnd.IntN(100); {
	case dice < 45:
		id := fmt.Sprintf("%s-%d-%d", who.id, a.n, a.rnd.IntN(1e6))
		a.commit(ctx, who, map[string]any{"op": "insert", "table": table, "id": id, "row": a.cells(table)})
		if who.id == a.owner.id {
			a.ids[table] = append(a.ids[table], id)
		}
	case dice < 70 && len(a.ids[table]) > 0:
		id := a.ids[table][a.rnd.IntN(len(a.ids[table]))]
		a.commit(ctx, a.owner, map[string]any{"op": "update", "table": table, "id": id, "set": map[string]any{a.title(table): fmt.Sprint(a.n)}})
	case dice < 85 && len(a.ids[table]) > 0:
		at := a.rnd.IntN(len(a.ids[table]))
		a.commit(ctx, a.owner, map[string]any{"op": "delete", "table": table, "id": a.ids[table][at]})
		a.ids[table] = slices.Delete(a.ids[table], at, at+1)
	case dice < 90:
		a.large(ctx)
	case dice < 97:
		a.alter(ctx)
	default:
		a.reshape(ctx, bob)
	}
}

// cells are those of a new row. A rank is there in the type it has now.
func (a *author) cells(table string) map[string]any {
	cells := map[string]any{a.title(table): strings.Repeat("x", 1+a.rnd.IntN(300))}
	if table == "tasks" && a.text {
		cells["rank"] = fmt.Sprint(a.n)
	} else if table == "tasks" {
		cells["rank"] = a.n
	}
	return cells
}

func (a *author) title(table string) string {
	if table == "notes" && a.renamed {
		return "body"
	}
	if table == "notes" {
		return "text"
	}
	return "title"
}

// large makes a commit that does not fit a message.
func (a *author) large(ctx context.Context) {
	var ops []any
	for i := range 90 {
		id := fmt.Sprintf("large-%d-%d", a.n, i)
		ops = append(ops, insertTask(id, strings.Repeat("y", 300+a.rnd.IntN(150))))
	}
	a.commit(ctx, a.owner, ops...)
	for i := range ops {
		ops[i] = map[string]any{"op": "delete", "table": "tasks", "id": fmt.Sprintf("large-%d-%d", a.n-1, i)}
	}
	a.commit(ctx, a.owner, ops...)
}

// alter changes a table, with and without a change of values.
func (a *author) alter(ctx context.Context) {
	table := func(name string, more map[string]any) map[string]any {
		more["op"], more["table"] = "alterTable", name
		return more
	}
	switch a.rnd.IntN(4) {
	case 0:
		a.renamed = !a.renamed
		from, to := "text", "body"
		if !a.renamed {
			from, to = to, from
		}
		a.commit(ctx, a.owner, table("notes", map[string]any{"rename": map[string]any{from: to}}))
	case 1:
		if a.wide = !a.wide; a.wide {
			a.commit(ctx, a.owner, table("notes", map[string]any{"add": []any{map[string]any{"name": "extra", "type": "number"}}}))
		} else {
			a.commit(ctx, a.owner, table("notes", map[string]any{"drop": []any{"extra"}}))
		}
	case 2: // converts the values of all rows
		kind := "text"
		if a.text = !a.text; !a.text {
			kind = "integer"
		}
		a.commit(ctx, a.owner, table("tasks", map[string]any{"change": []any{map[string]any{"name": "rank", "type": kind}}}))
	default:
		name := fmt.Sprintf("side_%d", a.n)
		a.commit(ctx, a.owner, map[string]any{"op": "createTable", "table": name, "columns": []any{map[string]any{"name": "x", "type": "text"}}},
			map[string]any{"op": "insert", "table": name, "row": map[string]any{"x": "y"}})
		a.commit(ctx, a.owner, map[string]any{"op": "alterTable", "table": name, "name": name + "_"})
		a.commit(ctx, a.owner, map[string]any{"op": "dropTable", "table": name + "_"})
	}
}

// reshape changes what bob sees.
func (a *author) reshape(ctx context.Context, bob person) {
	if a.rnd.IntN(2) == 0 {
		access := "shared"
		if a.own = !a.own; a.own {
			access = "own"
		}
		a.commit(ctx, a.owner, map[string]any{"op": "alterTable", "table": "notes", "access": access})
		return
	}
	for _, role := range []string{"owner", "editor"} {
		addr, _ := a.lives.now()
		owner := a.owner
		owner.addr = addr
		if err := owner.call(ctx, "PUT", "/v1/rooms/den/members/"+bob.id, map[string]string{"role": role}, nil); err != nil && refusalCode(err) != "" {
			a.Error(err)
		}
	}
}

func TestReconnectedClientsEndAsThoseThatNeverLeft(t *testing.T) {
	t.Parallel()
	const changes, kills = 500, 2
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	data := filepath.Join(t.TempDir(), "data")
	p := launch(t, data)
	owen, bob := p.signIn(t, "owen"), p.signIn(t, "bob")
	owen.room(t, "den")
	owen.must(t, "PUT", "/v1/rooms/den/members/"+bob.id, map[string]string{"role": "editor"})
	owen.commit(t, map[string]any{"op": "createTable", "table": "notes", "access": "own", "columns": []any{map[string]any{"name": "text", "type": "text"}}},
		map[string]any{"op": "alterTable", "table": "tasks", "add": []any{map[string]any{"name": "rank", "type": "integer", "default": 1}}})
	all := &lives{}
	all.begin(p.addr)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	end := &goal{known: make(chan struct{})}
	var mirrors []*mirror
	var wg sync.WaitGroup
	for i, who := range []*person{bob, bob, bob, bob, owen, owen} {
		m := &mirror{T: t, name: fmt.Sprintf("%s %d", who.id, i), lives: all, who: *who, count: map[string]int{}}
		if i%4 != 0 { // one of each never leaves
			m.cuts = rand.New(rand.NewPCG(seed, uint64(10+i)))
		}
		mirrors = append(mirrors, m)
		wg.Go(func() { m.follow(ctx, end) })
	}
	a := &author{T: t, lives: all, owner: *owen, rnd: rnd, ids: map[string][]string{}, own: true}
	for n := range changes {
		if n%(changes/(kills+1)) == changes/(kills+1)-1 && n < changes-10 {
			p.kill()
			p = launch(t, data)
			all.begin(p.addr)
		}
		a.change(ctx, *bob)
	}
	end.seq = a.commit(ctx, *owen, insertTask("the-end", "x"))
	close(end.known)
	wg.Wait()
	if t.Failed() {
		lines := strings.SplitAfter(p.stderr.String(), "\n")
		t.Logf("the runner said: %s", lines[:min(len(lines), 5)])
	}
	total := map[string]int{}
	for _, m := range mirrors {
		m.sameAs(m.who.at(p))
		for what, n := range m.count {
			total[what] += n
		}
	}
	t.Logf("%d commits; the clients: %v", end.seq, total)
	for _, what := range []string{"live", "cut", "half closed", "closed", "connections lost", "resets", "further pages", "truncated", "by HTTP"} {
		if total[what] == 0 {
			t.Errorf("nothing of the kind %q happened", what)
		}
	}
}

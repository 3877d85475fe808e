package room_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
)

// modelRow is a row of the table things of the model.
type modelRow struct {
	Label   string // unique
	N       *int
	By      string
	Version int64
}

// model is a room as simple Go: one table, shared or own.
type model struct {
	seq     int64
	own     bool
	rows    map[string]modelRow
	commits map[string]modelCommit // by user and commitId
}

type modelCommit struct {
	seq  int64
	text string
}

type modelOp struct {
	Op        string         `json:"op"`
	Table     string         `json:"table"`
	ID        string         `json:"id"`
	Row       map[string]any `json:"row,omitempty"`
	Set       map[string]any `json:"set,omitempty"`
	IfVersion *int64         `json:"ifVersion,omitempty"`
}

// commit says what a room must answer: the seq, or the code of a refusal.
func (m *model) commit(p access.Principal, commitID string, ifSeq *int64, ops []modelOp) (int64, fault.Code) {
	text := fmt.Sprint(marshal(ops), marshal(ifSeq))
	if was, ok := m.commits[p.User.ID+" "+commitID]; ok && commitID != "" {
		if was.text != text {
			return 0, fault.Conflict
		}
		return was.seq, ""
	}
	if p.User.ID == "vera" {
		return 0, fault.Forbidden
	}
	if ifSeq != nil && *ifSeq != m.seq {
		return 0, fault.Conflict
	}
	rows := maps.Clone(m.rows)
	for _, op := range ops {
		if code := m.apply(rows, p, op); code != "" {
			return 0, code
		}
	}
	labels := map[string]bool{}
	for _, row := range rows {
		if labels[row.Label] {
			return 0, fault.Conflict
		}
		labels[row.Label] = true
	}
	m.rows = rows
	m.seq++
	if commitID != "" {
		m.commits[p.User.ID+" "+commitID] = modelCommit{m.seq, text}
	}
	return m.seq, ""
}

func (m *model) apply(rows map[string]modelRow, p access.Principal, op modelOp) fault.Code {
	row, there := rows[op.ID]
	if op.Op == "insert" {
		label, ok := op.Row["label"]
		switch {
		case !ok:
			return fault.Invalid
		case there:
			return fault.Conflict
		}
		row = modelRow{Label: label.(string), By: p.User.ID, Version: m.seq + 1}
		if n, ok := op.Row["n"]; ok {
			row.N = n.(*int)
		}
		rows[op.ID] = row
		return ""
	}
	if !there || m.own && p.User.ID != "ada" && row.By != p.User.ID {
		return fault.NotFound
	}
	if op.IfVersion != nil && *op.IfVersion != row.Version {
		return fault.Conflict
	}
	if op.Op == "delete" {
		delete(rows, op.ID)
		return ""
	}
	next := row
	if label, ok := op.Set["label"]; ok {
		next.Label = label.(string)
	}
	if n, ok := op.Set["n"]; ok {
		next.N = n.(*int)
	}
	if next.Label != row.Label || marshal(next.N) != marshal(row.N) {
		next.Version = m.seq + 1
	}
	rows[op.ID] = next
	return ""
}

func marshal(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// visible is what somebody must see of the table.
func (m *model) visible(p access.Principal) map[string]string {
	out := map[string]string{}
	for id, row := range m.rows {
		if !m.own || p.User.ID == "ada" || row.By == p.User.ID {
			out[id] = fmt.Sprint(row.Label, marshal(row.N), row.By, row.Version)
		}
	}
	return out
}

// TestModel makes random requests of a room and of a model in plain Go, which
// must give equal answers, seqs and rows for everybody, on either kind of store.
func TestModel(t *testing.T) {
	w := newWorld(t)
	engines := []*room.Engine{w.engine(), w.engineOn(shared{w.store})}
	rooms := 0
	rapid.Check(t, func(rt *rapid.T) {
		rooms++
		e := engines[rapid.IntRange(0, 1).Draw(rt, "engine")]
		ref := room.Ref{ID: fmt.Sprintf("model-%d", rooms)}
		_, err := e.Create(t.Context(), ada, ref.ID, "Model")
		must(t, err)
		for p, role := range map[*access.Principal]access.Role{&bob: access.Editor, &cleo: access.Editor, &vera: access.Viewer} {
			_, err := e.SetMember(t.Context(), ada, ref, p.User.ID, role)
			must(t, err)
		}
		m := &model{own: rapid.Bool().Draw(rt, "own"), rows: map[string]modelRow{}, commits: map[string]modelCommit{}}
		as := map[bool]string{true: "own", false: "shared"}[m.own]
		r, err := e.Commit(t.Context(), ada, ref, request(`{"op":"createTable","table":"things","columns":[{"name":"label","type":"text","required":true,"unique":true},{"name":"n","type":"integer"}],"access":"`+as+`"}`))
		must(t, err)
		m.seq = r.Entry.Seq
		for range rapid.IntRange(1, 12).Draw(rt, "commits") {
			m.step(t, rt, e, ref)
		}
	})
}

func (m *model) step(t *testing.T, rt *rapid.T, e *room.Engine, ref room.Ref) {
	p := rapid.SampledFrom([]access.Principal{ada, bob, cleo, vera}).Draw(rt, "by")
	ops := rapid.SliceOfN(rapid.Custom(m.draw), 1, 4).Draw(rt, "ops")
	commitID := rapid.SampledFrom([]string{"", "", "one", "two"}).Draw(rt, "commitId")
	var ifSeq *int64
	if rapid.IntRange(0, 4).Draw(rt, "ifSeq") == 0 {
		seq := m.seq - rapid.Int64Range(0, 1).Draw(rt, "behind")
		ifSeq = &seq
	}
	req := room.Request{CommitID: commitID, IfSeq: ifSeq}
	for _, op := range ops {
		req.Ops = append(req.Ops, json.RawMessage(marshal(op)))
	}
	seq, code := m.commit(p, commitID, ifSeq, ops)
	r, err := e.Commit(t.Context(), p, ref, req)
	if fault.CodeOf(err) != code || err == nil && r.Entry.Seq != seq {
		rt.Fatalf("%s asks %s: seq %v, error %v; the model says %d %q", p.User.ID, marshal(req), r.Entry, err, seq, code)
	}
	for _, p := range []access.Principal{ada, bob, vera} {
		got := map[string]string{}
		must(t, e.Read(t.Context(), p, ref, func(v *room.View) error {
			page, err := v.List(t.Context(), room.ListRequest{Table: "things"})
			if err != nil {
				return err
			}
			var rows []struct {
				ID      string `json:"id"`
				Label   string `json:"label"`
				N       *int   `json:"n"`
				By      string `json:"_createdBy"`
				Version int64  `json:"_version"`
			}
			if err := json.Unmarshal(page.Rows, &rows); err != nil {
				return err
			}
			for _, row := range rows {
				got[row.ID] = fmt.Sprint(row.Label, marshal(row.N), row.By, row.Version)
			}
			return nil
		}))
		if want := m.visible(p); !maps.Equal(got, want) {
			rt.Fatalf("%s sees %v, the model has %v", p.User.ID, got, want)
		}
	}
}

func (m *model) draw(rt *rapid.T) modelOp {
	op := modelOp{Table: "things", ID: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "id")}
	op.Op = rapid.SampledFrom([]string{"insert", "insert", "update", "update", "delete"}).Draw(rt, "op")
	values := map[string]any{}
	if rapid.IntRange(0, 9).Draw(rt, "label?") > 0 {
		values["label"] = rapid.SampledFrom([]string{"x", "y", "z"}).Draw(rt, "label")
	}
	if rapid.Bool().Draw(rt, "n?") {
		var n *int
		if rapid.Bool().Draw(rt, "null") {
			n = new(int)
			*n = rapid.IntRange(0, 2).Draw(rt, "n")
		}
		values["n"] = n
	}
	switch op.Op {
	case "insert":
		op.Row = values
		if len(values) == 0 {
			op.Row = map[string]any{"label": "x"}
		}
	case "update":
		op.Set = values
		if len(values) == 0 {
			op.Set = map[string]any{"label": "x"}
		}
	}
	if op.Op != "insert" && rapid.IntRange(0, 2).Draw(rt, "version?") == 0 {
		versions := []int64{1}
		for _, id := range slices.Sorted(maps.Keys(m.rows)) {
			versions = append(versions, m.rows[id].Version)
		}
		v := rapid.SampledFrom(versions).Draw(rt, "version")
		op.IfVersion = &v
	}
	return op
}

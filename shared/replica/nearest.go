package replica

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/vector"
)

// How many texts are looked at for the rows of an answer, before the rows that
// come into question are found first.
const (
	firstTexts = 64
	mostTexts  = 1024
)

// Nearest gives the K rows whose texts are nearest to a vector, best first.
// Vectors tell where to look; the rows are those of the view that have the
// text at its seq. Errors: unavailable for a vector of another model than the
// room's.
func (v *View) Nearest(ctx context.Context, q NearestQuery) ([]NearHit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if v.state.Model == "" || q.K <= 0 {
		return nil, nil
	}
	if q.Model != v.state.Model || len(q.Query) != v.state.Dim {
		return nil, fault.New(fault.Unavailable, "the room is being embedded by another model")
	}
	if !vector.IsUnit(q.Query) {
		return nil, fmt.Errorf("replica: %w", vector.ErrNotUnit)
	}
	sources, err := v.sources(q.Tables, q.Filters, q.Creator)
	if err != nil || len(sources) == 0 {
		return nil, err
	}
	x, err := v.current(ctx)
	if err != nil {
		return nil, err
	}
	defer x.mu.RUnlock()
	s := nearSearch{view: v, x: x, q: &q, sources: sources, known: map[int][]indexlog.RowRef{}}
	s.narrow = len(q.Tables) > 0 || len(q.Filters) > 0 || len(q.Creator) > 0
	return s.run(ctx)
}

// source is a table to look for hits in.
type source struct {
	def   *schema.Table
	where string // conditions on its rows, each after AND
	args  []any  // from ?2 on
	own   bool   // only rows of one creator
}

// sources compiles what a search asks of each table.
func (v *View) sources(tables []int, filters []Filter, creator map[int]string) ([]source, error) {
	var out []source
	for i := range v.state.Schema.Tables {
		def := &v.state.Schema.Tables[i]
		if !def.Embeds() || len(tables) > 0 && !slices.Contains(tables, def.Num) {
			continue
		}
		l := lister{def: def, args: []any{nil}} // ?1 is the caller's
		for j := range filters {
			if err := l.filter(&filters[j]); err != nil {
				return nil, err
			}
		}
		by, own := creator[def.Num]
		if own {
			l.and("by=%s", l.arg(by))
		}
		where := ""
		if len(l.where) > 0 {
			where = " AND " + strings.Join(l.where, " AND ")
		}
		out = append(out, source{def, where, l.args[1:], own})
	}
	return out, nil
}

// nearSearch is one search under way.
type nearSearch struct {
	view    *View
	x       *vectors
	q       *NearestQuery
	sources []source
	narrow  bool                      // not every row may be an answer
	known   map[int][]indexlog.RowRef // rows by slot
	unused  []indexlog.Hash
}

func (s *nearSearch) run(ctx context.Context) ([]NearHit, error) {
	defer func() { s.x.bury(s.view.state, s.unused) }()
	buried := s.x.buried(s.view.state.Seq)
	var keep func(int) bool
	if len(buried) > 0 {
		keep = func(slot int) bool { return !buried[int32(slot)] }
	}
	most := mostTexts
	if s.narrow {
		most = 4 * firstTexts
	}
	for n := max(firstTexts, 2*s.q.K); n <= most; n *= 4 {
		hits := s.x.index.Search(s.q.Query, n, keep)
		rows, err := s.rows(ctx, hits)
		if err != nil || len(rows) == s.q.K || len(hits) < n {
			return rows, err
		}
	}
	allowed, err := s.allowed(ctx)
	if err != nil {
		return nil, err
	}
	return s.rows(ctx, s.x.index.Search(s.q.Query, s.q.K, func(slot int) bool { return allowed[slot] }))
}

// rows gives the first K rows of texts.
func (s *nearSearch) rows(ctx context.Context, hits []vector.Hit) ([]NearHit, error) {
	var out []NearHit
	for _, hit := range hits {
		refs, ok := s.known[hit.Slot]
		if !ok {
			var err error
			if refs, err = s.lookUp(ctx, s.x.hashes[hit.Slot]); err != nil {
				return nil, err
			}
			s.known[hit.Slot] = refs
		}
		for _, ref := range refs {
			out = append(out, NearHit{ref.Table, ref.ID, float64(hit.Cosine)})
			if len(out) == s.q.K {
				return out, nil
			}
		}
	}
	return out, nil
}

// lookUp finds the rows of a text that may be an answer.
func (s *nearSearch) lookUp(ctx context.Context, h indexlog.Hash) (refs []indexlog.RowRef, err error) {
	for i := range s.sources {
		src := &s.sources[i]
		err := s.view.query(ctx, src.def, fmt.Sprintf("SELECT id FROM t%d WHERE h=?1 AND vs=2%s ORDER BY id LIMIT %d", src.def.Num, src.where, s.q.K),
			append([]any{h[:]}, src.args...), func(row *sqlite.Stmt) {
				refs = append(refs, indexlog.RowRef{Table: src.def.Num, ID: row.ColumnText(0)})
			})
		if err != nil {
			return nil, err
		}
	}
	if len(refs) == 0 && !s.narrow {
		s.unused = append(s.unused, h)
	}
	return refs, nil
}

// allowed tells by slot which texts are of rows that may be an answer.
func (s *nearSearch) allowed(ctx context.Context) ([]bool, error) {
	slots := make([]bool, len(s.x.hashes))
	for i := range s.sources {
		src := &s.sources[i]
		var h indexlog.Hash
		err := s.view.query(ctx, src.def, fmt.Sprintf("SELECT h FROM t%d WHERE vs=?1%s", src.def.Num, src.where),
			append([]any{int64(Indexed)}, src.args...), func(row *sqlite.Stmt) {
				row.ColumnBytes(0, h[:])
				if slot, ok := s.x.slots[h]; ok {
					slots[slot] = true
				}
			})
		if err != nil {
			return nil, err
		}
	}
	return slots, nil
}

// query runs a cached query of a table.
func (v *View) query(ctx context.Context, def *schema.Table, query string, args []any, each func(*sqlite.Stmt)) (err error) {
	ts, err := v.conn.table(def)
	if err != nil {
		return err
	}
	s, done, err := ts.list(query)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	defer func() {
		if endErr := done(); err == nil && endErr != nil {
			err = fmt.Errorf("search: %w", endErr)
		}
	}()
	bindAll(s, args)
	for {
		more, err := s.Step()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("search: %w", err)
		}
		if !more {
			return nil
		}
		each(s)
	}
}

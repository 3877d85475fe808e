// Package search ranks the rows of a room by a query: by their words, by
// their meaning, or by both.
package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/usage"
)

// Rooms gives views of rooms; a *room.Engine does.
type Rooms interface {
	// Read runs fn on a caught-up view of a room for a member.
	Read(ctx context.Context, p access.Principal, ref room.Ref, fn func(*room.View) error) error
}

// Limiter decides whether somebody may have n more texts embedded in a room;
// see room.Limiter.
type Limiter interface {
	Allow(ctx context.Context, room, user string, what access.Work, n int) error
}

// Budget decides whether a room may have more texts embedded; usage.Guard
// implements it.
type Budget interface {
	AllowAI(ctx context.Context, room string) error
}

// Options configure a Searcher.
type Options struct {
	Rooms    Rooms
	Embedder embedder.Embedder
	Limiter  Limiter          // nil: no limit
	Patience time.Duration    // for the model's answer; 0: 2 s
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default

	// Budget refuses to embed for a room that has used its budget up; nil:
	// there are no budgets.
	Budget Budget
}

// Searcher answers searches. It is safe for concurrent use.
type Searcher struct {
	o       Options
	queries *queryCache
}

// New returns a Searcher.
func New(o Options) *Searcher {
	if o.Patience <= 0 {
		o.Patience = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Searcher{o: o, queries: newQueryCache()}
}

// Result is the answer on the wire.
type Result struct {
	Results  []Hit    `json:"results"`
	Seq      int64    `json:"seq"`
	TookMs   float64  `json:"tookMs"`
	Mode     Mode     `json:"mode"`
	Model    string   `json:"model,omitempty"`
	Coverage Coverage `json:"coverage"`
	Degraded string   `json:"degraded,omitempty"` // why hybrid went by words alone
}

// Coverage tells how many of the rows with a text have a vector.
type Coverage struct {
	Rows    int64 `json:"rows"`
	Indexed int64 `json:"indexed"`
}

// Hit is a row. Score is from 0 to 1; how it came about is in Explain.
type Hit struct {
	Table      string          `json:"table"`
	Row        json.RawMessage `json:"row"`
	Score      float64         `json:"score"`
	Semantic   *float64        `json:"semantic,omitempty"` // the cosine, clipped at 0
	Keyword    *float64        `json:"keyword,omitempty"`  // bm25/(1+bm25)
	Highlights []Highlight     `json:"highlights,omitempty"`
	Explain    Explanation     `json:"explain"`
}

// Highlight tells where in a column's text words of the query are, in code
// points, the end not included.
type Highlight struct {
	Column string   `json:"column"`
	Ranges [][2]int `json:"ranges"`
}

// Explanation is how a score came about; ranks are from 1.
type Explanation struct {
	Semantic *SemanticPart `json:"semantic,omitempty"`
	Keyword  *KeywordPart  `json:"keyword,omitempty"`
	RRF      float64       `json:"rrf,omitempty"` // of hybrid: the sum of 1/(60+rank)
}

// SemanticPart is a row's place by meaning.
type SemanticPart struct {
	Rank   int     `json:"rank"`
	Cosine float64 `json:"cosine"`
}

// KeywordPart is a row's place by words.
type KeywordPart struct {
	Rank  int      `json:"rank"`
	BM25  float64  `json:"bm25"`
	Terms []string `json:"terms,omitempty"`
}

// rrfK is the constant of reciprocal rank fusion (Cormack, Clarke and
// Büttcher, SIGIR 2009), where 60 was found to do well whatever is ranked.
const rrfK = 60

// depth is how many rows of each ranking are fused.
const depth = 2 * MaxK

// Search answers a request for p. The answer is larger than maxBytes (0: no
// bound) never: then it is too_large with useHttp. Errors: those of Rooms;
// invalid; unavailable when a semantic search has no model to ask, or the room
// is being embedded by another one.
func (s *Searcher) Search(ctx context.Context, p access.Principal, ref room.Ref, req Request, maxBytes int) (*Result, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	if req.K == 0 {
		req.K = DefaultK
	}
	if req.Mode == "" {
		req.Mode = Hybrid
	}
	start := s.o.Now()
	q, err := s.prepare(ctx, p, ref, &req)
	if err != nil {
		return nil, err
	}
	var out *Result
	err = s.o.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		out, err = q.run(ctx, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	usage.From(ctx).Add(usage.Reads, int64(len(out.Results)))
	out.TookMs = float64(s.o.Now().Sub(start).Microseconds()) / 1000
	return out, fits(out, maxBytes)
}

// fits refuses an answer above a number of bytes.
func fits(out *Result, maxBytes int) error {
	if maxBytes <= 0 {
		return nil
	}
	data, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode search result: %w", err)
	}
	if len(data) > maxBytes {
		return fault.New(fault.TooLarge, "the %d rows found do not fit a message of %d bytes; search by HTTP, or with a smaller k", len(out.Results), maxBytes).
			With("useHttp", true)
	}
	return nil
}

// query is a request with the vector that its text got.
type query struct {
	*Request
	model    string    // of vector
	vector   []float32 // nil: by words alone
	degraded string
}

// The reasons why a hybrid search goes by words alone.
const (
	slowModel  = "the embedding model did not answer in time, so these rows were found by their words alone"
	noModel    = "the embedding model did not answer as it should, so these rows were found by their words alone"
	otherModel = "the room is being embedded by another model, so these rows were found by their words alone"
	spent      = "the room has used up its budget of this month, so these rows were found by their words alone"
)

// prepare has the query's text embedded, for a member and when the room has
// vectors to compare it with.
func (s *Searcher) prepare(ctx context.Context, p access.Principal, ref room.Ref, req *Request) (*query, error) {
	q := &query{Request: req}
	if req.Mode == Keyword {
		return q, nil
	}
	model := s.o.Embedder.Model()
	var ulid, have string
	err := s.o.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		ulid, have = v.State().Room, v.State().Model
		return v.CheckScope(req.scope())
	})
	switch {
	case err != nil:
		return nil, err
	case have == "": // nothing is embedded yet
		return q, nil
	case have != model:
		return q, q.degrade(otherModel, nil)
	}
	q.model = model
	if q.vector = s.queries.get(model, req.Query); q.vector != nil {
		return q, nil
	}
	if s.o.Budget != nil {
		if err := s.o.Budget.AllowAI(ctx, ulid); fault.Is(err, fault.Forbidden) {
			return q, q.degrade(spent, err)
		} else if err != nil {
			return nil, err
		}
	}
	if s.o.Limiter != nil {
		if err := s.o.Limiter.Allow(ctx, ulid, p.User.ID, access.AI, 1); err != nil {
			return nil, err
		}
	}
	if q.vector, err = s.embed(ctx, req.Query); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.o.Log.Warn("search: query not embedded", "room", ulid, "error", err)
		if errors.Is(err, errSlow) {
			return q, q.degrade(slowModel, err)
		}
		return q, q.degrade(noModel, err)
	}
	s.queries.put(model, req.Query, q.vector)
	usage.From(ctx).AddAll(usage.Embedded(req.Query))
	return q, nil
}

// degrade goes on by words alone when the mode has words.
func (q *query) degrade(why string, cause error) error {
	if q.Mode == Hybrid {
		q.degraded = why
		return nil
	}
	if why == spent {
		return cause
	}
	reason, _, _ := strings.Cut(why, ", so")
	return fault.New(fault.Unavailable, "%s; try again, or search by keyword", reason).Because(cause)
}

func (s *Searcher) embed(ctx context.Context, text string) ([]float32, error) {
	within, cancel := context.WithTimeout(ctx, s.o.Patience)
	defer cancel()
	answers := s.o.Embedder.Embed(within, []string{text}, embedder.Query)
	switch {
	case len(answers) != 1:
		return nil, errors.New("search: the embedder gave no answer")
	case answers[0].Err != nil && within.Err() != nil:
		return nil, fmt.Errorf("%w: %w", errSlow, answers[0].Err)
	}
	return answers[0].Vector, answers[0].Err
}

// errSlow says that the model took longer than one waits for it.
var errSlow = errors.New("search: the model took too long")

// run ranks the rows of a view.
func (q *query) run(ctx context.Context, v *room.View) (*Result, error) {
	out := &Result{Results: []Hit{}, Seq: v.State().Seq, Mode: q.Mode, Model: v.State().Model}
	n := q.K
	if q.Mode == Hybrid {
		n = depth
	}
	var found ranking
	if q.Mode != Keyword && q.vector != nil {
		near, err := v.Nearest(ctx, q.scope(), q.model, q.vector, n)
		if fault.Is(err, fault.Unavailable) { // the model changed since
			err = q.degrade(otherModel, err)
		}
		if err != nil {
			return nil, err
		}
		found.addNear(near)
	}
	if q.Mode != Semantic {
		hits, err := v.Keyword(ctx, q.scope(), q.Query, n)
		if err != nil {
			return nil, err
		}
		found.addWords(hits)
	}
	out.Degraded = q.degraded
	if err := q.cover(ctx, v, out); err != nil {
		return nil, err
	}
	for _, f := range found.best(q.Mode, q.K) {
		hit, ok, err := q.show(ctx, v, f)
		if err != nil {
			return nil, err
		}
		if ok {
			out.Results = append(out.Results, hit)
		}
	}
	return out, nil
}

// cover tells how much of what is searched has vectors.
func (q *query) cover(ctx context.Context, v *room.View, out *Result) error {
	all, err := v.Coverage(ctx)
	if err != nil {
		return err
	}
	out.Coverage = Coverage{all.Rows, all.Indexed}
	if t := v.State().Schema.Table(q.Table); t != nil {
		out.Coverage = Coverage{}
		if i := slices.IndexFunc(all.Tables, func(c replica.TableCoverage) bool { return c.Table == t.Num }); i >= 0 {
			out.Coverage = Coverage{all.Tables[i].Rows, all.Tables[i].Indexed}
		}
	}
	return nil
}

// show makes the hit of a row on the wire.
func (q *query) show(ctx context.Context, v *room.View, f *place) (Hit, bool, error) {
	row, ok, err := v.Found(ctx, f.table, f.id)
	if err != nil || !ok {
		return Hit{}, false, err
	}
	hit := Hit{Table: row.Table.Name, Row: row.Row, Score: f.score, Explain: f.explanation(q.Mode)}
	if f.nearRank > 0 {
		hit.Semantic = new(max(0, f.cosine))
	}
	if f.wordRank == 0 {
		return hit, true, nil
	}
	hit.Keyword = new(f.bm25 / (1 + f.bm25))
	words, err := v.Explain(ctx, q.Query, f.table, f.id)
	if err != nil {
		return Hit{}, false, err
	}
	hit.Explain.Keyword.Terms = words.Terms
	for _, h := range words.Highlights {
		if column := row.Table.ColumnByNum(h.Column); column != nil {
			hit.Highlights = append(hit.Highlights, Highlight{column.Name, h.Ranges})
		}
	}
	return hit, true, nil
}

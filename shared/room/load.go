package room

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// Limits of a load.
const (
	maxBlobAge = 5 * 24 * time.Hour // a blob that is older may be swept
	maxNote    = 500                // characters
	maxTouched = commitlog.MaxOps / 2
	loadTime   = 4 * time.Minute // of one lead that loads
	largeLoad  = 20_000          // records after which a checkpoint is written at once
)

// LoadRequest brings in bulk content that was staged as a blob.
type LoadRequest struct {
	CommitID string
	Blob     string // its key, as loadfile.Key makes it
	SHA256   [32]byte
	Note     string

	// Target, when set, is the room as it was at the seq that the blob brings
	// back: rows that commits since the blob's base have touched in the tables of
	// the load are brought to what they are there, in the same commit. Without
	// it such rows stay as they are, unless the blob has them.
	Target *replica.Replica

	// Rows are the tables of which the blob has single rows, by number: commits
	// since the base that touched other rows of them do not matter.
	Rows map[int][]string

	// InsertOnly refuses rows whose id is taken. So editors may add rows.
	InsertOnly bool

	// Strict refuses, as stale, when rows or schema of the tables of the load
	// were touched since the base.
	Strict bool

	undoes int64
	allow  func(*builder, *bulkLoad) error // nil: mayLoad
}

// IsStale reports whether a load was refused because of commits since the
// base of its blob: stage it again.
func IsStale(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == fault.Conflict && f.Details["stale"] == true
}

func stale(format string, args ...any) error {
	return fault.New(fault.Conflict, format, args...).With("stale", true)
}

// Load makes one commit of staged content (owners; editors may add rows of
// their own, and tables). Nothing but schema and rows of the tables it names
// changes. It takes the room's one slot for as long as the rows that differ
// take to apply. Errors: as Commit's; a conflict that IsStale tells: stage it
// anew from the present.
func (e *Engine) Load(ctx context.Context, p access.Principal, ref Ref, req LoadRequest) (Result, error) {
	if err := checkCommitID(req.CommitID, e.now()); err != nil {
		return Result{}, err
	}
	if utf8.RuneCountInString(req.Note) > maxNote {
		return Result{}, fault.At(fault.TooLarge, "note", "a note has at most %d characters", maxNote)
	}
	var result Result
	err := e.inRoom(ctx, ref, func(ulid string) error {
		r, release, err := e.acquire(ctx, ulid)
		if err != nil {
			return err
		}
		defer release()
		if err := e.limit(ctx, r.State(), p, access.Commits, 1); err != nil {
			return err
		}
		result, err = e.load(ctx, ulid, r, p, req, loadDigest(&req))
		return err
	})
	return result, err
}

// loadDigest tells loads of different content apart.
func loadDigest(req *LoadRequest) string {
	return "load:" + base64.RawURLEncoding.EncodeToString(req.SHA256[:])
}

// load fetches the blob, so that no other writer waits for that, and proposes
// the commit.
func (e *Engine) load(ctx context.Context, ulid string, r *replica.Replica, p access.Principal, req LoadRequest, digest string) (Result, error) {
	l := &bulkLoad{engine: e, ulid: ulid, req: req, touched: map[rowKey]bool{}, user: p.User.ID}
	if r.State().Members[p.User.ID].Role.AtLeast(access.Editor) {
		l.fetch(ctx) // else nothing of what it finds would be told
	}
	defer l.release()
	faultpoint.Reach(LoadFetched)
	if digest != "" && req.CommitID == "" {
		digest = ""
	}
	made := &proposal{
		by: p, need: access.Editor, commitID: req.CommitID, digest: digest, kind: commitlog.Load, undoes: req.undoes, alone: true, resolve: l.resolve, writes: true,
	}
	e.afford(ctx, r.State(), made)
	result, err := e.room(ulid).writer.submit(ctx, r, made)
	if err != nil || result.Repeated {
		return result, err
	}
	faultpoint.Reach(LoadPublished)
	if l.sum.Records >= largeLoad {
		if err := r.Checkpoint(ctx); err != nil { // the relay does it later
			e.log.WarnContext(ctx, "no checkpoint after a load", "room", ulid, "error", err)
		}
	}
	return result, nil
}

type rowKey struct {
	table int
	id    string
}

// bulkLoad is one load under way. resolve may run several times.
type bulkLoad struct {
	engine  *Engine
	ulid    string
	req     LoadRequest
	user    string
	header  loadfile.Header
	sum     loadfile.Sum
	foreign bool // there are rows that somebody else created
	drop    func()
	err     error // why there is no blob

	seen    int64 // the commits up to it are in touched
	touched map[rowKey]bool
	moved   bool // the schema of a table of the load was changed, or other tables in a way that matters
}

func (l *bulkLoad) release() {
	if l.drop != nil {
		l.drop()
	}
}

func (l *bulkLoad) fetch(ctx context.Context) {
	if l.err = l.checkKey(); l.err != nil {
		return
	}
	l.header, l.sum, l.drop, l.err = l.engine.replicas.FetchLoad(ctx, l.req.Blob, l.req.SHA256, func(r *loadfile.Record) error {
		l.foreign = l.foreign || r.Kind == loadfile.Row && r.Creator != l.user
		return nil
	})
	l.seen = l.header.Base
}

// checkKey refuses a blob of another room, or one that may be swept before
// all who follow the log have read it.
func (l *bulkLoad) checkKey() error {
	name, ok := strings.CutPrefix(l.req.Blob, loadfile.KeyPrefix(l.ulid))
	made, isID := id.Time(name)
	if !ok || !isID {
		return fault.At(fault.Invalid, "blob", "it is no bulk content of this room")
	}
	if l.engine.now().Sub(made) > maxBlobAge {
		return stale("the bulk content was staged more than %d days ago; stage it again", int(maxBlobAge.Hours()/24))
	}
	return nil
}

// resolve makes the entry: the load, and what it takes for rows touched since
// its base.
func (l *bulkLoad) resolve(ctx context.Context, b *builder) error {
	if l.err != nil {
		return l.err
	}
	st := b.draft.State()
	if l.header.Base > st.Seq {
		return fault.At(fault.Invalid, "blob", "it was staged for seq %d, and the room is at %d", l.header.Base, st.Seq)
	}
	if err := l.look(ctx, st.Seq); err != nil {
		return err
	}
	allow := l.req.allow
	if allow == nil {
		allow = mayLoad
	}
	if err := allow(b, l); err != nil {
		return err
	}
	before := st.Rows
	err := b.apply(ctx, commitlog.Op{Kind: commitlog.LoadBlob, Name: l.req.Note, Load: &commitlog.Bulk{
		Blob: l.req.Blob, SHA256: l.sum.SHA256, Mode: string(l.header.Mode), Base: l.header.Base,
	}})
	if err != nil {
		return err
	}
	if added := b.state().Rows - before; l.req.InsertOnly && added != l.sum.Counts.Rows {
		return fault.New(fault.Conflict, "%d of the rows have an id that is taken", l.sum.Counts.Rows-added)
	}
	if l.req.Target == nil {
		return nil
	}
	return l.bringBack(ctx, b)
}

// mayLoad is what a load takes: an owner; or an editor who adds rows of his
// own to tables as they are, or makes tables.
func mayLoad(b *builder, l *bulkLoad) error {
	if b.role == access.Owner {
		return nil
	}
	refused := fault.New(fault.Forbidden, "only an owner may replace rows or tables in bulk; an editor may add rows")
	if l.foreign || !l.req.InsertOnly || l.header.Mode != loadfile.Merge || len(l.header.Dropped)+len(l.header.Replaced) > 0 || l.sum.Counts.Deletes > 0 {
		return refused
	}
	s := b.state().Schema
	for i := range l.header.Tables {
		def := &l.header.Tables[i]
		now := s.TableByNum(def.Num)
		if now == nil && (def.Num < s.NextTable || def.Access != schema.Shared) || now != nil && !now.Equal(def) {
			return refused
		}
	}
	return nil
}

// look reads what commits since the base have touched, up to a seq.
func (l *bulkLoad) look(ctx context.Context, seq int64) error {
	for l.seen < seq {
		entries, err := l.engine.replicas.Entries(ctx, l.ulid, l.seen, int(min(seq-l.seen, MaxCommits)))
		if fault.Is(err, fault.NotFound) {
			return stale("the bulk content was staged for seq %d, and commits since are no longer kept; stage it again", l.header.Base)
		}
		if err != nil {
			return err
		}
		for _, entry := range entries {
			for i := range entry.Ops {
				l.note(&entry.Ops[i])
			}
			l.seen = entry.Seq
		}
	}
	switch {
	case l.moved:
		return stale("tables were changed since the bulk content was staged; stage it again")
	case l.req.Strict && len(l.touched) > 0:
		return stale("rows were changed since the bulk content was staged; stage it again")
	case l.req.Target != nil && len(l.touched) > maxTouched:
		return stale("%d rows were changed since the bulk content was staged; stage it again", len(l.touched))
	}
	return nil
}

// note takes an operation since the base into account. Schema changes of other
// tables matter only where everything is brought back.
func (l *bulkLoad) note(op *commitlog.Op) {
	whole := l.req.Target != nil
	switch op.Kind {
	case commitlog.Insert, commitlog.Update, commitlog.Delete:
		l.noteRow(op)
	case commitlog.CreateTable:
		l.moved = l.moved || whole || l.names(op.Def.Num)
	case commitlog.AlterTable:
		l.moved = l.moved || whole || l.names(op.Alter.Table)
	case commitlog.DropTable:
		l.moved = l.moved || whole || l.names(op.Table)
	case commitlog.LoadBlob:
		l.moved = l.moved || whole || l.noteLoad(op.Load)
	default:
	}
}

// noteLoad tells whether another load since the base matters: that of rows
// alone does not where rows may change.
func (l *bulkLoad) noteLoad(other *commitlog.Bulk) bool {
	if l.req.Strict {
		return slices.ContainsFunc(other.Tables, l.names)
	}
	return slices.ContainsFunc(other.Made, l.names) || slices.ContainsFunc(other.Was, func(t schema.Table) bool { return l.names(t.Num) })
}

// noteRow takes a row into account that is to be brought back, or must not
// have changed. Single rows are brought back by the blob itself.
func (l *bulkLoad) noteRow(op *commitlog.Op) {
	ids, single := l.req.Rows[op.Table]
	matters := l.req.Strict || l.req.Target != nil && !single
	if matters && l.names(op.Table) && (!single || slices.Contains(ids, op.ID)) {
		l.touched[rowKey{op.Table, op.ID}] = true
	}
}

// names reports whether the load is about a table.
func (l *bulkLoad) names(table int) bool {
	return slices.ContainsFunc(l.header.Tables, func(t schema.Table) bool { return t.Num == table }) || slices.Contains(l.header.Dropped, table)
}

// bringBack gives the rows that were touched since the base what they have in
// the target.
func (l *bulkLoad) bringBack(ctx context.Context, b *builder) error {
	if len(l.touched) == 0 {
		return nil
	}
	keys := make([]rowKey, 0, len(l.touched))
	for key := range l.touched {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y rowKey) int { return cmp.Or(x.table-y.table, strings.Compare(x.id, y.id)) })
	return l.req.Target.View(ctx, func(v *replica.View) error {
		for _, key := range keys {
			if err := l.bringRow(ctx, b, v, key); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *bulkLoad) bringRow(ctx context.Context, b *builder, target *replica.View, key rowKey) error {
	def, then := b.state().Schema.TableByNum(key.table), target.State().Schema.TableByNum(key.table)
	if def == nil || then == nil {
		return nil
	}
	was, had, err := target.Row(ctx, key.table, key.id)
	if err != nil {
		return err
	}
	is, found, err := b.draft.Row(ctx, key.table, key.id)
	if err != nil {
		return err
	}
	var cells []schema.Cell
	if had {
		if cells, err = replica.Transplant(then, def, &was, nil); err != nil {
			return err
		}
		if found && sameRow(def, &is, &was, cells) {
			return nil
		}
	}
	own := def.Access == schema.Own
	if found {
		if err := b.apply(ctx, commitlog.Op{Kind: commitlog.Delete, Table: key.table, ID: key.id, Creator: is.CreatedBy, Own: own}); err != nil {
			return err
		}
	}
	if !had {
		return nil
	}
	return b.apply(ctx, commitlog.Op{Kind: commitlog.Insert, Table: key.table, ID: key.id, Creator: was.CreatedBy, Set: cells,
		CreatedAt: was.CreatedAt, UpdatedAt: was.UpdatedAt, Own: own})
}

// sameRow reports whether a row has the creator and times of another and
// exactly these values.
func sameRow(def *schema.Table, is, was *replica.Row, cells []schema.Cell) bool {
	set, _, _ := changed(def, is, cells)
	values := 0
	for _, v := range is.Values {
		if v != nil {
			values++
		}
	}
	return len(set) == 0 && values == len(cells) && is.CreatedBy == was.CreatedBy && is.CreatedAt == was.CreatedAt && is.UpdatedAt == was.UpdatedAt
}

// stageLoad stages what fn writes as a new blob of the room.
func (e *Engine) stageLoad(ctx context.Context, ulid string, target, present *replica.View, o replica.StageOptions) (string, *replica.Staged, error) {
	now := e.now()
	o.At = schema.Millis(now.UnixMilli())
	key := loadfile.Key(ulid, id.New(now))
	staged, err := e.replicas.StageLoad(ctx, key, target, present, o)
	if err != nil {
		return "", nil, fmt.Errorf("stage load of room %s: %w", ulid, err)
	}
	faultpoint.Reach(LoadStaged)
	return key, staged, nil
}

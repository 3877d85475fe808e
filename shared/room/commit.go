package room

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/usage"
)

// Request is a commit as asked for. Ops are the operations of design.md
// section 3, not yet checked. IfSeq, when set, must be the room's seq, which
// is that of the commit just before this one.
type Request struct {
	CommitID string            `json:"commitId,omitempty"`
	Ops      []json.RawMessage `json:"ops"`
	IfSeq    *int64            `json:"ifSeq,omitempty"`
}

// Result is a durable commit. State is the room's state at Entry.Seq, or
// later for a repeated one, for rendering names and finding roles. Repeated
// tells that the commitId had been used before and this is its first result.
type Result struct {
	Room     string // ULID
	Entry    *commitlog.Entry
	State    *replica.State
	Repeated bool
}

// Commit makes a commit (editors; schema changes too; access and tables
// `own` by owners). It returns when the commit is durable.
//
// Errors: invalid, not_found, forbidden, conflict, too_large with the path of
// what is wrong, all final: nothing has changed. rate_limited: nothing has
// changed, come again. unavailable: it may or may not have happened; the same
// request with the same commitId settles it.
func (e *Engine) Commit(ctx context.Context, p access.Principal, ref Ref, req Request) (Result, error) {
	c, err := parse(req, e.now())
	if err != nil {
		return Result{}, err
	}
	return e.propose(ctx, ref, &proposal{
		by: p, need: access.Editor, commitID: req.CommitID, digest: c.digest, size: len(c.ops), alone: c.shapes(), resolve: c.resolve, writes: true,
	})
}

// change is a commit request, decoded.
type change struct {
	ops    []*operation
	ifSeq  *int64
	digest string
}

// shapes reports whether the request changes tables.
func (c *change) shapes() bool {
	return slices.ContainsFunc(c.ops, func(op *operation) bool {
		return op.kind == "createTable" || op.kind == "alterTable" || op.kind == "dropTable"
	})
}

// maxStamped is the age above which a commitId is refused: commit ids are
// kept 30 days, and clocks differ.
const maxStamped = 29 * 24 * time.Hour

// maxAhead is how far in the future a commitId may have been made: a later one
// could be repeated when it is no longer kept, and would commit twice.
const maxAhead = 24 * time.Hour

// parse decodes a request as far as can be without the room.
func parse(req Request, now time.Time) (*change, error) {
	if err := checkCommitID(req.CommitID, now); err != nil {
		return nil, err
	}
	if req.IfSeq != nil && *req.IfSeq < 0 {
		return nil, fault.At(fault.Invalid, "ifSeq", "it must be a whole number, 0 or above")
	}
	if err := checkSize(req.Ops); err != nil {
		return nil, err
	}
	c := &change{ops: make([]*operation, len(req.Ops)), ifSeq: req.IfSeq}
	for i, raw := range req.Ops {
		op, err := decodeOperation(raw)
		if err != nil {
			return nil, fault.Under(opPath(i), err)
		}
		c.ops[i] = op
	}
	if req.CommitID == "" {
		return c, nil
	}
	var err error
	c.digest, err = digest(req)
	return c, err
}

func opPath(i int) string { return fmt.Sprintf("ops[%d]", i) }

func checkSize(ops []json.RawMessage) error {
	switch {
	case len(ops) == 0:
		return fault.At(fault.Invalid, "ops", "a commit needs at least one operation")
	case len(ops) > commitlog.MaxOps:
		return fault.At(fault.TooLarge, "ops", "%d operations are above the limit of %d a commit", len(ops), commitlog.MaxOps)
	}
	size := 0
	for _, op := range ops {
		size += len(op)
	}
	if size > commitlog.MaxOpsBytes {
		return fault.At(fault.TooLarge, "ops", "%d bytes of operations are above the limit of %d a commit", size, commitlog.MaxOpsBytes)
	}
	return nil
}

func checkCommitID(commitID string, now time.Time) error {
	if commitID == "" {
		return nil
	}
	if len(commitID) > 128 || strings.IndexFunc(commitID, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return fault.At(fault.Invalid, "commitId", "a commitId is 1 to 128 printable ASCII characters")
	}
	stamped, ok := stamp(commitID)
	if ok && stamped.Sub(now) > maxAhead {
		return fault.At(fault.Conflict, "commitId", "this commitId was made on %s, which is in the future; set the clock and make a new one",
			stamped.UTC().Format(time.DateOnly))
	}
	if ok && now.Sub(stamped) > maxStamped {
		return fault.At(fault.Conflict, "commitId", "this commitId was made on %s; after 29 days it cannot be told whether it was used, so make a new one",
			stamped.UTC().Format(time.DateOnly))
	}
	return nil
}

// forgotten refuses an id from a time of which the room no longer knows the
// ids: it may have been used, and using it again would commit twice.
func forgotten(commitID string, st *replica.State) error {
	stamped, ok := stamp(commitID)
	if !ok || st.Forgotten == 0 || stamped.UnixMilli() > int64(st.Forgotten) {
		return nil
	}
	return fault.At(fault.Conflict, "commitId",
		"so many commits followed the time this commitId was made at that it cannot be told whether it was used; look, and make a new one")
}

// stamp reads the time from the ULID that a commitId begins with. Only the
// canonical, upper case form of a time before the year 3084 counts, so that
// hexadecimal and other random ids are not taken for one.
func stamp(commitID string) (time.Time, bool) {
	const ulidLength = 26
	if len(commitID) < ulidLength || commitID[0] != '0' || strings.ToUpper(commitID[:ulidLength]) != commitID[:ulidLength] {
		return time.Time{}, false
	}
	return id.Time(commitID[:ulidLength])
}

// digest tells requests with different operations apart: SHA-256 over ifSeq
// and each operation in the canonical form of RFC 8785.
func digest(req Request) (string, error) {
	h := sha256.New()
	ifSeq := int64(-1)
	if req.IfSeq != nil {
		ifSeq = *req.IfSeq
	}
	buf := binary.BigEndian.AppendUint64(nil, uint64(ifSeq))
	for i, raw := range req.Ops {
		op, err := schema.CanonicalJSON(raw)
		if err != nil {
			return "", fault.Under(opPath(i), err)
		}
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(op)))
		buf = append(buf, op...)
		h.Write(buf)
		buf = buf[:0]
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(buf[:0])), nil
}

// proposal is something that wants to become a commit. resolve may run
// several times, each time against a newer state.
type proposal struct {
	by       access.Principal
	need     access.Role // the least role; None: also somebody who is no member
	commitID string
	digest   string
	kind     commitlog.Kind
	size     int // operations, as rate limits count them; 0: one
	resolve  func(ctx context.Context, b *builder) error
	undoes   int64
	pause    time.Duration // for which other processes are to leave the slot after it
	closes   bool          // the room: its name is freed in the same transaction
	alone    bool          // in its group: it reads the log up to its slot, or changes tables
	writes   bool          // rows or tables: what a budget may stop
}

// propose runs a proposal through the writer of the room that ref means, and
// brings the indexes up to date when members changed.
func (e *Engine) propose(ctx context.Context, ref Ref, p *proposal) (Result, error) {
	var result Result
	err := e.inRoom(ctx, ref, func(ulid string) error {
		r, release, err := e.acquire(ctx, ulid)
		if err != nil {
			return err
		}
		defer release()
		if err := e.limit(ctx, r.State(), p.by, access.Commits, max(1, p.size)); err != nil {
			return err
		}
		e.afford(ctx, r.State(), p)
		result, err = e.room(ulid).writer.submit(ctx, r, p)
		return err
	})
	if err == nil && !result.Repeated && TouchesIndexes(result.Entry) {
		e.repairNow(ctx, result)
	}
	return result, err
}

// limit asks the limiter about members only; who is none is refused anyhow.
// What a member's request consumes from here on is his room's.
func (e *Engine) limit(ctx context.Context, st *replica.State, p access.Principal, what access.Work, n int) error {
	if !st.Members[p.User.ID].Role.Valid() {
		return nil
	}
	tally := usage.From(ctx)
	tally.In(st.Room)
	tally.By(p.User.ID)
	if e.limiter == nil {
		return nil
	}
	return e.limiter.Allow(ctx, st.Room, p.User.ID, what, n)
}

// afford makes a proposal be refused that the room's budget does not allow. It
// asks about members only, as limit does. A commit that was made before is
// answered all the same, as its commitId is looked up first.
func (e *Engine) afford(ctx context.Context, st *replica.State, p *proposal) {
	if e.budget == nil || !p.writes || !st.Members[p.by.User.ID].Role.Valid() {
		return
	}
	if err := e.budget.AllowWrite(ctx, st.Room); err != nil {
		p.resolve = func(context.Context, *builder) error { return err }
	}
}

// limitUser asks the limiter about work outside of rooms.
func (e *Engine) limitUser(ctx context.Context, p access.Principal, what access.Work) error {
	if e.limiter == nil {
		return nil
	}
	return e.limiter.Allow(ctx, "", p.User.ID, what, 1)
}

package audience

import (
	"encoding/json"
	"slices"
	"strconv"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/room"
)

// Receipt is the answer to whoever made a commit: the commit as he may see it,
// also where it is told to listeners as a reset. What cannot be shown at all
// is to be read from the log.
func Receipt(r room.Result, user string) json.RawMessage {
	if r.Entry.Kind == commitlog.Load {
		return room.Loaded(r.Entry)
	}
	viewer := room.Viewer{User: user, Role: r.State.Members[user].Role}
	if shown := room.Show(withoutResets(r.Entry), r.State, viewer); shown.Commit != nil {
		return shown.Commit
	}
	return Truncated(r.Entry.Seq)
}

// withoutResets is the entry without the mark that an alteration changed
// values: its maker asked for that and is told by the reset to load anew.
func withoutResets(e *commitlog.Entry) *commitlog.Entry {
	rewrites := func(op commitlog.Op) bool { return op.Rewrites }
	if !slices.ContainsFunc(e.Ops, rewrites) {
		return e
	}
	plain := *e
	plain.Ops = slices.Clone(e.Ops)
	for i := range plain.Ops {
		plain.Ops[i].Rewrites = false
	}
	return &plain
}

// Truncated stands for a commit that is read from the log.
func Truncated(seq int64) json.RawMessage {
	return append(strconv.AppendInt([]byte(`{"seq":`), seq, 10), `,"truncated":true}`...)
}

package audience

import (
	"encoding/json"
	"strconv"

	"nanotypedb/shared/room"
)

// Receipt is the answer to whoever made a commit: the commit as he may see it.
// When it makes him load anew, or he is no longer a member by it, there is
// nothing to show but its seq.
func Receipt(r room.Result, user string) json.RawMessage {
	viewer := room.Viewer{User: user, Role: r.State.Members[user].Role}
	if shown := room.Show(r.Entry, r.State, viewer); shown.Commit != nil {
		return shown.Commit
	}
	return Truncated(r.Entry.Seq)
}

// Truncated stands for a commit that is read from the log.
func Truncated(seq int64) json.RawMessage {
	return append(strconv.AppendInt([]byte(`{"seq":`), seq, 10), `,"truncated":true}`...)
}

package room

import (
	"encoding/json"
	"strconv"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// Viewer is who a commit is shown to.
type Viewer struct {
	User   string
	Role   access.Role
	Tables map[string]bool // subscribed tables; nil: all
}

// Shown is a commit as one viewer may see it: Commit is the wire commit
// (possibly {seq, ops: []}), or Reset is a reason why the viewer must load
// anew.
type Shown struct {
	Commit json.RawMessage
	Reset  string
}

// The reasons of a reset.
const (
	ResetLoad    = "load"    // bulk content replaced rows
	ResetRewrite = "rewrite" // an alteration changed values of existing rows
	ResetAccess  = "access"  // a table became own or shared
	ResetRole    = "role"    // the viewer became, or is no longer, an owner
	ResetClosed  = "closed"  // the room is deleted
)

// Show renders an entry for a viewer. st is the state at e.Seq, as in a
// Result; with a later one, tables and columns carry their later names.
func Show(e *commitlog.Entry, st *replica.State, viewer Viewer) Shown {
	return show(e, st.Schema, st.Schema, viewer)
}

// ShowClass returns a key that is equal for viewers to whom Show gives the
// same, so that a broadcast renders once per class.
func ShowClass(e *commitlog.Entry, st *replica.State, viewer Viewer) string {
	if reason := resets(e, viewer); reason != "" {
		return reason
	}
	seen := make([]byte, (len(e.Ops)+7)/8)
	for i, names := range namings(e, st.Schema) {
		if visible(&e.Ops[i], names, st.Schema, viewer) {
			seen[i/8] |= 1 << (i % 8)
		}
	}
	return string(seen)
}

// show renders an entry: after is the schema that names are taken from, right
// after the entry; now is the present one, whose access counts too.
func show(e *commitlog.Entry, after, now *schema.Schema, viewer Viewer) Shown {
	if reason := resets(e, viewer); reason != "" {
		return Shown{Reset: reason}
	}
	var ops []byte
	shown := 0
	for i, names := range namings(e, after) {
		if !visible(&e.Ops[i], names, now, viewer) {
			continue
		}
		start := len(ops)
		if shown > 0 {
			ops = append(ops, ',')
		}
		comma := len(ops)
		if ops = appendOp(ops, e, &e.Ops[i], names); len(ops) == comma { // a row of a table dropped since
			ops = ops[:start]
			continue
		}
		shown++
	}
	dst := strconv.AppendInt(append(make([]byte, 0, len(ops)+160), `{"seq":`...), e.Seq, 10)
	if shown > 0 || len(e.Ops) == 0 {
		dst = appendFrame(dst, e)
	}
	dst = append(append(dst, `,"ops":[`...), ops...)
	return Shown{Commit: append(dst, ']', '}')}
}

// appendFrame appends what is around the operations of a commit.
func appendFrame(dst []byte, e *commitlog.Entry) []byte {
	dst = schema.AppendJSON(append(dst, `,"at":`...), e.At)
	dst = schema.AppendJSON(append(dst, `,"by":`...), e.By)
	dst = appendGiven(dst, `,"commitId":`, e.CommitID)
	dst = appendGiven(dst, `,"kind":`, string(e.Kind))
	if e.Undoes > 0 {
		dst = strconv.AppendInt(append(dst, `,"undoes":`...), e.Undoes, 10)
	}
	return dst
}

// Loaded is a load as whoever made it is told: everybody is reset by it.
func Loaded(e *commitlog.Entry) json.RawMessage {
	dst := appendFrame(strconv.AppendInt([]byte(`{"seq":`), e.Seq, 10), e)
	return append(dst, `,"ops":[]}`...)
}

func appendGiven(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	return schema.AppendJSON(append(dst, key...), text)
}

// resets gives the reason why a viewer must load anew after an entry.
func resets(e *commitlog.Entry, viewer Viewer) string {
	switch e.Kind {
	case commitlog.Load:
		return ResetLoad
	case commitlog.Closed:
		return ResetClosed
	default:
	}
	for i := range e.Ops {
		switch op := &e.Ops[i]; {
		case op.Kind == commitlog.SetMember && op.Own && op.User == viewer.User:
			return ResetRole
		case op.Kind != commitlog.AlterTable || !viewer.subscribed(op.Alter.Was) && !viewer.subscribed(op.Alter.Name):
		case op.Rewrites:
			return ResetRewrite
		case viewer.Role != access.Owner && op.Alter.Access != nil && (*op.Alter.Access == schema.Own) != op.Own:
			return ResetAccess
		}
	}
	return ""
}

func (v Viewer) subscribed(table string) bool { return v.Tables == nil || v.Tables[table] }

// visible tells whether a viewer may see an operation and asked for it. A
// table that is `own` now, or was then, shows only the viewer's own rows,
// deletes included.
func visible(op *commitlog.Op, names, now *schema.Schema, viewer Viewer) bool {
	if !viewer.Role.Valid() {
		return false
	}
	switch op.Kind {
	case commitlog.CreateTable:
		return viewer.subscribed(op.Def.Name)
	case commitlog.AlterTable:
		return viewer.subscribed(op.Alter.Was) || op.Alter.Name != "" && viewer.subscribed(op.Alter.Name)
	case commitlog.DropTable:
		return viewer.subscribed(op.Name)
	case commitlog.Insert, commitlog.Update, commitlog.Delete:
		named, present := names.TableByNum(op.Table), now.TableByNum(op.Table)
		if named == nil {
			return false
		}
		if present == nil {
			present = named // dropped since, with its last access
		}
		grant := access.Grant{Role: viewer.Role}
		grant.Principal.User.ID = viewer.User
		own := op.Own || present != nil && present.Access == schema.Own
		return grant.SeesRow(own, op.Creator) && viewer.subscribed(named.Name)
	default:
		return true // members and the room itself
	}
}

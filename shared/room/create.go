package room

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// roomItem is what ROOMS#<shard>/<ulid> holds at first: scheduled work finds
// rooms by it, and keeps its own marks beside it.
type roomItem struct {
	ID        string        `json:"id"`
	CreatedAt schema.Millis `json:"createdAt"`
}

// createTime bounds the making of a room.
const createTime = 10 * time.Second

// Create makes a room with table tasks and p as its owner. An empty id is
// derived from the name, with a random ending when that is taken. Errors:
// conflict when the given id is taken.
func (e *Engine) Create(ctx context.Context, p access.Principal, roomID, name string) (Info, error) {
	name, err := validRoomName(name)
	if err != nil {
		return Info{}, err
	}
	if roomID != "" {
		if err := schema.ValidRoomID(roomID); err != nil {
			return Info{}, fault.Under("id", err)
		}
	}
	if err := e.limitUser(ctx, p, access.Commits); err != nil {
		return Info{}, err
	}
	if roomID != "" {
		return e.create(ctx, p, roomID, name)
	}
	derived := deriveID(name)
	info, err := e.create(ctx, p, derived, name)
	for range 3 {
		if !fault.Is(err, fault.Conflict) {
			break
		}
		info, err = e.create(ctx, p, derived+"-"+strings.ToLower(rand.Text()[:6]), name)
	}
	return info, err
}

// deriveID makes an id of a name: its ASCII letters and digits, the rest as
// single hyphens, short enough for an ending.
func deriveID(name string) string {
	const most = 48
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case b.Len() == most:
			return strings.TrimSuffix(b.String(), "-")
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if derived := strings.TrimSuffix(b.String(), "-"); derived != "" {
		return derived
	}
	return "room"
}

// create makes a room in one transaction: its name, its first entry, its
// owner's index and its place in the list of all rooms.
func (e *Engine) create(ctx context.Context, p access.Principal, roomID, name string) (Info, error) {
	return e.createUnder(ctx, p, id.New(e.now()), roomID, name)
}

// CreateUnder is Create under a ULID that the caller has noted before: when a
// room was made so already, its Info is all that is returned. So a step of a job
// that makes a room can be repeated.
func (e *Engine) CreateUnder(ctx context.Context, p access.Principal, ulid, roomID, name string) (Info, error) {
	name, err := validRoomName(name)
	if err != nil {
		return Info{}, err
	}
	ids := []string{roomID}
	if roomID == "" {
		derived := deriveID(name)
		ids = []string{derived, derived + "-" + strings.ToLower(ulid[len(ulid)-6:])}
	} else if err := schema.ValidRoomID(roomID); err != nil {
		return Info{}, fault.Under("id", err)
	}
	for _, one := range ids {
		made, _, err := e.readName(ctx, one)
		if err == nil && made.Room == ulid {
			return Info{ULID: ulid, ID: one, Name: name, Role: access.Owner, Seq: 1}, nil
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return Info{}, err
		}
	}
	if err := e.limitUser(ctx, p, access.Commits); err != nil {
		return Info{}, err
	}
	var info Info
	for _, one := range ids {
		info, err = e.createUnder(ctx, p, ulid, one, name)
		e.replicas.Forget(ulid) // an earlier call may have written an entry with another time
		if !fault.Is(err, fault.Conflict) {
			break
		}
	}
	return info, err
}

func (e *Engine) createUnder(ctx context.Context, p access.Principal, ulid, roomID, name string) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, createTime)
	defer cancel()
	r, release, err := e.replicas.Create(ctx, ulid)
	if err != nil {
		return Info{}, fmt.Errorf("create room %s: %w", roomID, err)
	}
	defer release()
	info, err := e.createIn(ctx, r, p, ulid, roomID, name)
	if err != nil {
		e.replicas.Forget(ulid)
	}
	return info, err
}

func (e *Engine) createIn(ctx context.Context, r *replica.Replica, p access.Principal, ulid, roomID, name string) (Info, error) {
	d, err := r.Begin(ctx)
	if err != nil {
		return Info{}, fmt.Errorf("create room %s: %w", roomID, err)
	}
	_, data, err := e.build(ctx, d, first(p, roomID, name))
	if err != nil {
		return Info{}, discard(d, err)
	}
	st := d.State()
	writes, err := createWrites(st, p, data)
	if err != nil {
		return Info{}, discard(d, err)
	}
	faultpoint.Reach(BeforeCreate)
	began := e.now()
	if err := e.writeNew(ctx, ulid, roomID, writes); err != nil {
		return Info{}, discard(d, err)
	}
	if err := d.Publish(began); err != nil {
		e.log.ErrorContext(ctx, "publish a new room", "room", ulid, "error", err)
		e.replicas.Forget(ulid)
	}
	faultpoint.Reach(AfterCreate)
	e.names.put(roomID, ulid)
	return Info{ULID: ulid, ID: roomID, Name: name, Role: access.Owner, CreatedAt: st.CreatedAt, Seq: 1, Bytes: st.Bytes, Tables: len(st.Schema.Tables)}, nil
}

// discard takes a draft back and gives why.
func discard(d *replica.Draft, because error) error {
	if err := d.Discard(); err != nil {
		return errors.Join(because, err)
	}
	return because
}

// first is the first commit of a room.
func first(p access.Principal, roomID, name string) *proposal {
	return &proposal{by: p, kind: commitlog.Create, resolve: func(ctx context.Context, b *builder) error {
		if err := b.apply(ctx, commitlog.Op{Kind: commitlog.SetRoom, ID: roomID, Name: name}); err != nil {
			return err
		}
		for _, t := range schema.Default().Tables {
			if err := b.apply(ctx, commitlog.Op{Kind: commitlog.CreateTable, Table: t.Num, Def: &t}); err != nil {
				return err
			}
		}
		return b.setMember(ctx, access.Member{User: p.User.ID, Role: access.Owner, Name: p.User.Name, Email: p.User.Email})
	}}
}

func createWrites(st *replica.State, p access.Principal, entry []byte) ([]store.Write, error) {
	index := indexItem{Seq: 1, ID: st.ID, Name: st.Name, Role: access.Owner, CreatedAt: st.CreatedAt}
	values := []struct {
		key   store.Key
		value any
		is    store.Condition
	}{
		{nameKey(st.ID), nameItem{Room: st.Room}, store.Absent},
		{userKey(p.User.ID, st.Room), index, store.Always},
		{ShardKey(st.Room), roomItem{ID: st.ID, CreatedAt: st.CreatedAt}, store.Always},
	}
	writes := []store.Write{{Action: store.Put, Item: store.Item{Key: commitlog.Key(st.Room, 1), Data: entry}, If: store.Absent}}
	for _, v := range values {
		data, err := json.Marshal(v.value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", v.key.PK, err)
		}
		writes = append(writes, store.Write{Action: store.Put, Item: store.Item{Key: v.key, Data: data}, If: v.is})
	}
	return writes, nil
}

// writeNew writes a new room. The ULID is this call's own: a name that means
// it shows that the transaction happened, also after an unknown outcome.
func (e *Engine) writeNew(ctx context.Context, ulid, roomID string, writes []store.Write) error {
	doubt := false
	for n := 0; ; n++ {
		err := e.store.Write(ctx, writes...)
		if err == nil {
			return nil
		}
		var condition *store.ConditionError
		doubt = doubt || unknown(err) && !errors.As(err, &condition)
		if doubt || condition != nil || errors.As(err, &condition) {
			name, _, readErr := e.readName(ctx, roomID)
			switch {
			case readErr == nil && name.Room == ulid:
				return nil
			case readErr == nil:
				return fault.At(fault.Conflict, "id", "the room id %s is taken", roomID)
			}
		} else if known := (*fault.Error)(nil); errors.As(err, &known) {
			return fmt.Errorf("write room %s: %w", roomID, err)
		}
		if pause(ctx, n) != nil {
			if doubt {
				return errUndecided.Because(err)
			}
			return errBusy.Because(err)
		}
	}
}

// freeName is the write that takes the name from a room that is closed.
func (e *Engine) freeName(ctx context.Context, st *replica.State) (store.Write, error) {
	name, data, err := e.readName(ctx, st.ID)
	if err != nil {
		return store.Write{}, err
	}
	if name.Room != st.Room {
		return store.Write{}, fmt.Errorf("name %s means room %s, not %s", st.ID, name.Room, st.Room)
	}
	return store.Write{Action: store.Delete, Item: store.Item{Key: nameKey(st.ID)}, If: store.Unchanged, Previous: data}, nil
}

package room

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// indexItem is what USER#<id>/ROOM#<ulid> and EMAIL#<address>/ROOM#<ulid>
// hold. It is a copy of the log as of Seq, and only ever replaced by one of a
// later seq. Without a role it is a tombstone, so that an old repair that
// comes late brings nothing back.
type indexItem struct {
	Seq       int64         `json:"seq"`
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Role      access.Role   `json:"role,omitempty"`
	CreatedAt schema.Millis `json:"createdAt"`
}

// tombstoneTime is how long the end of a membership stays in the index:
// longer than any repair may be late.
const tombstoneTime = 60 * 24 * time.Hour

func userKey(user, ulid string) store.Key {
	return store.Key{PK: "USER#" + user, SK: indexPrefix + ulid}
}

func emailKey(email, ulid string) store.Key {
	return store.Key{PK: "EMAIL#" + email, SK: indexPrefix + ulid}
}

const indexPrefix = "ROOM#"

// Shards is how many partitions ROOMS#<shard> there are.
const Shards = 16

// ShardKey is the item of a room in the list of all rooms, ROOMS#<shard>.
func ShardKey(ulid string) store.Key {
	h := fnv.New32a()
	h.Write([]byte(ulid))
	return store.Key{PK: ShardPartition(int(h.Sum32() % Shards)), SK: ulid}
}

// ShardPartition is the partition of one shard, 0 to Shards-1, of the list of
// all rooms. Its sort keys are ULIDs.
func ShardPartition(shard int) string { return fmt.Sprintf("ROOMS#%02d", shard) }

// TouchesIndexes tells the entries after which the indexes are out of date.
func TouchesIndexes(e *commitlog.Entry) bool {
	if e.Kind == commitlog.Create || e.Kind == commitlog.Closed {
		return true
	}
	for i := range e.Ops {
		switch e.Ops[i].Kind {
		case commitlog.SetMember, commitlog.SetInvite, commitlog.SetRoom:
			return true
		default:
		}
	}
	return false
}

// RepairIndexes brings the indexes of users and e-mail addresses up to date
// with what entry changed, as of st, the state at the entry's seq or later.
// It may be called any number of times, in any order of entries, by several
// processes. The engine calls it after each such commit; the relay calls it
// again from the log, for the case that a process died in between.
func (e *Engine) RepairIndexes(ctx context.Context, st *replica.State, entry *commitlog.Entry) error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	slots := make(chan struct{}, 8)
	for key, role := range indexed(st, entry) {
		item := indexItem{Seq: st.Seq, ID: st.ID, Name: st.Name, Role: role, CreatedAt: st.CreatedAt}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := e.writeIndex(ctx, key, item); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
			faultpoint.Reach(BetweenIndex)
		})
	}
	all.Wait()
	return failed
}

// indexed lists the index items that an entry makes out of date, with the
// role that each is to hold.
func indexed(st *replica.State, entry *commitlog.Entry) map[store.Key]access.Role {
	items := map[store.Key]access.Role{}
	user := func(id string) { items[userKey(id, st.Room)] = st.Members[id].Role }
	email := func(address string) { items[emailKey(address, st.Room)] = st.Invitations[address] }
	everybody := entry.Kind == commitlog.Closed
	for i := range entry.Ops {
		switch op := &entry.Ops[i]; op.Kind {
		case commitlog.SetMember:
			user(op.User)
		case commitlog.SetInvite:
			email(op.Email)
		case commitlog.SetRoom:
			everybody = true
		default:
		}
	}
	if everybody {
		for id := range st.Members {
			user(id)
		}
		for address := range st.Invitations {
			email(address)
		}
	}
	if st.Closed {
		for key := range items {
			items[key] = access.None
		}
	}
	return items
}

// writeIndex replaces an index item unless it is as new already.
func (e *Engine) writeIndex(ctx context.Context, key store.Key, item indexItem) error {
	data, err := json.Marshal(item)
	if err != nil {
		return err
	}
	w := store.Write{Action: store.Put, Item: store.Item{Key: key, Data: data}}
	if item.Role == access.None {
		w.Item.Expires = e.now().Add(tombstoneTime)
	}
	for n := 0; ; n++ {
		if w.If, w.Previous, err = e.indexCondition(ctx, key, item); err != nil || w.If == store.Always {
			return err
		}
		err = e.store.Write(ctx, w)
		var changed *store.ConditionError
		if err == nil || !errors.As(err, &changed) && !errors.Is(err, store.ErrContended) && !errors.Is(err, store.ErrThrottled) {
			return err
		}
		if pauseErr := pause(ctx, n); pauseErr != nil {
			return errors.Join(err, pauseErr)
		}
	}
}

// indexCondition reads an index item and gives the condition under which it
// may be replaced; Always means that there is nothing to do.
func (e *Engine) indexCondition(ctx context.Context, key store.Key, item indexItem) (store.Condition, []byte, error) {
	old, err := e.store.Get(ctx, key, true)
	if errors.Is(err, store.ErrNotFound) {
		return store.Absent, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read index %s: %w", key.PK, err)
	}
	var was indexItem
	if err := json.Unmarshal(old.Data, &was); err != nil {
		return 0, nil, fmt.Errorf("decode index %s: %w", key.PK, err)
	}
	if was.Seq >= item.Seq {
		return store.Always, nil, nil
	}
	return store.Unchanged, bytes.Clone(old.Data), nil
}

// indexTime bounds the writing of indexes after a commit.
const indexTime = 5 * time.Second

// repairNow writes the indexes after a commit. The commit stands whatever
// happens here; the relay does again what is missing.
func (e *Engine) repairNow(ctx context.Context, r Result) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), indexTime)
	defer cancel()
	faultpoint.Reach(BeforeIndexes)
	if err := e.RepairIndexes(ctx, r.State, r.Entry); err != nil {
		e.log.WarnContext(ctx, "indexes are left to the relay", "room", r.Room, "seq", r.Entry.Seq, "error", err)
	}
}

// Limits of a list of rooms.
const (
	defaultRooms = 100
	maxRooms     = 1000
)

// Rooms lists the rooms of p and those p is invited to, from the indexes, in
// the order of their making, memberships first.
func (e *Engine) Rooms(ctx context.Context, p access.Principal, after string, limit int) (infos []Info, next string, err error) {
	if limit == 0 {
		limit = defaultRooms
	}
	if limit < 0 || limit > maxRooms {
		return nil, "", fault.At(fault.Invalid, "limit", "a limit is 1 to %d", maxRooms)
	}
	place, last, ok := strings.Cut(after, ".")
	if after != "" && (!ok || place != placeUser && place != placeEmail) {
		return nil, "", fault.At(fault.Invalid, "cursor", "this cursor is not one of a list of rooms")
	}
	if err := e.limitUser(ctx, p, access.Reads); err != nil {
		return nil, "", err
	}
	if place != placeEmail {
		infos, last, err = e.indexPage(ctx, userKey(p.User.ID, "").PK, last, limit)
		if err != nil {
			return nil, "", err
		}
		if last != "" {
			return infos, placeUser + "." + last, nil
		}
	}
	if p.User.Email == "" {
		return infos, "", nil
	}
	if len(infos) == limit {
		return infos, placeEmail + ".", nil
	}
	invitations, last, err := e.indexPage(ctx, emailKey(strings.ToLower(p.User.Email), "").PK, last, limit-len(infos))
	if err != nil {
		return nil, "", err
	}
	for _, info := range invitations {
		info.Invited = true
		infos = append(infos, info)
	}
	if last != "" {
		last = placeEmail + "." + last
	}
	return infos, last, nil
}

// The partitions that a list of rooms goes through.
const (
	placeUser  = "u"
	placeEmail = "e"
)

// indexPage reads rooms from one index partition, after a ULID.
func (e *Engine) indexPage(ctx context.Context, pk, after string, limit int) (infos []Info, next string, err error) {
	q := store.Query{PK: pk, From: indexPrefix, To: indexPrefix + "~", Strong: true}
	if after != "" {
		q.After = indexPrefix + after
	}
	for {
		page, err := e.store.Query(ctx, q)
		if err != nil {
			return nil, "", fmt.Errorf("list index %s: %w", pk, err)
		}
		for _, item := range page.Items {
			var x indexItem
			if err := json.Unmarshal(item.Data, &x); err != nil {
				return nil, "", fmt.Errorf("decode index %s: %w", pk, err)
			}
			if x.Role == access.None {
				continue
			}
			if len(infos) == limit {
				return infos, infos[limit-1].ULID, nil
			}
			infos = append(infos, Info{
				ULID: strings.TrimPrefix(item.SK, indexPrefix), ID: x.ID, Name: x.Name, Role: x.Role, CreatedAt: x.CreatedAt,
			})
		}
		if page.Next == "" {
			return infos, "", nil
		}
		q.After = page.Next
	}
}

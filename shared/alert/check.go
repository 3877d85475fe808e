package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"nanotypedb/shared/access"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/push"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
	"nanotypedb/shared/vector"
)

// Matched is a text that has a vector now, by the row that it is of. A row whose
// text has changed since Version is left to the check of its newer text.
type Matched struct {
	Table   int
	ID      string
	Version int64
	Vector  vector.Int8 // of the embedder's model
}

// found is a pair of an alert and a row.
type found struct {
	alert  *kept
	text   *Matched
	match  match
	params json.RawMessage // of the notification
}

// Check compares texts with the alerts of a room and tells what matches, once
// for each alert and row version, however often it is called. Who owns the
// alert must be a member who may read the row, at this moment. An error means
// that some alerts were not compared: call again.
func (a *Alerts) Check(ctx context.Context, ulid string, texts []Matched) error {
	if len(texts) == 0 {
		return nil
	}
	alerts, err := a.inRoom(ctx, ulid)
	if err != nil || len(alerts) == 0 {
		return err
	}
	alerts, err = a.renewed(ctx, ulid, alerts)
	pairs := near(alerts, texts)
	if len(pairs) == 0 {
		return err
	}
	pairs, readErr := a.readable(ctx, ulid, pairs)
	err = errors.Join(err, readErr)
	for i := range pairs {
		err = errors.Join(err, a.deliver(ctx, ulid, &pairs[i]))
	}
	return err
}

// inRoom reads the alerts of everybody. One that is damaged is no reason to
// leave out the others.
func (a *Alerts) inRoom(ctx context.Context, ulid string) ([]*kept, error) {
	var alerts []*kept
	err := all(ctx, a.Store, partition(ulid), "ALERT#", "ALERT$", func(item store.Item) error {
		k, err := decodeAlert(item)
		if err != nil {
			a.Log.ErrorContext(ctx, "alert is damaged", "room", ulid, "key", item.SK, "error", err)
			return nil
		}
		alerts = append(alerts, k)
		return nil
	})
	return alerts, err
}

// renewed leaves alerts whose vectors are of the embedder's model: the
// descriptions of the others are embedded anew.
func (a *Alerts) renewed(ctx context.Context, ulid string, alerts []*kept) (usable []*kept, err error) {
	for _, k := range alerts {
		if k.Model == a.Embedder.Model() {
			usable = append(usable, k)
			continue
		}
		switch renewErr := a.renew(ctx, ulid, k); {
		case renewErr == nil:
			usable = append(usable, k)
		case embedder.ClassOf(renewErr) == embedder.Refused, fault.Is(renewErr, fault.Forbidden): // trying again is no use
			a.Log.WarnContext(ctx, "the description of an alert cannot be embedded", "key", k.item.SK, "error", renewErr)
		default:
			err = errors.Join(err, fmt.Errorf("renew alert %s: %w", k.Topic, renewErr))
		}
	}
	return usable, err
}

func (a *Alerts) renew(ctx context.Context, ulid string, k *kept) error {
	v, err := a.embed(ctx, ulid, k.Description)
	if err != nil {
		return err
	}
	previous := k.item.Data
	k.vector, k.Vector, k.Model = v, v.Encode(), a.Embedder.Model()
	if k.item.Data, err = k.encode(); err != nil {
		return err
	}
	err = a.Store.Write(ctx, store.Write{Item: store.Item{Key: k.item.Key, Data: k.item.Data}, If: store.Unchanged, Previous: previous})
	if err != nil && !conditional(err) { // changed by its owner meanwhile: next time
		return unavailable("keep alert", err)
	}
	return nil
}

// near pairs alerts with the texts that are near enough.
func near(alerts []*kept, texts []Matched) (pairs []found) {
	for _, k := range alerts {
		for i := range texts {
			m := &texts[i]
			if k.Table != 0 && k.Table != m.Table || len(m.Vector.Values) != len(k.vector.Values) {
				continue
			}
			if s := similarity(vector.Cosine(k.vector, m.Vector)); s >= k.Threshold {
				pairs = append(pairs, found{alert: k, text: m, match: match{Topic: k.Topic, Similarity: s, Table: m.Table, Row: m.ID}})
			}
		}
	}
	return pairs
}

// similarity is a cosine as users see it: 0 to 1, to four places.
func similarity(cosine float32) float64 {
	return math.Round(float64(min(max(cosine, 0), 1))*1e4) / 1e4
}

// readable leaves the pairs whose row is as it was and whose alert's owner may
// read it, in the newest state of the room.
func (a *Alerts) readable(ctx context.Context, ulid string, pairs []found) ([]found, error) {
	r, release, err := a.Replicas.Acquire(ctx, ulid)
	if fault.Is(err, fault.NotFound) {
		return nil, nil // deleted
	}
	if err != nil {
		return nil, fmt.Errorf("load room %s: %w", ulid, err)
	}
	defer release()
	if err := r.CatchUp(ctx); err != nil {
		return nil, fmt.Errorf("catch up room %s: %w", ulid, err)
	}
	if err := r.CatchUpIndex(ctx); err != nil {
		return nil, fmt.Errorf("catch up the index of room %s: %w", ulid, err)
	}
	left := pairs[:0]
	err = r.View(ctx, func(v *replica.View) error {
		for _, pair := range pairs {
			ok, err := pair.read(ctx, v)
			if err != nil {
				return err
			}
			if ok {
				left = append(left, pair)
			}
		}
		return nil
	})
	return left, err
}

// read completes a pair by its row, or reports false.
func (f *found) read(ctx context.Context, v *replica.View) (bool, error) {
	m := &f.match
	t := v.State().Schema.TableByNum(m.Table)
	if t == nil {
		return false, nil
	}
	_, hash, row, ok, err := v.RowText(ctx, m.Table, m.Row)
	if err != nil || !ok {
		return false, err
	}
	if row.Version != f.text.Version {
		if same, err := f.text.is(ctx, v, hash); err != nil || !same {
			return false, err
		}
	}
	if row.Version <= f.alert.Since {
		return false, nil
	}
	m.Name, m.Version, m.Own, m.Creator = t.Name, row.Version, t.Access == schema.Own, row.CreatedBy
	as, err := room.ViewAs(v, access.Principal{User: identity.User{ID: f.alert.user}})
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	wire, err := as.Get(ctx, t.Name, m.Row)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	f.params = wire
	return err == nil, err
}

// is reports whether the text has the hash of another, by its vector.
func (m *Matched) is(ctx context.Context, v *replica.View, hash indexlog.Hash) (bool, error) {
	now, ok, err := v.Vector(ctx, hash)
	return ok && now.Scale == m.Vector.Scale && slices.Equal(now.Values, m.Vector.Values), err
}

// deliver keeps a match and then tells it; one that was kept before is not
// told again.
func (a *Alerts) deliver(ctx context.Context, ulid string, f *found) error {
	f.match.At = schema.Millis(a.Now().UnixMilli())
	name := matchName(f.match.Topic, f.match.Table, f.match.Row, f.match.Version)
	id := itemID(f.match.At, name)
	first, err := a.keep(ctx, ulid, f.alert.user, name, id, &f.match)
	if err != nil || !first {
		return err
	}
	faultpoint.Reach(PointKept)
	if a.Notifier == nil {
		return nil
	}
	params, err := f.notification(id)
	if err != nil {
		return err
	}
	if err := a.Notifier.Tell(ctx, ulid, f.alert.user, "alert", params); err != nil {
		// It is in the inbox, where the client looks when it comes again.
		a.Log.WarnContext(ctx, "alert was not told", "room", ulid, "topic", f.match.Topic, "error", err)
	}
	return nil
}

// keep puts a match into the inbox, and reports whether it was not there.
func (a *Alerts) keep(ctx context.Context, ulid, user, name, id string, m *match) (first bool, err error) {
	data, err := json.Marshal(m)
	if err != nil {
		return false, fmt.Errorf("encode match: %w", err)
	}
	expires := m.At.Time().Add(Kept)
	marker := store.Item{Key: matchedKey(ulid, user, name), Data: []byte("{}"), Expires: expires}
	entry := store.Item{Key: matchKey(ulid, user, id), Data: data, Expires: expires}
	for range attempts {
		err = a.Store.Write(ctx, store.Write{Item: marker, If: store.Absent}, store.Write{Item: entry})
		var taken *store.ConditionError
		switch {
		case err == nil:
			return true, nil
		case errors.As(err, &taken):
			return false, nil
		case !errors.Is(err, store.ErrContended):
			return false, unavailable("keep match", err)
		}
	}
	return false, unavailable("keep match", err)
}

// notification is {topic, similarity, table, row, id}. Of a row that does not
// fit a message it has what stands beside the columns, and that it is cut.
func (f *found) notification(id string) (json.RawMessage, error) {
	row := f.params
	cut := len(row) > push.MaxMessage-1<<10
	if cut {
		var cells map[string]json.RawMessage
		if err := json.Unmarshal(row, &cells); err != nil {
			return nil, err
		}
		maps.DeleteFunc(cells, func(name string, _ json.RawMessage) bool { return name != "id" && name[0] != '_' })
		var err error
		if row, err = json.Marshal(cells); err != nil {
			return nil, err
		}
	}
	return json.Marshal(struct {
		Topic      string          `json:"topic"`
		Similarity float64         `json:"similarity"`
		Table      string          `json:"table"`
		Row        json.RawMessage `json:"row"`
		ID         string          `json:"id"`
		Truncated  bool            `json:"truncated,omitempty"`
	}{f.match.Topic, f.match.Similarity, f.match.Name, row, id, cut})
}

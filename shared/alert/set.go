package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
	"nanotypedb/shared/usage"
	"nanotypedb/shared/vector"
)

// attempts is how often a change is tried that others get in the way of.
const attempts = 10

// Set makes the alert of p about a topic, or replaces it. Errors: invalid or
// too_large by the limits above, not_found for a room or table, rate_limited,
// unavailable when the model or the store did not answer.
func (a *Alerts) Set(ctx context.Context, p access.Principal, ref room.Ref, topic string, r Request) (Alert, error) {
	if err := checkTopic(topic); err != nil {
		return Alert{}, err
	}
	if err := r.check(); err != nil {
		return Alert{}, err
	}
	st, err := a.state(ctx, p, ref)
	if err != nil {
		return Alert{}, err
	}
	table, err := scope(st, r.Table)
	if err != nil {
		return Alert{}, err
	}
	v, err := a.describe(ctx, st.Room, p.User.ID, r.Description)
	if err != nil {
		return Alert{}, fault.Under("description", err)
	}
	next := stored{
		Topic: topic, Description: r.Description, Threshold: r.threshold(), Table: table, Name: r.Table,
		CreatedAt: schema.Millis(a.Now().UnixMilli()), Since: st.Seq, Model: a.Embedder.Model(), Vector: v.Encode(),
	}
	err = a.put(ctx, st.Room, p.User.ID, &next)
	return next.shown(st), err
}

// state admits a member and gives the state of the room.
func (a *Alerts) state(ctx context.Context, p access.Principal, ref room.Ref) (st *replica.State, err error) {
	err = a.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		st = v.State()
		return nil
	})
	return st, err
}

// shown is an alert on the wire, its table by the name of now.
func (s *stored) shown(st *replica.State) Alert {
	name := s.Name
	if t := st.Schema.TableByNum(s.Table); t != nil {
		name = t.Name
	}
	return Alert{s.Topic, s.Description, s.Threshold, name, schema.Time(s.CreatedAt)}
}

// put keeps an alert. One that replaces another keeps the beginning of that.
func (a *Alerts) put(ctx context.Context, ulid, user string, next *stored) error {
	key := alertKey(ulid, user, next.Topic)
	for range attempts {
		previous, err := a.Store.Get(ctx, key, true)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return unavailable("read alert", err)
		}
		w := store.Write{Item: store.Item{Key: key}, If: store.Absent}
		var topics store.Write
		if err == nil {
			old, err := decodeAlert(previous)
			if err != nil {
				return err
			}
			next.CreatedAt, next.Since = old.CreatedAt, old.Since
			w.If, w.Previous = store.Unchanged, previous.Data
		} else if topics, err = a.topics(ctx, ulid, user, func(t []string) ([]string, error) { return added(t, next.Topic) }); err != nil {
			return err
		}
		if w.Item.Data, err = next.encode(); err != nil {
			return err
		}
		err = a.write(ctx, w, topics)
		if !conditional(err) {
			return err
		}
	}
	return fault.New(fault.Unavailable, "your alerts are being changed elsewhere at the moment; try again")
}

// write applies w, and with it the change of topics, if any.
func (a *Alerts) write(ctx context.Context, w, topics store.Write) error {
	writes := []store.Write{w}
	if topics.Item.PK != "" {
		writes = append(writes, topics)
	}
	err := a.Store.Write(ctx, writes...)
	if err == nil || conditional(err) {
		return err
	}
	return unavailable("keep alert", err)
}

func added(topics []string, topic string) ([]string, error) {
	switch {
	case slices.Contains(topics, topic):
		return topics, nil
	case len(topics) >= MaxAlerts:
		return nil, fault.At(fault.TooLarge, "topic", "you have %d alerts in this room, which is the limit; delete one first", MaxAlerts)
	}
	return append(topics, topic), nil
}

func removed(topics []string, topic string) []string {
	return slices.DeleteFunc(topics, func(t string) bool { return t == topic })
}

// topics gives the write that changes the list of a user's topics.
func (a *Alerts) topics(ctx context.Context, ulid, user string, change func([]string) ([]string, error)) (store.Write, error) {
	w := store.Write{Item: store.Item{Key: topicsKey(ulid, user)}, If: store.Absent}
	previous, err := a.Store.Get(ctx, w.Item.Key, true)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return w, unavailable("read topics", err)
	}
	topics := []string{}
	if err == nil {
		w.If, w.Previous = store.Unchanged, previous.Data
		if err := json.Unmarshal(previous.Data, &topics); err != nil {
			return w, fmt.Errorf("decode topics: %w", err)
		}
	}
	if topics, err = change(topics); err != nil {
		return w, err
	}
	w.Item.Data, err = json.Marshal(topics)
	return w, err
}

// Delete ends an alert; what it put into the inbox stays. Errors: not_found.
func (a *Alerts) Delete(ctx context.Context, p access.Principal, ref room.Ref, topic string) error {
	if err := checkTopic(topic); err != nil {
		return err
	}
	st, err := a.state(ctx, p, ref)
	if err != nil {
		return err
	}
	for range attempts {
		topics, err := a.topics(ctx, st.Room, p.User.ID, func(t []string) ([]string, error) { return removed(t, topic), nil })
		if err != nil {
			return err
		}
		key := alertKey(st.Room, p.User.ID, topic)
		if _, err := a.Store.Get(ctx, key, true); errors.Is(err, store.ErrNotFound) {
			return fault.At(fault.NotFound, "topic", "you have no alert with this topic")
		}
		err = a.write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: key}, If: store.Present}, topics)
		if !conditional(err) {
			return err
		}
	}
	return fault.New(fault.Unavailable, "your alerts are being changed elsewhere at the moment; try again")
}

// List gives the alerts of p in a room, by topic.
func (a *Alerts) List(ctx context.Context, p access.Principal, ref room.Ref) ([]Alert, error) {
	st, err := a.state(ctx, p, ref)
	if err != nil {
		return nil, err
	}
	list := []Alert{}
	prefix := alertKey(st.Room, p.User.ID, "").SK
	err = all(ctx, a.Store, partition(st.Room), prefix, prefix+"~", func(item store.Item) error {
		k, err := decodeAlert(item)
		if err == nil {
			list = append(list, k.shown(st))
		}
		return err
	})
	return list, err
}

// describe embeds a description on behalf of a user.
func (a *Alerts) describe(ctx context.Context, ulid, user, description string) (vector.Int8, error) {
	if v, known := a.descriptions.get(a.Embedder.Model(), description); known {
		return v, nil
	}
	if a.Limiter != nil {
		if err := a.Limiter.Allow(ctx, ulid, user, access.AI, 1); err != nil {
			return vector.Int8{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.embed(ctx, ulid, description)
}

// patience is how long somebody who asks waits for the model.
const patience = 10 * time.Second

// embed gives the vector of a description, which asks for texts as a query
// does. Errors: forbidden when the room's budget is used up, the embedder's.
func (a *Alerts) embed(ctx context.Context, ulid, description string) (vector.Int8, error) {
	model := a.Embedder.Model()
	if v, known := a.descriptions.get(model, description); known {
		return v, nil
	}
	if a.Budget != nil {
		if err := a.Budget.AllowAI(ctx, ulid); err != nil {
			return vector.Int8{}, err
		}
	}
	result := a.Embedder.Embed(ctx, []string{description}, embedder.Query)[0]
	if result.Err != nil {
		return vector.Int8{}, result.Err
	}
	usage.From(ctx).AddAll(usage.Embedded(description))
	v, err := vector.Quantize(result.Vector)
	if err != nil {
		return vector.Int8{}, fmt.Errorf("embed description: %w", err)
	}
	a.descriptions.put(model, description, v)
	return v, nil
}

package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"nanotypedb/shared/store"
)

// Sizes is what a room keeps, in bytes.
type Sizes struct {
	Table int64 `json:"table"`
	Blobs int64 `json:"blobs"`
}

const (
	sizePrefix   = "S#"
	measureEvery = 20 * time.Hour
)

func sizeKey(room string, at time.Time) store.Key {
	return store.Key{PK: Partition(room), SK: sizePrefix + at.Format(hourLayout)}
}

// measured is what a room kept from a moment on.
type measured struct {
	at time.Time
	Sizes
}

// Measure notes what a room keeps, about once a day; measure is asked only when
// it is time. A room keeps as much until it is measured again.
func (l *Ledger) Measure(ctx context.Context, room string, measure func(context.Context) (Sizes, error)) error {
	now := l.now().UTC()
	last, err := l.sizeBefore(ctx, room, now.Add(time.Hour))
	if err != nil || now.Sub(last.at) < measureEvery {
		return err
	}
	sizes, err := measure(ctx)
	if err != nil {
		return err
	}
	data, err := json.Marshal(sizes)
	if err != nil {
		return err
	}
	item := store.Item{Key: sizeKey(room, now), Data: data, Expires: now.Add(KeepDays)}
	if err := l.st.Write(ctx, store.Write{Action: store.Put, Item: item}); err != nil {
		return fmt.Errorf("write size of room %s: %w", room, err)
	}
	return nil
}

// sizeBefore is the newest measure before a moment; a zero time when there is none.
func (l *Ledger) sizeBefore(ctx context.Context, room string, before time.Time) (measured, error) {
	q := store.Query{PK: Partition(room), From: sizePrefix, To: sizePrefix + before.Add(-time.Second).Format(hourLayout), Limit: 1, Reverse: true}
	all, err := l.sizes(ctx, q)
	if err != nil || len(all) == 0 {
		return measured{}, err
	}
	return all[0], nil
}

func (l *Ledger) sizes(ctx context.Context, q store.Query) (all []measured, err error) {
	for {
		page, err := l.st.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read sizes of %s: %w", q.PK, err)
		}
		for _, item := range page.Items {
			var m measured
			at, timeErr := time.Parse(hourLayout, strings.TrimPrefix(item.SK, sizePrefix))
			if err := errors.Join(timeErr, json.Unmarshal(item.Data, &m.Sizes)); err != nil {
				return nil, fmt.Errorf("decode size %s of %s: %w", item.SK, q.PK, err)
			}
			m.at = at
			all = append(all, m)
		}
		if q.After = page.Next; q.After == "" || q.Limit > 0 && len(all) >= q.Limit {
			return all, nil
		}
	}
}

// storage adds what a room kept in each step of a range, as KB-hours of nobody
// in particular. Time to come is left out.
func (l *Ledger) storage(ctx context.Context, room string, r Range, add func(time.Time, string, Counts)) error {
	first, err := l.sizeBefore(ctx, room, r.From)
	if err != nil {
		return err
	}
	later, err := l.sizes(ctx, store.Query{PK: Partition(room), From: sizePrefix + r.From.Format(hourLayout), To: sizePrefix + r.To.Add(-time.Second).Format(hourLayout)})
	if err != nil {
		return err
	}
	all := append([]measured{first}, later...)
	end := earlier(r.To, l.now().UTC())
	for at := r.From; at.Before(end); at = at.Add(r.By.length()) {
		if c := kept(all, at, earlier(at.Add(r.By.length()), end)); !c.Zero() {
			add(at, System, c)
		}
	}
	return nil
}

// kept is what was kept between two moments.
func kept(all []measured, from, to time.Time) Counts {
	var table, blobs float64
	for i, m := range all {
		begin, end := m.at, to
		if begin.Before(from) {
			begin = from
		}
		if i+1 < len(all) {
			end = earlier(to, all[i+1].at)
		}
		if hours := end.Sub(begin).Hours(); hours > 0 {
			table += float64(m.Table) / 1024 * hours
			blobs += float64(m.Blobs) / 1024 * hours
		}
	}
	var c Counts
	c[TableStored], c[BlobsStored] = int64(table), int64(blobs)
	return c
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

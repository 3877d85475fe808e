package usage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"nanotypedb/shared/store"
)

const (
	settle   = 6 * time.Hour       // after its end a day may still be counted into, by a relay that was behind
	lookBack = 14 * 24 * time.Hour // how far a roll-up looks for days without sums
)

// RollUp sums the hours of days that are over into days, which are kept longer.
// It may run at any time and any number of times: a day's sums are made from
// all its hours and count once they are complete. The days of the last two weeks
// that have no sums yet are made up for. It returns how many days it summed.
func (l *Ledger) RollUp(ctx context.Context, room string) (days int, err error) {
	day := 24 * time.Hour
	end := l.now().UTC().Add(-settle).Truncate(day)
	from := end.Add(-lookBack)
	done, err := l.summed(ctx, room, from, end, func(time.Time, string, Counts) {})
	if err != nil {
		return 0, err
	}
	sums := map[time.Time]map[string]Counts{}
	err = l.hours(ctx, room, from, end, func(at time.Time, principal string, c Counts) {
		at = at.Truncate(day)
		if done[at] {
			return
		}
		if sums[at] == nil {
			sums[at] = map[string]Counts{}
		}
		sums[at][principal] = sums[at][principal].Plus(c)
	})
	if err != nil {
		return 0, err
	}
	for at, principals := range sums {
		if err := l.putDay(ctx, room, at, principals); err != nil {
			return days, err
		}
		days++
	}
	return days, nil
}

// putDay writes a day's sums and then the marker that makes them count.
func (l *Ledger) putDay(ctx context.Context, room string, day time.Time, principals map[string]Counts) error {
	for principal, c := range principals {
		if err := l.put(ctx, dayKey(room, day, principal), day, record{Counts: c}); err != nil {
			return err
		}
	}
	return l.put(ctx, dayKey(room, day, ""), day, record{})
}

func (l *Ledger) put(ctx context.Context, key store.Key, day time.Time, r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	item := store.Item{Key: key, Data: data, Expires: day.Add(KeepDays)}
	if err := l.st.Write(ctx, store.Write{Action: store.Put, Item: item}); err != nil {
		return fmt.Errorf("write sums of %s %s: %w", key.PK, key.SK, err)
	}
	return nil
}

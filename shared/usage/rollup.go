package usage

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"nanotypedb/shared/store"
)

const (
	oneDay = 24 * time.Hour

	settle = 6 * time.Hour // after its end a day is soon counted into, by a relay that was behind

	// lookAgain is how long a day that was summed is summed again: a process
	// that slept, or was down, counts days later what its log held.
	lookAgain = 14 * oneDay

	// lookBack is how far a roll-up looks for days without sums: as long as
	// hours are kept, but what is about to expire.
	lookBack = KeepHours - oneDay
)

// RollUp sums the hours of days that are over into days, which are kept longer.
// It may run at any time and any number of times: a day's sums are made from
// all its hours and count once they are complete. Days without sums are made up
// for as long as there are their hours, and those of the last two weeks are
// corrected when something was counted late. It returns how many days it wrote.
func (l *Ledger) RollUp(ctx context.Context, room string) (days int, err error) {
	end := l.now().UTC().Add(-settle).Truncate(oneDay)
	again, first := end.Add(-lookAgain), end.Add(-lookBack).Truncate(oneDay)
	had := sums{}
	done, err := l.summed(ctx, room, first, end, had.add)
	if err != nil {
		return 0, err
	}
	for from := first; from.Before(end); {
		if done[from] && from.Before(again) {
			from = from.Add(oneDay)
			continue
		}
		to := from
		for to.Before(end) && (!done[to] || !to.Before(again)) {
			to = to.Add(oneDay)
		}
		n, err := l.rollUp(ctx, room, from, to, done, had)
		if days += n; err != nil {
			return days, err
		}
		from = to
	}
	return days, nil
}

// sums are the figures of days by principal.
type sums map[time.Time]map[string]Counts

func (s sums) add(at time.Time, principal string, c Counts) {
	at = at.Truncate(oneDay)
	if s[at] == nil {
		s[at] = map[string]Counts{}
	}
	s[at][principal] = s[at][principal].Plus(c)
}

// rollUp sums the days of a range and writes those that had other sums.
func (l *Ledger) rollUp(ctx context.Context, room string, from, to time.Time, done map[time.Time]bool, had sums) (days int, err error) {
	found := sums{}
	if err := l.hours(ctx, room, from, to, found.add); err != nil {
		return 0, err
	}
	for at, principals := range found {
		if done[at] && maps.Equal(principals, had[at]) {
			continue
		}
		if err := l.putDay(ctx, room, at, principals); err != nil {
			return days, err
		}
		days++
	}
	return days, nil
}

// putDay writes a day's sums and then the marker that makes them count.
func (l *Ledger) putDay(ctx context.Context, room string, at time.Time, principals map[string]Counts) error {
	for principal, c := range principals {
		if err := l.put(ctx, dayKey(room, at, principal), at, record{Counts: c}); err != nil {
			return err
		}
	}
	return l.put(ctx, dayKey(room, at, ""), at, record{})
}

func (l *Ledger) put(ctx context.Context, key store.Key, at time.Time, r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	item := store.Item{Key: key, Data: data, Expires: at.Add(KeepDays)}
	if err := l.st.Write(ctx, store.Write{Action: store.Put, Item: item}); err != nil {
		return fmt.Errorf("write sums of %s %s: %w", key.PK, key.SK, err)
	}
	return nil
}

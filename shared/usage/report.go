package usage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// Step is the length of one point of a report.
type Step string

// The steps.
const (
	ByHour Step = "hour"
	ByDay  Step = "day"
)

func (s Step) length() time.Duration {
	if s == ByHour {
		return time.Hour
	}
	return 24 * time.Hour
}

// maxPoints bounds an answer: 31 days of hours, 13 months of days.
const maxPoints = 24 * 31

// Range asks for the figures of whole hours or days from From to before To.
type Range struct {
	From, To  time.Time
	By        Step
	Principal string // when set, only this one's
}

// Normal rounds a range outward to whole steps and refuses one that is empty,
// in a wrong order or too long.
func (r Range) Normal() (Range, error) {
	if r.By != ByHour && r.By != ByDay {
		return r, fault.At(fault.Invalid, "by", "Usage is given by hour or by day.")
	}
	step := r.By.length()
	r.From = r.From.UTC().Truncate(step)
	if to := r.To.UTC().Truncate(step); to.Before(r.To) {
		r.To = to.Add(step)
	} else {
		r.To = to
	}
	switch n := r.To.Sub(r.From) / step; {
	case n <= 0:
		return r, fault.At(fault.Invalid, "to", "The range ends before it begins.")
	case n > maxPoints:
		return r, fault.At(fault.Invalid, "from", "The range has %d points, but an answer has at most %d: ask for a shorter one, or by day.", n, maxPoints)
	}
	return r, nil
}

// Before is the range of the same length that ends where r begins.
func (r Range) Before() Range {
	r.From, r.To = r.From.Add(-r.To.Sub(r.From)), r.From
	return r
}

// Point is the figures of one hour or day.
type Point struct {
	At     time.Time
	Counts Counts
}

// Report is a range's figures: one point a step, also for steps in which
// nothing happened, and sums by principal, the most writes first.
type Report struct {
	Range
	Points     []Point
	Totals     Counts
	Principals []PrincipalCounts
}

// PrincipalCounts is what one principal consumed.
type PrincipalCounts struct {
	Principal string
	Counts    Counts
}

// Report reads the figures of a room.
func (l *Ledger) Report(ctx context.Context, room string, r Range) (Report, error) {
	r, err := r.Normal()
	if err != nil {
		return Report{}, err
	}
	b := newBuilder(r)
	if err := l.read(ctx, room, r, b.add); err != nil {
		return Report{}, err
	}
	return b.report(), nil
}

// Each calls fn with the figures of each hour or day and principal of a range,
// in order of time and principal.
func (l *Ledger) Each(ctx context.Context, room string, r Range, fn func(at time.Time, principal string, c Counts)) error {
	r, err := r.Normal()
	if err != nil {
		return err
	}
	sums := map[time.Time]map[string]Counts{}
	err = l.read(ctx, room, r, func(at time.Time, principal string, c Counts) {
		at = at.Truncate(r.By.length())
		if sums[at] == nil {
			sums[at] = map[string]Counts{}
		}
		sums[at][principal] = sums[at][principal].Plus(c)
	})
	if err != nil {
		return err
	}
	for at := r.From; at.Before(r.To); at = at.Add(r.By.length()) {
		for _, principal := range slices.Sorted(maps.Keys(sums[at])) {
			if r.Principal == "" || r.Principal == principal {
				fn(at, principal, sums[at][principal])
			}
		}
	}
	return nil
}

func (l *Ledger) read(ctx context.Context, room string, r Range, add func(time.Time, string, Counts)) error {
	if err := l.storage(ctx, room, r, add); err != nil {
		return err
	}
	if r.By == ByHour {
		return l.hours(ctx, room, r.From, r.To, add)
	}
	return l.days(ctx, room, r, add)
}

// days takes days that were summed from their sums, all others from their hours.
func (l *Ledger) days(ctx context.Context, room string, r Range, add func(time.Time, string, Counts)) error {
	summed, err := l.summed(ctx, room, r.From, r.To, add)
	if err != nil {
		return err
	}
	for from := r.From; from.Before(r.To); {
		if summed[from] {
			from = from.Add(24 * time.Hour)
			continue
		}
		to := from
		for to.Before(r.To) && !summed[to] {
			to = to.Add(24 * time.Hour)
		}
		if err := l.hours(ctx, room, from, to, add); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// summed tells the sums of whole days and which days have them. A day's sums
// count once its marker, the item without a principal, is there.
func (l *Ledger) summed(ctx context.Context, room string, from, to time.Time, add func(time.Time, string, Counts)) (map[time.Time]bool, error) {
	whole := map[time.Time]bool{}
	q := store.Query{PK: Partition(room), From: dayPrefix + from.Format(dayLayout), To: dayPrefix + to.Add(-time.Hour).Format(dayLayout) + "#\U0010ffff"}
	err := l.each(ctx, q, func(at time.Time, principal string, r record) {
		if principal == "" {
			whole[at] = true
		} else if whole[at] {
			add(at, principal, r.Counts)
		}
	})
	return whole, err
}

func (l *Ledger) hours(ctx context.Context, room string, from, to time.Time, add func(time.Time, string, Counts)) error {
	q := store.Query{PK: Partition(room), From: hourPrefix + from.Format(hourLayout), To: hourPrefix + to.Add(-time.Hour).Format(hourLayout) + "#\U0010ffff"}
	return l.each(ctx, q, func(at time.Time, principal string, r record) { add(at, principal, r.Counts) })
}

func (l *Ledger) each(ctx context.Context, q store.Query, fn func(time.Time, string, record)) error {
	for {
		page, err := l.st.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("read usage of %s: %w", q.PK, err)
		}
		for _, item := range page.Items {
			at, principal, err := splitKey(item.SK)
			if err != nil {
				return err
			}
			r, err := decodeRecord(item.Data)
			if err != nil {
				return fmt.Errorf("usage item %s: %w", item.SK, err)
			}
			fn(at, principal, r)
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// builder puts figures into points and sums.
type builder struct {
	Range
	points     []Point
	principals map[string]Counts
}

func newBuilder(r Range) *builder {
	b := &builder{Range: r, principals: map[string]Counts{}}
	for at := r.From; at.Before(r.To); at = at.Add(r.By.length()) {
		b.points = append(b.points, Point{At: at})
	}
	return b
}

func (b *builder) add(at time.Time, principal string, c Counts) {
	if b.Principal != "" && b.Principal != principal {
		return
	}
	p := &b.points[at.Sub(b.From)/b.By.length()]
	p.Counts = p.Counts.Plus(c)
	b.principals[principal] = b.principals[principal].Plus(c)
}

func (b *builder) report() Report {
	rep := Report{Range: b.Range, Points: b.points}
	for principal, c := range b.principals {
		rep.Totals = rep.Totals.Plus(c)
		rep.Principals = append(rep.Principals, PrincipalCounts{Principal: principal, Counts: c})
	}
	slices.SortFunc(rep.Principals, func(a, b PrincipalCounts) int {
		return cmp.Or(cmp.Compare(b.Counts[Writes], a.Counts[Writes]), cmp.Compare(b.Counts[Reads], a.Counts[Reads]), cmp.Compare(a.Principal, b.Principal))
	})
	return rep
}

package backup

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nanotypedb/shared/schema"
)

func TestExpired(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 30, 0, 0, time.UTC) // a Monday
	day := 24 * time.Hour
	at := func(kind Kind, age time.Duration, unlisted bool) Snapshot {
		return Snapshot{ID: fmt.Sprint(kind, " ", age), Kind: kind, At: schema.Millis(now.Add(-age).UnixMilli()), Unlisted: unlisted}
	}
	hourly := func(ages ...time.Duration) (all []Snapshot) {
		for _, age := range ages {
			all = append(all, at(Hourly, age, false))
		}
		return all
	}
	tests := []struct {
		name string
		all  []Snapshot // the oldest first
		gone []time.Duration
	}{
		{"none", nil, nil},
		{"two days of hourly ones stay", hourly(47*time.Hour, 30*time.Hour, 2*time.Hour, time.Hour), nil},
		{"then the last of each day", hourly(100*time.Hour, 99*time.Hour, 75*time.Hour, 74*time.Hour, time.Hour),
			[]time.Duration{75 * time.Hour, 100 * time.Hour}},
		{"then the last of each week", hourly(34*day, 33*day, 29*day, 28*day, 27*day, 26*day, 21*day, 20*day, time.Hour),
			[]time.Duration{21 * day, 27 * day, 28 * day, 33 * day, 34 * day}},
		{"then only what the oldest seq is rebuilt from", hourly(60*day, 50*day, 40*day, time.Hour), []time.Duration{50 * day, 60 * day}},
		{"one alone stays however old it is", hourly(400 * day), nil},
		{"manual ones stay", []Snapshot{at(Manual, 400*day, false), at(Manual, 300*day, false), at(Hourly, 200*day, false), at(Hourly, 100*day, false), at(Hourly, time.Hour, false)},
			[]time.Duration{200 * day}},
		{"those before a restore stay through the retention", []Snapshot{at(BeforeRestore, 40*day, false), at(Hourly, 36*day, false), at(BeforeRestore, 34*day, false),
			at(Safety, 20*day, false), at(Hourly, time.Hour, false)}, []time.Duration{40 * day}},
		{"deleted ones go", []Snapshot{at(Manual, 3*day, true), at(Hourly, 2*time.Hour, true), at(Manual, time.Hour, true)},
			[]time.Duration{time.Hour, 2 * time.Hour, 3 * day}},
		{"but not the one that the oldest seq is rebuilt from", []Snapshot{at(Manual, 50*day, true), at(Manual, 36*day, true), at(Hourly, time.Hour, false)},
			[]time.Duration{50 * day}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got, want []string
			for _, s := range expired(tt.all, now, DefaultRetention) {
				got = append(got, s.ID)
			}
			for _, age := range tt.gone {
				i := slices.IndexFunc(tt.all, func(s Snapshot) bool { return now.Sub(s.time()) == age })
				want = append(want, tt.all[i].ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("gone %v, want %v", got, want)
			}
		})
	}
}

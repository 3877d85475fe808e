package audience

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nanotypedb/shared/fault"
)

func TestPresenceIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, nil)
		a := s.listen("a", "ada")
		s.listen("b", "bob")
		type set func(context.Context, *Connection, int64, json.RawMessage) error
		told := func(f set, n int64) bool {
			t.Helper()
			must(t, f(context.Background(), a, n, json.RawMessage(`"x"`)))
			if len(s.post.take("a")) > 0 {
				t.Error("the sender was told")
			}
			return len(s.post.take("b")) == 1
		}
		for _, c := range []struct {
			what string
			f    set
			n    int64
			wait time.Duration
			told bool
		}{
			{"first status", s.audience.SetPresence, 1, 0, true},
			{"too soon", s.audience.SetPresence, 2, 4999 * time.Millisecond, false},
			{"a cursor has its own pace", s.audience.SetCursor, 3, 0, true},
			{"after 5 s", s.audience.SetPresence, 4, time.Millisecond, true},
			{"stale", s.audience.SetPresence, 4, time.Hour, false},
			{"older", s.audience.SetPresence, 3, 0, false},
			{"cursor", s.audience.SetCursor, 5, 0, true},
			{"cursor too soon", s.audience.SetCursor, 6, 499 * time.Millisecond, false},
			{"cursor after half a second", s.audience.SetCursor, 7, time.Millisecond, true},
		} {
			<-time.After(c.wait) // of the bubble's clock
			if got := told(c.f, c.n); got != c.told {
				t.Errorf("%s: told %v", c.what, got)
			}
		}
		large := json.RawMessage(`"` + strings.Repeat("x", MaxStatus) + `"`)
		if err := s.audience.SetPresence(context.Background(), a, 99, large); !fault.Is(err, fault.TooLarge) {
			t.Errorf("large: %v", err)
		}
	})
}

func TestARoomPassesOnSoMuchASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, nil)
		var all []*Connection
		for n := range 250 {
			all = append(all, s.listen(fmt.Sprint("c", n), "ada"))
		}
		<-time.After(10 * time.Second)
		for _, c := range all {
			must(t, s.audience.SetCursor(context.Background(), c, 1, json.RawMessage(`1`)))
		}
		if got := len(s.post.take("c249")); got != roomPresence {
			t.Errorf("%d messages in a second", got)
		}
	})
}

func TestAboveSoManyPeopleNothingIsPassedOn(t *testing.T) {
	s := newStand(t, func(o *Options) { o.MaxPeople = 2 })
	a := s.listen("a", "ada")
	s.listen("a2", "ada")
	s.listen("b", "bob")
	must(t, s.audience.SetCursor(t.Context(), a, 1, json.RawMessage(`1`)))
	if len(s.post.take("b")) != 1 {
		t.Error("two people with three connections were too many")
	}
	c := s.listen("c", "cleo")
	must(t, s.audience.SetCursor(t.Context(), c, 1, json.RawMessage(`1`)))
	if got := s.post.take("b"); len(got) != 0 {
		t.Errorf("three people: %v", got)
	}
}

func TestWhoIsHere(t *testing.T) {
	for name, registry := range map[string]func(*Options){
		"local":        nil,
		"in the store": func(o *Options) { o.Registry = NewShared(o.Store, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, registry)
			a := s.listen("a", "ada")
			b := s.listen("b", "bob")
			here, err := s.audience.Subscribe(t.Context(), b, []string{"tasks"})
			if err != nil || fmt.Sprint(here) != "[{ada ada a}]" {
				t.Errorf("%v, %v", here, err)
			}
			if got := s.post.take("a"); len(got) != 0 {
				t.Errorf("subscribing again is no news: %v", got)
			}
			must(t, s.audience.Unsubscribe(t.Context(), b))
			if got := s.post.take("a"); len(got) != 1 || !strings.Contains(got[0], `"gone":true`) {
				t.Errorf("unsubscribed: %v", got)
			}
			must(t, s.audience.SetCursor(t.Context(), b, 1, json.RawMessage(`1`)))
			must(t, s.audience.Disconnect(t.Context(), "b"))
			must(t, s.audience.Disconnect(t.Context(), "b"))
			if got := s.post.take("a"); len(got) != 0 {
				t.Errorf("who does not listen leaves silently: %v", got)
			}
			if err := s.audience.SetPresence(t.Context(), b, 2, json.RawMessage(`1`)); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("after disconnecting: %v", err)
			}
			if _, err := s.audience.Subscribe(t.Context(), b, nil); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("subscribing after disconnecting: %v", err)
			}
			must(t, s.audience.Drop(t.Context(), a.ID))
			if left := s.connections(); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestOldConnectionsAreNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(o *Options) { o.Registry = NewShared(o.Store, nil) })
		s.listen("a", "ada")
		<-time.After(maxOpen)
		if left := s.connections(); len(left) != 0 {
			t.Errorf("still there: %v", left)
		}
		if _, err := s.audience.Find(context.Background(), "a"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("found: %v", err)
		}
	})
}

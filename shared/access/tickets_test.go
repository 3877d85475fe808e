package access_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/storetest"
)

// clock is a time that a test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}
func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

var ada = identity.User{ID: "ada", Name: "Ada", Email: "ada@dev.localhost"}

func nothing(access.Ticket) ([]store.Write, error) { return nil, nil }

// connection is what a use of a ticket registers.
func connection(id string) func(access.Ticket) ([]store.Write, error) {
	return func(access.Ticket) ([]store.Write, error) {
		return []store.Write{{Item: store.Item{Key: store.Key{PK: "CONN#" + id, SK: "CONN"}, Data: []byte("{}")}, If: store.Absent}}, nil
	}
}

func TestTicketsAreUsedOnce(t *testing.T) {
	ctx, st, c := context.Background(), storetest.NewModel(), newClock()
	tickets := access.NewTickets(st, c.now)
	secret, err := tickets.Issue(ctx, ada, "01ROOM")
	if err != nil {
		t.Fatal(err)
	}
	if len(secret) != 43 {
		t.Errorf("ticket %q does not carry 256 bits", secret)
	}
	got, err := tickets.Take(ctx, secret, connection("1"))
	if err != nil || got.User != ada || got.Room != "01ROOM" {
		t.Fatalf("%+v, %v", got, err)
	}
	_, used := tickets.Take(ctx, secret, connection("2"))
	_, unknown := tickets.Take(ctx, "x", connection("2"))
	_, empty := tickets.Take(ctx, "", connection("2"))
	late, err := tickets.Issue(ctx, ada, "01ROOM")
	if err != nil {
		t.Fatal(err)
	}
	c.advance(access.TicketLife)
	_, expired := tickets.Take(ctx, late, connection("2"))
	for name, err := range map[string]error{"used": used, "unknown": unknown, "empty": empty, "expired": expired} {
		if !fault.Is(err, fault.Unauthenticated) || err.Error() != used.Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := st.Get(ctx, store.Key{PK: "CONN#2", SK: "CONN"}, true); !errors.Is(err, store.ErrNotFound) {
		t.Error("a refused ticket registered a connection")
	}
}

func TestOneOfManyTakesATicket(t *testing.T) {
	ctx, st := context.Background(), storetest.NewModel()
	tickets := access.NewTickets(st, nil)
	secret, err := tickets.Issue(ctx, ada, "01ROOM")
	if err != nil {
		t.Fatal(err)
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := tickets.Take(ctx, secret, nothing); err == nil {
				won.Add(1)
			} else if !fault.Is(err, fault.Unauthenticated) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d took the ticket", won.Load())
	}
}

// Both have read the ticket before either writes.
func TestATicketIsTakenBetweenReadAndWrite(t *testing.T) {
	ctx, st := context.Background(), storetest.NewModel()
	tickets := access.NewTickets(st, nil)
	secret, err := tickets.Issue(ctx, ada, "01ROOM")
	if err != nil {
		t.Fatal(err)
	}
	_, err = tickets.Take(ctx, secret, func(ticket access.Ticket) ([]store.Write, error) {
		if _, err := tickets.Take(ctx, secret, connection("first")); err != nil {
			t.Error(err)
		}
		return connection("second")(ticket)
	})
	if !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the second got %v", err)
	}
	if _, err := st.Get(ctx, store.Key{PK: "CONN#second", SK: "CONN"}, true); !errors.Is(err, store.ErrNotFound) {
		t.Error("the second is registered")
	}
}

// odd is a store that answers writes with an error.
type odd struct {
	store.Store
	write error
	keys  []store.Key
}

func (o *odd) Write(ctx context.Context, writes ...store.Write) error {
	for _, w := range writes {
		o.keys = append(o.keys, w.Item.Key)
	}
	if o.write != nil {
		return o.write
	}
	return o.Store.Write(ctx, writes...)
}

func TestTicketsWhenTheStoreFails(t *testing.T) {
	ctx := context.Background()
	for _, failure := range []error{store.ErrThrottled, store.ErrContended, store.ErrUnknownOutcome, errors.New("disk")} {
		st := &odd{Store: storetest.NewModel()}
		tickets := access.NewTickets(st, nil)
		secret, err := tickets.Issue(ctx, ada, "01ROOM")
		if err != nil {
			t.Fatal(err)
		}
		st.write = failure
		if _, err := tickets.Take(ctx, secret, nothing); !fault.Is(err, fault.Unavailable) || !errors.Is(err, failure) {
			t.Errorf("%v: take says %v", failure, err)
		}
		if _, err := tickets.Issue(ctx, ada, "01ROOM"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v: issue says %v", failure, err)
		}
	}
}

func TestTheTicketItselfIsNotStored(t *testing.T) {
	st := &odd{Store: storetest.NewModel()}
	secret, err := access.NewTickets(st, nil).Issue(context.Background(), ada, "01ROOM")
	if err != nil {
		t.Fatal(err)
	}
	item, err := st.Get(context.Background(), st.keys[0], true)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(item.PK, "TICKET#") || strings.Contains(item.PK+item.SK+string(item.Data), secret) {
		t.Errorf("stored: %+v", item)
	}
	if item.Expires.IsZero() {
		t.Error("a ticket that is never used is never collected")
	}
}

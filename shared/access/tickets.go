package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/store"
)

// TicketLife is how long a ticket may be used.
const TicketLife = 60 * time.Second

// ticketGrace is how long a ticket outlives its use as garbage, so that the
// store never collects one that a slow clock still accepts.
const ticketGrace = 10 * time.Minute

// Ticket lets its bearer open one connection to one room.
type Ticket struct {
	User    identity.User `json:"user"`
	Room    string        `json:"room"` // ULID
	Expires time.Time     `json:"expires"`
}

// Tickets issues and takes tickets. Only the SHA-256 of a ticket is stored, so
// that reading the table opens no connection.
type Tickets struct {
	store store.Store
	now   func() time.Time
}

// NewTickets returns tickets kept in st. now is the clock; nil: time.Now.
func NewTickets(st store.Store, now func() time.Time) *Tickets {
	if now == nil {
		now = time.Now
	}
	return &Tickets{store: st, now: now}
}

// Issue makes a ticket for user and room (a ULID): 256 random bits, URL-safe.
// That the user is a member is the caller's to check.
func (t *Tickets) Issue(ctx context.Context, user identity.User, room string) (string, error) {
	var bits [32]byte
	rand.Read(bits[:]) // never fails, see crypto/rand
	secret := base64.RawURLEncoding.EncodeToString(bits[:])
	expires := t.now().Add(TicketLife)
	data, err := json.Marshal(Ticket{User: user, Room: room, Expires: expires.UTC()})
	if err != nil {
		return "", fmt.Errorf("encode ticket: %w", err)
	}
	item := store.Item{Key: ticketKey(secret), Data: data, Expires: expires.Add(ticketGrace)}
	if err := t.store.Write(ctx, store.Write{Item: item, If: store.Absent}); err != nil {
		return "", unavailable("keep a ticket", err)
	}
	return secret, nil
}

// errTicket is the one answer for a ticket that is unknown, used or expired,
// so that guessing teaches nothing.
var errTicket = fault.New(fault.Unauthenticated, "The ticket is not valid: it is unknown, used or older than 60 seconds. Ask for a new one.")

// Take uses a ticket up, once: in one transaction with the writes that with
// gives for it, as the registration of the connection. Of two concurrent calls
// one fails. Errors: unauthenticated, or unavailable when the store failed;
// the bearer then asks for a new ticket.
func (t *Tickets) Take(ctx context.Context, secret string, with func(Ticket) ([]store.Write, error)) (Ticket, error) {
	ticket, item, err := t.read(ctx, secret)
	if err != nil {
		return Ticket{}, err
	}
	writes, err := with(ticket)
	if err != nil {
		return Ticket{}, err
	}
	use := store.Write{Action: store.Delete, Item: store.Item{Key: item.Key}, If: store.Present}
	return ticket, t.write(ctx, append([]store.Write{use}, writes...))
}

func (t *Tickets) read(ctx context.Context, secret string) (Ticket, store.Item, error) {
	var ticket Ticket
	item, err := t.store.Get(ctx, ticketKey(secret), true)
	if errors.Is(err, store.ErrNotFound) {
		return ticket, item, errTicket
	}
	if err != nil {
		return ticket, item, unavailable("read a ticket", err)
	}
	if err := json.Unmarshal(item.Data, &ticket); err != nil {
		return ticket, item, fmt.Errorf("decode ticket: %w", err)
	}
	if !t.now().Before(ticket.Expires) {
		return ticket, item, errTicket
	}
	return ticket, item, nil
}

// write applies the transaction. An outcome that is not known counts as
// failed: the ticket may be gone, and a registration without a connection is
// collected when it expires.
func (t *Tickets) write(ctx context.Context, writes []store.Write) error {
	const attempts = 3 // another use of the same ticket ends one way or the other
	var err error
	for range attempts {
		err = t.store.Write(ctx, writes...)
		if !errors.Is(err, store.ErrContended) {
			break
		}
	}
	var condition *store.ConditionError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &condition):
		return errTicket
	default:
		return unavailable("use a ticket", err)
	}
}

func ticketKey(secret string) store.Key {
	hash := sha256.Sum256([]byte(secret))
	return store.Key{PK: "TICKET#" + base64.RawURLEncoding.EncodeToString(hash[:]), SK: "TICKET"}
}

// unavailable translates a failure of the store, which trying again may cure.
func unavailable(doing string, err error) error {
	return fault.New(fault.Unavailable, "The service is busy; try again.").Because(fmt.Errorf("%s: %w", doing, err))
}

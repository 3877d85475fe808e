package audience

import (
	"encoding/json"
	"fmt"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
)

// maxOpen is how long a connection is believed in. The gateway cuts after 2 h;
// what is older was not told to us as closed.
const maxOpen = 3 * time.Hour

// Connection is one open socket: who opened it, to which room, and what it
// listens to. It is not changed after it was made.
type Connection struct {
	ID         string        `json:"id"`
	User       identity.User `json:"user"`
	Room       string        `json:"room"` // ULID
	Opened     time.Time     `json:"opened"`
	Subscribed bool          `json:"subscribed,omitempty"`
	Tables     []string      `json:"tables,omitempty"` // nil: all

	shown map[string]bool // Tables, as room.Viewer wants them
}

// Principal is who speaks on the connection.
func (c *Connection) Principal() access.Principal { return access.Principal{User: c.User} }

// Ref names the connection's room. A room made again under the same name is
// another one.
func (c *Connection) Ref() room.Ref { return room.Ref{ULID: c.Room} }

// viewer is the connection's user in a state of the room.
func (c *Connection) viewer(st *replica.State) room.Viewer {
	return room.Viewer{User: c.User.ID, Role: st.Members[c.User.ID].Role, Tables: c.shown}
}

// listening is the connection with another subscription.
func (c *Connection) listening(subscribed bool, tables []string) *Connection {
	next := *c
	next.Subscribed, next.Tables = subscribed, tables
	next.index()
	return &next
}

func (c *Connection) index() {
	c.shown = nil
	if c.Tables == nil {
		return
	}
	c.shown = make(map[string]bool, len(c.Tables))
	for _, table := range c.Tables {
		c.shown[table] = true
	}
}

// encode and decode are the stored form.
func (c *Connection) encode() ([]byte, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode connection: %w", err)
	}
	return data, nil
}

func decode(data []byte) (*Connection, error) {
	var c Connection
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("decode connection: %w", err)
	}
	c.index()
	return &c, nil
}

// errUnknown tells a client whose connection we do not know to open a new one.
var errUnknown = fault.New(fault.Unauthenticated, "This connection is not known any more; connect again with a new ticket.")

func unavailable(doing string, err error) error {
	return fault.New(fault.Unavailable, "The service is busy; try again.").Because(fmt.Errorf("%s: %w", doing, err))
}

package api

import (
	"encoding/json"

	"nanotypedb/shared/access"
	"nanotypedb/shared/schema"
)

// The answers and bodies of the routes. Fields with omitempty may be absent.
type (
	// Health says that the service runs.
	Health struct {
		Status   string `json:"status"`
		Protocol int    `json:"protocol"`
	}

	// Me is the signed-in user.
	Me struct {
		ID            string `json:"id"`
		Name          string `json:"name"`
		Email         string `json:"email"`
		EmailVerified bool   `json:"emailVerified"`
	}

	// NewRoom asks for a room. Without an id, one is made from the name.
	NewRoom struct {
		ID   string `json:"id,omitempty"`
		Name string `json:"name"`
	}

	// RoomName is a room's new name.
	RoomName struct {
		Name string `json:"name"`
	}

	// RoomSummary is a room in a list.
	RoomSummary struct {
		ID        string      `json:"id"`
		Name      string      `json:"name"`
		Role      access.Role `json:"role"`
		CreatedAt Time        `json:"createdAt"`
		Invited   bool        `json:"invited,omitempty"`
	}

	// RoomList is a page of rooms.
	RoomList struct {
		Rooms  []RoomSummary `json:"rooms"`
		Cursor string        `json:"cursor,omitempty"`
	}

	// RoomDetail is a room with its size.
	RoomDetail struct {
		ID        string      `json:"id"`
		Name      string      `json:"name"`
		Role      access.Role `json:"role"`
		CreatedAt Time        `json:"createdAt"`
		Seq       int64       `json:"seq"`
		Rows      int64       `json:"rows"`
		Bytes     int64       `json:"bytes"`
		Tables    int         `json:"tables"`
	}

	// Member is a member of a room.
	Member struct {
		User string      `json:"user"`
		Name string      `json:"name,omitempty"`
		Role access.Role `json:"role"`
	}

	// Invitation is an e-mail address that may join.
	Invitation struct {
		Email string      `json:"email"`
		Role  access.Role `json:"role"`
	}

	// MemberList is everybody in a room.
	MemberList struct {
		Members     []Member     `json:"members"`
		Invitations []Invitation `json:"invitations"`
	}

	// MemberRole is the role to give.
	MemberRole struct {
		Role access.Role `json:"role"`
	}

	// Membership is a role that was given.
	Membership struct {
		User    string      `json:"user"`
		Role    access.Role `json:"role"`
		Invited bool        `json:"invited,omitempty"`
	}

	// TicketAnswer is where to connect, once, within expiresIn seconds.
	TicketAnswer struct {
		URL       string `json:"url"`
		ExpiresIn int    `json:"expiresIn"`
	}

	// Column is a column on the wire.
	Column struct {
		Name      string          `json:"name"`
		Type      schema.Type     `json:"type"`
		Required  bool            `json:"required,omitempty"`
		Default   json.RawMessage `json:"default,omitempty"`
		MaxLength int             `json:"maxLength,omitempty"`
		Min       *float64        `json:"min,omitempty"`
		Max       *float64        `json:"max,omitempty"`
		Values    []string        `json:"values,omitempty"`
		Unique    bool            `json:"unique,omitempty"`
		Embed     bool            `json:"embed,omitempty"`
	}

	// Table is a table on the wire.
	Table struct {
		Name    string   `json:"name"`
		Access  string   `json:"access,omitempty"`
		Columns []Column `json:"columns"`
	}

	// SchemaAnswer is a room's schema at a seq.
	SchemaAnswer struct {
		Seq    int64   `json:"seq"`
		Tables []Table `json:"tables"`
	}

	// Commit is a commit as its reader may see it. Truncated: its operations
	// are not shown; read the log.
	Commit struct {
		Seq       int64             `json:"seq"`
		At        Time              `json:"at,omitempty"`
		By        string            `json:"by,omitempty"`
		CommitID  string            `json:"commitId,omitempty"`
		Kind      string            `json:"kind,omitempty"`
		Undoes    int64             `json:"undoes,omitempty"` // the commit that this one took back
		Ops       []json.RawMessage `json:"ops,omitempty"`
		Truncated bool              `json:"truncated,omitempty"`
	}

	// LogAnswer is a page of the log. Reset: load the tables anew.
	LogAnswer struct {
		Commits []Commit `json:"commits"`
		Seq     int64    `json:"seq"`
		More    bool     `json:"more"`
		Reset   bool     `json:"reset,omitempty"`
	}

	// RowsAnswer is a page of rows, exact at its seq.
	RowsAnswer struct {
		Rows   []map[string]any `json:"rows"`
		Cursor string           `json:"cursor,omitempty"`
		Seq    int64            `json:"seq"`
	}

	// RowAnswer is one row.
	RowAnswer struct {
		Row map[string]any `json:"row"`
		Seq int64          `json:"seq"`
	}
)

// Time is a moment on the wire.
type Time = schema.Time

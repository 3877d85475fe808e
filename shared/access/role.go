// Package access says who may do what: principals, roles, members, the `own`
// rule, tickets and rate limits.
package access

import "nanotypedb/shared/identity"

// Role is what a member may do in a room.
type Role string

// The roles, weakest first. None is somebody who is no member.
const (
	None   Role = ""
	Viewer Role = "viewer"
	Editor Role = "editor"
	Owner  Role = "owner"
)

var ranks = map[Role]int{None: 0, Viewer: 1, Editor: 2, Owner: 3}

// Valid reports whether r is a role that a member can have.
func (r Role) Valid() bool { return ranks[r] > 0 }

// AtLeast reports whether r includes what need may do.
func (r Role) AtLeast(need Role) bool { return ranks[r] >= ranks[need] }

// Principal is who makes a request: a person, later also an API key or a job
// acting for one.
type Principal struct {
	User identity.User
}

// Member is a person's part in a room. Name and Email are as the identity
// provider told them when the membership was made, for display only.
type Member struct {
	User  string
	Role  Role
	Name  string
	Email string
}

// Grant is a principal with the role found for him in a room's state at a
// seq. Only the room engine makes one, so no path can skip the check.
type Grant struct {
	Principal Principal
	Role      Role
}

// SeesRow reports whether the grant may see a row of creator in a table; own
// says whether the table's access is own.
func (g Grant) SeesRow(own bool, creator string) bool {
	return g.Role.Valid() && (!own || g.Role == Owner || creator == g.Principal.User.ID)
}

// Work is what rate limits count.
type Work string

// The kinds of work with a limit of their own.
const (
	Commits Work = "commits"
	Reads   Work = "reads"
	AI      Work = "ai"
)

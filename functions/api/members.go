package api

import (
	"cmp"
	"slices"
	"strings"

	"nanotypedb/shared/access"
	"nanotypedb/shared/room"
)

func listMembers(a *API, x *exchange) (any, error) {
	list := MemberList{Members: []Member{}, Invitations: []Invitation{}}
	err := a.Rooms.Read(x.ctx(), x.principal, x.ref(), func(v *room.View) error {
		for _, m := range v.State().Members {
			list.Members = append(list.Members, Member{m.User, m.Name, m.Role})
		}
		for email, role := range v.State().Invitations {
			list.Invitations = append(list.Invitations, Invitation{email, role})
		}
		return nil
	})
	slices.SortFunc(list.Members, func(a, b Member) int { return cmp.Compare(a.User, b.User) })
	slices.SortFunc(list.Invitations, func(a, b Invitation) int { return cmp.Compare(a.Email, b.Email) })
	return list, err
}

// member is the user of the path: "me" is who asks. Something with "@" is not
// a user but an e-mail address, which no user id has.
func (x *exchange) member() (name string, email bool) {
	name = x.r.PathValue("user")
	if name == "me" {
		return x.principal.User.ID, false
	}
	return name, strings.Contains(name, "@")
}

func putMember(a *API, x *exchange) (any, error) {
	var asked MemberRole
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	name, email := x.member()
	var r room.Result
	var err error
	if email {
		r, err = a.Rooms.Invite(x.ctx(), x.principal, x.ref(), name, mustBeRole(asked.Role))
	} else {
		r, err = a.Rooms.SetMember(x.ctx(), x.principal, x.ref(), name, asked.Role)
	}
	if err != nil {
		return nil, err
	}
	a.announce(x.ctx(), r)
	return Membership{name, asked.Role, email}, nil
}

// mustBeRole keeps an empty role, which withdraws an invitation, from being
// given by PUT.
func mustBeRole(role access.Role) access.Role {
	if role == access.None {
		return "none"
	}
	return role
}

func deleteMember(a *API, x *exchange) (any, error) {
	name, email := x.member()
	var r room.Result
	var err error
	if email {
		r, err = a.Rooms.Invite(x.ctx(), x.principal, x.ref(), name, access.None)
	} else {
		r, err = a.Rooms.RemoveMember(x.ctx(), x.principal, x.ref(), name)
	}
	if err != nil {
		return nil, err
	}
	a.announce(x.ctx(), r)
	return nil, nil
}

func join(a *API, x *exchange) (any, error) {
	if err := x.noBody(); err != nil {
		return nil, err
	}
	r, err := a.Rooms.Join(x.ctx(), x.principal, x.ref())
	if err != nil {
		return nil, err
	}
	a.announce(x.ctx(), r)
	user := x.principal.User.ID
	return Membership{User: user, Role: r.State.Members[user].Role}, nil
}

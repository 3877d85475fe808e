package room

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// SetMember gives user a role (owners). User ids are opaque: whether somebody
// signs in by this one is not known, so an owner counts as one from here on. Errors: conflict when no owner would
// remain.
func (e *Engine) SetMember(ctx context.Context, p access.Principal, ref Ref, user string, role access.Role) (Result, error) {
	if err := validUser(user); err != nil {
		return Result{}, err
	}
	if err := validRole(role); err != nil {
		return Result{}, err
	}
	return e.propose(ctx, ref, &proposal{by: p, need: access.Owner, resolve: func(ctx context.Context, b *builder) error {
		return b.setMember(ctx, memberAs(b.state(), p, user, role))
	}})
}

// RemoveMember removes user (owners) or lets p leave. An invitation to his
// address, as far as it is known, is withdrawn with it. Errors: not_found when
// user is no member, conflict when no owner would remain.
func (e *Engine) RemoveMember(ctx context.Context, p access.Principal, ref Ref, user string) (Result, error) {
	if err := validUser(user); err != nil {
		return Result{}, err
	}
	need := access.Owner
	if user == p.User.ID {
		need = access.Viewer
	}
	return e.propose(ctx, ref, &proposal{by: p, need: need, resolve: func(ctx context.Context, b *builder) error {
		m, ok := b.state().Members[user]
		if !ok {
			return fault.At(fault.NotFound, "user", "the user %s is no member of the room", user)
		}
		if err := b.setMember(ctx, access.Member{User: user}); err != nil {
			return err
		}
		if user == p.User.ID {
			m.Email = p.User.Email
		}
		return b.uninvite(ctx, m.Email)
	}})
}

// uninvite withdraws the invitation to an address, if there is one.
func (b *builder) uninvite(ctx context.Context, email string) error {
	email = strings.ToLower(email)
	if _, invited := b.state().Invitations[email]; !invited {
		return nil
	}
	return b.apply(ctx, commitlog.Op{Kind: commitlog.SetInvite, Email: email})
}

// Invite offers a role to whoever signs in with an e-mail address (owners).
// An empty role withdraws the invitation.
func (e *Engine) Invite(ctx context.Context, p access.Principal, ref Ref, email string, role access.Role) (Result, error) {
	email, err := validEmail(email)
	if err != nil {
		return Result{}, err
	}
	if role != access.None {
		if err := validRole(role); err != nil {
			return Result{}, err
		}
	}
	return e.propose(ctx, ref, &proposal{by: p, need: access.Owner, resolve: func(ctx context.Context, b *builder) error {
		if _, invited := b.state().Invitations[email]; !invited && role == access.None {
			return fault.At(fault.NotFound, "email", "%s is not invited", email)
		}
		return b.apply(ctx, commitlog.Op{Kind: commitlog.SetInvite, Email: email, Role: string(role)})
	}})
}

// Join accepts the invitation to p's verified address. A member who is
// invited keeps the higher of both roles. Errors: not_found when p is neither
// invited nor a member, conflict when p is a member already.
func (e *Engine) Join(ctx context.Context, p access.Principal, ref Ref) (Result, error) {
	email := strings.ToLower(p.User.Email)
	return e.propose(ctx, ref, &proposal{by: p, resolve: func(ctx context.Context, b *builder) error {
		role := b.state().Invitations[email]
		if email == "" || !role.Valid() {
			if b.role.Valid() {
				return fault.New(fault.Conflict, "you are a member of the room already")
			}
			return errNoRoom
		}
		if b.role.AtLeast(role) {
			role = b.role
		}
		if err := b.apply(ctx, commitlog.Op{Kind: commitlog.SetInvite, Email: email}); err != nil {
			return err
		}
		return b.setMember(ctx, memberAs(b.state(), p, p.User.ID, role))
	}})
}

// Rename gives a room another display name (owners).
func (e *Engine) Rename(ctx context.Context, p access.Principal, ref Ref, name string) (Result, error) {
	name, err := validRoomName(name)
	if err != nil {
		return Result{}, err
	}
	return e.propose(ctx, ref, &proposal{by: p, need: access.Owner, resolve: func(ctx context.Context, b *builder) error {
		return b.apply(ctx, commitlog.Op{Kind: commitlog.SetRoom, Name: name})
	}})
}

// Delete closes a room and frees its id (owners). The Result is its last
// commit. What is stored of the room goes later; nothing brings it back.
func (e *Engine) Delete(ctx context.Context, p access.Principal, ref Ref) (Result, error) {
	result, err := e.propose(ctx, ref, &proposal{
		by: p, need: access.Owner, kind: commitlog.Closed, closes: true,
		resolve: func(context.Context, *builder) error { return nil },
	})
	if err == nil {
		e.names.forget(result.State.ID, result.Room)
		e.replicas.Forget(result.Room)
	}
	return result, err
}

// memberAs describes a member. What the identity provider told of him is
// known when he acts himself, and kept from then on.
func memberAs(st *replica.State, p access.Principal, user string, role access.Role) access.Member {
	m := st.Members[user]
	m.User, m.Role = user, role
	if user == p.User.ID {
		m.Name, m.Email = p.User.Name, p.User.Email
	}
	return m
}

// setMember applies a membership, or its end, unless no owner would remain.
func (b *builder) setMember(ctx context.Context, m access.Member) error {
	st := b.state()
	if st.Members[m.User].Role == access.Owner && m.Role != access.Owner && owners(st) == 1 {
		return fault.At(fault.Conflict, "user", "a room needs an owner: make somebody else an owner first")
	}
	return b.apply(ctx, commitlog.Op{
		Kind: commitlog.SetMember, User: m.User, Role: string(m.Role), Name: m.Name, Email: m.Email,
		Own: seesOther(st, st.Members[m.User].Role, m.Role),
	})
}

// seesOther tells whether a change of role changes which rows somebody sees.
func seesOther(st *replica.State, was, is access.Role) bool {
	owns := func(t schema.Table) bool { return t.Access == schema.Own }
	return was.Valid() && is.Valid() && (was == access.Owner) != (is == access.Owner) && slices.ContainsFunc(st.Schema.Tables, owns)
}

func owners(st *replica.State) int {
	n := 0
	for _, m := range st.Members {
		if m.Role == access.Owner {
			n++
		}
	}
	return n
}

func validUser(user string) error {
	if user == "" || len(user) > 128 || strings.IndexFunc(user, func(r rune) bool { return r <= ' ' || r > '~' || r == '#' }) >= 0 {
		return fault.At(fault.Invalid, "user", "a user id is 1 to 128 printable ASCII characters without space and #")
	}
	return nil
}

func validRole(role access.Role) error {
	if !role.Valid() {
		return fault.At(fault.Invalid, "role", "a role is owner, editor or viewer")
	}
	return nil
}

// validEmail gives an address in the one form that it is kept and compared in.
func validEmail(email string) (string, error) {
	const most = 254 // RFC 5321 section 4.5.3.1.3, without the angle brackets
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > most || strings.ContainsFunc(email, notForKey) {
		return "", fault.At(fault.Invalid, "email", "this is not an e-mail address")
	}
	return strings.ToLower(email), nil
}

func notForKey(r rune) bool {
	return r == '#' || r <= ' ' || r == utf8.RuneError || unicode.IsControl(r)
}

// maxRoomName is in code points.
const maxRoomName = 200

func validRoomName(name string) (string, error) {
	name = strings.TrimSpace(name)
	n := utf8.RuneCountInString(name)
	if n == 0 || n > maxRoomName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fault.At(fault.Invalid, "name", "a room's name is 1 to %d characters without control characters", maxRoomName)
	}
	return name, nil
}

// Package identitytest is the conformance suite of the identity port.
package identitytest

import (
	"context"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
)

// Skew is how far an issuer's clock and ours may lie apart.
const Skew = 60 * time.Second

// Token describes a token that a harness is to make. The zero Token with a
// name is a good one that is issued now and expires in an hour.
type Token struct {
	Name       string
	Issued     time.Duration // from now
	Expires    time.Duration // from now; 0: an hour
	None       bool          // unsigned, algorithm none
	OtherKey   bool          // signed with a key that is not the issuer's
	Confused   bool          // HS256 with the issuer's public key, or another algorithm with its secret
	Issuer     string        // instead of the right one
	NoExpiry   bool
	NoSubject  bool
	Unverified bool // the e-mail address is not verified
}

// Harness opens a verifier and makes tokens for it.
type Harness struct {
	Verifier identity.Verifier
	Make     func(t *testing.T, token Token) string
}

// Run checks a verifier.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	h := open(t)
	ctx := context.Background()
	t.Run("accepts", func(t *testing.T) { accepts(ctx, t, h) })
	t.Run("refuses", func(t *testing.T) { refuses(ctx, t, h) })
	t.Run("refuses damaged tokens", func(t *testing.T) { refusesDamaged(ctx, t, h) })
}

func accepts(ctx context.Context, t *testing.T, h Harness) {
	for name, token := range map[string]Token{
		"good":               {Name: "ada"},
		"expired in skew":    {Name: "ada", Issued: -time.Hour, Expires: -Skew / 2},
		"issued ahead of us": {Name: "ada", Issued: Skew / 2},
	} {
		user, err := h.Verifier.Verify(ctx, h.Make(t, token))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkUser(t, user)
	}
	again, err := h.Verifier.Verify(ctx, h.Make(t, Token{Name: "ada", Issued: -time.Minute}))
	first, err2 := h.Verifier.Verify(ctx, h.Make(t, Token{Name: "ada"}))
	other, err3 := h.Verifier.Verify(ctx, h.Make(t, Token{Name: "bob"}))
	if err != nil || err2 != nil || err3 != nil || again != first || other.ID == first.ID {
		t.Errorf("ada %+v, %+v, bob %+v (%v %v %v)", again, first, other, err, err2, err3)
	}
	unverified, err := h.Verifier.Verify(ctx, h.Make(t, Token{Name: "ada", Unverified: true}))
	if err != nil || unverified.Email != "" {
		t.Errorf("unverified e-mail: %+v, %v", unverified, err)
	}
}

func checkUser(t *testing.T, user identity.User) {
	t.Helper()
	bad := func(r rune) bool { return r < ' ' || r > '~' || r == '#' }
	if user.ID == "" || len(user.ID) > 128 || strings.ContainsFunc(user.ID, bad) {
		t.Errorf("id %q", user.ID)
	}
	if user.Name == "" || !strings.Contains(user.Email, "@") {
		t.Errorf("user %+v", user)
	}
}

func refuses(ctx context.Context, t *testing.T, h Harness) {
	for name, token := range map[string]Token{
		"expired":            {Name: "ada", Issued: -2 * time.Hour, Expires: -2 * Skew},
		"not yet valid":      {Name: "ada", Issued: 2 * Skew},
		"algorithm none":     {Name: "ada", None: true},
		"foreign key":        {Name: "ada", OtherKey: true},
		"confused algorithm": {Name: "ada", Confused: true},
		"foreign issuer":     {Name: "ada", Issuer: "https://elsewhere.example"},
		"without expiry":     {Name: "ada", NoExpiry: true},
		"without subject":    {Name: "ada", NoSubject: true},
	} {
		if user, err := h.Verifier.Verify(ctx, h.Make(t, token)); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %+v, %v", name, user, err)
		}
	}
}

func refusesDamaged(ctx context.Context, t *testing.T, h Harness) {
	good := h.Make(t, Token{Name: "ada"})
	parts := strings.Split(good, ".")
	flipped := []byte(good)
	flipped[len(flipped)-10] ^= 1
	for _, token := range []string{
		"", "x", "..", strings.Repeat("a", 100_000), good + "x", good[1:], string(flipped),
		parts[0] + "." + parts[1] + ".", parts[0] + "." + parts[1], parts[1] + "." + parts[0] + "." + parts[2],
	} {
		if user, err := h.Verifier.Verify(ctx, token); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%.40q: %+v, %v", token, user, err)
		}
	}
}

// Package devidentity is the built-in issuer of the local runner: whoever says
// a name is that user. It is for development on one's own machine only.
package devidentity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
)

// KeyFile is the name of the signing key's file in the data folder.
const KeyFile = "dev-issuer.key"

// Life is how long a token is valid.
const Life = 30 * 24 * time.Hour

// Limits of a name, in code points, and of a token, in bytes.
const (
	MaxName  = 40
	maxToken = 8 << 10
)

const (
	issuer = "nanotype-dev"
	skew   = 60 * time.Second
)

// Issuer signs and verifies tokens with one Ed25519 key. It implements
// identity.Verifier.
type Issuer struct {
	key    ed25519.PrivateKey
	now    func() time.Time
	parser *jwt.Parser
	known  known
}

// Open reads the key from folder dir, or makes one that only the owner of the
// process can read. now is the clock; nil: time.Now.
func Open(dir string, now func() time.Time) (*Issuer, error) {
	if now == nil {
		now = time.Now
	}
	key, err := readKey(filepath.Join(dir, KeyFile))
	if err != nil {
		return nil, fmt.Errorf("key of the development issuer: %w", err)
	}
	return &Issuer{key: key, now: now, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(skew),
		jwt.WithTimeFunc(now),
	)}, nil
}

// readKey reads the seed in a file, or makes the file. Of two processes that
// make it at once, both end with the one that is linked first.
func readKey(path string) (ed25519.PrivateKey, error) {
	seed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return nil, err
		}
		seed, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s has %d bytes instead of %d; delete it to sign everybody out", path, len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// makeKey writes a seed to a file of its own and links it to its name, so that
// nobody ever reads half a key.
func makeKey(path string) error {
	draft, err := os.CreateTemp(filepath.Dir(path), KeyFile+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails, see crypto/rand
	_, err = draft.Write(seed)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// claims are what a token says.
type claims struct {
	jwt.RegisteredClaims
	Name     string `json:"name"`
	Email    string `json:"email,omitempty"`
	Verified bool   `json:"email_verified,omitempty"`
}

// Issue signs a token for the user with a name: 1 to 40 printable characters.
// The same name, in whatever case, is the same user.
func (i *Issuer) Issue(name string) (string, identity.User, error) {
	user, err := userOf(name)
	if err != nil {
		return "", identity.User{}, err
	}
	now := i.now()
	token, err := i.sign(claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Subject:   user.ID,
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(Life)),
		},
		Name: user.Name, Email: user.Email, Verified: true,
	})
	return token, user, err
}

func (i *Issuer) sign(c claims) (string, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c).SignedString(i.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}

// plain are names that serve as an id and in an address as they are.
var plain = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?$`)

// userOf derives a user from a name. A name that is no good id gets one made
// from its hash; "~" keeps the two kinds apart.
func userOf(name string) (identity.User, error) {
	name = strings.TrimSpace(name)
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	switch n := utf8.RuneCountInString(name); {
	case n < 1 || n > MaxName:
		return identity.User{}, fault.At(fault.Invalid, "name", "A name has 1 to %d characters, this one has %d.", MaxName, n)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable):
		return identity.User{}, fault.At(fault.Invalid, "name", "A name has printable characters only.")
	}
	key, id := strings.ToLower(name), strings.ToLower(name)
	local := key
	if !plain.MatchString(key) || strings.Contains(key, "..") || key == "me" { // "me" is whoever asks
		hash := sha256.Sum256([]byte(key))
		local = strings.ToLower(base32.StdEncoding.EncodeToString(hash[:15]))
		id = "~" + local
	}
	return identity.User{ID: id, Name: name, Email: local + "@dev.localhost"}, nil
}

// Verify implements identity.Verifier. To check a signature takes as long as to
// read a page of rows, so tokens that were found good are known for a while.
func (i *Issuer) Verify(_ context.Context, bearer string) (identity.User, error) {
	if len(bearer) > maxToken {
		return identity.User{}, fault.New(fault.Unauthenticated, "The token is too long.")
	}
	if user, ok := i.known.find(bearer, i.now()); ok {
		return user, nil
	}
	c, err := i.parse(bearer)
	if err != nil {
		return identity.User{}, err
	}
	user := identity.User{ID: c.Subject, Name: c.Name}
	if c.Verified {
		user.Email = c.Email
	}
	// The claims that depend on the clock were looked at with leeway: those of
	// the beginning stay true, and until it expires so does the other.
	i.known.add(bearer, verified{user, c.ExpiresAt.Time})
	return user, nil
}

// parse checks a token that is not known.
func (i *Issuer) parse(bearer string) (c claims, err error) {
	_, err = i.parser.ParseWithClaims(bearer, &c, func(*jwt.Token) (any, error) { return i.key.Public(), nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return c, fault.New(fault.Unauthenticated, "The session has expired; sign in again.").Because(err)
	case err != nil:
		return c, fault.New(fault.Unauthenticated, "The token is not valid; sign in again.").Because(err)
	case c.Subject == "":
		return c, fault.New(fault.Unauthenticated, "The token names no user; sign in again.")
	}
	return c, nil
}

package devidentity

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/identity/identitytest"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

func open(t *testing.T, dir string) *Issuer {
	t.Helper()
	i, err := Open(dir, atNoon)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestConformance(t *testing.T) {
	identitytest.Run(t, func(t *testing.T) identitytest.Harness {
		i := open(t, t.TempDir())
		return identitytest.Harness{Verifier: i, Make: i.make}
	})
}

// make signs what a test asks for.
func (i *Issuer) make(t *testing.T, token identitytest.Token) string {
	t.Helper()
	user, err := userOf(token.Name)
	if err != nil {
		t.Fatal(err)
	}
	c := claims{Name: user.Name, Email: user.Email, Verified: !token.Unverified}
	c.Issuer, c.Subject = issuer, user.ID
	c.IssuedAt = jwt.NewNumericDate(noon.Add(token.Issued))
	c.NotBefore = c.IssuedAt
	if token.Expires == 0 {
		token.Expires = time.Hour
	}
	if !token.NoExpiry {
		c.ExpiresAt = jwt.NewNumericDate(noon.Add(token.Expires))
	}
	if token.Issuer != "" {
		c.Issuer = token.Issuer
	}
	if token.NoSubject {
		c.Subject = ""
	}
	var method jwt.SigningMethod = jwt.SigningMethodEdDSA
	var key any = i.key
	switch {
	case token.None:
		method, key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType
	case token.OtherKey:
		_, key, _ = ed25519.GenerateKey(nil)
	case token.Confused:
		method, key = jwt.SigningMethodHS256, []byte(i.key.Public().(ed25519.PublicKey))
	}
	signed, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestTheKeyIsKeptAndPrivate(t *testing.T) {
	dir := t.TempDir()
	token, _, err := open(t, dir).Issue("ada")
	if err != nil {
		t.Fatal(err)
	}
	if user, err := open(t, dir).Verify(context.Background(), token); err != nil || user.ID != "ada" {
		t.Errorf("after opening again: %+v, %v", user, err)
	}
	if _, err := open(t, t.TempDir()).Verify(context.Background(), token); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("another folder: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

func TestManyOpenOneFolder(t *testing.T) {
	dir := t.TempDir()
	keys := make([]string, 8)
	var wg sync.WaitGroup
	for n := range keys {
		wg.Go(func() {
			if i, err := Open(dir, nil); err != nil {
				t.Error(err)
			} else {
				keys[n] = string(i.key)
			}
		})
	}
	wg.Wait()
	for _, key := range keys {
		if key != keys[0] {
			t.Fatal("two keys for one folder")
		}
	}
}

func TestABrokenKeyIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, KeyFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, nil); err == nil || !strings.Contains(err.Error(), "5 bytes instead of 32") {
		t.Errorf("got %v", err)
	}
	if _, err := Open(filepath.Join(dir, "missing"), nil); err == nil {
		t.Error("opened a folder that does not exist")
	}
}

func TestNames(t *testing.T) {
	i := open(t, t.TempDir())
	for _, c := range []struct{ name, id, email string }{
		{"ada", "ada", "ada@dev.localhost"},
		{"Ada", "ada", "ada@dev.localhost"},
		{" ada ", "ada", "ada@dev.localhost"},
		{"a.b-c_9", "a.b-c_9", "a.b-c_9@dev.localhost"},
		{strings.Repeat("x", 40), strings.Repeat("x", 40), strings.Repeat("x", 40) + "@dev.localhost"},
		{"Ada Lovelace", "~", "@dev.localhost"},
		{"łódź", "~", "@dev.localhost"},
		{"a#b@c", "~", "@dev.localhost"},
		{"Me", "~", "@dev.localhost"},
		{"", "", ""},
		{"   ", "", ""},
		{strings.Repeat("x", 41), "", ""},
		{"a\nb", "", ""},
		{"a\u202eb", "", ""},
		{"a\xffb", "", ""},
	} {
		_, user, err := i.Issue(c.name)
		if c.id == "" {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %+v, %v", c.name, user, err)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(user.ID, c.id) || !strings.HasSuffix(user.Email, c.email) || strings.ContainsAny(user.ID, "#@ ") {
			t.Errorf("%q: %+v, %v", c.name, user, err)
		}
	}
}

func TestSessionHandler(t *testing.T) {
	i := open(t, t.TempDir())
	for _, c := range []struct {
		method, contentType, body string
		status                    int
		contains                  string
	}{
		{"POST", "application/json", `{"name":"ada"}`, 200, `"user":{"id":"ada","name":"ada","email":"ada@dev.localhost"}`},
		{"POST", "application/json; charset=utf-8", `{"name":"Bob"}`, 200, `"token":"ey`},
		{"POST", "application/json", `{"name":""}`, 400, `"path":"name"`},
		{"POST", "application/json", `{"name":7}`, 400, `"path":"name"`},
		{"POST", "application/json", `{}`, 400, `required`},
		{"POST", "application/json", `{"name":"ada","role":"owner"}`, 400, `"path":"role"`},
		{"POST", "application/json", `{"name":"` + strings.Repeat("x", 41) + `"}`, 400, `41`},
		{"POST", "application/json", `nonsense`, 400, `not JSON`},
		{"POST", "text/plain", `{"name":"ada"}`, 415, `application/json`},
		{"POST", "application/json", `{"name":"` + strings.Repeat("x", 5<<20) + `"}`, 413, `too_large`},
		{"GET", "", ``, 405, `POST`},
	} {
		r := httptest.NewRequest(c.method, "/v1/dev/session", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		w := httptest.NewRecorder()
		SessionHandler(i).ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.contains) {
			t.Errorf("%s %.60s: %d %s", c.method, c.body, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) || (w.Code == http.StatusOK && strings.Contains(w.Header().Get("Content-Type"), "problem")) {
			t.Errorf("%s %.60s: %s", c.method, c.body, w.Header())
		}
	}
	_, a, _ := i.Issue("ada")
	_, b, _ := i.Issue("ada")
	if a != b || a == (identity.User{}) {
		t.Errorf("%+v and %+v", a, b)
	}
}

// TestAKnownTokenExpiresAllTheSame verifies one token while the clock goes on.
func TestAKnownTokenExpiresAllTheSame(t *testing.T) {
	now := noon
	i, err := Open(t.TempDir(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := i.Issue("ada")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		good  bool
	}{{0, true}, {Life / 2, true}, {Life - 1, true}, {Life + skew - time.Second, true}, {Life + skew + time.Second, false}} {
		now = noon.Add(step.after)
		user, err := i.Verify(context.Background(), token)
		if good := err == nil && user.ID == "ada"; good != step.good {
			t.Errorf("after %s: %+v, %v", step.after, user, err)
		}
	}
}

// TestAKnownTokenIsKnownAsAWhole changes a character of a good token.
func TestAKnownTokenIsKnownAsAWhole(t *testing.T) {
	i := open(t, t.TempDir())
	for n := range maxKnown + 1 { // more than are remembered
		token, user, err := i.Issue(fmt.Sprint("user", n))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := i.Verify(context.Background(), token); err != nil || got != user {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		forged := []byte(token)
		forged[len(forged)-10] ^= 1
		if _, err := i.Verify(context.Background(), string(forged)); err == nil {
			t.Fatal("a forged token was taken")
		}
	}
	if len(i.known.byToken) > maxKnown {
		t.Errorf("%d tokens are remembered", len(i.known.byToken))
	}
}

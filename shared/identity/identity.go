// Package identity is the port that verifies who sent a bearer token. The
// embedded adapter is devidentity, the AWS adapter oidcidentity; both pass
// identitytest.
package identity

import "context"

// User is who a token speaks for. ID is stable and opaque, at most 128
// printable ASCII characters without "#". Email is empty unless the issuer
// says that it is verified.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

// Verifier checks bearer tokens. It may be called concurrently.
type Verifier interface {
	// Verify returns the user of a valid token, or a *fault.Error
	// unauthenticated that says what is wrong with it, or unavailable when
	// the issuer's keys cannot be read.
	Verify(ctx context.Context, bearer string) (User, error)
}

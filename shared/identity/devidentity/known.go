package devidentity

import (
	"sync"
	"time"

	"nanotypedb/shared/identity"
)

// maxKnown bounds the tokens that are known, which bounds their memory.
const maxKnown = 256

// known are tokens whose signature was checked.
type known struct {
	mu      sync.RWMutex
	byToken map[string]verified
}

// verified is what a token said. From expires on the token is checked anew.
type verified struct {
	user    identity.User
	expires time.Time
}

func (k *known) find(token string, now time.Time) (identity.User, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	v, ok := k.byToken[token]
	return v.user, ok && now.Before(v.expires)
}

// add remembers a token; when there are too many, the others are forgotten.
func (k *known) add(token string, v verified) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byToken == nil || len(k.byToken) >= maxKnown {
		k.byToken = map[string]verified{}
	}
	k.byToken[token] = v
}

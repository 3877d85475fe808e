package devidentity

import (
	"encoding/json"
	"net/http"

	"nanotypedb/shared/identity"
	"nanotypedb/shared/wire"
)

// SessionHandler answers POST /v1/dev/session {"name"} with a token for the
// user of that name. Only the local runner mounts it.
func SessionHandler(i *Issuer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := i.session(w, r)
		if err != nil {
			wire.WriteProblem(w, err, "")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(session) // the client has gone: nobody to tell
	})
}

type session struct {
	Token string        `json:"token"`
	User  identity.User `json:"user"`
}

func (i *Issuer) session(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, wire.Status(http.StatusMethodNotAllowed, "Sessions are made by POST.")
	}
	var asked struct {
		Name string `json:"name"`
	}
	if err := wire.DecodeBody(w, r, &asked); err != nil {
		return nil, err
	}
	token, user, err := i.Issue(asked.Name)
	if err != nil {
		return nil, err
	}
	return json.Marshal(session{token, user})
}

// Package signedblob gives out addresses of the blobs of any store and serves
// them: what S3 does by itself, for a store that is a directory. An address
// carries what it is for, when it expires, and an HMAC-SHA256 over both.
package signedblob

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/wire"
)

// Path is where the server's handler must be reachable.
const Path = "/v1/blobs/"

// Server signs addresses and answers them.
type Server struct {
	store  blob.Store
	base   string
	secret []byte
	now    func() time.Time
}

var _ blob.Presigner = (*Server)(nil)

// New returns a server of a store's blobs. base, as "http://localhost:8787",
// is put before Path in addresses; empty: they are paths. Addresses of one
// server are worth nothing at another. A nil now is time.Now.
func New(store blob.Store, base string, now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	return &Server{store: store, base: base, secret: secret, now: now}
}

// PresignGet implements blob.Presigner.
func (s *Server) PresignGet(_ context.Context, key string, as blob.Download, life time.Duration) (blob.Address, error) {
	if err := blob.ValidateAddress(key, as, 0, life); err != nil {
		return blob.Address{}, err
	}
	return s.address(http.MethodGet, key, url.Values{"name": {as.Name}, "type": {as.Type}}, life), nil
}

// PresignPut implements blob.Presigner.
func (s *Server) PresignPut(_ context.Context, key string, size int64, life time.Duration) (blob.Address, error) {
	if err := blob.ValidateAddress(key, blob.Download{}, size, life); err != nil {
		return blob.Address{}, err
	}
	return s.address(http.MethodPut, key, url.Values{"size": {strconv.FormatInt(size, 10)}}, life), nil
}

func (s *Server) address(method, key string, query url.Values, life time.Duration) blob.Address {
	expires := s.now().Add(life)
	query.Set("expires", strconv.FormatInt(expires.UnixMilli(), 10))
	query.Set("signature", s.sign(method, key, query))
	return blob.Address{Method: method, URL: s.base + Path + key + "?" + query.Encode(), Expires: expires}
}

// sign covers everything of an address but the signature itself.
func (s *Server) sign(method, key string, query url.Values) string {
	signed := url.Values{}
	for name, values := range query {
		if name != "signature" {
			signed[name] = values
		}
	}
	mac := hmac.New(sha256.New, s.secret)
	_, _ = io.WriteString(mac, method+"\n"+key+"\n"+signed.Encode())
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// ServeHTTP answers requests to addresses that this server gave out.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*") // an address is all it takes
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, PUT")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := s.serve(w, r); err != nil {
		wire.WriteProblem(w, err, "")
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	key, query := strings.TrimPrefix(r.URL.Path, Path), r.URL.Query()
	if !hmac.Equal([]byte(query.Get("signature")), []byte(s.sign(r.Method, key, query))) {
		return fault.New(fault.Forbidden, "This address was not made for this request.")
	}
	expires, err := strconv.ParseInt(query.Get("expires"), 10, 64)
	if err != nil || s.now().UnixMilli() >= expires {
		return fault.New(fault.Forbidden, "This address has expired; ask for a new one.")
	}
	if r.Method == http.MethodPut {
		return s.put(w, r, key, query)
	}
	return s.get(w, r, key, query)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, key string, query url.Values) error {
	content, info, err := s.store.Get(r.Context(), key)
	if errors.Is(err, blob.ErrNotFound) {
		return fault.New(fault.NotFound, "The file is not kept any more.")
	}
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if kind := query.Get("type"); kind != "" {
		h.Set("Content-Type", kind)
	}
	h.Set("Content-Disposition", blob.Download{Name: query.Get("name")}.Disposition())
	h.Set("Content-Length", strconv.FormatInt(info.Size, 10))
	if _, err := io.Copy(w, content); err != nil {
		panic(http.ErrAbortHandler) // the client sees that the download is cut off
	}
	return nil
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, key string, query url.Values) error {
	size, err := strconv.ParseInt(query.Get("size"), 10, 64)
	if err != nil || r.ContentLength != size {
		return fault.New(fault.Forbidden, "This address takes %s bytes, and Content-Length says %d.", query.Get("size"), r.ContentLength)
	}
	// The server's deadline is meant for small requests.
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(blob.MaxAddressLife)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	err = s.store.PutNew(r.Context(), key, r.Body, size)
	switch {
	case errors.Is(err, blob.ErrExists):
		return wire.Status(http.StatusPreconditionFailed, "Something was uploaded to this address already.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.Invalid, "The upload ended too early.")
	case err != nil:
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

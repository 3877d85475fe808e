package signedblob_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/blob/signedblob"
)

func open(t *testing.T) *dirblob.Store {
	t.Helper()
	s, err := dirblob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Put(t.Context(), "a", strings.NewReader("content"), -1); err != nil {
		t.Fatal(err)
	}
	return s
}

func status(h http.Handler, method, url, body string) int {
	out := httptest.NewRecorder()
	h.ServeHTTP(out, httptest.NewRequest(method, url, strings.NewReader(body)))
	return out.Code
}

func TestAnAddressExpires(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	s := signedblob.New(open(t), "", func() time.Time { return now })
	get, err := s.PresignGet(t.Context(), "a", blob.Download{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	put, err := s.PresignPut(t.Context(), "b", 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute - time.Millisecond)
	if got := status(s, get.Method, get.URL, ""); got != http.StatusOK {
		t.Errorf("in time: %d", got)
	}
	now = now.Add(time.Millisecond)
	for _, a := range []blob.Address{get, put} {
		if got := status(s, a.Method, a.URL, "x"); got != http.StatusForbidden {
			t.Errorf("%s after its time: %d", a.Method, got)
		}
	}
}

func TestAddressesOfAnotherServerAreWorthNothing(t *testing.T) {
	store := open(t)
	a, err := signedblob.New(store, "", nil).PresignGet(t.Context(), "a", blob.Download{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if got := status(signedblob.New(store, "", nil), a.Method, a.URL, ""); got != http.StatusForbidden {
		t.Errorf("%d", got)
	}
}

func TestPagesOfOtherOriginsMayUseAnAddress(t *testing.T) {
	out := httptest.NewRecorder()
	signedblob.New(open(t), "", nil).ServeHTTP(out, httptest.NewRequest("OPTIONS", signedblob.Path+"a", nil))
	if out.Code != http.StatusNoContent || out.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v", out.Code, out.Header())
	}
}

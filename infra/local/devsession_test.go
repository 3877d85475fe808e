package local

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestDevSessionAnswersOnlyToThisHost(t *testing.T) {
	session := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	tests := []struct {
		host   string
		status int
	}{
		{"localhost:8787", 200},
		{"LOCALHOST", 200},
		{"app.localhost:8787", 200},
		{"127.0.0.1:8787", 200},
		{"[::1]:8787", 200},
		{"192.168.1.20:8787", 200},
		{"laptop.lan:8787", 200},
		{"rebound.example:8787", 403},
		{"localhost.example", 403},
		{"", 403},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/v1/dev/session", nil)
			r.Host = tt.host
			w := httptest.NewRecorder()
			devSession(session, "laptop.lan:8787").ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
		})
	}
}

func TestDevSessionMayBeCalledFromOtherOrigins(t *testing.T) {
	r := httptest.NewRequest(http.MethodOptions, "/v1/dev/session", nil)
	r.Host = "localhost:8787"
	w := httptest.NewRecorder()
	devSession(http.NotFoundHandler(), "127.0.0.1:8787").ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Headers") != "Content-Type" {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}

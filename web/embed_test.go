package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestHandler(t *testing.T) {
	built := fstest.MapFS{
		"index.html":       {Data: []byte("<title>the page</title>")},
		"assets/app-1a.js": {Data: []byte("run()")},
		"favicon.svg":      {Data: []byte("<svg/>")},
	}
	empty := fstest.MapFS{".gitkeep": {}}
	tests := []struct {
		name, method, path string
		files              fstest.MapFS
		status             int
		contains, cache    string
	}{
		{"the page", "GET", "/", built, 200, "the page", "no-cache"},
		{"a deep link", "GET", "/rooms/plans/tables/tasks", built, 200, "the page", "no-cache"},
		{"a hashed file", "GET", "/assets/app-1a.js", built, 200, "run()", "public, max-age=31536000, immutable"},
		{"another file", "GET", "/favicon.svg", built, 200, "<svg/>", ""},
		{"a missing file", "GET", "/assets/gone.js", built, 404, "404", ""},
		{"another method", "POST", "/rooms", built, 405, "GET", ""},
		{"without a build", "GET", "/rooms/x", empty, 200, "make web", "no-cache"},
		{"a folder", "GET", "/assets", built, 200, "the page", "no-cache"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler(tt.files).ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.contains) {
				t.Errorf("got %d %q", w.Code, w.Body)
			}
			if got := w.Header().Get("Cache-Control"); got != tt.cache {
				t.Errorf("Cache-Control %q, want %q", got, tt.cache)
			}
			if tt.status == 200 && !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'self'") {
				t.Error("no policy")
			}
		})
	}
}

func TestBuiltNeverFails(t *testing.T) {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
}

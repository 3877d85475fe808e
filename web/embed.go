// Package web carries the built UI in the binary. Built with the tag no_ui,
// or before the UI was built, it serves a page that says how to build it.
package web

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// policy lets the page load its own files and talk to its own host only.
const policy = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; " +
	"connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"

const unbuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Nanotype DB</title>
<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
<h1>Nanotype DB is running</h1>
<p>The page has not been built into this program. With Node 20 or newer, run <code>make web</code> (or <code>make dev</code>) and start again.</p>
<p>The API answers at <a href="/v1/me">/v1</a>, described in <a href="/openapi.json">/openapi.json</a>.</p>
</html>
`

// Handler serves the UI: its files, and the page for every address without a
// file, so that deep links work.
func Handler() http.Handler { return handler(built()) }

func handler(files fs.FS) http.Handler {
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return document([]byte(unbuilt))
	}
	static, shell := http.FileServerFS(files), document(page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		info, err := fs.Stat(files, name)
		if err != nil || info.IsDir() || name == "index.html" {
			if path.Ext(name) != "" && name != "index.html" {
				http.NotFound(w, r)
				return
			}
			shell.ServeHTTP(w, r)
			return
		}
		secure(w.Header())
		if strings.HasPrefix(name, "assets/") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		static.ServeHTTP(w, r)
	})
}

func document(page []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "this address has a page, to be read with GET", http.StatusMethodNotAllowed)
			return
		}
		secure(w.Header())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(page)
	})
}

func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
}

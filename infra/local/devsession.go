package local

import (
	"net"
	"net/http"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/wire"
)

// devSession guards the development sign-in, which makes anybody whoever he
// says he is. A page of the open web must not reach it through a name of its
// own that it lets point at this machine (DNS rebinding): only this host's
// own names are answered to. Pages of other origins may call it like the rest
// of the API, as those of a development server do.
func devSession(session http.Handler, addr string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ownName(r.Host, addr) {
			wire.WriteProblem(w, fault.New(fault.Forbidden,
				"The development sign-in answers only to localhost, an IP address or the host of NANO_ADDR."), "")
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Methods", "POST")
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		session.ServeHTTP(w, r)
	})
}

// ownName reports whether a Host header names this machine.
func ownName(header, addr string) bool {
	host := hostOf(header)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil ||
		host != "" && host == hostOf(addr)
}

func hostOf(hostPort string) string {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	return strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
}

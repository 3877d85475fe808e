package blobtest

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/fault"
)

var addressCases = []testCase{
	{"address/download", testDownload},
	{"address/upload once", testUpload},
	{"address/what is uploaded has the size that was signed", testUploadSize},
	{"address/a changed one is refused", testChangedAddress},
	{"address/without a signature it is refused", testUnsignedAddress},
	{"address/bad arguments are refused", testBadAddresses},
}

// signer gives the addresses of the store under test.
func (s *subject) signer() blob.Presigner {
	s.Helper()
	if s.harness.Sign == nil {
		s.Skip("the adapter gives no addresses")
	}
	return s.harness.Sign(s.T, s.Store)
}

// use makes the request of an address.
func (s *subject) use(a blob.Address, body string) (status int, content string, header http.Header) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.ctx(), a.Method, a.URL, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for name, value := range a.Headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

func (s *subject) addressOf(a blob.Address, err error) blob.Address {
	s.Helper()
	if err != nil {
		s.Fatalf("sign: %v", err)
	}
	if until := time.Until(a.Expires); until <= 0 || until > time.Minute {
		s.Fatalf("the address expires in %v, not in a minute", until)
	}
	return a
}

func testDownload(s *subject) {
	signer := s.signer()
	s.put("a", "the content")
	as := blob.Download{Name: "tasks 1.csv", Type: "text/csv"}
	status, content, header := s.use(s.addressOf(signer.PresignGet(s.ctx(), s.prefix+"a", as, time.Minute)), "")
	if status != http.StatusOK || content != "the content" {
		s.Fatalf("%d %q", status, content)
	}
	if got := header.Get("Content-Disposition"); got != `attachment; filename="tasks 1.csv"` {
		s.Errorf("Content-Disposition is %q", got)
	}
	if got := header.Get("Content-Type"); got != "text/csv" {
		s.Errorf("Content-Type is %q", got)
	}
	status, _, _ = s.use(s.addressOf(signer.PresignGet(s.ctx(), s.prefix+"nothing", blob.Download{}, time.Minute)), "")
	if status != http.StatusNotFound {
		s.Errorf("what is not there: %d", status)
	}
}

func testUpload(s *subject) {
	a := s.addressOf(s.signer().PresignPut(s.ctx(), s.prefix+"a", 11, time.Minute))
	if status, text, _ := s.use(a, "the content"); status != http.StatusOK {
		s.Fatalf("%d %s", status, text)
	}
	s.has("a", "the content")
	if status, _, _ := s.use(a, "other bytes"); status != http.StatusPreconditionFailed {
		s.Errorf("again: %d, want 412", status)
	}
	s.has("a", "the content")
}

func testUploadSize(s *subject) {
	a := s.addressOf(s.signer().PresignPut(s.ctx(), s.prefix+"a", 11, time.Minute))
	for _, body := range []string{"", "the conten", "the content!"} {
		if status, _, _ := s.use(a, body); status < 400 {
			s.Errorf("%d bytes: %d", len(body), status)
		}
		s.absent("a")
	}
}

func testChangedAddress(s *subject) {
	signer := s.signer()
	s.put("a", "public")
	s.put("b", "secret")
	get := s.addressOf(signer.PresignGet(s.ctx(), s.prefix+"a", blob.Download{Name: "x"}, time.Minute))
	changed := map[string]func(*blob.Address, *url.URL){
		"another key":    func(_ *blob.Address, u *url.URL) { u.Path = u.Path[:len(u.Path)-1] + "b" },
		"another method": func(a *blob.Address, _ *url.URL) { a.Method = http.MethodPut },
		"a longer life": func(_ *blob.Address, u *url.URL) {
			q := u.Query()
			for _, name := range []string{"expires", "X-Amz-Expires"} {
				if q.Has(name) {
					q.Set(name, q.Get(name)+"0")
				}
			}
			u.RawQuery = q.Encode()
		},
	}
	for name, change := range changed {
		a := get
		u, err := url.Parse(get.URL)
		if err != nil {
			s.Fatal(err)
		}
		change(&a, u)
		a.URL = u.String()
		if status, text, _ := s.use(a, ""); status != http.StatusForbidden || strings.Contains(text, "secret") || strings.Contains(text, "public") {
			s.Errorf("%s: %d %s", name, status, text)
		}
	}
	s.has("a", "public")
}

func testUnsignedAddress(s *subject) {
	signer := s.signer()
	s.put("a", "secret")
	a := s.addressOf(signer.PresignGet(s.ctx(), s.prefix+"a", blob.Download{}, time.Minute))
	a.URL, _, _ = strings.Cut(a.URL, "?")
	if status, text, _ := s.use(a, ""); status != http.StatusForbidden || strings.Contains(text, "secret") {
		s.Errorf("%d %s", status, text)
	}
}

func testBadAddresses(s *subject) {
	signer := s.signer()
	bad := func(what string, err error) {
		s.Helper()
		if !fault.Is(err, fault.Invalid) {
			s.Errorf("%s: %v, want invalid", what, err)
		}
	}
	get := func(key string, as blob.Download, life time.Duration) error {
		_, err := signer.PresignGet(s.ctx(), key, as, life)
		return err
	}
	bad("a key", get("../a", blob.Download{}, time.Minute))
	bad("no time", get(s.prefix+"a", blob.Download{}, 0))
	bad("too much time", get(s.prefix+"a", blob.Download{}, blob.MaxAddressLife+time.Second))
	bad("a name", get(s.prefix+"a", blob.Download{Name: "a\"\r\nX: y"}, time.Minute))
	bad("a type", get(s.prefix+"a", blob.Download{Type: "text/html\n"}, time.Minute))
	_, err := signer.PresignPut(s.ctx(), s.prefix+"a", -1, time.Minute)
	bad("a size", err)
}

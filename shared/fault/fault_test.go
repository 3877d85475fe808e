package fault

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"
)

func TestErrorGivesCodePathReasonAndCause(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{New(Invalid, "has %d", 3), "invalid: has 3"},
		{At(Conflict, "ops[0].row.title", "is taken"), "conflict: ops[0].row.title: is taken"},
		{New(Internal, "oh").Because(io.EOF), "internal: oh: EOF"},
		{Under("ops[1]", At(Invalid, "row", "no").Because(io.EOF)), "invalid: ops[1].row: no: EOF"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestUnderPutsPathsTogether(t *testing.T) {
	for _, c := range []struct{ prefix, path, want string }{
		{"ops", "", "ops"}, {"ops", "[2]", "ops[2]"}, {"ops[2]", "row", "ops[2].row"}, {"ops", "[2].row.title", "ops[2].row.title"},
	} {
		inner := At(Invalid, c.path, "no")
		var got *Error
		if !errors.As(Under(c.prefix, inner), &got) || got.Path != c.want {
			t.Errorf("%q under %q: got %q, want %q", c.path, c.prefix, got.Path, c.want)
		}
		if inner.Path != c.path {
			t.Errorf("the error itself was changed to %q", inner.Path)
		}
	}
	if got := Under("ops", io.EOF); got != io.EOF {
		t.Errorf("another type of error came back as %v", got)
	}
	if got := Under("ops", nil); got != nil {
		t.Errorf("nil came back as %v", got)
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Code
	}{
		{nil, ""}, {io.EOF, Internal}, {New(NotFound, "no"), NotFound}, {fmt.Errorf("read: %w", New(NotFound, "no")), NotFound},
		{New(Unavailable, "no").Because(New(NotFound, "no")), Unavailable},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
		for _, code := range Codes {
			if got := Is(c.err, code); got != (code == c.want) {
				t.Errorf("%v is %s: %t", c.err, code, got)
			}
		}
	}
}

func TestCopiesLeaveTheOriginalAlone(t *testing.T) {
	base := New(RateLimited, "wait").With("a", 1)
	changed := base.With("b", 2).After(time.Second).Because(io.EOF)
	if !reflect.DeepEqual(base.Details, map[string]any{"a": 1}) || base.RetryAfter != 0 || base.Unwrap() != nil {
		t.Errorf("the original became %+v", base)
	}
	if !reflect.DeepEqual(changed.Details, map[string]any{"a": 1, "b": 2}) || changed.RetryAfter != time.Second || !errors.Is(changed, io.EOF) {
		t.Errorf("got %+v", changed)
	}
}

func TestCodesAreUnique(t *testing.T) {
	seen := map[Code]bool{}
	for _, code := range Codes {
		if code == "" || seen[code] {
			t.Errorf("code %q is empty or comes twice", code)
		}
		seen[code] = true
	}
}

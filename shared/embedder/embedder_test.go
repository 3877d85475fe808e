package embedder_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
)

func TestClasses(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cause := errors.New("secret detail")
	for _, c := range []struct {
		err   error
		class embedder.Class
		code  fault.Code
	}{
		{nil, "", ""},
		{embedder.Refuse("no"), embedder.Refused, fault.Invalid},
		{embedder.Throttle(time.Second), embedder.Throttled, fault.RateLimited},
		{embedder.Unreached("down").Because(cause), embedder.Unavailable, fault.Unavailable},
		{embedder.Wrong("odd").Because(cause), embedder.WrongAnswer, fault.Unavailable},
		{embedder.Stopped(ctx), embedder.Unavailable, fault.Unavailable},
		{cause, embedder.Unavailable, fault.Internal},
	} {
		if got := embedder.ClassOf(c.err); got != c.class {
			t.Errorf("%v has class %q, want %q", c.err, got, c.class)
		}
		if got := fault.CodeOf(c.err); got != c.code {
			t.Errorf("%v has code %q, want %q", c.err, got, c.code)
		}
	}
	if !errors.Is(embedder.Stopped(ctx), context.Canceled) || !errors.Is(embedder.Wrong("x").Because(cause), cause) {
		t.Error("the cause is lost")
	}
	var public *fault.Error
	if !errors.As(embedder.Throttle(3*time.Second), &public) || public.RetryAfter != 3*time.Second {
		t.Errorf("retry after %v", public.RetryAfter)
	}
	if errors.As(embedder.Unreached("down").Because(cause), &public); public.Reason != "down" {
		t.Errorf("public reason %q", public.Reason)
	}
}

func TestFinish(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		answer []float32
		class  embedder.Class
	}{
		{[]float32{3, 4}, ""},
		{[]float32{0, 1e-30}, ""},
		{[]float32{math.MaxFloat32, math.MaxFloat32}, ""},
		{nil, embedder.WrongAnswer},
		{[]float32{1}, embedder.WrongAnswer},
		{[]float32{1, 0, 0}, embedder.WrongAnswer},
		{[]float32{0, 0}, embedder.WrongAnswer},
		{[]float32{1, nan}, embedder.WrongAnswer},
		{[]float32{-inf, 1}, embedder.WrongAnswer},
	} {
		result := embedder.Finish(c.answer, 2)
		if embedder.ClassOf(result.Err) != c.class || (result.Err == nil) != (len(result.Vector) == 2) {
			t.Errorf("%v: got %v", c.answer, result)
		}
	}
	if v := embedder.Finish([]float32{3, 4}, 2).Vector; v[0] != 0.6 || v[1] != 0.8 {
		t.Errorf("not normalised: %v", v)
	}
}

func TestCheckTexts(t *testing.T) {
	limits := embedder.Limits{Texts: 3, Bytes: 4}
	results, passed := embedder.CheckTexts([]string{"good", "", "long text"}, limits)
	if len(results) != 3 || len(passed) != 1 || passed[0] != 0 || results[0].Err != nil {
		t.Errorf("got %v, %v", results, passed)
	}
	if results, passed = embedder.CheckTexts([]string{"a", "b", "c", "d"}, limits); len(results) != 4 || passed != nil {
		t.Errorf("too many: got %v, %v", results, passed)
	}
}

func TestCheckModel(t *testing.T) {
	for name, ok := range map[string]bool{
		"": false, "a b": false, "é": false, "a#b": false, strings.Repeat("x", 129): false,
		"static/minilm-1:256": true, "amazon.titan-embed-text-v2:0/512": true, "nomic_embed": true,
	} {
		if err := embedder.CheckModel(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

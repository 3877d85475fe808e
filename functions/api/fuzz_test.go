package api

import (
	"encoding/json"
	"net/url"
	"testing"
)

// FuzzConditions: whatever the query, the conditions are JSON objects by
// column, or it is refused.
func FuzzConditions(f *testing.F) {
	f.Add("status=completed&limit=5")
	f.Add("size[gt]=4&size[lt]=6&id[in]=[\"a\"]")
	f.Add("a[=1&]b=2&c[eq]=%00&c=\xff")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		where, err := conditions(query)
		if err != nil {
			return
		}
		for column, list := range where {
			var object map[string]json.RawMessage
			if err := json.Unmarshal(list, &object); err != nil || len(object) == 0 {
				t.Errorf("%q gives %s for %q", raw, list, column)
			}
		}
	})
}

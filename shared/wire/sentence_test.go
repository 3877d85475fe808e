package wire

import (
	"fmt"
	"testing"

	"nanotypedb/shared/fault"
)

func TestReasonsAreSentences(t *testing.T) {
	for reason, want := range map[string]string{
		"a limit is 1 to 1000":               "A limit is 1 to 1000.",
		"Send the body as application/json.": "Send the body as application/json.",
		"3 rows do not fit column x (a, …)":  "3 rows do not fit column x (a, …).",
		`"x" is no number`:                   `"x" is no number.`,
		"createTable needs columns":          "createTable needs columns.",
		"insert needs row":                   "insert needs row.",
		"ada@example.com is not invited":     "ada@example.com is not invited.",
		"is that so?":                        "Is that so?",
		"it's taken: it ends with …":         "It's taken: it ends with …",
		"élan is lost":                       "Élan is lost.",
		"":                                   "",
	} {
		if got := sentence(reason); got != want {
			t.Errorf("%q became %q, not %q", reason, got, want)
		}
	}
	if got := sentenceAt("ops[0].row.title", "title is required"); got != "title is required." {
		t.Errorf("a column became %q", got)
	}
	err := fmt.Errorf("wrapped: %w", fault.At(fault.Conflict, "id", "a row has this id already").With("seq", 7))
	if got := Public(err); got.Reason != "A row has this id already." || got.Path != "id" || got.Details["seq"] != 7 || got.Code != fault.Conflict {
		t.Errorf("got %+v", got)
	}
}

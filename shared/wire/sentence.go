package wire

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// terms are words of requests that are all lower case letters, as they must
// be written: a sentence that begins with one keeps it.
var terms = []string{
	"insert", "update", "delete", "eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "since", "limit", "cursor", "order", "where",
}

// sentenceAt is sentence for a reason that may begin with the name of the
// field that it is about.
func sentenceAt(path, reason string) string {
	word, _, _ := strings.Cut(reason, " ")
	if slices.Contains(strings.Split(path, "."), word) {
		return stopped(reason)
	}
	return sentence(reason)
}

// sentence gives a reason the form that people read: a capital at its
// beginning, unless that is a name or value, and a full stop at its end.
func sentence(reason string) string {
	word, _, _ := strings.Cut(reason, " ")
	first, size := utf8.DecodeRuneInString(reason)
	if unicode.IsLower(first) && plain(word) && !slices.Contains(terms, word) {
		reason = string(unicode.ToUpper(first)) + reason[size:]
	}
	return stopped(reason)
}

func stopped(reason string) string {
	if last, _ := utf8.DecodeLastRuneInString(reason); reason == "" || strings.ContainsRune(".!?…", last) {
		return reason
	}
	return reason + "."
}

// plain tells a word from an identifier, an address or a value.
func plain(word string) bool {
	word = strings.TrimRight(word, ",:;")
	return !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLower(r) && r != '\'' && r != '-' })
}

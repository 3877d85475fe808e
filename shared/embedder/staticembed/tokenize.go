package staticembed

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxWord is the length, in characters, above which a word is unknown.
const maxWord = 100

// words splits a text as BERT's uncased models do: control characters are
// dropped, accents stripped, letters lowered, and every punctuation mark and
// every Chinese character is a word of its own.
// Source: the BertNormalizer and BertPreTokenizer of Hugging Face's tokenizers.
func words(text string) []string {
	var found []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			found = append(found, word.String())
			word.Reset()
		}
	}
	for _, r := range norm.NFD.String(spaced(text)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r):
			end()
		case isPunctuation(r):
			end()
			found = append(found, string(unicode.ToLower(r)))
		default:
			word.WriteRune(unicode.ToLower(r))
		}
	}
	end()
	return found
}

// spaced drops control characters and sets Chinese characters apart. It comes
// before the decomposition, which joins compatible characters to common ones.
func spaced(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		switch {
		case r == 0 || r == unicode.ReplacementChar || isControl(r):
		case isChinese(r):
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isControl(r rune) bool {
	if r == '\t' || r == '\n' || r == '\r' {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co)
}

// isPunctuation counts all of ASCII that is neither letter, digit nor space,
// which Unicode calls symbols in part.
func isPunctuation(r rune) bool {
	if r < 128 {
		return r > ' ' && r < 127 && !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}
	return unicode.IsPunct(r)
}

// isChinese has the blocks of the reference, without Hiragana, Katakana and
// Hangul.
func isChinese(r rune) bool {
	for _, block := range chinese {
		if r >= block[0] && r <= block[1] {
			return true
		}
	}
	return false
}

var chinese = [][2]rune{
	{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F},
	{0x2B920, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F},
}

// pieces appends the tokens of a word to found, each the longest that fits
// (WordPiece). False when the word is unknown; then found is as it was.
func (t *table) pieces(word string, found []int) ([]int, bool) {
	if len(word) > maxWord && utf8.RuneCountInString(word) > maxWord {
		return found, false
	}
	known := found
	prefix := ""
	for word != "" {
		token, size := t.longestPrefix(prefix, word)
		if size == 0 {
			return found, false
		}
		known = append(known, token)
		word, prefix = word[size:], "##"
	}
	return known, true
}

// longestPrefix finds the longest token that is prefix and the beginning of
// word, and how much of word it takes: 0 when there is none.
func (t *table) longestPrefix(prefix, word string) (token, size int) {
	var buffer [256]byte
	key := append(buffer[:0], prefix...)
	key = append(key, word[:min(len(word), t.longest-len(prefix))]...)
	for ; len(key) > len(prefix); key = key[:len(key)-1] {
		if token, ok := t.index[string(key)]; ok {
			return int(token), len(key) - len(prefix)
		}
	}
	return 0, 0
}

package schema

import (
	"strings"

	"nanotypedb/shared/fault"
)

// Lengths of names and ids.
const (
	maxName  = 63
	maxRowID = 64
)

// reservedColumns are the names of what stands beside the columns in a row on
// the wire; the others begin with an underscore, which no column does.
var reservedColumns = map[string]bool{"id": true}

// ValidName checks the name of a table or column, and kind, "table" or
// "column", is for the error: fault invalid. A column cannot be called id, and
// a table not sqlite_…, which SQLite keeps for itself.
func ValidName(kind, s string) error {
	switch {
	case !matches(s, maxName, isLower, isNamePart):
		return fault.New(fault.Invalid,
			"%q is no %s name: 1 to %d of a-z, 0-9 and _, beginning with a letter", shorten(s), kind, maxName)
	case kind == "column" && reservedColumns[s], kind == "table" && strings.HasPrefix(s, "sqlite_"):
		return fault.New(fault.Invalid, "the %s name %q is reserved", kind, s)
	}
	return nil
}

// ValidRowID checks the id of a row. Error: fault invalid.
func ValidRowID(s string) error {
	if !matches(s, maxRowID, isIDPart, isIDPart) {
		return fault.New(fault.Invalid, "%q is no row id: 1 to %d of A-Z, a-z, 0-9, - and _", shorten(s), maxRowID)
	}
	return nil
}

// ValidRoomID checks the id of a room that users see. Error: fault invalid.
func ValidRoomID(s string) error {
	if !matches(s, maxName, isRoomStart, isRoomPart) {
		return fault.New(fault.Invalid,
			"%q is no room id: 1 to %d of a-z, 0-9 and -, not beginning with -", shorten(s), maxName)
	}
	return nil
}

func matches(s string, most int, first, rest func(byte) bool) bool {
	if s == "" || len(s) > most || !first(s[0]) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !rest(s[i]) {
			return false
		}
	}
	return true
}

func isLower(c byte) bool     { return 'a' <= c && c <= 'z' }
func isRoomStart(c byte) bool { return isLower(c) || '0' <= c && c <= '9' }
func isRoomPart(c byte) bool  { return isRoomStart(c) || c == '-' }
func isNamePart(c byte) bool  { return isRoomStart(c) || c == '_' }
func isIDPart(c byte) bool    { return isNamePart(c) || c == '-' || 'A' <= c && c <= 'Z' }

package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// guard is the authorizer of a user's statement: SQLite asks it about every
// table, column and function while it compiles. What is not on its lists is
// refused.
//
// Each table has two temporary views. The outer one bears the table's name and
// reads the inner one, whose name is random; only the inner one reads the rows
// and has the condition of `own`. SQLite tells on whose behalf a column is
// read: the name of the view, but also of a subquery or common table
// expression that calls itself like a view. So the right to read rows belongs
// to names that nobody can guess.
//
// SQLite does not ask about the columns of NATURAL and USING, with which a FULL
// JOIN shows whole tables. So no name that a statement can use leads to a table
// with rows: the replica's file is attached under a random name, and a
// temporary view stands before each name in it.
type guard struct {
	sql    string          // in lower case
	file   string          // name of the replica's file
	nonce  string          // begins the names of inner views
	outer  map[string]bool // names of tables
	inner  map[string]bool // names of inner views
	rows   map[string]bool // names of SQLite's tables with rows
	real   map[string]bool // names of everything in the file
	own    map[int]bool    // tables of which the view shows less than their access tells
	denied string          // the first thing that was refused
}

const onlyReading = "only a single SELECT can be run here; rows are changed by commits"

func newGuard(sql string) *guard {
	return &guard{sql: strings.ToLower(sql), file: "f" + strings.ToLower(rand.Text()), nonce: "v" + strings.ToLower(rand.Text()), own: map[int]bool{},
		outer: map[string]bool{}, inner: map[string]bool{}, rows: map[string]bool{}, real: map[string]bool{}}
}

// mentions tells whether a table's name is anywhere in the statement. It saves
// the making of views that are not used, and protects nothing.
func (g *guard) mentions(table string) bool {
	return strings.Contains(g.sql, table) && !strings.HasPrefix(table, "sqlite_") // SQLite keeps such names to itself
}

// views is the definition of a table's views.
func (g *guard) views(t *schema.Table, creator string) []string {
	inner := fmt.Sprintf("%s_%d", g.nonce, t.Num)
	rows := fmt.Sprintf("t%d", t.Num)
	g.outer[t.Name], g.inner[inner], g.rows[rows] = true, true, true
	columns := []string{`id AS "id"`}
	for i := range t.Columns {
		c := &t.Columns[i]
		expression := fmt.Sprintf("c%d", c.Num)
		if c.Type == schema.Timestamp {
			expression = wireTime(expression)
		}
		columns = append(columns, expression+" AS "+quoteName(c.Name))
	}
	columns = append(columns, `ver AS "_version"`, wireTime("ca")+` AS "_createdAt"`, wireTime("ua")+` AS "_updatedAt"`, `by AS "_createdBy"`)
	where := " WHERE ver>0" // always; a table of which no column is used would be read on nobody's behalf
	if creator != "" {
		where += " AND by='" + strings.ReplaceAll(creator, "'", "''") + "'"
	}
	return []string{
		fmt.Sprintf("CREATE TEMP VIEW %s AS SELECT %s FROM %s.%s%s", inner, strings.Join(columns, ","), g.file, rows, where),
		fmt.Sprintf("CREATE TEMP VIEW %s AS SELECT * FROM temp.%s", quoteName(t.Name), inner),
	}
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// wireTime is a time in milliseconds as on the wire.
func wireTime(column string) string {
	return fmt.Sprintf("strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ',%s/1000.0,'unixepoch')", column)
}

// Authorize decides about one thing that a statement does.
func (g *guard) Authorize(a sqlite.Action) sqlite.AuthResult {
	switch a.Type() {
	case sqlite.OpSelect, sqlite.OpRecursive:
		return sqlite.AuthResultOK
	case sqlite.OpRead:
		return g.read(a)
	case sqlite.OpFunction:
		if name := functionName(a); !sqlFunctions[name] {
			return g.deny("the function %.60s cannot be used here", name)
		}
		return sqlite.AuthResultOK
	case sqlite.OpPragma:
		return g.deny("PRAGMA cannot be used here")
	case sqlite.OpAttach, sqlite.OpDetach:
		return g.deny("other databases cannot be attached here")
	default:
		return g.deny("%s", onlyReading)
	}
}

// functionName is the function that an action is about. The library has no
// method for it; should its field be called otherwise one day, every function
// is refused.
func functionName(a sqlite.Action) string {
	return strings.ToLower(reflect.ValueOf(a).FieldByName("arg2").String())
}

func (g *guard) read(a sqlite.Action) sqlite.AuthResult {
	table, db := strings.ToLower(a.Table()), a.Database()
	switch {
	case db == "temp" && (g.outer[table] || g.inner[table] && g.outer[strings.ToLower(a.Accessor())]):
		return sqlite.AuthResultOK
	case db == g.file && g.rows[table] && g.inner[a.Accessor()]:
		return sqlite.AuthResultOK
	case db == "" && a.Column() == "" && (g.outer[table] || g.inner[table] || !g.real[table] && !builtIn.MatchString(table)):
		// Something of which no column is used, as in SELECT count(*). SQLite
		// does not tell tables from common table expressions here.
		return sqlite.AuthResultOK
	}
	return g.deny("there is no table %.70s that could be read here", table)
}

// builtIn matches what SQLite offers to read beside the tables of a database.
var builtIn = regexp.MustCompile(`^(sqlite_|pragma_|json_|jsonb_|fts\d|dbstat|bytecode|tables_used|rtree|geopoly|generate_series)`)

func (g *guard) deny(format string, args ...any) sqlite.AuthResult {
	if g.denied == "" {
		g.denied = fmt.Sprintf(format, args...)
	}
	return sqlite.AuthResultDeny
}

// explain makes an error of SQLite one that a user can act on.
func (g *guard) explain(within context.Context, err error) error {
	var own *fault.Error
	switch {
	case err == nil:
		return nil
	case g.denied != "":
		return fault.At(fault.Forbidden, "sql", "%s", g.denied).Because(err)
	case errors.As(err, &own):
		return err
	case within.Err() != nil:
		return context.Cause(within)
	}
	switch code := sqlite.ErrCode(err).ToPrimary(); code {
	case sqlite.ResultTooBig:
		return fault.At(fault.TooLarge, "sql", "the statement makes a text or row above %d bytes", maxSQLValue).Because(err)
	case sqlite.ResultNoMem, sqlite.ResultFull, sqlite.ResultIOErr:
		return fault.At(fault.TooLarge, "sql", "the statement needs more memory than there is; let it keep or sort fewer rows").Because(err)
	case sqlite.ResultError, sqlite.ResultMismatch, sqlite.ResultRange, sqlite.ResultAuth, sqlite.ResultConstraint:
		return fault.At(fault.Invalid, "sql", "%s", g.clean(err)).Because(err)
	default:
		return fmt.Errorf("run statement: %w", err)
	}
}

var errorPrefix = regexp.MustCompile(`^sqlite: [a-z]+: (\d+:\d+: )?(SQL logic error: )?`)

// clean is what SQLite says, without what is not the user's.
func (g *guard) clean(err error) string {
	text := errorPrefix.ReplaceAllString(err.Error(), "$1")
	const most = 300
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if low := strings.ToLower(text); strings.Contains(low, g.nonce) || strings.Contains(low, g.file) {
		return "the statement cannot be compiled"
	}
	return text
}

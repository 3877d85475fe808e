package sqlitefile

import (
	"database/sql/driver"
	"errors"
	"testing"
)

// TestAnOlderFileIsMigrated takes a file back to format 1 and opens it.
func TestAnOlderFileIsMigrated(t *testing.T) {
	folder := t.TempDir()
	f := open(t, folder)
	if err := f.Submit(t.Context(), insert("a")); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(f.writer.once("DROP TABLE messages"), f.writer.once("UPDATE meta SET value = 1 WHERE key = 'format'"), f.Close())
	if err != nil {
		t.Fatal(err)
	}
	f = open(t, folder)
	if got := keys(t, f); got != "a" {
		t.Errorf("the file holds %q", got)
	}
	if format, err := f.format(); err != nil || format != Format {
		t.Errorf("the format is %d, %v", format, err)
	}
	err = f.Read(t.Context(), func(tx *Tx) error {
		return tx.Query("SELECT count(*) FROM messages", func([]driver.Value) error { return nil })
	})
	if err != nil {
		t.Error(err)
	}
}

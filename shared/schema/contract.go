package schema

import "encoding/json"

// This file is the contract; its bodies are replaced as they are built.

// AlterRequest is an alterTable as on the wire, names not yet resolved.
type AlterRequest struct {
	Table  string            `json:"table"`
	Add    []json.RawMessage `json:"add,omitempty"`
	Drop   []string          `json:"drop,omitempty"`
	Change []json.RawMessage `json:"change,omitempty"`
	Rename map[string]string `json:"rename,omitempty"`
	Name   *string           `json:"name,omitempty"`
	Access *Access           `json:"access,omitempty"` // "own", "shared"
}

func ValidName(kind, s string) error                                     { panic("contract") }
func ValidRowID(s string) error                                          { panic("contract") }
func ValidRoomID(s string) error                                         { panic("contract") }
func Canonical(col *Column, raw json.RawMessage) (Value, error)          { panic("contract") }
func InsertRow(t *Table, row map[string]json.RawMessage) ([]Cell, error) { panic("contract") }
func UpdateSet(t *Table, set map[string]json.RawMessage) ([]Cell, error) { panic("contract") }
func AppendJSON(dst []byte, v Value) []byte                              { panic("contract") }
func AppendCanonical(dst []byte, v Value) []byte                         { panic("contract") }
func AppendStored(dst []byte, v Value) []byte                            { panic("contract") }
func DecodeStored(raw []byte) (Value, error)                             { panic("contract") }
func RowBytes(cells []Cell) int                                          { panic("contract") }
func ResolveCreate(s *Schema, name string, columns []json.RawMessage, access Access) (*Table, error) {
	panic("contract")
}
func ResolveAlter(s *Schema, req AlterRequest) (*Alteration, error) { panic("contract") }
func (s *Schema) WithTable(t *Table) *Schema                        { panic("contract") }
func (s *Schema) Altered(a *Alteration) (*Schema, error)            { panic("contract") }
func (s *Schema) WithoutTable(num int) *Schema                      { panic("contract") }
func Convert(from, to *Column, v Value) (Value, error)              { panic("contract") }

// NeedsRewrite reports whether values of existing rows may change: a column
// is added with a default, dropped, or changed in a way that Convert sees.
func NeedsRewrite(t *Table, a *Alteration) bool { panic("contract") }

// NeedsDefault lists the columns that an alteration requires and that
// existing rows would be without: allowed only when the table has no rows.
func NeedsDefault(t *Table, a *Alteration) []ColumnName { panic("contract") }
func EncodeSchema(s *Schema) []byte                     { panic("contract") }
func DecodeSchema(data []byte) (*Schema, error)         { panic("contract") }
func AppendColumnJSON(dst []byte, c *Column) []byte     { panic("contract") }
func ParseColumn(raw json.RawMessage) (Column, error)   { panic("contract") }
func AppendTable(dst []byte, t *Table) []byte           { panic("contract") }
func DecodeTable(data []byte) (*Table, error)           { panic("contract") }
func AppendAlteration(dst []byte, a *Alteration) []byte { panic("contract") }
func DecodeAlteration(data []byte) (*Alteration, error) { panic("contract") }
func CanonicalJSON(raw []byte) (JSON, error)            { panic("contract") }
func Default() *Schema                                  { panic("contract") }

package replica

// Row reads the row that a list stands on into row, whose Values are new ones.
func (c *Cells) Row(row *Row) { c.table.scan(c.stmt, row) }

package analytics

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/usage"
)

// CSV writes a range as a table: to owners one line a period and principal, to
// others one line a period. Periods in which nothing happened have no line.
// The sums of its columns are the totals of Report.
func (s *Service) CSV(ctx context.Context, p access.Principal, ref room.Ref, req Request) (func(io.Writer) error, error) {
	r, err := s.parse(req)
	if err != nil {
		return nil, err
	}
	m, err := s.member(ctx, p, ref)
	if err != nil {
		return nil, err
	}
	if req.User != "" && req.User != m.user && m.role != access.Owner {
		return nil, fault.At(fault.Forbidden, "user", "Only owners see what others used; you may ask for yourself.")
	}
	if err := s.settle(ctx, m.room); err != nil {
		return nil, err
	}
	lines, err := s.lines(ctx, m, r)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error { return writeCSV(w, lines) }, nil
}

type line struct {
	at time.Time
	User
}

func (s *Service) lines(ctx context.Context, m member, r usage.Range) ([]line, error) {
	var lines []line
	if m.role != access.Owner {
		rep, err := s.Ledger.Report(ctx, m.room, r)
		for _, point := range rep.Points {
			if !point.Counts.Zero() {
				lines = append(lines, line{at: point.At, User: User{User: r.Principal, Figures: s.figures(point.Counts)}})
			}
		}
		return lines, err
	}
	err := s.Ledger.Each(ctx, m.room, r, func(at time.Time, principal string, c usage.Counts) {
		lines = append(lines, line{at: at, User: User{User: principal, Name: m.names[principal], Figures: s.figures(c)}})
	})
	return lines, err
}

func writeCSV(w io.Writer, lines []line) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return fmt.Errorf("write usage as CSV: %w", err)
	}
	for _, l := range lines {
		if err := out.Write(l.fields()); err != nil {
			return fmt.Errorf("write usage as CSV: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

func (l line) fields() []string {
	fields := []string{moment(l.at), spreadsheet(l.User.User), spreadsheet(l.Name)}
	for _, n := range []int64{l.Reads, l.Writes, l.AI, l.Commits, l.Requests, l.Messages, l.Bytes, l.Tokens, l.Errors} {
		fields = append(fields, strconv.FormatInt(n, 10))
	}
	return append(fields, strconv.FormatFloat(l.Cost, 'g', -1, 64))
}

// spreadsheet keeps a name that people choose from being run as a formula by
// the program that opens the file.
func spreadsheet(name string) string {
	if name != "" && (name[0] == '=' || name[0] == '+' || name[0] == '-' || name[0] == '@' || name[0] == '\t' || name[0] == '\r') {
		return "'" + name
	}
	return name
}

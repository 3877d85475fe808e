package schema

// Time is a moment in an answer to users: RFC 3339 in UTC with milliseconds,
// where Millis is what is stored.
type Time Millis

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return AppendJSON(nil, Millis(t)), nil }

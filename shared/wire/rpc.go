package wire

import (
	"encoding/json"
	"slices"
	"strconv"

	"nanotypedb/shared/fault"
)

// Request is one call of a method. ID is nil when no answer is wanted. Params
// is an object, "{}" when absent. Both belong to the frame they were read from.
type Request struct {
	ID     json.RawMessage
	Method string
	Params json.RawMessage
}

// Answered reports whether the caller wants an answer.
func (r Request) Answered() bool { return r.ID != nil }

// Decode reads the parameters into a struct, see Decode of the package.
func (r Request) Decode(into any) error { return decodeChecked(r.Params, into) }

var noParams = json.RawMessage("{}")

// DecodeRequest reads one message from a client. On an error the Request has
// what could be read, so that the answer carries the id of the request where
// there is one; a request whose id cannot be read is answered with id null.
func DecodeRequest(message []byte) (Request, error) {
	if len(message) > MaxMessage {
		return unread(), fault.New(fault.TooLarge, "A message has at most %d bytes.", MaxMessage).With("useHttp", true)
	}
	if err := check(message); err != nil {
		return unread(), edge(ParseError, "%s", sentence(err.Error()))
	}
	s := scanner{data: message}
	raw := s.value()
	switch kind(raw) {
	case "object":
		return decodeEnvelope(raw)
	case "array":
		return unread(), edge(InvalidRequest, "Batches are not accepted; send one request a message.")
	default:
		return unread(), edge(InvalidRequest, "A request is a JSON object.")
	}
}

func unread() Request { return Request{ID: json.RawMessage("null"), Params: noParams} }

func decodeEnvelope(raw json.RawMessage) (Request, error) {
	var e envelope
	if err := members(raw, e.member); err != nil {
		return e.partial(), err
	}
	return e.request()
}

// envelope holds the members as they came, nil when absent.
type envelope struct{ version, id, method, params json.RawMessage }

func (e *envelope) member(name string, value json.RawMessage) error {
	var into *json.RawMessage
	switch name {
	case "jsonrpc":
		into = &e.version
	case "id":
		into = &e.id
	case "method":
		into = &e.method
	case "params":
		into = &e.params
	default:
		return edge(InvalidRequest, "A request has no member %q; known are jsonrpc, id, method and params.", clip(name))
	}
	if *into != nil {
		return edge(InvalidRequest, "Member %q is given twice.", name)
	}
	*into = value
	return nil
}

// partial keeps the id, when there is a good one, for the answer to a request
// that is refused.
func (e *envelope) partial() Request {
	r := unread()
	if e.id != nil && validID(e.id) {
		r.ID = e.id
	}
	return r
}

func (e *envelope) request() (Request, error) {
	if string(e.version) != `"2.0"` {
		return e.partial(), edge(InvalidRequest, `Member "jsonrpc" must be "2.0".`)
	}
	if e.id != nil && !validID(e.id) {
		return unread(), edge(InvalidRequest, "An id is a string of at most %d bytes or an integer.", MaxID)
	}
	method, err := text(e.method)
	if kind(e.method) != "string" || err != nil || method == "" {
		return e.partial(), edge(InvalidRequest, `Member "method" must be the name of a method.`)
	}
	if e.params == nil {
		e.params = noParams
	}
	r := Request{ID: e.id, Method: method, Params: e.params}
	if kind(e.params) != "object" {
		return r, fault.At(fault.Invalid, "params", "Parameters are an object, not %s.", article(kind(e.params)))
	}
	return r, nil
}

func validID(id json.RawMessage) bool {
	switch kind(id) {
	case "string":
		return len(id) <= MaxID+2
	case "number":
		n, err := strconv.ParseInt(string(id), 10, 64)
		return err == nil && n >= -(1<<53-1) && n <= 1<<53-1
	default:
		return false
	}
}

// AppendResult appends the answer to request id. result is JSON.
func AppendResult(dst []byte, id, result json.RawMessage) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = append(dst, id...)
	dst = append(dst, `,"result":`...)
	dst = append(dst, result...)
	return append(dst, '}')
}

// AppendNotification appends a message that asks for no answer. params is JSON.
func AppendNotification(dst []byte, method string, params json.RawMessage) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":"`...)
	dst = append(dst, method...)
	dst = append(dst, `","params":`...)
	dst = append(dst, params...)
	return append(dst, '}')
}

// AppendTruncated appends the notification of a commit that is too large to be
// sent, or one of many: the client reads it by log.read.
func AppendTruncated(dst []byte, seq int64) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":"commit","params":{"seq":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	return append(dst, `,"truncated":true}}`...)
}

// AppendReset appends the notification that the client must load anew.
func AppendReset(dst []byte, seq int64, reason string) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":"reset","params":{"seq":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	dst = append(dst, `,"reason":`...)
	dst = append(dst, quote(reason)...)
	return append(dst, '}', '}')
}

// AppendRows appends the answer of a list: rows is a JSON array, which is not
// read again.
func AppendRows(dst []byte, rows json.RawMessage, cursor string, seq int64) []byte {
	dst = slices.Grow(dst, len(rows)+len(cursor)+64)
	dst = append(append(dst, `{"rows":`...), rows...)
	if cursor != "" {
		dst = append(append(dst, `,"cursor":`...), quote(cursor)...)
	}
	dst = strconv.AppendInt(append(dst, `,"seq":`...), seq, 10)
	return append(dst, '}')
}

// AppendRow appends the answer that is one row, a JSON object.
func AppendRow(dst []byte, row json.RawMessage, seq int64) []byte {
	dst = append(append(dst, `{"row":`...), row...)
	dst = strconv.AppendInt(append(dst, `,"seq":`...), seq, 10)
	return append(dst, '}')
}

// AppendError appends the answer that request id failed. requestID is told
// only for failures of ours, so that the log can be searched for it.
func AppendError(dst []byte, id json.RawMessage, err error, requestID string) []byte {
	public, number := Public(err), Number(err)
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = append(dst, id...)
	dst = append(dst, `,"error":{"code":`...)
	dst = strconv.AppendInt(dst, int64(number), 10)
	dst = append(dst, `,"message":`...)
	dst = append(dst, quote(titles[number])...)
	dst = append(dst, `,"data":{`...)
	dst = appendMember(dst, "code", public.Code)
	if public.Path != "" {
		dst = appendMember(append(dst, ','), "path", public.Path)
	}
	dst = appendMember(append(dst, ','), "reason", public.Reason)
	dst = appendDetails(dst, public, requestID)
	return append(dst, `}}}`...)
}

func quote(s string) []byte {
	// Marshal of a string cannot fail.
	quoted, _ := json.Marshal(s)
	return quoted
}

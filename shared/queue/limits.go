package queue

import (
	"fmt"
	"time"
	"unicode/utf8"

	"nanotypedb/shared/fault"
)

// ValidateSend refuses what no adapter may send. All adapters call this and
// its siblings before anything else.
func ValidateSend(messages []Outgoing) error {
	if err := validateBatch(len(messages)); err != nil {
		return err
	}
	for i, m := range messages {
		if err := m.validate(); err != nil {
			return fault.Under(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}

func (m Outgoing) validate() error {
	switch {
	case m.Body == "":
		return fault.At(fault.Invalid, "body", "a message must not be empty")
	case len(m.Body) > MaxBodyBytes:
		return fault.At(fault.TooLarge, "body", "a message of %d bytes is above the limit of %d", len(m.Body), MaxBodyBytes)
	case !utf8.ValidString(m.Body):
		return fault.At(fault.Invalid, "body", "a message must be UTF-8")
	}
	for at, r := range m.Body {
		if !allowed(r) {
			return fault.At(fault.Invalid, "body", "a message must not contain the character %U (byte %d)", r, at)
		}
	}
	return validateDuration("delay", m.Delay, 0, MaxDelay)
}

// allowed is the range Char of XML 1.0, which is what SQS takes. Surrogates
// are not in valid UTF-8.
func allowed(r rune) bool {
	return r >= 0x20 && r != 0xFFFE && r != 0xFFFF || r == '\t' || r == '\n' || r == '\r'
}

// Validate refuses a request above or below a limit.
func (r Request) Validate() error {
	if r.Max < 1 || r.Max > MaxBatch {
		return fault.At(fault.Invalid, "max", "a receive takes 1 to %d messages, not %d", MaxBatch, r.Max)
	}
	if err := validateDuration("wait", r.Wait, 0, MaxWait); err != nil {
		return err
	}
	return validateDuration("visibility", r.Visibility, 1, MaxVisibility)
}

// ValidateDelete refuses a batch that no adapter may delete.
func ValidateDelete(receipts []string) error {
	if err := validateBatch(len(receipts)); err != nil {
		return err
	}
	for i, receipt := range receipts {
		if err := validateReceipt(receipt); err != nil {
			return fault.Under(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}

// ValidateExtend refuses a batch that no adapter may extend.
func ValidateExtend(extensions []Extension) error {
	if err := validateBatch(len(extensions)); err != nil {
		return err
	}
	for i, e := range extensions {
		err := validateReceipt(e.Receipt)
		if err == nil {
			err = validateDuration("for", e.For, 0, MaxVisibility)
		}
		if err != nil {
			return fault.Under(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}

func validateBatch(n int) error {
	if n < 1 || n > MaxBatch {
		return fault.New(fault.Invalid, "a batch has 1 to %d entries, not %d", MaxBatch, n)
	}
	return nil
}

func validateReceipt(receipt string) error {
	if receipt == "" {
		return fault.At(fault.Invalid, "receipt", "a receipt must not be empty")
	}
	return nil
}

func validateDuration(path string, d, low, high time.Duration) error {
	if d < low || d > high {
		return fault.At(fault.Invalid, path, "the time %v is not between %v and %v", d, low, high)
	}
	return nil
}

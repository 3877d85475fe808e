package alert

import (
	"sync"

	"nanotypedb/shared/vector"
)

// maxDescriptions is how many vectors of descriptions are remembered: whoever
// moves the threshold of a preview asks for the same one again and again. A
// full memory starts anew.
const maxDescriptions = 256

type descriptions struct {
	mu      sync.Mutex
	vectors map[string]described // by description
}

type described struct {
	model  string
	vector vector.Int8
}

func (d *descriptions) get(model, description string) (vector.Int8, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.vectors[description]
	return v.vector, ok && v.model == model
}

func (d *descriptions) put(model, description string, v vector.Int8) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.vectors) >= maxDescriptions {
		clear(d.vectors)
	}
	d.vectors[description] = described{model, v}
}

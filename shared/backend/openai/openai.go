// Package openai opens the embedder on an OpenAI-compatible server.
package openai

import (
	"context"
	"fmt"

	"nanotypedb/shared/config"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/embedder/openaiembed"
)

// Open makes an embedder from NANO_EMBEDDER_*. Without a dimension it asks the
// server for one vector: so the server must answer then.
func Open(ctx context.Context, c config.Config) (embedder.Embedder, error) {
	o := openaiembed.Config{
		URL: c.EmbedderURL, Model: c.EmbedderModel, Key: c.EmbedderKey, Timeout: c.EmbedderTimeout,
		Dim: c.EmbedderDim,
	}
	if o.Dim == 0 {
		var err error
		if o.Dim, err = openaiembed.Probe(ctx, o); err != nil {
			return nil, fmt.Errorf("ask %s for a vector, as NANO_EMBEDDER_DIM does not say how many components it has: %w", c.EmbedderURL, err)
		}
	}
	e, err := openaiembed.New(o)
	if err != nil {
		return nil, fmt.Errorf("open the embedder on %s: %w", c.EmbedderURL, err)
	}
	return e, nil
}

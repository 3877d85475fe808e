// Package embedding opens the embedder that a function uses: Bedrock, or an
// OpenAI-compatible server. It stands apart from package
// aws, so that only functions that embed link Bedrock's client.
package embedding

import (
	"cmp"
	"context"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"nanotypedb/shared/backend/aws/transport"
	"nanotypedb/shared/backend/openai"
	"nanotypedb/shared/config"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/embedder/bedrockembed"
)

// attempt is how long one text may take; Titan needs some 100 ms. A search
// waits for it, and the gateway gives up after 29 s.
const attempt = 10 * time.Second

// Open makes the embedder that c names, from what aws.Connect returned. Nothing
// is asked of Bedrock before the first text. An emulator of Bedrock alone is
// chosen by the SDK's AWS_ENDPOINT_URL_BEDROCK_RUNTIME.
func Open(ctx context.Context, connected sdk.Config, c config.Config) (embedder.Embedder, error) {
	switch c.Embedder {
	case config.Bedrock:
		return openBedrock(connected, cmp.Or(c.EmbedderDim, bedrockembed.DefaultDim))
	case config.OpenAI:
		return openai.Open(ctx, c)
	default:
		return nil, fmt.Errorf("NANO_EMBEDDER=%s is not in this program; set bedrock or openai", c.Embedder)
	}
}

func openBedrock(connected sdk.Config, dim int) (embedder.Embedder, error) {
	client := bedrockruntime.NewFromConfig(connected, func(o *bedrockruntime.Options) {
		o.HTTPClient = transport.Repair(awshttp.NewBuildableClient().WithTimeout(attempt))
	})
	return bedrockembed.New(client, dim)
}

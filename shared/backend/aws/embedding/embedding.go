// Package embedding opens the embedder on Bedrock. It stands apart from package
// aws, so that only functions that embed link Bedrock's client.
package embedding

import (
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"nanotypedb/shared/backend/aws/transport"
	"nanotypedb/shared/embedder/bedrockembed"
)

// attempt is how long one text may take; Titan needs some 100 ms. A search
// waits for it, and the gateway gives up after 29 s.
const attempt = 10 * time.Second

// Open makes an embedder from what aws.Connect returned. Nothing is asked of
// Bedrock before the first text. An emulator of Bedrock alone is chosen by the
// SDK's AWS_ENDPOINT_URL_BEDROCK_RUNTIME.
func Open(connected sdk.Config) (*bedrockembed.Embedder, error) {
	client := bedrockruntime.NewFromConfig(connected, func(o *bedrockruntime.Options) {
		o.HTTPClient = transport.Repair(awshttp.NewBuildableClient().WithTimeout(attempt))
	})
	return bedrockembed.New(client, bedrockembed.DefaultDim)
}

package api

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/functions/internal/gateway"
)

// Lambda answers the events of the gateway's HTTP API (payload format 2.0).
func (a *API) Lambda() func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return gateway.Handler(a)
}

package usage

// Price is what one unit of a service costs, in USD.
type Price struct {
	Service string  `json:"service"` // as on the bill
	What    string  `json:"what"`    // the unit, in words
	Per     float64 `json:"per"`     // how many of the unit the price is for
	USD     float64 `json:"usd"`
	Source  string  `json:"source"`
}

func (p Price) of(n float64) float64 { return n / p.Per * p.USD }

// Prices is a dated price list of one region.
type Prices struct {
	Region string
	Date   string // when it was last checked
	Read   Price
	Write  Price
	Stored Price // of the table, a GB-month
	Blobs  Price // of the bucket, a GB-month

	Request Price // HTTP API
	Message Price // WebSocket API
	Queue   Price
	Invoke  Price
	Compute Price // a GB-second
	Tokens  map[string]Price
}

const million = 1e6

// MemoryGB is the memory that functions are charged for, on average.
const MemoryGB = 1.0

// Virginia is the price list of us-east-1: on-demand, beyond free tiers, which
// are left out so that nothing looks cheaper than it will be.
var Virginia = Prices{
	Region:  "us-east-1",
	Date:    "2026-11-23",
	Read:    Price{"DynamoDB", "read request units", million, 0.125, "aws.amazon.com/dynamodb/pricing/on-demand"},
	Write:   Price{"DynamoDB", "write request units", million, 0.625, "aws.amazon.com/dynamodb/pricing/on-demand"},
	Stored:  Price{"DynamoDB", "GB-months stored", 1, 0.25, "aws.amazon.com/dynamodb/pricing/on-demand"},
	Blobs:   Price{"S3", "GB-months stored", 1, 0.023, "aws.amazon.com/s3/pricing"},
	Request: Price{"API Gateway", "HTTP requests", million, 1.00, "aws.amazon.com/api-gateway/pricing"},
	Message: Price{"API Gateway", "WebSocket messages of 32 KB", million, 1.00, "aws.amazon.com/api-gateway/pricing"},
	Queue:   Price{"SQS", "requests", million, 0.40, "aws.amazon.com/sqs/pricing"},
	Invoke:  Price{"Lambda", "invocations", million, 0.20, "aws.amazon.com/lambda/pricing"},
	Compute: Price{"Lambda", "GB-seconds on arm64", 1, 0.0000133334, "aws.amazon.com/lambda/pricing"},
	Tokens: map[string]Price{
		"amazon.titan-embed-text-v2": {"Bedrock", "tokens read by Titan Text Embeddings V2", million, 0.02, "aws.amazon.com/bedrock/pricing"},
	},
}

// Cost is money in USD, unrounded, by what caused it.
type Cost struct {
	Reads  float64 `json:"reads"`
	Writes float64 `json:"writes"`
	AI     float64 `json:"ai"`
	Other  float64 `json:"other"`
}

// Total is all of it.
func (c Cost) Total() float64 { return c.Reads + c.Writes + c.AI + c.Other }

// Plus is the sum of both.
func (c Cost) Plus(o Cost) Cost {
	return Cost{Reads: c.Reads + o.Reads, Writes: c.Writes + o.Writes, AI: c.AI + o.AI, Other: c.Other + o.Other}
}

// ServiceCost is what a service took for a number of units.
type ServiceCost struct {
	Price
	Units float64 `json:"units"`
	Cost  float64 `json:"cost"`
}

// Services breaks counts down by service. Model is the embedder's; one that is
// not on the list, as one of one's own, costs nothing.
func (p *Prices) Services(c Counts, model string) []ServiceCost {
	line := func(price Price, units float64) ServiceCost {
		return ServiceCost{Price: price, Units: units, Cost: price.of(units)}
	}
	lines := []ServiceCost{
		line(p.Read, float64(c[ReadUnits])/8),
		line(p.Write, float64(c[WriteUnits])/8),
		line(p.Request, float64(c[Requests])),
		line(p.Message, float64(c[Messages])),
		line(p.Queue, float64(c[Queued])),
		line(p.Invoke, float64(c[Invocations])),
		line(p.Compute, float64(c[ComputeTime])/1000*MemoryGB),
		line(p.Stored, gbMonths(c[TableStored])),
		line(p.Blobs, gbMonths(c[BlobsStored])),
	}
	if price, ok := p.Token(model); ok {
		lines = append(lines, line(price, float64(c[Tokens])))
	}
	return lines
}

// hoursOfMonth is how many hours a month has on a bill.
const hoursOfMonth = 730

func gbMonths(kbHours int64) float64 { return float64(kbHours) / (1 << 20) / hoursOfMonth }

// Token is the price of a model's tokens, and whether it is on the list. The
// name may carry a version and a dimension after the listed one.
func (p *Prices) Token(model string) (Price, bool) {
	for name, price := range p.Tokens {
		if len(model) >= len(name) && model[:len(name)] == name {
			return price, true
		}
	}
	return Price{}, false
}

// Cost is what counts cost: reads and writes are the store's units, AI the
// tokens and the queue, other all that carries requests and what is kept.
func (p *Prices) Cost(c Counts, model string) Cost {
	cost := Cost{
		Reads:  p.Read.of(float64(c[ReadUnits]) / 8),
		Writes: p.Write.of(float64(c[WriteUnits]) / 8),
		AI:     p.Queue.of(float64(c[Queued])),
		Other: p.Request.of(float64(c[Requests])) + p.Message.of(float64(c[Messages])) +
			p.Invoke.of(float64(c[Invocations])) + p.Compute.of(float64(c[ComputeTime])/1000*MemoryGB) +
			p.Stored.of(gbMonths(c[TableStored])) + p.Blobs.of(gbMonths(c[BlobsStored])),
	}
	if price, ok := p.Token(model); ok {
		cost.AI += price.of(float64(c[Tokens]))
	}
	return cost
}

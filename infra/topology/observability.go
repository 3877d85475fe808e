package topology

import (
	"fmt"
	"time"

	"nanotypedb/shared/emf"
)

// Source is where a metric comes from.
type Source string

// The sources.
const (
	FromEMF    Source = emf.Namespace // our own lines
	FromLambda Source = "AWS/Lambda"
	FromSQS    Source = "AWS/SQS"
	FromTable  Source = "AWS/DynamoDB"
)

// Series is one metric of one function, queue or table. Of is the dimension's
// value as this package names it; the stack puts the resource's name in its place.
type Series struct {
	Source    Source
	Metric    string
	Of        string
	Statistic string // Sum, Maximum, p99 …
}

// Alarm goes off when a series was above a threshold for some periods.
type Alarm struct {
	Name      string
	Series    Series
	Above     float64
	Period    time.Duration
	Periods   int
	Meaning   string // what is wrong, in plain words
	Runbook   string // what to do first
	Quiet     bool   // no data means that nothing happened
	Important bool   // wakes somebody
}

// Alarms lists every alarm of a deployment.
func Alarms() []Alarm {
	alarms := []Alarm{
		{
			Name: "dead-jobs", Series: Series{FromEMF, string(emf.DeadJobs), Embed, "Sum"}, Above: 0, Period: 5 * time.Minute, Periods: 1, Quiet: true,
			Meaning: "Texts could not be embedded after five receives; their rows are found by keywords only.",
			Runbook: "Open Queue & dead letters of the room: it groups failures by cause. Mend the cause (model access, quota, texts that are too long), then retry all.",
		},
		{
			Name: "table-throttled", Series: Series{FromTable, "ThrottledRequests", "table", "Sum"}, Above: 10, Period: 5 * time.Minute, Periods: 2, Quiet: true, Important: true,
			Meaning: "DynamoDB refuses requests: one room writes more than 1,000 units a second, or the table grows faster than it adapts.",
			Runbook: "Run the saved query \"Busiest rooms\". Give programs that write in bursts fewer, larger commits, or a rate limit (NANO_RATE_COMMITS).",
		},
		{
			Name: "relay-behind", Series: Series{FromLambda, "IteratorAge", Relay, "Maximum"}, Above: float64(5 * time.Minute / time.Millisecond), Period: time.Minute, Periods: 5, Quiet: true, Important: true,
			Meaning: "Commits wait for the relay: embeddings, webhooks and checkpoints come late. Nothing is lost; live rooms go on.",
			Runbook: "Run the saved query \"Failures\" for the service relay. A single room that fails holds up only itself and is named there.",
		},
		{
			Name: "commits-slow", Series: Series{FromEMF, string(emf.Latency), Live, "p99"}, Above: 1000, Period: 5 * time.Minute, Periods: 3, Quiet: true,
			Meaning: "One in a hundred requests over sockets takes longer than a second.",
			Runbook: "Run the saved query \"Slowest requests\". Many cold starts mean too little memory for the rooms in use (NANO_CACHE_MB); one room means a query without an index.",
		},
		{
			Name: "requests-slow", Series: Series{FromEMF, string(emf.Latency), API, "p99"}, Above: 3000, Period: 5 * time.Minute, Periods: 3, Quiet: true,
			Meaning: "One in a hundred requests over HTTP takes longer than three seconds.",
			Runbook: "Run the saved query \"Slowest requests\" and look at the operation and the room it names.",
		},
	}
	for _, f := range Functions {
		alarms = append(alarms, errorsOf(f), throttlesOf(f))
	}
	for _, q := range Queues {
		alarms = append(alarms, ageOf(q))
	}
	return alarms
}

func errorsOf(function string) Alarm {
	return Alarm{
		Name: function + "-errors", Series: Series{FromLambda, "Errors", function, "Sum"}, Above: 5, Period: 5 * time.Minute, Periods: 2, Quiet: true, Important: true,
		Meaning: fmt.Sprintf("The function %s fails again and again.", function),
		Runbook: fmt.Sprintf("Run the saved query \"Failures\" for the service %s; a request id there finds all lines of one request.", function),
	}
}

func throttlesOf(function string) Alarm {
	return Alarm{
		Name: function + "-throttled", Series: Series{FromLambda, "Throttles", function, "Sum"}, Above: 0, Period: 5 * time.Minute, Periods: 2, Quiet: true,
		Meaning: fmt.Sprintf("Lambda runs as many copies of %s as the account allows, and refuses more.", function),
		Runbook: "Ask for a higher limit of concurrent executions in Service Quotas; new accounts have very few.",
	}
}

func ageOf(queue string) Alarm {
	return Alarm{
		Name: queue + "-old", Series: Series{FromSQS, "ApproximateAgeOfOldestMessage", queue, "Maximum"}, Above: (30 * time.Minute).Seconds(), Period: 5 * time.Minute, Periods: 3, Quiet: true,
		Meaning: fmt.Sprintf("A message has waited in the queue %s for half an hour.", queue),
		Runbook: "During a large import that is as it should be. Else look whether the function behind the queue fails or is throttled by its model or receiver.",
	}
}

// Widget is one chart of the dashboard.
type Widget struct {
	Title  string
	Series []Series
	Width  int // of 24
}

// Dashboard is what the stack's dashboard shows, row by row.
func Dashboard() []Widget {
	each := func(source Source, metric, statistic string, of []string) []Series {
		list := make([]Series, len(of))
		for i, name := range of {
			list[i] = Series{source, metric, name, statistic}
		}
		return list
	}
	dead := make([]string, len(Queues))
	for i, q := range Queues {
		dead[i] = q + Dead
	}
	return []Widget{
		{"Commits and rows written", []Series{{FromEMF, string(emf.Commits), Relay, "Sum"}, {FromEMF, string(emf.Writes), Relay, "Sum"}}, 8},
		{"Rows read", each(FromEMF, string(emf.Reads), "Sum", []string{API, Live}), 8},
		{"Texts embedded", each(FromEMF, string(emf.AITexts), "Sum", []string{Embed, API, Live}), 8},
		{"Latency, 99th percentile", each(FromEMF, string(emf.Latency), "p99", []string{API, Live, Embed}), 8},
		{"Cold starts", each(FromEMF, string(emf.ColdStart), "SampleCount", Functions), 8},
		{"Sockets opened and closed", []Series{{FromEMF, string(emf.Connections), Live, "Sum"}}, 8},
		{"Failures", each(FromEMF, string(emf.Errors), "Sum", Functions), 8},
		{"Waiting messages", each(FromSQS, "ApproximateNumberOfMessagesVisible", "Maximum", Queues), 8},
		{"Dead letters", each(FromSQS, "ApproximateNumberOfMessagesVisible", "Maximum", dead), 8},
		{"Oldest message", each(FromSQS, "ApproximateAgeOfOldestMessage", "Maximum", Queues), 8},
		{"Relay behind", []Series{{FromLambda, "IteratorAge", Relay, "Maximum"}, {FromEMF, string(emf.Lag), Relay, "Maximum"}}, 8},
		{"DynamoDB units", []Series{{FromTable, "ConsumedWriteCapacityUnits", "table", "Sum"}, {FromTable, "ConsumedReadCapacityUnits", "table", "Sum"}}, 8},
	}
}

// Query is a saved query of CloudWatch Logs Insights over the functions' logs.
type Query struct {
	Name      string
	Functions []string
	Text      string
}

// Queries lists all saved queries.
func Queries() []Query {
	return []Query{
		{"Busiest rooms", []string{API, Live, Relay}, `filter ispresent(room) and room != ""
| stats sum(Writes) as writes, sum(Reads) as reads, count(*) as invocations by room
| sort writes desc
| limit 50`},
		{"Busiest users", []string{API, Live}, `filter ispresent(user) and user != ""
| stats sum(Reads) as reads, count(*) as requests by room, user
| sort requests desc
| limit 50`},
		{"Slowest requests", []string{API, Live, Embed}, `filter ispresent(Latency)
| fields @timestamp, Service, op, room, Latency, ColdStart, request
| sort Latency desc
| limit 50`},
		{"Failures", Functions, `filter level = "ERROR" or level = "WARN" or Errors > 0
| fields @timestamp, Service, msg, error, op, room, request
| sort @timestamp desc
| limit 100`},
		{"One request", Functions, `filter request = "PASTE-THE-REQUEST-ID"
| sort @timestamp asc`},
		{"Embedding failures by cause", []string{Embed}, `filter ispresent(class)
| stats count(*) as failures, count_distinct(room) as rooms by class
| sort failures desc`},
	}
}

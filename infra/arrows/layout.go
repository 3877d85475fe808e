package arrows

// Module is the name in go.mod.
const Module = "nanotypedb"

// level places packages: every import goes to a lower level.
type level struct {
	pattern string // of path.Match, from the root of the module; the first that matches counts
	level   int
}

// levels is the picture of the code base. A new package gets a line here, at the lowest level that is above all that it
// imports.
var levels = []level{
	// What everything stands on.
	{"shared/fault", 0},             // error code, field and message
	{"shared/faultpoint", 0},        // named crash points
	{"shared/emf", 0},               // metrics as lines of the log
	{"shared/id", 0},                // ULIDs
	{"shared/vector", 0},            // unit vectors, int8, nearest neighbours
	{"shared/config", 0},            // environment → Config
	{"shared/schema/strictjson", 0}, // JSON without its ambiguities

	// Ports: an interface, its value types, its promises. Under each: adapters, NAMEtest and flakyNAME.
	{"shared/store", 1},
	{"shared/queue", 1},
	{"shared/blob", 1},
	{"shared/embedder", 1},
	{"shared/push", 1},
	{"shared/identity", 1},
	{"shared/sqlitefile", 1},       // the one SQLite file that store and queue share
	{"shared/schema", 1},           // tables, columns, checking a row
	{"shared/wire", 1},             // JSON-RPC frames, problem+json, code tables
	{"shared/awstest", 1},          // test kit of the AWS adapters: emulators, faults
	{"shared/store/flakystore", 3}, // over the model of storetest
	{"shared/store/*", 2},
	{"shared/store/dynamostore/*", 3},
	{"shared/queue/*", 2},
	{"shared/blob/*", 2},
	{"shared/embedder/*", 2},
	{"shared/push/*", 2},
	{"shared/identity/*", 2},

	// The domain.
	{"shared/commitlog", 2},            // entries of the log and their encoding
	{"shared/indexlog", 2},             // the index log of a room: which texts have vectors
	{"shared/loadfile", 3},             // the blob that a load names
	{"shared/access", 2},               // principals, roles, members, tickets, keys, rates
	{"shared/usage", 3},                // what rooms and principals consume, and its cost
	{"shared/metering", 4},             // one invocation: its usage and its metrics
	{"shared/replica", 4},              // a room at a seq
	{"shared/room", 5},                 // operations → entry, one writer a room, undo
	{"shared/job", 5},                  // long work in steps
	{"shared/webhook", 5},              // signing and delivery decisions
	{"shared/indexing", 6},             // commits → jobs → vectors
	{"shared/search", 6},               // hybrid ranking
	{"shared/analytics", 6},            // usage and cost as a room's people see them
	{"shared/alert", 6},                // alerts by meaning and their inbox
	{"shared/transfer", 6},             // export and import
	{"shared/transfer/csvfile", 1},     // CSV in which every value comes back
	{"shared/transfer/plainsql", 3},    // a room's tables as SQL text
	{"shared/transfer/plainsqlite", 5}, // a room's tables as a SQLite file
	{"shared/backup", 7},               // snapshots, segments, restore
	{"shared/audience", 7},             // who listens to a room
	{"shared/*/*test", 8},              // test kits of the domain
	{"shared/*/flaky*", 8},

	// Config → opened adapters, one function a port.
	{"shared/backend", 3},
	{"shared/backend/aws/transport", 0}, // what every SDK client needs of net/http
	{"shared/backend/*", 3},
	{"shared/backend/aws/feed", 4},      // apart, so that no function links Streams
	{"shared/backend/aws/embedding", 4}, // apart, so that only functions that embed link Bedrock

	// Handlers, and the programs that wire them.
	{"functions/internal/*", 8},   // gateway event ↔ net/http, partial batch failures
	{"functions/*", 9},            // one a Lambda
	{"functions/*/bootstrap", 10}, // its program

	// How it is hosted.
	{"infra/topology", 1},         // functions, routes, queues, schedules as plain values
	{"infra/stack", 2},            // CDK constructs
	{"infra", 3},                  // the CDK app
	{"web", 0},                    // the built UI
	{"infra/local", 10},           // the one-process runner
	{"infra/local/bootstrap", 11}, // its program
	{"infra/promises", 11},        // one test file a promise
	{"infra/bench", 11},           // what README's table quotes
	{"infra/arrows", 0},           // this
	{"infra/emulators", 0},        // scripts, and tests of the emulators
}

// ports are the packages whose children are adapters, but for the test kits among them.
var ports = []string{"shared/store", "shared/queue", "shared/blob", "shared/embedder", "shared/push", "shared/identity"}

// kits are test code in files of their own: only tests, other kits and the promises import them.
var kits = []string{"shared/awstest", "shared/*/*test", "shared/*/flaky*", "infra/promises"}

// wiring may import adapters.
var wiring = []string{"shared/backend", "shared/backend/*", "shared/backend/*/*", "functions/*/bootstrap", "infra/local", "infra/local/bootstrap"}

// apart are packages that some programs must not carry along, whoever imports them on the way.
var apart = []struct{ program, carries, reason string }{
	{"functions/*/bootstrap", "shared/embedder/staticembed", "its table is 8 MB, a cold start pays for them, and on AWS Bedrock embeds"},
}

// library limits who may import a package from outside the module.
type library struct {
	path    string   // the import path, or its beginning up to a slash
	allowed []string // patterns of our packages
	tests   bool     // test files and kits may import it too
	reason  string
}

var libraries = []library{
	{
		path: "github.com/aws/aws-lambda-go", tests: true,
		allowed: []string{"functions/*", "functions/internal/*", "functions/*/bootstrap", "infra/local", "shared/store/dynamostore"},
		reason:  "Lambda's events are translated at the edge; the domain must run without them",
	},
	{
		path: "github.com/aws/aws-sdk-go-v2", tests: true, allowed: awsAdapters,
		reason: "only AWS adapters speak to AWS; the domain knows ports",
	},
	{
		path: "github.com/aws/smithy-go", tests: true, allowed: awsAdapters,
		reason: "an adapter translates SDK errors into those of its port; nobody else sees them",
	},
	{
		path: "github.com/aws/aws-cdk-go", allowed: cdk,
		reason: "the CDK takes minutes to compile and must stay out of the everyday loop",
	},
	{
		path: "github.com/aws/constructs-go", allowed: cdk,
		reason: "constructs belong to the CDK app",
	},
	{
		path: "github.com/aws/jsii-runtime-go", allowed: cdk,
		reason: "jsii starts Node; only the CDK app may",
	},
	{path: "database/sql", allowed: sqlPackages, tests: true, reason: sqlReason},
	{path: "zombiezen.com/go/sqlite", allowed: sqlPackages, tests: true, reason: sqlReason},
	{path: "modernc.org/sqlite", allowed: sqlPackages, tests: true, reason: sqlReason},
	{path: "testing", allowed: []string{"infra/arrows"}, tests: true, reason: "no binary links the test framework"},
	{path: "pgregory.net/rapid", tests: true, reason: "property tests stay in tests and test kits"},
	{path: "github.com/anishathalye/porcupine", tests: true, reason: "the linearizability checker stays in tests and test kits"},
}

var (
	awsAdapters = []string{
		"shared/store/dynamostore", "shared/blob/s3blob", "shared/queue/sqsqueue", "shared/embedder/bedrockembed",
		"shared/push/apigwpush", "shared/backend/aws", "shared/backend/aws/*", "shared/store/dynamostore/streamfeed",
	}
	cdk         = []string{"infra/stack", "infra"}
	sqlPackages = []string{
		"shared/sqlitefile", "shared/store/sqlitestore", "shared/queue/sqlitequeue", "shared/replica", "shared/schema",
		"shared/transfer/plainsqlite", // an export is a SQLite file, and an upload is one
	}
)

const sqlReason = "SQL lives in the SQLite adapters and in the replica; everybody else asks them"

// sleepers are the files (patterns of path.Match) that may call time.Sleep, each with a reason that no fake clock, timer
// or condition answers.
var sleepers = map[string]string{
	"infra/bench/*.go": "the load generator measures a server in another process by the real clock",
}

// maxLines is the length above which a reader no longer knows where to look.
const maxLines = 700

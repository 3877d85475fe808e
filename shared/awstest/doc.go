// Package awstest is for the tests of what speaks to AWS: clients and tables on
// the emulators that infra/emulators starts, Faults, which makes any SDK client
// misbehave as AWS may, and Units, which counts what DynamoDB charges.
package awstest

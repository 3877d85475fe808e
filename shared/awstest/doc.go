// Package awstest is for the tests of what speaks to AWS: clients and tables on
// the emulators that infra/emulators starts, Faults, which makes any SDK client
// misbehave as AWS may, and Units, which counts what DynamoDB charges. A store
// under faults:
//
//	faults := awstest.NewFaults(t, awstest.Rates{Stale: 0.5, Dropped: 0.1, Late: 0.1})
//	client := dynamodb.NewFromConfig(awstest.DynamoDBLocal.Config(t, faults.Install))
//	st := dynamostore.New(client, awstest.DynamoDBLocal.Table(t))
//
// Before the final state is checked, end the faults and let the last late
// writes arrive:
//
//	faults.SetRates(awstest.Rates{})
//	faults.Deliver()
package awstest

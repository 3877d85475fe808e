// Package local is the runner: the whole product in one process, on embedded
// parts or, with NANO_BACKEND=aws, on the AWS adapters. It serves the same
// handlers as the Lambda functions, with the same encoding and limits.
package local

// Package emulators holds the scripts that install, start and stop the AWS emulators of make test-aws, and the tests
// that keep them honest: each states a behaviour of AWS that the adapters' tests rely on.
package emulators

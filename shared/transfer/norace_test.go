//go:build !race

package transfer_test

// manyRows is how many rows the tests of memory have.
const manyRows = 100_000

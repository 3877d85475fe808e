//go:build race

package transfer_test

// manyRows is fewer where SQLite is watched at each access.
const manyRows = 10_000

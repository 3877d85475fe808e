// Package promises holds the promises of the design as tests that can fail,
// one file a promise. They run the real runner as a process of its own, kill
// it, cut its sockets, and compare what clients were told with what is there.
package promises

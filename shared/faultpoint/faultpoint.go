// Package faultpoint names the steps between two effects at which a crash must
// be harmless. In an ordinary build Reach does nothing. Built with the tag
// faultpoints, the process kills itself with SIGKILL at the point named by
// NANO_FAULT_POINT, at its NANO_FAULT_HIT-th hit (1 when unset), after writing
// the point's name to the file NANO_FAULT_MARKER, so that a test can prove the
// point was reached.
package faultpoint

// Name is one step between two effects.
type Name string

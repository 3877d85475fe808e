package main

import "testing"

func TestTheHeapGrowsByHalfOrByTheLeast(t *testing.T) {
	for _, test := range []struct{ alive, goal uint64 }{
		{4 << 20, 16 << 20}, {12 << 20, 24 << 20}, {24 << 20, 36 << 20}, {40 << 20, 60 << 20}, {1 << 30, 3 << 29},
	} {
		goal := test.alive + test.alive*uint64(percentFor(test.alive))/100
		if goal > test.goal || goal < test.goal-test.alive/100-1 {
			t.Errorf("%d MiB alive grow to %d MiB, not %d", test.alive>>20, goal>>20, test.goal>>20)
		}
	}
}

package storetest_test

import (
	"testing"

	"nanotypedb/shared/store"
	"nanotypedb/shared/store/storetest"
)

func TestModel(t *testing.T) {
	storetest.Run(t, storetest.Harness{Open: func(testing.TB) storetest.Instance {
		model := storetest.NewModel()
		instance := storetest.Instance{Store: model, Feed: func(testing.TB) store.Feed { return model.Feed() }}
		instance.Reopen = func(testing.TB) storetest.Instance { return instance }
		return instance
	}})
}

package storetest

import "nanotypedb/shared/store"

var conditionCases = []testCase{
	{"condition/absent", testConditionAbsent},
	{"condition/present", testConditionPresent},
	{"condition/unchanged", testConditionUnchanged},
	{"condition/unchanged of an item made by Add", testUnchangedCounters},
	{"condition/a lone check", testLoneCheck},
}

func testConditionAbsent(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.write(remove(key, store.Absent))
	s.write(put(key, "1", store.Absent))
	s.refused([]int{0}, put(key, "2", store.Absent))
	s.refused([]int{0}, remove(key, store.Absent))
	s.hasData(key, "1")
	s.write(remove(key, store.Always))
	s.write(put(key, "3", store.Absent))
	s.hasData(key, "3")
}

func testConditionPresent(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.refused([]int{0}, put(key, "1", store.Present))
	s.refused([]int{0}, remove(key, store.Present))
	s.absent(key)
	s.write(put(key, "2", store.Always))
	s.write(put(key, "3", store.Present))
	s.hasData(key, "3")
	s.write(remove(key, store.Present))
	s.absent(key)
}

func testConditionUnchanged(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.refused([]int{0}, putIf(key, "1", ""))
	s.refused([]int{0}, putIf(key, "1", "0"))
	s.absent(key)
	s.write(put(key, "1", store.Always))
	for _, other := range []string{"", "1 ", "0", "11"} {
		s.refused([]int{0}, putIf(key, "2", other))
	}
	s.write(putIf(key, "2", "1"))
	s.refused([]int{0}, putIf(key, "3", "1"))
	s.hasData(key, "2")

	del := remove(key, store.Unchanged)
	del.Previous = []byte("1")
	s.refused([]int{0}, del)
	del.Previous = []byte("2")
	s.write(del)
	s.absent(key)
}

func testUnchangedCounters(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.add(key, map[string]int64{"n": 1})
	s.refused([]int{0}, put(key, "x", store.Absent))
	s.refused([]int{0}, putIf(key, "x", "y"))
	s.write(putIf(key, "x", ""))
	s.hasData(key, "x")
}

func testLoneCheck(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.write(check(key, store.Absent))
	s.refused([]int{0}, check(key, store.Present))
	s.refused([]int{0}, checkIf(key, ""))
	s.write(put(key, "1", store.Always))
	s.write(check(key, store.Present))
	s.write(checkIf(key, "1"))
	s.refused([]int{0}, check(key, store.Absent))
	s.refused([]int{0}, checkIf(key, "2"))
	s.hasData(key, "1")
}

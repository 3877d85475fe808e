package room

import "nanotypedb/shared/faultpoint"

// The steps between two effects of the engine, at each of which a crash must
// be harmless.
const (
	BeforePut     faultpoint.Name = "room.before-put"     // resolved and applied to the draft, not yet in the log
	AfterPut      faultpoint.Name = "room.after-put"      // in the log, readers of this process do not see it
	AfterPublish  faultpoint.Name = "room.after-publish"  // readers see it, nobody was told
	BeforeIndexes faultpoint.Name = "room.before-indexes" // members changed in the log, not in the indexes
	BetweenIndex  faultpoint.Name = "room.between-index"  // one index item written, the next not
	BeforeCreate  faultpoint.Name = "room.before-create"  // nothing of the new room is stored
	AfterCreate   faultpoint.Name = "room.after-create"   // the room is stored, nobody was told
)

// Points lists every fault point of this package.
var Points = []faultpoint.Name{BeforePut, AfterPut, AfterPublish, BeforeIndexes, BetweenIndex, BeforeCreate, AfterCreate}

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

// The steps of a load, and of an undo that is one, beside those of any commit.
const (
	LoadStaged    faultpoint.Name = "room.load-staged"    // bulk content is stored, no commit names it
	LoadFetched   faultpoint.Name = "room.load-fetched"   // this process has a copy of it
	LoadPublished faultpoint.Name = "room.load-published" // it is in the log and seen, no checkpoint has it
)

// Points lists every fault point of this package but those of loads.
var Points = []faultpoint.Name{BeforePut, AfterPut, AfterPublish, BeforeIndexes, BetweenIndex, BeforeCreate, AfterCreate}

// LoadPoints lists those that only loads reach.
var LoadPoints = []faultpoint.Name{LoadStaged, LoadFetched, LoadPublished}

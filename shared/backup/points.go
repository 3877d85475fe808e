package backup

import (
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/replica"
)

// Points lists the fault points of snapshots, archiving and upkeep.
var Points = []faultpoint.Name{
	replica.PointKept, PointImageKept, PointSnapRecorded,
	PointSegmentWritten, PointSegmentVerified, PointSegmentRecorded, PointTrimmed,
	PointRecordRemoved, PointBlobSwept, PointPurged,
}

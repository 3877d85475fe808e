package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/room"
)

// Limits of uploads.
const (
	MaxUpload   = 512 << 20 // bytes
	uploadLife  = 15 * time.Minute
	uploadValid = 24 * time.Hour // how long one can be imported
)

// UploadPrefix begins the blob keys of a room's uploads. They are of use for a
// day.
func UploadPrefix(ulid string) string { return "rooms/" + ulid + "/uploads/" }

// uploadKey is where an upload of a user lies: nobody else can name it.
func uploadKey(ulid string, p access.Principal, uploadID string) string {
	user := sha256.Sum256([]byte(p.User.ID))
	return UploadPrefix(ulid) + hex.EncodeToString(user[:8]) + "/" + uploadID
}

// Upload is a place for a file that is too large for a request's body.
type Upload struct {
	ID      string
	Address blob.Address
}

// NewUpload gives an address to put a file of exactly size bytes to. Errors:
// forbidden for viewers, too_large, unavailable where there are no addresses.
func (s *Service) NewUpload(ctx context.Context, p access.Principal, ref room.Ref, size int64) (Upload, error) {
	if s.Addresses == nil {
		return Upload{}, fault.New(fault.Unavailable, "This server has no place for uploads.")
	}
	switch {
	case size < 1:
		return Upload{}, fault.At(fault.Invalid, "bytes", "Say how many bytes the file has, 1 or more.")
	case size > MaxUpload:
		return Upload{}, fault.At(fault.TooLarge, "bytes", "An upload has at most %d bytes.", MaxUpload)
	}
	u := Upload{ID: id.New(s.Now())}
	key := ""
	err := s.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		if !v.Grant().Role.AtLeast(access.Editor) {
			return fault.New(fault.Forbidden, "It takes the role editor to upload files; yours is %s.", v.Grant().Role)
		}
		key = uploadKey(v.State().Room, p, u.ID)
		return nil
	})
	if err != nil {
		return Upload{}, err
	}
	u.Address, err = s.Addresses.PresignPut(ctx, key, size, uploadLife)
	return u, err
}

// upload gives the file that p has uploaded for a room.
func (s *Service) upload(ctx context.Context, p access.Principal, ulid, uploadID string) (open func() (io.ReadCloser, error), size int64, err error) {
	none := fault.At(fault.NotFound, "upload", "There is no such upload of yours in this room; one is kept for a day.")
	made, ok := id.Time(uploadID)
	if !ok || s.Now().Sub(made) > uploadValid {
		return nil, 0, none
	}
	key := uploadKey(ulid, p, uploadID)
	info, err := s.Blobs.Stat(ctx, key)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, 0, none
	case err != nil:
		return nil, 0, err
	case info.Size > MaxUpload:
		return nil, 0, fault.At(fault.TooLarge, "upload", "An upload has at most %d bytes.", MaxUpload)
	}
	return func() (io.ReadCloser, error) {
		content, _, err := s.Blobs.Get(ctx, key)
		return content, err
	}, info.Size, nil
}

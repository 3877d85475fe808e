// Package s3blob is the blob store in an S3 bucket, under an optional key
// prefix. An upload is one request, or above 8 MiB a multipart upload that
// becomes visible when it is completed, each with a CRC-32 that S3 checks; one
// that fails is aborted.
//
// The bucket needs one lifecycle rule: AbortIncompleteMultipartUpload after a
// day, for the parts, seen by nobody, that a process killed in the middle of
// an upload leaves. It must have no rule that expires objects: only the sweep
// knows which blobs something still names. Versioning is not needed.
package s3blob

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	transfertypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"nanotypedb/shared/blob"
)

// An upload holds at most (uploaders + 2) parts in memory, 25 MB. S3 allows
// 10,000 parts of at least 5 MiB, so a blob may have 48 GiB.
const (
	multipartFrom = 8 << 20
	partSize      = 5 << 20
	uploaders     = 3

	// abortTimeout bounds the clean-up after a failed upload, whose own context
	// may have ended.
	abortTimeout = 5 * time.Second

	// maxPage is how many keys S3 lists at most.
	maxPage = 1000

	// attemptMetadata marks an object with the call that made it.
	attemptMetadata = "attempt"
)

// S3's refusals of If-None-Match: the key is taken, or another upload of it is
// just being completed.
const (
	preconditionCode = "PreconditionFailed"
	conflictCode     = "ConditionalRequestConflict"
)

// Store keeps blobs in one bucket.
type Store struct {
	client   *s3.Client
	signer   *s3.PresignClient
	uploader *transfermanager.Client
	bucket   string
	prefix   string
}

var (
	_ blob.Store     = (*Store)(nil)
	_ blob.Presigner = (*Store)(nil)
)

// New returns the store in a bucket, with prefix (as "blobs/", or empty) before
// every key. For emulators the client needs UsePathStyle.
func New(client *s3.Client, bucket, prefix string) *Store {
	client = s3.New(client.Options(), retryConflicts)
	return &Store{client: client, signer: s3.NewPresignClient(client), bucket: bucket, prefix: prefix, uploader: transfermanager.New(client,
		func(o *transfermanager.Options) {
			o.PartSizeBytes = partSize
			o.MultipartUploadThreshold = multipartFrom
			o.Concurrency = uploaders
			o.FailTimeout = abortTimeout
		})}
}

// retryConflicts repeats a conditional write that met another one in flight, as
// S3 asks.
func retryConflicts(o *s3.Options) {
	o.Retryer = retry.AddWithErrorCodes(o.Retryer, conflictCode)
}

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	return s.put(ctx, key, r, size, nil)
}

// PutNew implements blob.Store.
func (s *Store) PutNew(ctx context.Context, key string, r io.Reader, size int64) error {
	return s.put(ctx, key, r, size, aws.String("*"))
}

// put marks each object with its call: the SDK repeats a request whose reply
// was lost, and is then refused because of its own first attempt.
func (s *Store) put(ctx context.Context, key string, r io.Reader, size int64, ifNoneMatch *string) error {
	if err := blob.ValidateKey(key); err != nil {
		return err
	}
	attempt := rand.Text()
	_, err := s.uploader.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket:            &s.bucket,
		Key:               s.object(key),
		Body:              &exactReader{r: r, want: size},
		IfNoneMatch:       ifNoneMatch,
		Metadata:          map[string]string{attemptMetadata: attempt},
		ChecksumAlgorithm: transfertypes.ChecksumAlgorithmCrc32,
		ChecksumType:      transfertypes.ChecksumTypeFullObject,
	})
	switch codeOf(err) {
	case preconditionCode, conflictCode, "NoSuchUpload":
		err = s.resolve(ctx, key, attempt, err)
	}
	if err != nil {
		return fmt.Errorf("put blob %s: %w", key, err)
	}
	return nil
}

// resolve finds out whose object it is that refused an upload. Without an
// object, another upload was refused as well, or it is gone again.
func (s *Store) resolve(ctx context.Context, key, attempt string, refusal error) error {
	head, err := s.head(ctx, key)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return refusal
	case err != nil:
		return err
	case head.Metadata[attemptMetadata] == attempt:
		return nil
	case codeOf(refusal) == "NoSuchUpload":
		return refusal
	default:
		return blob.ErrExists
	}
}

// Get implements blob.Store. The SDK checks the stream against the object's
// checksum and fails its last read when they differ.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	if err := blob.ValidateKey(key); err != nil {
		return nil, blob.Info{}, err
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.bucket, Key: s.object(key), ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return nil, blob.Info{}, fmt.Errorf("get blob %s: %w", key, notFound(err))
	}
	return out.Body, info(key, out.ContentLength, out.LastModified), nil
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := blob.ValidateKey(key); err != nil {
		return blob.Info{}, err
	}
	head, err := s.head(ctx, key)
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat blob %s: %w", key, err)
	}
	return info(key, head.ContentLength, head.LastModified), nil
}

func (s *Store) head(ctx context.Context, key string) (*s3.HeadObjectOutput, error) {
	head, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.object(key)})
	return head, notFound(err)
}

// List implements blob.Store. A page holds at most 1,000 blobs.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]blob.Info, string, error) {
	in := &s3.ListObjectsV2Input{
		Bucket:  &s.bucket,
		Prefix:  s.object(prefix),
		MaxKeys: aws.Int32(int32(min(cmp.Or(limit, maxPage), maxPage))),
	}
	if after != "" {
		in.StartAfter = s.object(after)
	}
	out, err := s.client.ListObjectsV2(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("list blobs under %s: %w", prefix, err)
	}
	infos := make([]blob.Info, len(out.Contents))
	for i, object := range out.Contents {
		infos[i] = info(aws.ToString(object.Key)[len(s.prefix):], object.Size, object.LastModified)
	}
	if !aws.ToBool(out.IsTruncated) || len(infos) == 0 {
		return infos, "", nil
	}
	return infos, infos[len(infos)-1].Key, nil
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := blob.ValidateKey(key); err != nil {
		return err
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: s.object(key)})
	if err = notFound(err); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("delete blob %s: %w", key, err)
	}
	return nil
}

func (s *Store) object(key string) *string { return aws.String(s.prefix + key) }

func info(key string, size *int64, modified *time.Time) blob.Info {
	return blob.Info{Key: key, Size: aws.ToInt64(size), Modified: aws.ToTime(modified)}
}

// notFound translates the SDK's error. A HEAD has no body and so no code of
// S3's own; a missing bucket is a mistake of the deployment and stays what it
// is where S3 tells it.
func notFound(err error) error {
	switch codeOf(err) {
	case "NoSuchKey", "NotFound":
		return fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	default:
		return err
	}
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

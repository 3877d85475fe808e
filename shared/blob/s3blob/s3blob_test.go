package s3blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/blobtest"
	"nanotypedb/shared/blob/s3blob"
)

// streamAlloc: five buffers of up to 8 MiB, of which the first grows by steps, and
// some more under the race detector.
const streamAlloc = 60 << 20

func client(t *testing.T, install ...func(*middleware.Stack) error) *s3.Client {
	t.Helper()
	return s3.NewFromConfig(awstest.Second.Config(t, install...), func(o *s3.Options) { o.UsePathStyle = true })
}

// known are credentials that the emulator knows: it checks those of addresses.
func known(o *s3.Options) {
	o.Credentials = credentials.NewStaticCredentialsProvider("test", "test", "")
}

func TestConformance(t *testing.T) {
	bucket := awstest.Second.Bucket(t)
	for name, prefix := range map[string]string{"whole bucket": "", "under a prefix": "blobs/"} {
		t.Run(name, func(t *testing.T) {
			blobtest.Run(t, blobtest.Harness{
				Open:        func(testing.TB) blob.Store { return s3blob.New(client(t), bucket, prefix) },
				Reopen:      func(testing.TB) blob.Store { return s3blob.New(client(t), bucket, prefix) },
				StreamAlloc: streamAlloc,
				Sign: func(testing.TB, blob.Store) blob.Presigner {
					return s3blob.New(s3.New(client(t).Options(), known), bucket, prefix)
				},
				Skip: map[string]string{"address/without a signature it is refused": "the emulator lets anonymous requests through"},
			})
		})
	}
}

func TestConformanceUnderFaults(t *testing.T) {
	bucket := awstest.Second.Bucket(t)
	faults := awstest.NewFaults(t, awstest.Rates{Dropped: 0.1, Throttled: 0.05, Failed: 0.05, Delayed: 0.1})
	blobtest.Run(t, blobtest.Harness{
		Open:        func(testing.TB) blob.Store { return s3blob.New(client(t, faults.Install), bucket, "") },
		StreamAlloc: 2 * streamAlloc, // a repeated request is read again
	})
	if c := faults.Counts(); c.Dropped == 0 || c.Throttled == 0 || c.Failed == 0 {
		t.Errorf("the faults did not occur: %+v", c)
	}
}

// A repeated request is refused because of its own first attempt, whose reply
// was lost.
func TestLostReplyIsNoRefusal(t *testing.T) {
	bucket := awstest.Second.Bucket(t)
	faults := awstest.NewFaults(t, awstest.Rates{
		Dropped: 0.3, Only: []string{"PutObject", "UploadPart", "CompleteMultipartUpload"},
	})
	st := s3blob.New(client(t, faults.Install), bucket, "")
	put := func(key string, size int) error {
		return st.PutNew(t.Context(), key, bytes.NewReader(make([]byte, size)), int64(size))
	}
	for i := range 20 {
		for name, size := range map[string]int{"small": 100, "large": 9 << 20} {
			key := fmt.Sprint(name, i)
			if err := put(key, size); err != nil {
				t.Fatalf("put %s: %v", key, err)
			}
			if err := put(key, size); !errors.Is(err, blob.ErrExists) {
				t.Fatalf("put %s again: %v, want ErrExists", key, err)
			}
		}
	}
	if faults.Counts().Dropped == 0 {
		t.Error("no reply was dropped")
	}
}

var errBroken = errors.New("the reader broke")

// A large upload that fails in the middle leaves no parts behind.
func TestFailedMultipartUploadIsAborted(t *testing.T) {
	bucket := awstest.Second.Bucket(t)
	c := client(t)
	st := s3blob.New(c, bucket, "")
	begun, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("b")})
	if err != nil || openUploads(t, c, bucket) != 1 {
		t.Fatalf("an open upload is not listed: %v", err)
	}
	_, err = c.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: begun.Key, UploadId: begun.UploadId})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	half := func() io.Reader { return strings.NewReader(strings.Repeat("x", 12<<20)) }
	for name, put := range map[string]func(key string) error{
		"the reader fails": func(key string) error {
			return st.Put(t.Context(), key, io.MultiReader(half(), readerFunc(func() error { return errBroken })), -1)
		},
		"the size is wrong": func(key string) error { return st.Put(t.Context(), key, half(), 12<<20+1) },
		"the context ends": func(key string) error {
			return st.Put(ctx, key, io.MultiReader(half(), readerFunc(func() error { cancel(); return io.EOF }), half()), -1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := put("a"); err == nil {
				t.Fatal("the upload succeeded")
			}
			if _, err := st.Stat(t.Context(), "a"); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("stat: %v, want ErrNotFound", err)
			}
			if n := openUploads(t, c, bucket); n != 0 {
				t.Errorf("%d uploads are still open", n)
			}
		})
	}
}

func openUploads(t *testing.T, c *s3.Client, bucket string) int {
	t.Helper()
	out, err := c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Uploads)
}

// readerFunc gives no bytes.
type readerFunc func() error

func (f readerFunc) Read([]byte) (int, error) { return 0, f() }

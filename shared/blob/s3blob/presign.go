package s3blob

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"nanotypedb/shared/blob"
)

// PresignGet implements blob.Presigner.
func (s *Store) PresignGet(ctx context.Context, key string, as blob.Download, life time.Duration) (blob.Address, error) {
	if err := blob.ValidateAddress(key, as, 0, life); err != nil {
		return blob.Address{}, err
	}
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: s.object(key), ResponseContentDisposition: aws.String(as.Disposition())}
	if as.Type != "" {
		in.ResponseContentType = &as.Type
	}
	signed, err := s.signer.PresignGetObject(ctx, in, s3.WithPresignExpires(life))
	if err != nil {
		return blob.Address{}, fmt.Errorf("sign address of blob %s: %w", key, err)
	}
	return address(signed, life), nil
}

// PresignPut implements blob.Presigner. The size and that the key must be free
// are among what is signed.
func (s *Store) PresignPut(ctx context.Context, key string, size int64, life time.Duration) (blob.Address, error) {
	if err := blob.ValidateAddress(key, blob.Download{}, size, life); err != nil {
		return blob.Address{}, err
	}
	signed, err := s.signer.PresignPutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: s.object(key), ContentLength: &size, IfNoneMatch: aws.String("*"),
	}, s3.WithPresignExpires(life))
	if err != nil {
		return blob.Address{}, fmt.Errorf("sign upload of blob %s: %w", key, err)
	}
	return address(signed, life), nil
}

// address keeps of the signed headers those that a client must send itself:
// it knows host and length without being told.
func address(signed *v4.PresignedHTTPRequest, life time.Duration) blob.Address {
	a := blob.Address{Method: signed.Method, URL: signed.URL, Headers: map[string]string{}, Expires: time.Now().Add(life)}
	for name, values := range signed.SignedHeader {
		switch name = http.CanonicalHeaderKey(name); name {
		case "Host", "Content-Length":
		default:
			a.Headers[name] = values[0]
		}
	}
	return a
}

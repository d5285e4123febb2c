package atomichttp

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"

	"github.com/holdfast-go/holdfast/atomic"
)

// errBodyRead: what came with the request is gone, and with it what would tell the request
// from another.
var errBodyRead = fmt.Errorf("holdfast: atomichttp: the body of a request with an Idempotency-Key was read in front of the middleware, so that nobody can tell "+
	"whether it is the same: put the middleware in front of what reads it, or have that put the body back: %w", atomic.ErrOption)

// fingerprint is what the request is, but for its headers.
func fingerprint(r *http.Request, body *kept) ([]byte, error) {
	var left []byte
	if body != nil {
		left = body.bytes
	}
	h := sha256.New()
	came, now := asked(r), r.URL.RequestURI()
	fmt.Fprintf(h, "%q %q", r.Method, came)
	if now != came { // by whom may depend on what is not asked here
		fmt.Fprintf(h, "->%q", now)
	}
	switch {
	case len(left) > 0:
	case hasForm(r):
		fmt.Fprint(h, "+form ")
		err := addForm(h, r)
		return h.Sum(nil), err
	case r.ContentLength > 0:
		return nil, errBodyRead
	}
	fmt.Fprint(h, " ")
	_, _ = h.Write(left)
	return h.Sum(nil), nil
}

// asked is the path with the query that the client has asked for: http.StripPrefix and others in
// front change the URL. That a proxy, or HTTP/2, says the rest of the address in another place
// makes no difference.
func asked(r *http.Request) string {
	if r.RequestURI == "" { // it was made for a client, or for a test
		return r.URL.RequestURI()
	}
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.RequestURI()
	}
	return r.RequestURI
}

// hasForm reports whether the request's body was read as a form.
func hasForm(r *http.Request) bool {
	if f := r.MultipartForm; f != nil {
		return len(f.Value)+len(f.File) > 0 // else somebody reads its parts by himself
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return len(r.PostForm) > 0 || r.PostForm != nil && kind == "application/x-www-form-urlencoded"
}

// addForm writes what the request's form is.
func addForm(to io.Writer, r *http.Request) error {
	fmt.Fprintln(to, r.PostForm.Encode())
	if r.MultipartForm == nil {
		return nil
	}
	fmt.Fprintln(to, url.Values(r.MultipartForm.Value).Encode())
	for _, name := range slices.Sorted(maps.Keys(r.MultipartForm.File)) {
		for _, f := range r.MultipartForm.File[name] {
			fmt.Fprintf(to, "%q %q %q %d ", name, f.Filename, f.Header.Get("Content-Type"), f.Size)
			if err := addFile(to, f); err != nil {
				return fmt.Errorf("holdfast: atomichttp: a file of the request's form could not be read: %w", err)
			}
		}
	}
	return nil
}

func addFile(to io.Writer, f *multipart.FileHeader) error {
	file, err := f.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(to, file)
	return err
}

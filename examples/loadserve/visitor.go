//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// visitor is one client of a soak, that does something else each time.
type visitor struct {
	base   string
	number int
	files  *files
	home   *http.Client // from 127.0.0.1
	away   *http.Client // from an address that may not read kubevirt/
}

func newVisitor(address string, number int, files *files) *visitor {
	from := func(ip string) *http.Client {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableCompression: true}}
	}
	return &visitor{"http://" + address, number, files, from("127.0.0.1"), from(deniedAddress)}
}

func (v *visitor) close() {
	v.home.CloseIdleConnections()
	v.away.CloseIdleConnections()
}

func (v *visitor) visit(ctx context.Context, n int) error {
	name := v.files.name(n + v.number)
	switch (n + v.number) % 8 {
	case 0:
		return v.refused(ctx)
	case 1:
		return v.broken(ctx, name)
	case 2:
		return v.listing(ctx)
	case 3, 4:
		return v.parts(ctx, name)
	case 5: // every connection anew now and then
		v.close()
	}
	return v.whole(ctx, name)
}

// get asks for a part of a file, or for all of it if part is "".
func (v *visitor) get(ctx context.Context, client *http.Client, path, part, ifRange string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if err != nil {
		return nil, err
	}
	if part != "" {
		req.Header.Set("Range", part)
		req.Header.Set("If-Range", ifRange)
	}
	return client.Do(req)
}

func (v *visitor) whole(ctx context.Context, name string) error {
	resp, err := v.get(ctx, v.home, name, "", "")
	if err != nil {
		return err
	}
	data, err := body(resp, http.StatusOK)
	if err != nil {
		return err
	}
	v.files.downloads.Add(1)
	_, err = checkBytes(data, 0)
	return err
}

// parts reads the beginning of a file and then the rest, if it is still the
// same; the end of both must belong together.
func (v *visitor) parts(ctx context.Context, name string) error {
	resp, err := v.get(ctx, v.home, name, "bytes=0-1023", "")
	if err != nil {
		return err
	}
	tag := resp.Header.Get("ETag")
	begin, err := body(resp, http.StatusPartialContent)
	if err != nil {
		return err
	}
	word, err := checkBytes(begin, 0)
	if err != nil {
		return err
	}
	const from = 1021
	resp, err = v.get(ctx, v.home, name, fmt.Sprintf("bytes=%d-", from), tag)
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		// It was replaced, or its tag is too young to be strong.
		data, err := body(resp, resp.StatusCode)
		if err == nil && resp.StatusCode == http.StatusOK {
			_, err = checkBytes(data, 0)
		}
		return err
	}
	data, err := body(resp, http.StatusPartialContent)
	if err != nil {
		return err
	}
	rest, err := checkBytes(data, from)
	if err == nil && rest != 0 && word != 0 && rest != word {
		return fmt.Errorf("%s: a part of version %x after one of %x, with the same tag %s", name, rest, word, tag)
	}
	v.files.parts.Add(1)
	return err
}

// broken goes away in the middle, as lago does.
func (v *visitor) broken(ctx context.Context, name string) error {
	resp, err := v.get(ctx, v.home, name, "", "")
	if err != nil {
		return err
	}
	v.files.broken.Add(1)
	return resp.Body.Close()
}

func (v *visitor) listing(ctx context.Context) error {
	resp, err := v.get(ctx, v.home, "/repo/", "", "")
	if err != nil {
		return err
	}
	data, err := body(resp, http.StatusOK)
	if err == nil && !bytes.Contains(data, []byte("soak-1.img")) {
		err = fmt.Errorf("/repo/: %d bytes that do not name soak-1.img", len(data))
	}
	v.files.listings.Add(1)
	return err
}

// refused asks from an address that no policy allows, and from one that every
// policy allows.
func (v *visitor) refused(ctx context.Context) error {
	for client, status := range map[*http.Client]int{v.away: http.StatusForbidden, v.home: http.StatusOK} {
		resp, err := v.get(ctx, client, "/kubevirt//small.img", "", "")
		if err != nil {
			return err
		}
		if _, err := body(resp, status); err != nil {
			return err
		}
	}
	v.files.refused.Add(1)
	return nil
}

// body reads all of an answer, which must have that status and be as long as it
// says.
func body(resp *http.Response, status int) ([]byte, error) {
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	path := resp.Request.URL.Path
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: after %d of %d bytes: %w", path, len(data), resp.ContentLength, err)
	case resp.StatusCode != status:
		return nil, fmt.Errorf("%s: %s, expected %d: %.200q", path, resp.Status, status, data)
	case resp.ContentLength != int64(len(data)):
		return nil, fmt.Errorf("%s: %d bytes, Content-Length %d", path, len(data), resp.ContentLength)
	}
	return data, nil
}

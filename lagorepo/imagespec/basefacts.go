package imagespec

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// baseFacts is what is known of a base without fetching it.
type baseFacts struct {
	URI    string            // see baseURI
	SHA256 string            // of the file as it is stored or served; of another spec's image, of its disk; "": unknown
	Marks  map[string]string // what else would not stay the same if the base were another

	// Unknown is why SHA256 and Marks are empty: a source that cannot be asked
	// is no reason to build again what stands on it.
	Unknown string
}

// changed compares what was recorded with what is there now. note is for the
// report where that cannot be told.
func (old baseFacts) changed(now baseFacts) (changed bool, note string) {
	if old.URI != now.URI {
		return true, ""
	}
	if old.SHA256 != "" && now.SHA256 != "" {
		return old.SHA256 != now.SHA256, ""
	}
	compared := false
	for key, value := range now.Marks {
		if was, ok := old.Marks[key]; ok {
			compared = true
			if was != value {
				return true, ""
			}
		}
	}
	if compared {
		return false, ""
	}
	why := now.Unknown
	if why == "" {
		why = "it says nothing of itself that was recorded"
	}
	return false, "whether its base has changed cannot be told: " + why
}

// Marks of a base.
const (
	markListing  = "listing" // SHA-256 of what virt-builder lists of the template
	markETag     = "etag"
	markModified = "last-modified"
	markLength   = "content-length"
)

// maxListing bounds what virt-builder may list. A public source has some 100
// KiB.
const maxListing = 16 << 20

// askTimeout is for a server to say what it has.
const askTimeout = 30 * time.Second

// baseAsker finds facts of bases, each asked for once however many specs stand
// on it.
type baseAsker struct {
	opt      BuildOptions
	builder  Tool // virt-builder; its path is empty where it is missing
	env      commandEnv
	known    map[string]baseFacts
	listing  []json.RawMessage // the templates of virt-builder; asked for once
	listErr  error
	listDone bool
}

// facts gives the facts of a base that is no other spec's. The error is the
// cause of a ctx that is done.
func (a *baseAsker) facts(ctx context.Context, b Base) (baseFacts, error) {
	key := b.String()
	if f, ok := a.known[key]; ok {
		return f, nil
	}
	f, err := a.ask(ctx, b)
	if ctx.Err() != nil {
		return f, context.Cause(ctx)
	}
	if err != nil {
		f.Unknown = err.Error()
	}
	f.URI = baseURI(b)
	a.known[key] = f
	return f, nil
}

func (a *baseAsker) ask(ctx context.Context, b Base) (baseFacts, error) {
	switch {
	case b.Kind == BaseLibguestfs:
		return a.template(ctx, b.Ref)
	case !b.Remote():
		sum, err := sumFile(ctx, b.Ref)
		return baseFacts{SHA256: sum}, err
	case b.Sum != nil && b.Sum.Algorithm == hashutil.SHA256:
		return baseFacts{SHA256: b.Sum.Hex}, nil
	case b.Sum != nil:
		return baseFacts{Marks: map[string]string{string(b.Sum.Algorithm): b.Sum.Hex}}, nil
	}
	return a.head(ctx, b.Ref)
}

// template takes what virt-builder lists of a template, of any architecture, for
// its identity. There is no digest in the list.
func (a *baseAsker) template(ctx context.Context, name string) (baseFacts, error) {
	if !a.listDone {
		a.listing, a.listErr = a.list(ctx)
		a.listDone = true
	}
	if a.listErr != nil {
		return baseFacts{}, a.listErr
	}
	sum := sha256.New()
	found := false
	for _, raw := range a.listing {
		var t struct {
			Name    string   `json:"os-version"`
			Aliases []string `json:"aliases"`
		}
		if err := json.Unmarshal(raw, &t); err != nil {
			return baseFacts{}, fmt.Errorf("the list of virt-builder: %w", err)
		}
		if t.Name == name || slices.Contains(t.Aliases, name) {
			found = true
			sum.Write(raw)
		}
	}
	if !found {
		return baseFacts{}, fmt.Errorf("virt-builder lists no template %s", templates.Quote(name))
	}
	return baseFacts{Marks: map[string]string{markListing: hex.EncodeToString(sum.Sum(nil))}}, nil
}

func (a *baseAsker) list(ctx context.Context) ([]json.RawMessage, error) {
	if a.builder.Path == "" {
		return nil, errors.New("virt-builder is missing")
	}
	out, log := &cappedBuffer{limit: maxListing}, &tail{}
	cmd := a.env.command(a.builder, "--list", "--list-format=json")
	cmd.Stdout, cmd.Log, cmd.Timeout = out, log, a.opt.StepTimeout
	if err := a.opt.Runner.Run(ctx, cmd); err != nil {
		return nil, fmt.Errorf("%w%s", err, indented(log.text()))
	}
	var list struct {
		Templates []json.RawMessage `json:"templates"`
	}
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		return nil, fmt.Errorf("the list of virt-builder: %w", err)
	}
	return list.Templates, nil
}

// head asks a server what it says of a file.
func (a *baseAsker) head(ctx context.Context, url string) (baseFacts, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return baseFacts{}, err
	}
	resp, err := a.opt.Client.Do(req)
	if err != nil {
		return baseFacts{}, err
	}
	if err := resp.Body.Close(); err != nil {
		return baseFacts{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return baseFacts{}, fmt.Errorf("HEAD %s: expected 200 OK, found %s", bareURL(url), templates.Quote(resp.Status))
	}
	marks := map[string]string{}
	for key, value := range map[string]string{markETag: resp.Header.Get("ETag"), markModified: resp.Header.Get("Last-Modified")} {
		if value != "" {
			marks[key] = value
		}
	}
	if resp.ContentLength >= 0 {
		marks[markLength] = strconv.FormatInt(resp.ContentLength, 10)
	}
	return baseFacts{Marks: marks}, nil
}

// sumFile gives the SHA-256 of a regular file.
func sumFile(ctx context.Context, path string) (sum string, err error) {
	// First, since opening a fifo might never end.
	if st, err := os.Stat(path); err != nil {
		return "", err
	} else if !st.Mode().IsRegular() {
		return "", fmt.Errorf("%s: is %s, expected a file", path, templates.TypeName(st.Mode()))
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sums, _, err := hashutil.Sum(ctx, f, hashutil.SHA256)
	return sums[hashutil.SHA256], err
}

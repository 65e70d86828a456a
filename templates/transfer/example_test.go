package transfer_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tplkit/tplkit/templates/transfer"
)

// A server that is busy at first.
func ExamplePolicy_Do() {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "an image")
	}))
	defer s.Close()

	var image []byte
	policy := transfer.Policy{Retries: 2, Pause: func(int) time.Duration { return time.Millisecond }}
	err := policy.Do(context.Background(), func(ctx context.Context, alive func()) (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, transfer.Broken(ctx, err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return false, transfer.Refused(resp, fmt.Errorf("expected status 200, found %s", resp.Status))
		}
		alive()
		if image, err = io.ReadAll(resp.Body); err != nil {
			return false, transfer.Broken(ctx, err)
		}
		return true, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, asked for %d times\n", image, asked)
	// Output: an image, asked for 3 times
}

package webserve_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
)

// FuzzRange: whatever a Range header holds, ServeContent takes what becomes of it,
// and sends the bytes that it says it sends.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=-5", "bytes=5-", "bytes=0-0,5-6", "bytes=-0", "BYTES=1-2", "bytes=99999999999999999999-", "bytes=0-0,5-2", "items=1-2", "bytes=,,1-1", strings.Repeat("bytes=1-1,", 100)} {
		f.Add(s, uint16(10))
	}
	f.Fuzz(func(t *testing.T, header string, size uint16) {
		content := strings.Repeat("0123456789abcdef", 1+int(size)/16)[:size]
		clean := webserve.CleanRange(header, int64(size))
		if clean != "" {
			require.LessOrEqual(t, strings.Count(clean, ","), 199)
			again := webserve.CleanRange(clean, int64(size))
			require.Contains(t, []string{clean, ""}, again)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Range"] = []string{clean}
		w := httptest.NewRecorder()
		http.ServeContent(w, r, "x.raw", time.Time{}, strings.NewReader(content))
		body := w.Body.String()
		switch w.Code {
		case 200:
			require.Equal(t, content, body)
		case 416:
			require.Equal(t, fmt.Sprintf("bytes */%d", size), w.Header().Get("Content-Range"), "from %q", header)
		case 206:
			if value := w.Header().Get("Content-Range"); value != "" {
				var first, last, all int
				_, err := fmt.Sscanf(value, "bytes %d-%d/%d", &first, &last, &all)
				require.NoError(t, err)
				require.LessOrEqual(t, first, last)
				require.Less(t, last, int(size))
				require.Equal(t, int(size), all)
				require.Equal(t, content[first:last+1], body)
			}
		default:
			t.Fatalf("status %d", w.Code)
		}
	})
}

package browse

import (
	"strconv"
	"strings"
)

// wantsJSON says whether the lines of an Accept header prefer application/json
// to text/html. Who does not name JSON, gets HTML: that is what */* means to
// people with a browser, and to programs that read listings.
func wantsJSON(accept []string) bool {
	json, html := -1.0, -1.0
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			kind, params, _ := strings.Cut(part, ";")
			q := quality(params)
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "application/json":
				json = max(json, q)
			case "text/html", "application/xhtml+xml":
				html = max(html, q)
			}
		}
	}
	return json > 0 && json > html
}

// quality reads the q of a media range's parameters; 1 without one.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(key, "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

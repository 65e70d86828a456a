package acl

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Client is the address that a request is decided by. It is the peer's, whatever
// the headers say, unless the peer is one of TrustedProxies. Then it is the last
// one in X-Forwarded-For or Forwarded (RFC 7239) that is no trusted proxy: each
// proxy adds the address it was asked from at the right end, so what stands left
// of that one was written by the client. Where all are trusted, it is the
// leftmost.
//
// An error means that the client is not known, and the request must be denied: a
// trusted proxy sent neither header; both are there and disagree; something that
// is no address, as "unknown" or "_hidden", stands where an address is needed;
// the peer itself is not known. Ports are accepted and do not count. A Forwarded
// header must be well-formed as a whole.
func (p *Policy) Client(peer netip.Addr, h http.Header) (netip.Addr, error) {
	peer = normalAddr(peer)
	if !peer.IsValid() {
		return netip.Addr{}, errors.New("the address of the peer is not known")
	}
	if p == nil || !p.TrustedProxies.Contains(peer) {
		return peer, nil
	}
	xff, fwd := h[headerXFF], h[headerForwarded]
	if len(xff) == 0 && len(fwd) == 0 {
		return netip.Addr{}, fmt.Errorf("trusted proxy %s names no client; have it set %s or %s", peer, headerXFF, headerForwarded)
	}
	var client netip.Addr
	if len(xff) > 0 {
		a, err := p.origin(xffItems(xff))
		if err != nil {
			return netip.Addr{}, fmt.Errorf("%s from %s: %w", headerXFF, peer, err)
		}
		client = a
	}
	if len(fwd) > 0 {
		a, err := p.origin(forwardedItems(fwd))
		if err != nil {
			return netip.Addr{}, fmt.Errorf("%s from %s: %w", headerForwarded, peer, err)
		}
		if client.IsValid() && client != a {
			return netip.Addr{}, fmt.Errorf("%s and %s from %s name different clients, %s and %s; have the proxy remove the one it does not set",
				headerXFF, headerForwarded, peer, client, a)
		}
		client = a
	}
	return client, nil
}

// The headers by the names that net/http gives them.
const (
	headerXFF       = "X-Forwarded-For"
	headerForwarded = "Forwarded"
)

// origin walks items, which come from right to left, to the first address that
// is no trusted proxy.
func (p *Policy) origin(items iter.Seq2[string, error]) (netip.Addr, error) {
	var a netip.Addr
	for item, err := range items {
		if err == nil {
			a, err = parseNode(item)
		}
		if err != nil {
			return netip.Addr{}, err
		}
		if !p.TrustedProxies.Contains(a) {
			break
		}
	}
	return a, nil
}

// xffItems yields the items of X-Forwarded-For lines from right to left. An
// empty item is no address: it is left to the reader of the items to say so.
func xffItems(lines []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, l := range slices.Backward(lines) {
			for comma := len(l); comma >= 0; {
				l = l[:comma]
				comma = strings.LastIndexByte(l, ',')
				if !yield(strings.Trim(l[comma+1:], " \t"), nil) {
					return
				}
			}
		}
	}
}

// parseNode reads an address with or without a port: 192.0.2.1, 192.0.2.1:80,
// 2001:db8::1, [2001:db8::1], [2001:db8::1]:80.
func parseNode(s string) (netip.Addr, error) {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return netip.Addr{}, nodeError(s)
		}
		host, port = s[1:end], s[end+1:]
		if !strings.Contains(host, ":") {
			return netip.Addr{}, nodeError(s)
		}
	} else if strings.Count(s, ":") == 1 {
		colon := strings.IndexByte(s, ':')
		host, port = s[:colon], s[colon:]
	}
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != "" || !validPort(port) {
		return netip.Addr{}, nodeError(s)
	}
	return normalAddr(a), nil
}

// validPort takes what follows an address: nothing, or ":" and a number.
func validPort(s string) bool {
	if s == "" {
		return true
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(s, ":"), 10, 16)
	return err == nil && s == ":"+strconv.FormatUint(n, 10)
}

func nodeError(s string) error {
	return fmt.Errorf("%s is not an address", quote(s))
}

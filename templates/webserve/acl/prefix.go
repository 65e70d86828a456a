package acl

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParsePrefix reads a prefix in CIDR form, as "192.0.2.0/24" and
// "2001:db8::/32", or an address, which is the prefix that holds it alone.
//
// What different programs read differently is refused: host bits, as in
// "10.1.2.3/8"; leading zeros, as in "010.0.0.1", octal to some; netmasks and
// shortened addresses, as in "10.1.0.0/255.255.0.0" and "10.1"; IPv4-mapped
// addresses, as in "::ffff:10.0.0.0/104"; IPv6 zones; blanks. The error says
// what to write instead where that is clear.
func ParsePrefix(s string) (netip.Prefix, error) {
	p, err := parsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s: %w", quote(s), err)
	}
	return p, nil
}

var errForm = errors.New("not an address or a prefix; expected one as 192.0.2.0/24, 192.0.2.7 or 2001:db8::/32")

func parsePrefix(s string) (netip.Prefix, error) {
	var none netip.Prefix
	addr, length, cidr := strings.Cut(s, "/")
	switch {
	case s == "":
		return none, errors.New("empty; expected an address or a prefix as 192.0.2.0/24")
	case strings.ContainsAny(s, " \t\r\n\v\f"):
		return none, errors.New("there are blanks in it; write each prefix by itself, without any")
	case strings.Contains(s, "%"):
		return none, errors.New("an IPv6 zone (what follows \"%\") says nothing about a client; leave it out")
	case leadingZero(addr):
		return none, errors.New("a number with a leading zero is octal to some programs and decimal to others; leave the zero out")
	}
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return none, shortened(addr)
	}
	bits := a.BitLen()
	if cidr {
		if bits, err = prefixLength(a, length); err != nil {
			return none, err
		}
	}
	if a.Is4In6() {
		return none, mapped(a, bits)
	}
	p := netip.PrefixFrom(a, bits)
	if m := p.Masked(); m != p {
		return none, fmt.Errorf("it has host bits; the network is %s, the address alone %s", m, a)
	}
	if p == halfMapped {
		return none, fmt.Errorf("half of it is the IPv4-mapped addresses, which are compared as IPv4; write %s", notMappedHalf)
	}
	return p, nil
}

// leadingZero reports whether a number of a dotted address begins with a zero
// that does not stand alone. In IPv6 groups it is of no consequence.
func leadingZero(addr string) bool {
	dotted := addr[strings.LastIndexByte(addr, ':')+1:]
	if len(dotted) < len(addr) && !strings.Contains(dotted, ".") {
		return false
	}
	for n := range strings.SplitSeq(dotted, ".") {
		if len(n) > 1 && n[0] == '0' && strings.Trim(n, "0123456789") == "" {
			return true
		}
	}
	return false
}

// shortened is the error for what is no address: "10.1" is 10.1.0.0/16 to
// Apache httpd, 10.0.0.1 to C's inet_aton.
func shortened(addr string) error {
	numbers := strings.Split(strings.TrimSuffix(addr, "."), ".")
	if len(numbers) > 3 {
		return errForm
	}
	for _, n := range numbers {
		if v, err := strconv.ParseUint(n, 10, 16); err != nil || v > 255 {
			return errForm
		}
	}
	whole := strings.Join(append(numbers, "0", "0", "0")[:4], ".")
	return fmt.Errorf("an IPv4 address has four numbers; if a network is meant, write %s/%d", whole, 8*len(numbers))
}

func prefixLength(a netip.Addr, s string) (int, error) {
	if mask, err := netip.ParseAddr(s); err == nil {
		return 0, netmask(a, mask)
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != s || n > uint64(a.BitLen()) {
		return 0, fmt.Errorf("the prefix length %s must be a number from 0 to %d, without leading zeros", quote(s), a.BitLen())
	}
	return int(n), nil
}

// netmask is the error for a mask in place of a prefix length.
func netmask(a, mask netip.Addr) error {
	if a.BitLen() == mask.BitLen() {
		for bits := range mask.BitLen() + 1 {
			if netip.PrefixFrom(ones(mask), bits).Masked().Addr() == mask {
				return fmt.Errorf("a netmask is not accepted; write %s", netip.PrefixFrom(a, bits).Masked())
			}
		}
	}
	return errors.New("a netmask is not accepted, and this one is none; write the length of the prefix")
}

// ones is the highest address of a's family.
func ones(a netip.Addr) netip.Addr { return last(netip.PrefixFrom(a, 0)) }

// mapped is the error for IPv4-mapped addresses.
func mapped(a netip.Addr, bits int) error {
	if bits < 96 {
		return errors.New("it cuts through the IPv4-mapped addresses, ::ffff:0:0/96; name the IPv4 and the IPv6 prefix that are meant")
	}
	p := netip.PrefixFrom(a.Unmap(), bits-96).Masked()
	if p.IsSingleIP() {
		return fmt.Errorf("IPv4-mapped addresses are compared as IPv4; write %s", p.Addr())
	}
	return fmt.Errorf("IPv4-mapped addresses are compared as IPv4; write %s", p)
}

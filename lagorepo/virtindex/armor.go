package virtindex

import (
	"fmt"
	"strings"
)

// The framing of a cleartext signature (RFC 9580, section 7).
const (
	armorBegin     = "-----BEGIN PGP SIGNED MESSAGE-----"
	armorSignature = "-----BEGIN PGP SIGNATURE-----"
	armorEnd       = "-----END PGP SIGNATURE-----"
	dashEscape     = "- "
)

// disarm returns the lines inside a cleartext signature. It is strict where
// programs have been fooled into taking unsigned text for signed: no header but
// Hash, no text outside, one message only.
func (p *parser) disarm(lines []line) ([]line, error) {
	p.idx.Signed = true
	if lines[0].text != armorBegin {
		return nil, &ParseError{Line: 1, Text: fmt.Sprintf(
			"%s: clients expect %q and nothing else on this line", quote(lines[0].text), armorBegin)}
	}
	rest := lines[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0].text, "Hash: ") {
		rest = rest[1:]
	}
	if len(rest) == 0 || rest[0].text != "" {
		no := len(lines)
		if len(rest) > 0 {
			no = rest[0].no
		}
		return nil, &ParseError{Line: no, Text: "expected Hash: lines and an empty line between the first line of a signed index and its text"}
	}
	var text []line
	for i, l := range rest[1:] {
		switch {
		case l.text == armorSignature:
			return text, signature(rest[1+i:])
		case strings.HasPrefix(l.text, dashEscape):
			// A signer may escape any line so. virt-builder does not undo it.
			l.text = l.text[len(dashEscape):]
			p.complain(l.no, "", "line is dash-escaped (it begins with \"- \"), and virt-builder reads it as it stands")
		case strings.HasPrefix(l.text, "-"):
			return nil, &ParseError{Line: l.no, Text: fmt.Sprintf(
				"%s: a line inside a signature cannot begin with a dash that is not escaped", quote(l.text))}
		}
		text = append(text, l)
	}
	return nil, &ParseError{Line: lines[len(lines)-1].no, Text: fmt.Sprintf("signed index ends without %q", armorSignature)}
}

// signature walks over the signature, whose first line is lines[0], to the end
// of the file.
func signature(lines []line) error {
	for i, l := range lines[1:] {
		if l.text == armorEnd {
			for _, after := range lines[2+i:] {
				if after.text != "" {
					return &ParseError{Line: after.no, Text: "text behind the signature is not signed"}
				}
			}
			return nil
		}
		if strings.HasPrefix(l.text, "-") {
			return &ParseError{Line: l.no, Text: fmt.Sprintf("%s inside the signature, expected %q", quote(l.text), armorEnd)}
		}
	}
	return &ParseError{Line: lines[len(lines)-1].no, Text: fmt.Sprintf("signature ends without %q", armorEnd)}
}

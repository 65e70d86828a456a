package container

import "errors"

// MaxVLILen is how many bytes a variable-length integer may have: 9 × 7 = 63 bits.
const MaxVLILen = 9

var (
	errVLIShort = errors.New("number is cut off")
	errVLILong  = errors.New("number is longer than 9 bytes or than it needs to be")
)

// appendVLI appends v in the format's variable-length encoding: 7 bits a byte, least significant first.
func appendVLI(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// takeVLI reads a number from the beginning of p and returns what follows it.
func takeVLI(p []byte) (v int64, rest []byte, err error) {
	for i := 0; i < MaxVLILen; i++ {
		if i == len(p) {
			return 0, nil, errVLIShort
		}
		v |= int64(p[i]&0x7f) << (7 * i)
		if p[i] < 0x80 {
			if p[i] == 0 && i > 0 {
				return 0, nil, errVLILong
			}
			return v, p[i+1:], nil
		}
	}
	return 0, nil, errVLILong
}

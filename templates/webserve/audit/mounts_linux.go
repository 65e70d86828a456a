package audit

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mountsBelow gives the places below dir where something is mounted, as names
// relative to dir. A bind mount of the same file system shows nowhere else. dir
// is absolute and without symbolic links. Where the kernel does not tell, there
// are none: the device numbers still show most.
func mountsBelow(dir string) map[string]bool {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	found := make(map[string]bool)
	// proc(5): the fifth field is the mount point.
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		rel, err := filepath.Rel(dir, unescapeOctal(fields[4]))
		if err == nil && rel != "." && filepath.IsLocal(rel) {
			found[rel] = true
		}
	}
	return found
}

// unescapeOctal undoes what the kernel does to blanks: "\040".
func unescapeOctal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

package measure

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Machine says what was measured with.
type Machine struct {
	Processor string `json:"processor"` // its model, where the system tells
	Cores     int    `json:"cores"`
	System    string `json:"system"` // as "Linux 6.1.0"
	Go        string `json:"go"`
	XZ        string `json:"xz,omitempty"`   // what xz says its version is; empty without xz
	Pixz      string `json:"pixz,omitempty"` // likewise
}

// ThisMachine asks the system and the programs.
func ThisMachine(ctx context.Context) Machine {
	m := Machine{Processor: runtime.GOARCH, Cores: runtime.NumCPU(), System: runtime.GOOS, Go: runtime.Version()}
	if s := lineOf(ctx, "", "uname", "-sr"); s != "" {
		m.System = s
	}
	m.XZ = lineOf(ctx, "xz", "xz", "--version")
	m.Pixz = lineOf(ctx, "pixz ", "pixz", "-h") // its first line has no version
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return m
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			m.Processor = strings.TrimSpace(value)
			break
		}
	}
	return m
}

// String is one line for a document.
func (m Machine) String() string {
	line := fmt.Sprintf("%s, %d cores, %s, %s", m.Processor, m.Cores, m.System, m.Go)
	for _, tool := range []string{m.XZ, m.Pixz} {
		if tool != "" {
			line += ", " + tool
		}
	}
	return line
}

// lineOf is the last line with that beginning that a program prints, whatever it
// thinks of being asked; "" where there is none, or no such program.
func lineOf(ctx context.Context, beginning, name string, args ...string) (found string) {
	out, _ := exec.CommandContext(ctx, name, args...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, beginning) {
			found = strings.TrimSpace(line)
		}
	}
	return found
}

package kubevirtimg

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/kubevirtimg/internal/bash"
)

// imageOf gives the file name that a URL ends with, or why there is none.
func imageOf(url bash.Value) (image, reason string) {
	if url.Known && url.Text == "" {
		return "", "the URL is empty"
	}
	i := strings.LastIndexByte(url.Tail, '/')
	if i < 0 {
		if url.Known {
			return "", "the URL has no path"
		}
		return "", "the URL is not known: " + url.Why
	}
	if strings.ContainsAny(url.Tail, "?#") {
		return "", "the URL has a query"
	}
	return url.Tail[i+1:], ""
}

// dirOf gives the directory of the cache that a destination lies in: "" and no reason for a disk.img that is in none.
func dirOf(dest bash.Value) (dir, reason string) {
	if dest.Known && (dest.Text == diskName || dest.Text == "./"+diskName) {
		return "", ""
	}
	above, isDisk := strings.CutSuffix(dest.Tail, "/"+diskName)
	above = strings.TrimRight(above, "/")
	i := strings.LastIndexByte(above, '/')
	switch {
	case dest.Known && !isDisk:
		return "", fmt.Sprintf("it is not kept as %s", diskName)
	case !dest.Known && (!isDisk || i < 0):
		return "", "the directory is not known: " + dest.Why
	case above == "":
		return "", "it is kept in no directory of a cache"
	}
	return above[i+1:], ""
}

// isDisk reports whether a destination is the disk of some directory, as far as is known.
func isDisk(dest bash.Value) bool {
	return strings.HasSuffix(dest.Tail, "/"+diskName) || dest.Known && dest.Text == diskName
}

// download is one command that fetches a URL into a file.
type download struct{ url, dest bash.Value }

// downloadOf takes a command apart; ok is false for one that downloads no image of a cache.
func downloadOf(c bash.Command) (d download, ok bool) {
	args := c.Args[1:]
	switch path.Base(c.Args[0].Text) {
	case "safe_download":
		// LOCK URL DISK, and perhaps a time-out. With fewer arguments it is another function of that name: its body tells.
		if len(args) >= 3 {
			return download{url: args[1], dest: args[2]}, true
		}
	case "curl":
		d, ok = fromOptions(args, c.Stdout, curlOutput, curlArguments)
	case "wget":
		d, ok = fromOptions(args, c.Stdout, wgetOutput, wgetArguments)
	case "gsutil":
		return fromCopy(args)
	}
	return d, ok && isDisk(d.dest)
}

// The options that take the destination, and the other ones that take an argument, which is then no URL.
var (
	curlOutput    = []string{"o", "--output"}
	curlArguments = []string{"HuAebcdFXmxyYrTKECDQtwz", "--header", "--user", "--user-agent", "--referer", "--cookie", "--cookie-jar",
		"--data", "--form", "--request", "--max-time", "--connect-timeout", "--proxy", "--retry", "--retry-delay", "--retry-max-time",
		"--limit-rate", "--cacert", "--cert", "--key", "--range", "--write-out", "--config", "--speed-time", "--speed-limit"}
	wgetOutput    = []string{"O", "--output-document"}
	wgetArguments = []string{"oaetTwQPUI", "--tries", "--timeout", "--wait", "--header", "--user", "--password", "--user-agent",
		"--directory-prefix", "--output-file", "--limit-rate"}
)

// fromOptions reads the command line of curl or wget. output and with list, first, the letters of short options and then the
// long ones.
func fromOptions(args []bash.Value, stdout *bash.Value, output, with []string) (d download, ok bool) {
	if stdout != nil {
		d.dest = *stdout
	}
	for i := 0; i < len(args); i++ {
		text := args[i].Text
		argument := func() {
			if i++; i < len(args) {
				d.dest = args[i]
			}
		}
		switch {
		case !strings.HasPrefix(text, "-"):
			if !ok {
				d.url, ok = args[i], true
			}
		case strings.HasPrefix(text, "--"):
			name, value, joined := strings.Cut(text, "=")
			switch {
			case slices.Contains(output[1:], name) && joined:
				d.dest = cutValue(args[i], len(text)-len(value))
			case slices.Contains(output[1:], name):
				argument()
			case slices.Contains(with[1:], name) && !joined:
				i++
			}
		default:
			at := strings.IndexAny(text[1:], output[0]+with[0])
			switch {
			case at < 0:
			case strings.IndexByte(output[0], text[1+at]) < 0: // an argument of another option, joined or the next word
				if 2+at == len(text) {
					i++
				}
			case 2+at < len(text):
				d.dest = cutValue(args[i], 2+at)
			default:
				argument()
			}
		}
	}
	return d, ok
}

// cutValue is a value without its first n bytes, which are text of the script.
func cutValue(v bash.Value, n int) bash.Value {
	whole := v.Known
	v.Text = v.Text[n:]
	if whole {
		v.Tail = v.Text
	}
	return v
}

// fromCopy reads gsutil [options] cp [options] FROM TO.
func fromCopy(args []bash.Value) (d download, ok bool) {
	var words []bash.Value
	for _, a := range args {
		if !strings.HasPrefix(a.Text, "-") {
			words = append(words, a)
		}
	}
	if len(words) != 3 || words[0].Text != "cp" || !isDisk(words[2]) {
		return d, false
	}
	return download{url: words[1], dest: words[2]}, true
}

package virtindex

// above returns the comment above a section without empty lines at its
// beginning and with one where there are several. An empty line at its end
// stays: it divides the comment from the section.
func above(comment []string) []string {
	var out []string
	for _, c := range comment {
		if c == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, c)
	}
	return out
}

// tidy is above without the empty line at the end.
func tidy(comment []string) []string {
	out := above(comment)
	if n := len(out); n > 0 && out[n-1] == "" {
		out = out[:n-1]
	}
	return out
}

// onlyComments returns the comment without its empty lines.
func onlyComments(comment []string) []string {
	var out []string
	for _, c := range comment {
		if c != "" {
			out = append(out, c)
		}
	}
	return out
}

// detached returns the part of the comment above a section that an empty line
// divides from it, and the part that touches it.
func detached(comment []string) (apart, touching []string) {
	for i := len(comment) - 1; i >= 0; i-- {
		if comment[i] == "" {
			return tidy(comment[:i]), tidy(comment[i:])
		}
	}
	return nil, tidy(comment)
}

// joined puts comments below each other with an empty line between.
func joined(comments ...[]string) []string {
	var out []string
	for _, c := range comments {
		out = append(append(out, ""), c...)
	}
	return tidy(out)
}

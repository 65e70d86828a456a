package tree

// WalkOnly has the package do without openat2 until the function is called.
func WalkOnly() (back func()) {
	walkOnly.Store(true)
	return func() { walkOnly.Store(false) }
}

// KeptSize is what a zone's files in memory take, in bytes.
func KeptSize(z *Zone) int {
	z.kept.mu.RLock()
	defer z.kept.mu.RUnlock()
	sum := 0
	for _, one := range z.kept.files {
		sum += len(one.content) + keptBeside
	}
	if sum != z.kept.size {
		return -1
	}
	return sum
}

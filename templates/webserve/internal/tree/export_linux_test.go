package tree

// WalkOnly has the package do without openat2 until the function is called.
func WalkOnly() (back func()) {
	walkOnly.Store(true)
	return func() { walkOnly.Store(false) }
}

// KeptSize is what a zone's files in memory take, in bytes.
func KeptSize(z *Zone) int {
	_, bytes := z.kept.files.Size()
	return bytes
}

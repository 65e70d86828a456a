package tree

// WalkOnly has the package do without openat2 until the function is called.
func WalkOnly() (back func()) {
	walkOnly.Store(true)
	return func() { walkOnly.Store(false) }
}

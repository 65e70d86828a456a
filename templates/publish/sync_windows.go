package publish

import "os"

// syncDir does nothing: Windows has no sync of a directory and orders its entries by itself.
func syncDir(*os.File) error { return nil }

// nonblock is nothing: there are no fifos among files.
const nonblock = 0

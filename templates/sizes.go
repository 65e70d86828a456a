package templates

// Sizes are the sizes of an image in bytes; 0 means not known or not
// applicable.
type Sizes struct {
	Virtual   int64 `json:"virtual,omitempty"`   // of the disk the guest sees
	Apparent  int64 `json:"apparent,omitempty"`  // of the file
	Allocated int64 `json:"allocated,omitempty"` // on disk: less than apparent where the file has holes
	Packed    int64 `json:"packed,omitempty"`    // of the .xz
}

package kubevirtimg

const (
	diskName    = "disk.img"
	sidecarName = diskName + ".sha1"
)

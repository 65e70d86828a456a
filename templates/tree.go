package templates

// The four directories of a template server, each also the first element of
// its URLs. Everyone may read the first three; KubeVirtDir is for allow-listed
// subnets.
const (
	RepoDir     = "repo"     // lago templates, repo.metadata and the virt-builder index
	BundlesDir  = "bundles"  // release bundles
	YumDir      = "yum"      // RPM repositories, uploaded by their owner
	KubeVirtDir = "kubevirt" // images for KubeVirt CI
)

// The two indexes in RepoDir.
const (
	RepoMetadataName = "repo.metadata" // read by lago
	IndexName        = "index"         // read by virt-builder
)

// Files are the names of the three files a published lago template consists
// of. All three are needed: lago gives up on a template that lacks one.
type Files struct {
	Disk     string // H.xz: the packed disk
	Hash     string // H.hash: SHA-1 of the disk's content, not of the .xz
	Metadata string // H.metadata: a JSON object
}

// FilesOf gives the file names for a handle. The handle is not checked.
func FilesOf(handle string) Files {
	return Files{Disk: handle + ".xz", Hash: handle + ".hash", Metadata: handle + ".metadata"}
}

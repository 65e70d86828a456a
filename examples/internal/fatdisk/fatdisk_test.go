package fatdisk_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/examples/internal/fatdisk"
)

const size = 16 << 20

func noise(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{'f', 'a', 't'}).Read(p)
	return p
}

func write(t *testing.T, files ...fatdisk.File) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk.raw"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	require.NoError(t, fatdisk.Write(f, size, "SAMPLE", files...))
	return f
}

func TestFilesComeBack(t *testing.T) {
	files := []fatdisk.File{
		{Name: "EMPTY"},
		{Name: "MOTD.TXT", Data: []byte("welcome\n")},
		{Name: "CLUSTER.BIN", Data: noise(2048)},
		{Name: "MANY.BIN", Data: noise(1_000_001)}, // its chain crosses sectors of the table
		{Name: "LAST.TXT", Data: []byte("the end\n")},
	}
	disk := write(t, files...)
	for _, want := range files {
		got, err := fatdisk.ReadFile(disk, want.Name)
		require.NoError(t, err, want.Name)
		require.True(t, bytes.Equal(want.Data, got), want.Name)
	}
	_, err := fatdisk.ReadFile(disk, "ABSENT.TXT")
	require.ErrorIs(t, err, fatdisk.ErrNotExist)

	st, err := disk.Stat()
	require.NoError(t, err)
	require.EqualValues(t, size, st.Size())
}

func TestSameArgumentsSameBytes(t *testing.T) {
	file := fatdisk.File{Name: "A.TXT", Data: []byte("a")}
	a, err := os.ReadFile(write(t, file).Name())
	require.NoError(t, err)
	b, err := os.ReadFile(write(t, file).Name())
	require.NoError(t, err)
	require.True(t, bytes.Equal(a, b))
}

func TestFileSystemCheckAgrees(t *testing.T) {
	fsck, err := exec.LookPath("fsck.fat")
	if err != nil {
		t.Skip("needs fsck.fat (Debian: dosfstools)")
	}
	whole, err := os.ReadFile(write(t, fatdisk.File{Name: "MANY.BIN", Data: noise(300_000)}).Name())
	require.NoError(t, err)
	partition := filepath.Join(t.TempDir(), "partition.raw")
	require.NoError(t, os.WriteFile(partition, whole[1<<20:], 0o600))
	out, err := exec.Command(fsck, "-n", "-v", partition).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "147/7656 clusters") // 300,000 bytes, and nothing else
}

func TestWriteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		size  int64
		label string
		file  fatdisk.File
		want  string
	}{
		"too small":      {2 << 20, "OK", fatdisk.File{Name: "A"}, "clusters"},
		"too large":      {1 << 30, "OK", fatdisk.File{Name: "A"}, "at most"},
		"half a sector":  {size + 100, "OK", fatdisk.File{Name: "A"}, "whole sectors"},
		"long name":      {size, "OK", fatdisk.File{Name: "NINECHARS.TXT"}, "8 characters"},
		"lower case":     {size, "OK", fatdisk.File{Name: "a.TXT"}, "A-Z"},
		"empty label":    {size, "", fatdisk.File{Name: "A"}, "8 characters"},
		"more than fits": {size, "OK", fatdisk.File{Name: "A", Data: make([]byte, size)}, "do not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "disk.raw"))
			require.NoError(t, err)
			defer f.Close()
			require.ErrorContains(t, fatdisk.Write(f, c.size, c.label, c.file), c.want)
		})
	}
}

func TestReadRefuses(t *testing.T) {
	good, err := os.ReadFile(write(t, fatdisk.File{Name: "A", Data: noise(10_000)}).Name())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		at    int
		bytes []byte
		want  string
	}{
		"no partition table":  {510, []byte{0, 0}, "partition table"},
		"a huge partition":    {446 + 12, []byte{0xff, 0xff, 0xff, 0x7f}, "at most"},
		"not a FAT16":         {1<<20 + 54, []byte("FAT32   "), "boot sector"},
		"a chain that leaves": {1<<20 + 512 + 4, []byte{0xff, 0xff}, "cluster 65535"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := bytes.Clone(good)
			copy(bad[c.at:], c.bytes)
			_, err := fatdisk.ReadFile(bytes.NewReader(bad), "A")
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err = fatdisk.ReadFile(bytes.NewReader(good[:1<<20]), "A")
	require.Error(t, err)
}

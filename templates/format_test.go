package templates_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
)

// qcow2 makes a header as qemu-img writes it, with a few bytes changed.
func qcow2(version uint32, change func(b []byte)) []byte {
	b := make([]byte, 1024)
	copy(b, "QFI\xfb")
	binary.BigEndian.PutUint32(b[4:], version)
	binary.BigEndian.PutUint32(b[20:], 16)
	binary.BigEndian.PutUint64(b[24:], 6<<30)
	if version == 3 {
		binary.BigEndian.PutUint32(b[100:], 112)
	}
	if change != nil {
		change(b)
	}
	return b
}

func put32(at int, v uint32) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint32(b[at:], v) }
}

func put64(at int, v uint64) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint64(b[at:], v) }
}

func withBacking(b []byte) {
	binary.BigEndian.PutUint64(b[8:], 512)
	binary.BigEndian.PutUint32(b[16:], 11)
	copy(b[512:], "/etc/shadow")
}

func TestDetectFormat(t *testing.T) {
	mbr := make([]byte, 1<<20)
	mbr[510], mbr[511] = 0x55, 0xaa
	vdi := make([]byte, 512)
	copy(vdi[0x40:], "\x7f\x10\xda\xbe")
	for _, tt := range []struct {
		name   string
		data   []byte
		format templates.Format
		size   int64
		bad    string // part of the message
	}{
		{"raw", mbr, templates.Raw, 1 << 20, ""},
		{"one byte", []byte{0}, templates.Raw, 1, ""},
		{"qcow2 v2", qcow2(2, nil), templates.QCOW2, 6 << 30, ""},
		{"qcow2 v3", qcow2(3, nil), templates.QCOW2, 6 << 30, ""},
		{"qcow2 dirty", qcow2(3, put64(72, 1)), templates.QCOW2, 6 << 30, ""},
		{"qcow2 zstd, extended L2", qcow2(3, put64(72, 8|16)), templates.QCOW2, 6 << 30, ""},
		{"xz", []byte("\xfd7zXZ\x00\x00\x04"), templates.XZ, 0, ""},
		{"gzip", []byte("\x1f\x8b\x08\x00"), templates.GZIP, 0, ""},
		{"empty", nil, "", 0, "empty file"},
		{"qcow1", qcow2(1, nil), "", 0, "version 1"},
		{"qcow2 v4", qcow2(4, nil), "", 0, "version 4"},
		{"cut v2", qcow2(2, nil)[:71], "", 0, "71 of at least 72"},
		{"cut v3", qcow2(3, nil)[:100], "", 0, "100 of at least 104"},
		{"backing file", qcow2(3, withBacking), "", 0, `backing file "/etc/shadow"`},
		{"backing file of v2", qcow2(2, withBacking), "", 0, `backing file "/etc/shadow"`},
		{"backing file outside", qcow2(3, put64(8, 1<<62)), "", 0, "impossible place"},
		{"external data", qcow2(3, put64(72, 4)), "", 0, "another file"},
		{"corrupt", qcow2(3, put64(72, 2)), "", 0, "marked as corrupt"},
		{"unknown feature", qcow2(3, put64(72, 1<<63)), "", 0, "0x8000000000000000"},
		{"encrypted", qcow2(3, put32(32, 2)), "", 0, "encrypted"},
		{"cluster size", qcow2(3, put32(20, 63)), "", 0, "2^63"},
		{"no size", qcow2(3, put64(24, 0)), "", 0, "virtual size of 0"},
		{"huge", qcow2(3, put64(24, 1<<63)), "", 0, "virtual size of 9223372036854775808"},
		{"header length", qcow2(3, put32(100, 8)), "", 0, "header length of 8"},
		{"vmdk", append([]byte("KDMV"), mbr...), "", 0, "vmdk"},
		{"vmdk text", []byte("# Disk DescriptorFile\nversion=1\n"), "", 0, "vmdk descriptor"},
		{"vdi", vdi, "", 0, "vdi"},
		{"vhdx", []byte("vhdxfile...."), "", 0, "vhdx"},
		{"luks", []byte("LUKS\xba\xbe\x00\x01"), "", 0, "luks"},
		{"zstd", []byte("\x28\xb5\x2f\xfd...."), "", 0, "zstd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			info, err := templates.DetectFormat(bytes.NewReader(tt.data), int64(len(tt.data)))
			if tt.bad != "" {
				var fe *templates.FormatError
				require.True(t, errors.As(err, &fe), "%v", err)
				require.ErrorContains(t, err, tt.bad)
				return
			}
			require.NoError(t, err)
			require.Equal(t, templates.Info{Format: tt.format, Virtual: tt.size}, info)
		})
	}
}

func TestDetectFormatOfAShrunkFile(t *testing.T) {
	_, err := templates.DetectFormat(strings.NewReader("abc"), 4096)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "3 of the first 4096")
}

func FuzzQCOW2(f *testing.F) {
	f.Add(qcow2(2, nil))
	f.Add(qcow2(3, nil))
	f.Add(qcow2(3, withBacking))
	f.Add(qcow2(3, put64(72, 4)))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := templates.DetectFormat(bytes.NewReader(data), int64(len(data)))
		if err != nil || info.Format != templates.QCOW2 {
			return
		}
		// What is let through must satisfy the rules, read independently.
		if v := binary.BigEndian.Uint32(data[4:]); v != 2 && v != 3 {
			t.Fatalf("version %d accepted", v)
		}
		if binary.BigEndian.Uint64(data[8:]) != 0 {
			t.Fatal("backing file accepted")
		}
		if data[7] == 3 && data[79]&6 != 0 {
			t.Fatal("external data or corrupt image accepted")
		}
		if info.Virtual <= 0 || uint64(info.Virtual) != binary.BigEndian.Uint64(data[24:]) {
			t.Fatalf("virtual size %d", info.Virtual)
		}
	})
}

func ExampleDetectFormat() {
	image := append([]byte("KDMV"), make([]byte, 508)...)
	_, err := templates.DetectFormat(bytes.NewReader(image), int64(len(image)))
	fmt.Println(err)
	image = make([]byte, 512)
	info, err := templates.DetectFormat(bytes.NewReader(image), int64(len(image)))
	fmt.Println(info.Format, info.Virtual, err)
	// Output:
	// vmdk: neither raw nor qcow2; convert it first (qemu-img convert -O qcow2), or it is a raw disk that a guest dressed up
	// raw 512 <nil>
}

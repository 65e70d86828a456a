//go:build unix

package audit_test

import (
	"os/user"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/audit"
)

func TestLookupAccount(t *testing.T) {
	for in, want := range map[string]*audit.Account{
		"root":              {Name: "root", UID: 0, GIDs: []int{0}},
		"0":                 {Name: "root", UID: 0, GIDs: []int{0}},
		"987654321:123456":  {UID: 987654321, GIDs: []int{123456}},
		"root:98765":        {Name: "root", UID: 0, GIDs: []int{98765}},
		"987654321:" + "0":  {UID: 987654321, GIDs: []int{0}},
		"987654321:" + gid0: {UID: 987654321, GIDs: []int{0}},
	} {
		got, err := audit.LookupAccount(in)
		require.NoError(t, err, in)
		require.Equal(t, want.UID, got.UID)
		require.Equal(t, want.GIDs[0], got.GIDs[0], in)
		require.Equal(t, want.Name, got.Name)
	}
	for in, why := range map[string]string{
		"":                     "expected USER, USER:GROUP or UID:GID",
		"no such user":         "expected USER",
		"987654321":            "give its group, too",
		"root:no such group":   "no such group",
		"root:":                "group",
		"-1:-1":                "expected USER",
		"4294967295:0":         "expected USER",
		"99999999999999999999": "expected USER",
	} {
		_, err := audit.LookupAccount(in)
		require.ErrorContains(t, err, why, in)
	}
	require.Equal(t, "root (0:0)", (&audit.Account{Name: "root", GIDs: []int{0}}).String())
	require.Equal(t, "7:8", (&audit.Account{UID: 7, GIDs: []int{8, 9}}).String())
	require.Equal(t, "7", (&audit.Account{UID: 7}).String())
}

// gid0 is the name of group 0: root, or wheel.
var gid0 = func() string {
	if g, err := user.LookupGroupId("0"); err == nil {
		return g.Name
	}
	return "0"
}()

package lagorepo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
)

// goodStoreNames are names of files that stores have held or could hold.
var goodStoreNames = map[string]lagorepo.StoreName{
	"phx_repo:el8.2-base:v1":                {Repo: "phx_repo", Template: "el8.2-base", Version: "v1", Kind: lagorepo.KindDisk},
	"phx_repo:el8.2-base:v1.hash":           {Repo: "phx_repo", Template: "el8.2-base", Version: "v1", Kind: lagorepo.KindHash},
	"phx_repo:el8.2-base:v1.metadata":       {Repo: "phx_repo", Template: "el8.2-base", Version: "v1", Kind: lagorepo.KindMetadata},
	"phx_repo:el8.2-base:v1.lock":           {Repo: "phx_repo", Template: "el8.2-base", Version: "v1", Kind: lagorepo.KindLock},
	"phx_repo:el8.2-base:v1.tmp":            {Repo: "phx_repo", Template: "el8.2-base", Version: "v1", Kind: lagorepo.KindDownload},
	"phx_repo:el8.2-base:v1.tmp.xz":         {Repo: "phx_repo", Template: "el8.2-base", Version: "v1", Kind: lagorepo.KindPacked},
	"phx_repo:el8.2-base:v1.xz":             {Repo: "phx_repo", Template: "el8.2-base", Version: "v1", Kind: lagorepo.KindXZ},
	"phx_repo:el8.2-base:v1.users":          {Repo: "phx_repo", Template: "el8.2-base", Version: "v1", Kind: lagorepo.KindUsers},
	"r:lago Fedora® 22:v1":                  {Repo: "r", Template: "lago Fedora® 22", Version: "v1", Kind: lagorepo.KindDisk},
	"r:a:b:latest":                          {Repo: "r", Template: "a:b", Version: "latest", Kind: lagorepo.KindDisk},
	"r:t:2019.01.02.hash":                   {Repo: "r", Template: "t", Version: "2019.01.02", Kind: lagorepo.KindHash},
	"r:t.hash:v1":                           {Repo: "r", Template: "t.hash", Version: "v1", Kind: lagorepo.KindDisk},
	"in.office repo:centos7_engine:v5":      {Repo: "in.office repo", Template: "centos7_engine", Version: "v5", Kind: lagorepo.KindDisk},
	"r:" + strings.Repeat("x", 200) + ":v1": {Repo: "r", Template: strings.Repeat("x", 200), Version: "v1", Kind: lagorepo.KindDisk},
}

var badStoreNames = map[string]string{
	"":                          "two colons",
	"lost+found":                "two colons",
	"r:t":                       "two colons",
	":t:v1":                     "the repository must not be empty",
	"r::v1":                     "the template must not be empty",
	"r:t:":                      "the version must not be empty",
	"r:t:.hash":                 "the version must not be empty",
	"::":                        "must not be empty",
	"r:../../x:v1":              "must not contain '/'",
	"r:..:v1":                   `the template must be a name, is the directory ".."`,
	"..:t:v1":                   `the repository must be a name, is the directory ".."`,
	"r:t:..":                    `the version must be a name, is the directory ".."`,
	"r:t:..hash":                `the version must be a name, is the directory "."`,
	"r:t\x00:v1":                `must not contain '\x00'`,
	"r:t\n:v1":                  `must not contain '\n'`,
	"r:t\x1b[31m:v1":            `must not contain '\x1b'`,
	"r:t\xff:v1":                "must be valid UTF-8",
	"/var/lib/lago/store/r:t:v": "must not contain '/'",
}

func TestParseStoreName(t *testing.T) {
	for in, want := range goodStoreNames {
		t.Run(in, func(t *testing.T) {
			got, err := lagorepo.ParseStoreName(in)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, in, got.String())
		})
	}
	for in, want := range badStoreNames {
		t.Run(fmt.Sprintf("bad %q", in), func(t *testing.T) {
			_, err := lagorepo.ParseStoreName(in)
			require.ErrorContains(t, err, want)
		})
	}
}

func TestParseStoreNameCutsAndQuotesInErrors(t *testing.T) {
	_, err := lagorepo.ParseStoreName(strings.Repeat("\x1b", 5000))
	require.ErrorContains(t, err, `store name "\x1b`)
	require.Less(t, len(err.Error()), 1200)
	require.NotContains(t, err.Error(), "\x1b")
}

func FuzzParseStoreName(f *testing.F) {
	for in := range goodStoreNames {
		f.Add(in)
	}
	for in := range badStoreNames {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		n, err := lagorepo.ParseStoreName(in)
		if err != nil {
			return
		}
		require.Equal(t, in, n.String(), "printing must give the name back")
		again, err := lagorepo.ParseStoreName(n.String())
		require.NoError(t, err)
		require.Equal(t, n, again)
		require.NotContains(t, n.Repo, ":")
		require.NotContains(t, n.Version, ":")
		require.NotContains(t, in, "/")
	})
}

func ExampleParseStoreName() {
	n, err := lagorepo.ParseStoreName("phx_repo:el8.2-base:v1.hash")
	fmt.Printf("%s %s %s %s %v\n", n.Repo, n.Template, n.Version, n.Kind, err)
	_, err = lagorepo.ParseStoreName("el8.2-base")
	fmt.Println(err)
	// Output:
	// phx_repo el8.2-base v1 hash <nil>
	// store name "el8.2-base": must be REPO:TEMPLATE:VERSION, with two colons or more
}

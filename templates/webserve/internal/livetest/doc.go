// Package livetest runs nginx and Apache httpd on loopback for one test, with the
// configuration under test.
//
//	srv := livetest.StartNginx(t, required, func(listen string) []byte {
//		conf, err := frontend.Export(frontend.Nginx, policy, frontend.ExportOptions{Root: root, Listen: listen})
//		require.NoError(t, err)
//		return conf
//	})
//	conn, err := srv.Dial(netip.MustParseAddr("127.0.0.9")) // as a client with that address
//
// required is whether a missing program fails the test or skips it: tests pass
// os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1". Files that are to be served must be
// readable for the user that httpd runs as: see [Readable].
package livetest

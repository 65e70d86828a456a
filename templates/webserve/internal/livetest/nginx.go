package livetest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// StartNginx runs nginx with what conf returns for the address to listen on,
// which is read in the context http. Around it are settings that a host may well
// have and that conf has to stand against: everything is packed, listed and
// kept by caches.
func StartNginx(t testing.TB, required bool, conf func(listen string) []byte) *Server {
	t.Helper()
	path := find(t, required, "nginx-light", "nginx")
	s := &Server{Addr: freeAddr(t)}
	start(t, s, exec.Command(path, "-c", nginxConf(t, s, conf(s.Addr))))
	return s
}

// CheckNginx has nginx look over conf: "nginx -t".
func CheckNginx(t testing.TB, required bool, conf []byte) error {
	t.Helper()
	return check(find(t, required, "nginx-light", "nginx"), "-t", "-q", "-c", nginxConf(t, &Server{}, conf))
}

func nginxConf(t testing.TB, s *Server, conf []byte) string {
	dir := t.TempDir()
	Readable(t, dir)
	s.log = filepath.Join(dir, "error.log")
	write(t, filepath.Join(dir, "tplkit.conf"), conf)
	temp := ""
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("    %s_temp_path %s/%s;\n", what, dir, what)
	}
	main := filepath.Join(dir, "nginx.conf")
	write(t, main, fmt.Appendf(nil, `daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log warn;
events {
    worker_connections 512;
}
http {
%[2]s    access_log off;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    gzip_static on;
    autoindex on;
    expires 1d;
    satisfy any;
    include %[1]s/tplkit.conf;
}
`, dir, temp))
	return main
}

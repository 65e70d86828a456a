package livetest

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// StartCaddy runs Caddy with what conf returns for the address to listen on.
// Since few hosts have it, it is never required.
func StartCaddy(t testing.TB, _ bool, conf func(listen string) []byte) *Server {
	t.Helper()
	path := find(t, false, "caddy", "caddy")
	s := &Server{Addr: freeAddr(t)}
	cmd := exec.Command(path, "run", "--adapter", "caddyfile", "--config", caddyConf(t, s, conf(s.Addr)))
	cmd.Env = caddyEnv(t)
	start(t, s, cmd)
	return s
}

// CheckCaddy has Caddy look over conf: "caddy validate".
func CheckCaddy(t testing.TB, _ bool, conf []byte) error {
	t.Helper()
	path := find(t, false, "caddy", "caddy")
	return check(path, "validate", "--adapter", "caddyfile", "--config", caddyConf(t, &Server{}, conf))
}

func caddyConf(t testing.TB, s *Server, conf []byte) string {
	t.Helper()
	dir := t.TempDir()
	s.log = filepath.Join(dir, "none.log")
	main := filepath.Join(dir, "Caddyfile")
	write(t, main, append([]byte("{\n\tadmin off\n}\n"), conf...))
	return main
}

// caddyEnv keeps Caddy's state out of the user's.
func caddyEnv(t testing.TB) []string {
	dir := t.TempDir()
	return []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
}

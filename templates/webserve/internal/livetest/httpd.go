package livetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// httpdModules are loaded where they are no part of the program itself. The last
// ones are there for conf to stand against.
var httpdModules = []string{
	"mpm_event", "unixd", "log_config", "authn_core", "authz_core", "authz_host", "access_compat", "alias", "allowmethods", "autoindex", "dir", "env",
	"headers", "mime", "remoteip", "rewrite", "filter", "deflate", "negotiation",
}

// StartHTTPD runs Apache httpd with what conf returns for the address to listen
// on, which is read after settings that a host may well have and that conf has to
// stand against: everything is packed, and some names are programs.
func StartHTTPD(t testing.TB, required bool, conf func(listen string) []byte) *Server {
	t.Helper()
	path := find(t, required, "apache2-bin", "apache2", "httpd")
	s := &Server{Addr: freeAddr(t)}
	start(t, s, exec.Command(path, "-X", "-f", httpdConf(t, s, path, conf(s.Addr))))
	return s
}

// CheckHTTPD has httpd look over conf: "apache2 -t".
func CheckHTTPD(t testing.TB, required bool, conf []byte) error {
	t.Helper()
	path := find(t, required, "apache2-bin", "apache2", "httpd")
	return check(path, "-t", "-f", httpdConf(t, &Server{}, path, conf))
}

func httpdConf(t testing.TB, s *Server, program string, conf []byte) string {
	t.Helper()
	dir := t.TempDir()
	Readable(t, dir)
	s.log = filepath.Join(dir, "error.log")
	write(t, filepath.Join(dir, "tplkit.conf"), conf)
	write(t, filepath.Join(dir, "types"), []byte("text/html html\n"))
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %[1]s\nPidFile %[1]s/pid\nErrorLog %[1]s/error.log\nDefaultRuntimeDir %[1]s\nMutex file:%[1]s default\nServerName localhost\nTypesConfig %[1]s/types\n", dir)
	builtin, err := exec.Command(program, "-l").Output()
	if err != nil {
		t.Fatal(err)
	}
	var load strings.Builder
	modules := moduleDir(t)
	for _, m := range httpdModules {
		if !strings.Contains(string(builtin), "mod_"+m+".c") {
			fmt.Fprintf(&load, "LoadModule %s_module %s/mod_%s.so\n", m, modules, m)
		}
	}
	if os.Geteuid() == 0 {
		name, group := unprivileged()
		fmt.Fprintf(&b, "User %s\nGroup %s\n", name, group)
	}
	b.WriteString(`AddEncoding x-gzip .gz
AddEncoding x-xz .xz
AddType application/x-httpd-php .php
AddHandler cgi-script .cgi
AddHandler type-map .var
SetOutputFilter DEFLATE
<Directory "/">
    Options FollowSymLinks MultiViews
    AllowOverride None
    Require all denied
</Directory>
`)
	fmt.Fprintf(&b, "Include %s/tplkit.conf\n", dir)
	main := filepath.Join(dir, "httpd.conf")
	write(t, main, []byte(load.String()+b.String()))
	return main
}

// moduleDir is where the distribution keeps httpd's modules.
func moduleDir(t testing.TB) string {
	t.Helper()
	for _, dir := range []string{"/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/etc/httpd/modules", "/usr/lib/httpd/modules"} {
		if _, err := os.Stat(filepath.Join(dir, "mod_authz_core.so")); err == nil {
			return dir
		}
	}
	t.Fatal("the modules of httpd are nowhere; is the package complete?")
	return ""
}

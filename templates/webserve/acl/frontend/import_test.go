package frontend_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

// goodConfs are configurations in the shapes that administrators write, and the
// policies that they are.
var goodConfs = []struct {
	name, text, want string
}{
	{"the historical shape", `# Templates server: kubevirt images are for the CI systems only
<Directory "/var/www/html/kubevirt">
    Options Indexes FollowSymLinks
    AllowOverride None

    # ovirt phx
    Require ip 192.0.2.0/24
    # kubevirt CI
    Require ip 198.51.100.7 203.0.113.0/28
    Require ip 2001:db8:1::/48
</Directory>
`, "zone kubevirt\nallow 192.0.2.0/24 198.51.100.7 203.0.113.0/28 2001:db8:1::/48\n"},
	{"with the rest of the tree", `ServerName templates.example.org
DocumentRoot "/srv/templates/"
ErrorLog "logs/templates_error.log"
CustomLog "logs/templates_access.log" combined
<Directory "/">
    AllowOverride none
    Require all denied
</Directory>
<Directory /srv/templates>
    Options +Indexes -MultiViews
    IndexOptions FancyIndexing NameWidth=*
    Require all granted
</Directory>
<Directory /srv/templates/kubevirt/>
    <RequireAny>
        Require ip 192.0.2.0/24
        <RequireAll>
            Require ip 198.51.100.0/24
            Require not ip 198.51.100.7 \
                198.51.100.8
        </RequireAll>
    </RequireAny>
</Directory>
`, "zone bundles\nallow all\nzone repo\nallow all\nzone yum\nallow all\nzone kubevirt\nallow 192.0.2.0/24 198.51.100.0/24\ndeny 198.51.100.7 198.51.100.8\n"},
	{"by location", "<Location />\nRequire all granted\n</Location>\n<Location \"/kubevirt\">\nRequire ip 192.0.2.0/24\n</Location>\n<Location /yum/>\nRequire all denied\n</Location>\n",
		"zone bundles\nallow all\nzone kubevirt\nallow 192.0.2.0/24\nzone repo\nallow all\nzone yum\n"},
	{"both, and", "<Directory /var/www/html/kubevirt>\nRequire ip 192.0.2.0/24\n</Directory>\n<Location /kubevirt>\nAuthMerging And\nRequire ip 192.0.2.128/25 198.51.100.7\n</Location>\n",
		"zone kubevirt\nallow 192.0.2.128/25\n"},
	{"both, or", "<Directory /var/www/html/kubevirt>\nRequire ip 192.0.2.0/24\n</Directory>\n<Location /kubevirt>\nAuthMerging Or\nRequire ip 192.0.2.128/25 198.51.100.7\n</Location>\n",
		"zone kubevirt\nallow 192.0.2.0/24 198.51.100.7\n"},
	{"both, the last one wins", "<Location /kubevirt>\nRequire ip 192.0.2.1\n</Location>\n<Directory /var/www/html/kubevirt>\nRequire ip 192.0.2.0/24\n</Directory>\n",
		"zone kubevirt\nallow 192.0.2.1\n"},
	{"2.2, closed", "<Directory /var/www/html/kubevirt>\nOrder deny,allow\nDeny from all\nAllow from 192.0.2.0/24\nAllow from 198.51.100.7\n</Directory>\n",
		"zone kubevirt\nallow 192.0.2.0/24 198.51.100.7\n"},
	{"2.2, the other order", "<Directory /var/www/html/kubevirt>\norder Allow,Deny\nallow from 192.0.2.0/24\ndeny from 192.0.2.7\n</Directory>\n",
		"zone kubevirt\nallow 192.0.2.0/24\ndeny 192.0.2.7\n"},
	{"2.2, the default order lets in", "<Directory /var/www/html/repo>\nDeny from 192.0.2.7\n</Directory>\n", "zone repo\nallow all\ndeny 192.0.2.7\n"},
	{"2.2, the order that lets nobody in", "<Directory /var/www/html/repo>\nOrder allow,deny\n</Directory>\n", "zone repo\n"},
	{"2.2, a section replaces what is above", "<Directory /var/www/html>\nOrder allow,deny\nAllow from all\nDeny from 192.0.2.7\n</Directory>\n<Directory /var/www/html/kubevirt>\nAllow from 192.0.2.7\n</Directory>\n",
		"zone kubevirt\nallow all\nzone bundles\nallow all\ndeny 192.0.2.7\nzone repo\nallow all\ndeny 192.0.2.7\nzone yum\nallow all\ndeny 192.0.2.7\n"},
	{"a host", "<VirtualHost *:80>\nServerName x\n<Directory /var/www/html/repo>\nRequire all granted\n</Directory>\n</VirtualHost>\n", "zone repo\nallow all\n"},
	{"a host after the rest", "<VirtualHost *:80>\n<Directory /var/www/html/repo>\nRequire ip 192.0.2.1\n</Directory>\n</VirtualHost>\n<Directory /var/www/html/repo>\nRequire all granted\n</Directory>\n",
		"zone repo\nallow 192.0.2.1\n"},
	{"proxies of httpd", "RemoteIPHeader x-forwarded-for\nRemoteIPInternalProxy 10.0.0.1 10.0.1.0/24\n<Location /repo>\nRequire all granted\n</Location>\n",
		"trusted-proxies 10.0.0.1 10.0.1.0/24\nzone repo\nallow all\n"},
	{"rules for elsewhere that say nothing", "<Directory /var/www/cgi-bin>\nOptions None\n</Directory>\n<Directory /var/www/html/repo/old>\nOptions Indexes\n</Directory>\n<Location /server/x>\n</Location>\n", ""},
	{"carriage returns", "<Location /repo>\r\nRequire all granted\r\n</Location>\r\n", "zone repo\nallow all\n"},
	{"quotes and escapes", "<Location '/repo'>\n\"Require\" ip \"192.0.2.1\" '192.0.2.2'\n</Location>\n", "zone repo\nallow 192.0.2.1 192.0.2.2\n"},
	{"empty", "", ""},
	{"comments", "# a; {\n\n   # b\n", ""},

	{"nginx, a snippet", "location ^~ /kubevirt/ {\n    allow 192.0.2.0/24; # phx\n    allow 2001:db8::/32;\n    deny all;\n}\n", "zone kubevirt\nallow 192.0.2.0/24 2001:db8::/32\n"},
	{"nginx, a server", "server {\n    listen 80 default_server;\n    server_name templates.example.org;\n    root /srv/templates;\n    autoindex on;\n    location /kubevirt { deny 192.0.2.7; allow 192.0.2.0/24; deny all; }\n}\n",
		"zone bundles\nallow all\nzone repo\nallow all\nzone yum\nallow all\nzone kubevirt\nallow 192.0.2.0/24\ndeny 192.0.2.7\n"},
	{"nginx, closed but for", "http { server { deny all; location /repo/ { allow all; } } }", "zone repo\nallow all\n"},
	{"nginx, rules of http", "http { allow 192.0.2.0/24; deny all; server { location / { } location /repo/ { allow all; } } }",
		"zone repo\nallow all\nzone bundles\nallow 192.0.2.0/24\nzone kubevirt\nallow 192.0.2.0/24\nzone yum\nallow 192.0.2.0/24\n"},
	{"nginx, no match allows", "location /repo/ { deny 192.0.2.7; }", "zone repo\nallow all\ndeny 192.0.2.7\n"},
	{"nginx, the first match counts", "location /repo/ { deny 192.0.2.0/24; allow 192.0.2.7; allow 198.51.100.0/24; deny all; }", "zone repo\nallow 198.51.100.0/24\n"},
	{"nginx, the longest prefix", "location / { deny all; } location /ku { allow 192.0.2.7; deny all; } location /kubevirt/ { allow 192.0.2.8; deny all; }",
		"zone ku\nallow 192.0.2.7\nzone kubevirt\nallow 192.0.2.8\n"},
	{"nginx, a prefix of a zone", "location / { deny all; } location /kube { allow 192.0.2.7; deny all; }", "zone kube\nallow 192.0.2.7\nzone kubevirt\nallow 192.0.2.7\n"},
	{"nginx, proxies", "server { set_real_ip_from 10.0.0.1; set_real_ip_from 10.0.1.0/24; real_ip_header X-Forwarded-For; real_ip_recursive on; location / { deny all; } location /repo { allow all; } }",
		"trusted-proxies 10.0.0.1 10.0.1.0/24\nzone repo\nallow all\n"},
	{"nginx, quotes", "location \"/repo/\" { allow '192.0.2.7'; deny \"all\"; }", "zone repo\nallow 192.0.2.7\n"},
	{"nginx, types inside", `location /repo/ { allow all; location ~ "\.xz$" { default_type application/x-xz; } types { text/plain asc hash; } add_header Cache-Control no-cache; }`, "zone repo\nallow all\n"},
}

func TestImport(t *testing.T) {
	for _, c := range goodConfs {
		t.Run(c.name, func(t *testing.T) {
			got := importText(t, c.text, frontend.ImportOptions{})
			same(t, parse(t, c.want), got)
			require.NoError(t, got.Check())
			f := frontend.HTTPD
			if strings.HasPrefix(c.name, "nginx") {
				f = frontend.Nginx
			}
			same(t, got, importText(t, c.text, frontend.ImportOptions{Format: f}))
		})
	}
}

func TestImportRoot(t *testing.T) {
	text := "<Directory /srv/t/kubevirt>\nRequire all granted\n</Directory>\n"
	same(t, parse(t, "zone kubevirt\nallow all\n"), importText(t, text, frontend.ImportOptions{Root: "/srv/t"}))
	_, err := frontend.Import("conf", strings.NewReader(text), frontend.ImportOptions{})
	require.ErrorContains(t, err, `conf:1: <Directory "/srv/t/kubevirt"> is not in the root "/var/www/html"`)
	_, err = frontend.Import("conf", strings.NewReader(text), frontend.ImportOptions{Root: "srv"})
	require.ErrorContains(t, err, "absolute path")
	_, err = frontend.Import("conf", strings.NewReader("DocumentRoot /srv/u\n"), frontend.ImportOptions{Root: "/srv/t"})
	require.ErrorContains(t, err, "conf:1: \"documentroot /srv/u\": the root is \"/srv/t\"")
	_, err = frontend.Import("conf", strings.NewReader("server { root /srv/u; }"), frontend.ImportOptions{Root: "/srv/t"})
	require.ErrorContains(t, err, "conf:1: \"root /srv/u\": the root is \"/srv/t\"")
}

func TestImportFormats(t *testing.T) {
	for f, want := range map[frontend.Format]string{
		"caddy": "format caddy cannot be imported; only httpd and nginx can", "iis": `format "iis": must be one of httpd, nginx, caddy`,
		"nginx": `conf:1: "<Location />": a ";" is missing`,
	} {
		_, err := frontend.Import("conf", strings.NewReader("<Location />\n"), frontend.ImportOptions{Format: f})
		require.ErrorContains(t, err, want)
	}
}

func TestImportReadFails(t *testing.T) {
	_, err := frontend.Import("conf", iotest.ErrReader(errors.New("disk on fire")), frontend.ImportOptions{})
	require.ErrorContains(t, err, "conf: disk on fire")
	var pe *acl.ParseError
	require.ErrorAs(t, err, &pe)
}

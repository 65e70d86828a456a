package frontend_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

// The policy for an nginx that serves the tree: a file for /etc/nginx/conf.d.
func ExampleExport() {
	policy := acl.Default(netip.MustParsePrefix("192.0.2.0/24"))
	conf, err := frontend.Export(frontend.Nginx, policy, frontend.ExportOptions{Root: "/srv/templates"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, kubevirt, _ := strings.Cut(string(conf), "location ^~ /kubevirt")
	kubevirt, _, _ = strings.Cut(kubevirt, "location ~")
	fmt.Println(strings.TrimSpace(kubevirt))
	// Output:
	// {
	//         autoindex on;
	//         add_header X-Content-Type-Options nosniff;
	//         add_header Cache-Control "private, no-store, no-transform";
	//         allow 192.0.2.0/24;
	//         deny all;
}

// The historical configuration of a template server becomes a policy file.
func ExampleImport() {
	const conf = `
<Directory "/var/www/html">
    Options Indexes FollowSymLinks
    Require all granted
</Directory>
<Directory "/var/www/html/kubevirt">
    # CI systems
    Require ip 192.0.2.0/24
    Require ip 198.51.100.7
</Directory>
`
	policy, err := frontend.Import("templates.conf", strings.NewReader(conf), frontend.ImportOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = os.Stdout.Write(policy.Format())
	// Output:
	// zone bundles
	//     allow all
	// zone kubevirt
	//     allow 192.0.2.0/24
	//     allow 198.51.100.7/32
	// zone repo
	//     allow all
	// zone yum
	//     allow all
}

// What is not known is never skipped, and what is ambiguous is never guessed.
func ExampleImport_error() {
	const conf = `<Location "/kubevirt">
    Require ip 192.0.2.0/24
    Require ip 10.1
</Location>
`
	_, err := frontend.Import("templates.conf", strings.NewReader(conf), frontend.ImportOptions{})
	fmt.Println(err)
	var pe *acl.ParseError
	if errors.As(err, &pe) {
		fmt.Println(pe.Line)
	}
	// Output:
	// templates.conf:3: "10.1": an IPv4 address has four numbers; if a network is meant, write 10.1.0.0/16
	// 3
}

package webserve_test

import (
	"fmt"
	"strings"
)

func plainRows() []httpCase {
	rows := []httpCase{
		{name: "a file", status: 200, body: ten, want: map[string]string{"Accept-Ranges": "bytes", "Content-Length": "10", "Etag": "*", "Last-Modified": "*", "Content-Range": ""}},
		{name: "empty", target: "/repo/empty.img", status: 200, want: map[string]string{"Content-Length": "0", "Accept-Ranges": "bytes"}},
		{name: "HEAD", method: "HEAD", status: 200, want: map[string]string{"Content-Length": "10", "Accept-Ranges": "bytes", "Etag": "*"}},
		{name: "no vary", status: 200, body: ten, want: map[string]string{"Vary": "", "Set-Cookie": ""}},
	}
	for _, enc := range []string{"gzip", "xz", "br, gzip;q=1.0", "*", "identity;q=0", "deflate, zstd", "gzip, identity;q=0, *;q=0"} {
		for target, body := range map[string]string{"/repo/ten.img": ten, "/bundles/b.tar.xz": "bundle"} {
			rows = append(rows, httpCase{name: "encoding " + enc + " of " + target, target: target, header: []string{"Accept-Encoding: " + enc}, status: 200, body: body})
		}
	}
	return rows
}

func rangeRows() []httpCase {
	part := func(value, content, body string) httpCase {
		return httpCase{name: "range " + value, header: []string{"Range: " + value}, status: 206, body: body,
			want: map[string]string{"Content-Range": "bytes " + content + "/10", "Content-Length": fmt.Sprint(len(body)), "Content-Type": "application/octet-stream", "Etag": "*"}}
	}
	whole := func(value string) httpCase {
		return httpCase{name: "range " + value, header: []string{"Range: " + value}, status: 200, body: ten, want: map[string]string{"Content-Range": ""}}
	}
	none := func(value string) httpCase {
		return httpCase{name: "range " + value, header: []string{"Range: " + value}, status: 416, body: "*", want: map[string]string{"Content-Range": "bytes */10"}}
	}
	parts := func(value string, parts ...string) httpCase {
		return httpCase{name: "range " + value, header: []string{"Range: " + value}, status: 206, parts: parts, want: map[string]string{"Content-Range": ""}}
	}
	const huge = "99999999999999999999"
	rows := []httpCase{
		part("bytes=0-0", "0-0", "0"), part("bytes=0-9", "0-9", ten), part("bytes=0-", "0-9", ten), part("bytes=5-", "5-9", "56789"),
		part("bytes=9-9", "9-9", "9"), part("bytes=9-", "9-9", "9"), part("bytes=3-5", "3-5", "345"), part("bytes=5-100", "5-9", "56789"),
		part("bytes=-1", "9-9", "9"), part("bytes=-4", "6-9", "6789"), part("bytes=-10", "0-9", ten), part("bytes=-11", "0-9", ten),
		part("bytes=0-"+huge, "0-9", ten), part("bytes=-"+huge, "0-9", ten), part("bytes=007-8", "7-8", "78"),
		part("bytes= 0-1", "0-1", "01"), part("bytes=0-1,", "0-1", "01"), part("bytes=,,0-1", "0-1", "01"), part("Bytes=0-1", "0-1", "01"), part("BYTES=-1", "9-9", "9"),
		part("bytes=0-0,100-200", "0-0", "0"), part("bytes=100-,3-3", "3-3", "3"), part("bytes=-0,4-4", "4-4", "4"),
		none("bytes=10-"), none("bytes=10-20"), none("bytes=100-"), none("bytes=-0"), none("bytes=" + huge + "-"), none("bytes=100-,200-"), none("bytes=100-,-0"),
		whole("bytes"), whole("bytes="), whole("bytes=,"), whole("bytes=-"), whole("bytes=1"), whole("bytes=a-b"), whole("bytes=0-x"), whole("bytes=5-2"),
		whole("bytes=+1-2"), whole("bytes=1-+2"), whole("bytes=--1"), whole("bytes=0x1-2"), whole("bytes=0 - 1"), whole("bytes=0-1-2"), whole("bytes:0-1"),
		whole("bytes =0-1"), whole("items=0-1"), whole("none=0-0"), whole("0-1"), whole("bytes=0-0,abc"), whole("bytes=0-0,5-2"), whole("bytes=0-0;1-1"),
		whole("bytes=0-9,0-9"), whole("bytes=0-,0-,0-"),
		parts("bytes=0-0,9-9", "bytes 0-0/10 0", "bytes 9-9/10 9"),
		parts("bytes=0-1,4-5,8-9", "bytes 0-1/10 01", "bytes 4-5/10 45", "bytes 8-9/10 89"),
		parts("bytes=0-0,-1", "bytes 0-0/10 0", "bytes 9-9/10 9"),
		parts("bytes=-1,0-0", "bytes 9-9/10 9", "bytes 0-0/10 0"),
		parts("bytes=0-1 , 1-2", "bytes 0-1/10 01", "bytes 1-2/10 12"),
		parts("bytes=0-0,100-,2-2,-0", "bytes 0-0/10 0", "bytes 2-2/10 2"),
		{name: "two Range headers", header: []string{"Range: bytes=0-0", "Range: bytes=1-1"}, status: 200, body: ten},
		{name: "range of nothing", target: "/repo/empty.img", header: []string{"Range: bytes=0-0"}, status: 200},
		{name: "suffix of nothing", target: "/repo/empty.img", header: []string{"Range: bytes=-5"}, status: 200},
		{name: "range of what is not there", target: "/repo/none", header: []string{"Range: bytes=0-0"}, status: 404, body: "404 Not Found\n"},
		{name: "range of a denied file", target: "/yum/repodata/repomd.xml", header: []string{"Range: bytes=0-0"}, status: 403, body: "403 Forbidden\n"},
	}
	big := strings.Repeat(ten, 1000)
	many := func(name string, status int, ranges []string) {
		c := httpCase{name: name, target: "/repo/big.raw", header: []string{"Range: bytes=" + strings.Join(ranges, ",")}, status: status, body: big}
		if status == 206 {
			c.parts = []string{"*"}
		}
		rows = append(rows, c)
	}
	ordered := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("%d-%d", i*10, i*10+1))
		}
		return list
	}
	backwards := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("%d-%d", 9000-i*10, 9000-i*10+1))
		}
		return list
	}
	overlapping := func(n int) (list []string) {
		for range n {
			list = append(list, "5-6")
		}
		return list
	}
	many("200 ranges", 206, ordered(200))
	many("201 ranges", 200, ordered(201))
	many("5,000 ranges", 200, ordered(5000))
	many("20 backwards", 206, backwards(21))
	many("21 backwards", 200, backwards(22))
	many("20 overlap", 206, overlapping(21))
	many("21 overlap", 200, overlapping(22))
	return rows
}

func conditionRows(tag, date string) []httpCase {
	const before, after = "Sat, 29 Feb 2020 12:30:00 GMT", "Mon, 02 Mar 2020 12:30:00 GMT"
	const other = `"another"`
	row := func(status int, header ...string) httpCase {
		c := httpCase{name: strings.NewReplacer(tag, "TAG", date, "DATE").Replace(strings.Join(header, " + ")), header: header, status: status}
		switch status {
		case 200:
			c.body = ten
		case 206:
			c.body = "01"
		case 304:
			c.want = map[string]string{"Etag": tag, "Content-Type": "", "Content-Length": "", "Cache-Control": "*"}
		case 416:
			c.body = "*"
		}
		return c
	}
	return []httpCase{
		row(304, "If-None-Match: "+tag), row(304, "If-None-Match: W/"+tag), row(304, "If-None-Match: *"), row(200, "If-None-Match: "+other),
		row(304, "If-None-Match: "+other+", "+tag), row(304, "If-None-Match: "+tag+","+other), row(304, "If-None-Match: "+other, "If-None-Match: "+tag),
		row(200, "If-None-Match: "+strings.Trim(tag, `"`)), row(200, "If-None-Match: "+strings.ToLower(`"X`+tag[2:])), row(200, "If-None-Match: "),
		row(304, "If-Modified-Since: "+date), row(304, "If-Modified-Since: "+after), row(200, "If-Modified-Since: "+before), row(200, "If-Modified-Since: yesterday"),
		row(304, "If-Modified-Since: Sunday, 01-Mar-20 12:30:00 GMT"), row(304, "If-Modified-Since: Sun Mar  1 12:30:00 2020"), row(200, "If-Modified-Since: 0"),
		row(200, "If-None-Match: "+other, "If-Modified-Since: "+date), row(304, "If-None-Match: "+tag, "If-Modified-Since: "+before),
		row(200, "If-Match: "+tag), row(200, "If-Match: *"), row(412, "If-Match: "+other), row(412, "If-Match: W/"+tag), row(200, "If-Match: "+other+", "+tag),
		row(200, "If-Match: "+other, "If-Match: "+tag), row(412, "If-Match: "+other+", W/"+tag),
		row(200, "If-Unmodified-Since: "+date), row(200, "If-Unmodified-Since: "+after), row(412, "If-Unmodified-Since: "+before), row(200, "If-Unmodified-Since: never"),
		row(200, "If-Match: "+tag, "If-Unmodified-Since: "+before), row(412, "If-Match: "+other, "If-Unmodified-Since: "+after),
		row(304, "If-Match: "+tag, "If-None-Match: "+tag), row(412, "If-Match: "+other, "If-None-Match: "+tag), row(412, "If-Unmodified-Since: "+before, "If-None-Match: "+tag),
		row(206, "If-Match: "+tag, "Range: bytes=0-1"), row(412, "If-Match: "+other, "Range: bytes=0-1"), row(412, "If-Match: "+other, "Range: bytes=99-"),
		row(304, "If-None-Match: "+tag, "Range: bytes=0-1"), row(206, "If-None-Match: "+other, "Range: bytes=0-1"), row(304, "If-Modified-Since: "+date, "Range: bytes=0-1"),
		row(206, "If-Modified-Since: "+before, "Range: bytes=0-1"), row(206, "If-Unmodified-Since: "+date, "Range: bytes=0-1"),
		row(206, "If-Range: "+tag, "Range: bytes=0-1"), row(200, "If-Range: "+other, "Range: bytes=0-1"), row(200, "If-Range: W/"+tag, "Range: bytes=0-1"),
		row(206, "If-Range: "+date, "Range: bytes=0-1"), row(200, "If-Range: "+before, "Range: bytes=0-1"), row(200, "If-Range: "+after, "Range: bytes=0-1"),
		row(200, "If-Range: nonsense", "Range: bytes=0-1"), row(200, "If-Range: *", "Range: bytes=0-1"), row(200, "If-Range: "+tag),
		row(416, "If-Range: "+tag, "Range: bytes=10-"), row(200, "If-Range: "+other, "Range: bytes=10-"), row(200, "If-Range: "+other),
		row(304, "If-Range: "+tag, "Range: bytes=0-1", "If-None-Match: "+tag), row(412, "If-Range: "+tag, "Range: bytes=0-1", "If-Match: "+other),
	}
}

func methodRows() []httpCase {
	var rows []httpCase
	for _, m := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MKCOL", "get", "PURGE"} {
		for _, target := range []string{"/repo/ten.img", "/repo/none", "/kubevirt/", "/repo/%2e%2e/x"} {
			if m == "CONNECT" && target != "/repo/ten.img" {
				continue
			}
			rows = append(rows, httpCase{name: m + " " + target, method: m, target: target, status: 405, body: "405 Method Not Allowed\n", want: map[string]string{"Allow": "GET, HEAD"}})
		}
	}
	return rows
}

// typeRows are file names with the type of each.
var typeRows = map[string]string{
	"a.xz": "application/x-xz", "a.qcow2.xz": "application/x-xz", "a.qcow2": "application/octet-stream", "a.img": "application/octet-stream", "a.raw": "application/octet-stream",
	"a.metadata": "application/json", "repo.metadata": "application/json", "a.json": "application/json",
	"a.hash": "text/plain; charset=utf-8", "a.sha1": "text/plain; charset=utf-8", "a.sha256": "text/plain; charset=utf-8", "a.sha512": "text/plain; charset=utf-8",
	"a.md5": "text/plain; charset=utf-8", "index": "text/plain; charset=utf-8", "index.asc": "text/plain; charset=utf-8",
	"a.html": "application/octet-stream", "a.svg": "application/octet-stream", "a.js": "application/octet-stream", "a.XZ": "application/octet-stream", "a.rpm": "application/octet-stream",
	"a": "application/octet-stream", "xz": "application/octet-stream", "index.html": "application/octet-stream", "a.xz.": "",
}

func typeCases() []httpCase {
	var rows []httpCase
	for name, kind := range typeRows {
		if kind == "" {
			continue // a name that cannot be asked for
		}
		rows = append(rows, httpCase{name: "type of " + name, target: "/repo/" + name, status: 200, body: name, want: map[string]string{"Content-Type": kind}})
	}
	return rows
}

func cacheRows() []httpCase {
	const revalidate, private = "no-cache, no-transform", "private, no-store, no-transform"
	row := func(target string, status int, cache, body string, header ...string) httpCase {
		return httpCase{name: "cache of " + target + strings.Join(header, " "), target: target, header: header, status: status, body: body, want: map[string]string{"Cache-Control": cache}}
	}
	return []httpCase{
		row("/repo/ten.img", 200, revalidate, ten), row("/repo/index", 200, revalidate, "index"), row("/repo/index.asc", 200, revalidate, "index.asc"),
		row("/repo/repo.metadata", 200, revalidate, "repo.metadata"), row("/bundles/b.tar.xz", 200, revalidate, "bundle"),
		row("/kubevirt/rhel8.qcow2", 200, private, "kube"), row("/kubevirt//rhel8.qcow2", 200, private, "kube"), row("/kubevirt/", 200, private, "*"),
		row("/kubevirt/rhel8.qcow2", 206, private, "k", "Range: bytes=0-0"), row("/kubevirt/rhel8.qcow2", 304, private, "", "If-None-Match: *"),
		row("/kubevirt", 301, private, "301 Moved Permanently\n"), row("/repo/sub", 301, revalidate, "301 Moved Permanently\n"),
		row("/repo/", 200, revalidate, "*"), row("/", 200, "private, no-cache, no-transform", "*"), row("/kubevirt/none", 404, "", "404 Not Found\n"),
	}
}

func pathRows() []httpCase {
	row := func(target string, status int, body string) httpCase {
		return httpCase{name: "path " + target, target: target, status: status, body: body}
	}
	moved := func(target, to string) httpCase {
		c := row(target, 301, "301 Moved Permanently\n")
		c.want = map[string]string{"Location": to, "Content-Type": "text/plain; charset=utf-8"}
		return c
	}
	const bad, missing, denied = "400 Bad Request\n", "404 Not Found\n", "403 Forbidden\n"
	return []httpCase{
		row("//repo//ten.img", 200, ten), row("/repo///sub//x.img", 200, "x"), row("/kubevirt//rhel8.qcow2", 200, "kube"),
		row("/repo/a%20b+%C3%A9.img", 200, "odd"), row("/repo/a%20b%2B%c3%a9.img", 200, "odd"), row("/repo/ten.img?x=/../y", 200, ten), row("http://elsewhere/repo/ten.img", 200, ten),
		moved("/repo", "./repo/"), moved("//repo", "./repo/"), moved("/repo/sub", "./sub/"), moved("/repo//sub?C=N&O=D", "./sub/?C=N&O=D"), moved("//repo//sub", "./sub/"),
		row("/repo/", 200, "*"), row("/repo//", 200, "*"), row("/repo/sub/", 200, "*"), row("/", 200, "*"), row("//", 200, "*"),
		row("/repo/none", 404, missing), row("/repo/none/", 404, missing), row("/repo/ten.img/", 404, missing), row("/repo/ten.img/x", 404, missing), row("/repo/sub/none/x", 404, missing),
		row("/repo/"+strings.Repeat("x", 300), 404, missing), row("/repo/"+strings.Repeat("x/", 3000), 404, missing),
		row("/stray.img", 404, missing), row("/none", 404, missing), row("/none/", 404, missing), row("/REPO/ten.img", 404, missing), row("/favicon.ico", 404, missing),
		row("/repo/.tplkit/x", 404, missing), row("/repo/.tplkit/", 404, missing), row("/repo/.tplkit", 404, missing), row("/repo/x.lock", 404, missing), row("/.tplkit/", 404, missing),
		row("/yum", 403, denied), row("/yum/", 403, denied), row("/yum/repodata/repomd.xml", 403, denied), row("/yum/none", 403, denied), row("/yum//repodata", 403, denied), row("/%79um/none", 403, denied),
		row("/repo/./ten.img", 400, bad), row("/repo/../repo/ten.img", 400, bad), row("/repo/%2e%2e/repo/ten.img", 400, bad), row("/repo%2ften.img", 400, bad), row(`/repo\ten.img`, 400, bad),
		row("/repo/ten.img%00", 400, bad), row("/repo/ten.img.", 400, bad), row("/repo/ten.img%20", 400, bad), row("/repo/%ff", 400, bad), row("/repo/e%CC%81", 400, bad), row("/repo/..;/x", 400, bad), row("/repo/ten.img#x", 400, bad),
		row("/yum/../repo/ten.img", 400, bad), row("/none/..", 400, bad),
	}
}

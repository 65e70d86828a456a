package corpus

// plain are names of the file that need no repair.
var plain = []string{
	"/{zone}/{file}",
	"//{zone}/{file}",
	"/{zone}//{file}",
	"///{zone}///{file}",
	"////////{zone}/{file}",
	"/{zone}/{file}?",
	"/{zone}/{file}?a=b",
	"/{zone}/{file}?/../{other}/",
	"/{zone}/{file}?%00",
	"/{zone}/{file}?{other}%2f..%2f..",
	"/{zone}/{%file}",
	"/{zone}/{%FILE}",
	"/{%zone}/{file}",
	"/{%ZONE}/{file}",
	"/{%z}/{file}",
	"/{%zone}//{%file}",
	"//{%ZONE}/{%FILE}",
	"http://localhost/{zone}/{file}",
	"http://localhost//{zone}/{file}",
	"http://localhost/{%zone}/{file}",
	"HTTP://LOCALHOST/{zone}/{file}",
	"http://other.example:8080/{zone}/{file}",
}

// dotSegments are ways to write "." and "..", or what somebody takes for them.
var dotSegments = []string{
	".", "..", "...", "....",
	"%2e", "%2E", "%2e%2e", "%2E%2E", "%2e%2E", ".%2e", "%2e.", ".%2E",
	"..;", "..;x=y", ".;", ";..", "%2e%2e;", "..%3b", "..%3B/..",
	"..%20", "..%09", "..%00", ".%00.", "%00..", "..%0a", "..%0d", "..%1f",
	"%252e%252e", "%25%32%65%25%32%65", "%%32%65%%32%65", "%%32e%%32e", "..%252f..",
	"%c0%ae%c0%ae", "%c0%2e%c0%2e", "%e0%80%ae%e0%80%ae", "%uff0e%uff0e", "%u002e%u002e", "%ef%bc%8e%ef%bc%8e", "%e2%80%a5", "%e3%80%82%e3%80%82",
	`..\`, `..\..`, "..%5c", "..%5C..", "..%255c", "..%c1%9c",
	"..%2f", "..%2F..", "..%c0%af", "..%23", "..#", "..?",
}

// dotPlaces are where a dot segment is put.
var dotPlaces = []string{
	"/{other}/{dots}/{zone}/{file}",
	"/{dots}/{zone}/{file}",
	"/{zone}/{dots}/{file}",
	"/{zone}/{dots}/{zone}/{file}",
	"//{other}//{dots}//{zone}/{file}",
	"/{other}/a/{dots}/{dots}/{zone}/{file}",
}

// separators are ways to write "/", or what somebody takes for one.
var separators = []string{
	"%2f", "%2F", "%252f", "%25%32%66", "%%32%66", "%5c", "%5C", `\`, "%255c",
	"%c0%af", "%c0%2f", "%e0%80%af", "%f0%80%80%af", "%c1%9c", "%c1%af", "%ef%bc%8f", "%e2%88%95", "%e2%81%84", "%ef%b9%a8", "%u2215", "%u002f",
	"%00/", "%0a/", "%0d/", "%09/", "%0b/", "%20/", "%a0/", "%c2%a0/", "%e2%80%8b/", "%3b/", ";/", ";x=y/", ":/", "%3a/",
}

// separatorPlaces are where a separator is put. A "/" belongs to none of the
// separators at the beginning, so that each begins an element.
var separatorPlaces = []string{
	"/{zone}{sep}{file}",
	"/x{sep}{zone}/{file}",
	"/{other}{sep}{zone}/{file}",
	"/{other}/..{sep}{zone}/{file}",
	"/{other}/{sep}..{sep}{zone}/{file}",
}

// endings are put behind the name of the file and of the zone.
var endings = []string{
	".", "..", "%2e", "%20", "%20%20", "+", "%00", "%00.html", "%00/x", "%01", "%0a", "%0d%0a", "%09", "%7f", "%c2%85",
	"/.", "/..", "/./", "/%2e", "/../x",
	"~", ".bak", ".lock", ".tmp", ".LOCK", "%7e1", "~1",
	"::$DATA", "%3a%3a$DATA", ":$I30:$INDEX_ALLOCATION", ":x", ":443",
	";", ";x", ";.html", "%3b", "#", "#x", "%23", "%23x", "%3f", "%3Fx=y", "%26", "&x", ",", "*", "%2a",
	"%", "%2", "%zz", "%u0000", "%-1", "%%", "%25", "%2500", "%252e",
	"%ff", "%c3", "%ed%a0%80", "%c0%80", "%cc%81", "%ef%bb%bf", "%e2%80%8b", "%e2%80%ae", "%e2%80%a8", "%ef%bc%8f",
	"\x00", "\x01", "\t", "\x7f", "\xff", `\`, "|", "\"", "<", "^", "`", "{", "é\xcc\x81",
}

// names are other spellings of the names, and names that are never served.
var names = []string{
	"/{ZONE}/{file}", "/{Zone}/{file}", "/{zone}/{FILE}", "/{ZONE}/{FILE}", "/{Zone}//{file}",
	"/%EF%BB%BF{zone}/{file}", "/%20{zone}/{file}", "/%09{zone}/{file}", "/+{zone}/{file}", "/%00{zone}/{file}", "/~{zone}/{file}",
	"/{zone}/%20{file}", "/{zone}/%00{file}", "/{zone}/%EF%BB%BF{file}", "/{zone}/+{file}",
	"/{zone}/{file}/", "/{zone}/{file}//", "/{zone}/{file}/{file}", "/{zone}/{file}%2f", "/{zone}{file}", "/{file}",
	"/{%%zone}/{file}", "/{zone}/{%%file}", "/{%%zone}/{%%file}",
	"/{zone}/.hidden/{file}", "/{zone}/%2ehidden/{file}", "/{zone}/.HIDDEN/{file}", "/{zone}/.{file}", "/{zone}/%2E{file}",
	"/{zone}/.tplkit/{file}", "/{zone}/.TPLKIT/{file}", "/{zone}/%2etplkit/{file}", "/{zone}/.tplkit", "/{zone}/.tplkit/",
	"/.tplkit/{zone}/{file}", "/.hidden/{zone}/{file}", "/{zone}/{file}.lock", "/{zone}/{file}.tmp",
	"/proc/self/cwd/{zone}/{file}", "/proc/self/root/{zone}/{file}", "/{zone}/link/{file}", "/{other}/link/{zone}/{file}", "/{other}/link",
	"/index.html/{zone}/{file}", "/cgi-bin/{zone}/{file}", "/icons/{zone}/{file}", "/server-status/../{zone}/{file}",
}

// forms are request targets in other forms than a path.
var forms = []string{
	"", "*", "/", "?", "/?", "{zone}/{file}", "./{zone}/{file}", "../{zone}/{file}", `\{zone}\{file}`, `\\localhost\{zone}\{file}`,
	"?/{zone}/{file}", "#/{zone}/{file}", "/#/{zone}/{file}", ";/{zone}/{file}", "/;/{zone}/{file}",
	"localhost/{zone}/{file}", "localhost:80/{zone}/{file}", "//localhost/{zone}/{file}", "/http://localhost/{zone}/{file}",
	"http:/{zone}/{file}x", "http://localhost", "http://localhost/", "http://localhost?/{zone}/{file}", "http://localhost#/{zone}/{file}",
	`http://localhost\{zone}\{file}`, "http://localhost/{other}/../{zone}/{file}", "http://localhost/{other}/..%2f{zone}/{file}", "http://localhost/%2e%2e/{zone}/{file}",
	"http://localhost%2f{zone}/{file}", "http://[::1/{zone}/{file}", "http://a b/{zone}/{file}", "://localhost/{zone}/{file}",
	"/{zone}/{file} HTTP/1.0", "/{zone}/{file} x", " /{zone}/{file} ", "/ {zone}/{file}", "/{zone} /{file}", "/{zone}/ {file}", "/{zone}/{file}\t", "\t/{zone}/{file}",
	"/%", "/%2", "/%zz/{zone}/{file}", "%2f{zone}%2f{file}", "/%2f{zone}/{file}", "%2f%2f{zone}/{file}",
}

// history are targets that have led past the rules of a server once.
var history = []string{
	"/cgi-bin/.%2e/.%2e/.%2e/{zone}/{file}",     // httpd, CVE-2021-41773
	"/icons/.%2e/%2e%2e/{zone}/{file}",          // the same
	"/cgi-bin/.%%32%65/.%%32%65/{zone}/{file}",  // httpd, CVE-2021-42013
	"/icons/%%32%65%%32%65/{zone}/{file}",       // the same
	"/{other}/x \x00/../../{zone}/{file}",       // nginx, CVE-2013-4547
	"/{zone}/{file} \x00.html",                  // the same
	"/{zone}/{file}%20%00.html",                 // the same, escaped
	"/{other}../{zone}/{file}",                  // nginx, a location without "/" before an alias
	"/{other}..%2f{zone}/{file}",                // the same
	"/{other}%2e%2e/{zone}/{file}",              // the same
	"/{ZONE}/%2e/{file}",                        // Caddy, CVE-2026-27587: letter case and an escape
	"/{Zone}%2f{file}",                          // the same
	"/{zone}/.Hidden/{file}",                    // Caddy, CVE-2026-92700: letter case of what is hidden
	"/{other}/..%5c{zone}%5c{file}",             // Caddy, GO-2026-5595
	`/{other}/..\..\{zone}\{file}`,              // the same
	"/{other}//..//{zone}/{file}",               // Caddy, issue 4407
	"/{other}/link/",                            // Go, CVE-2026-39822: a link with a slash behind it
	"/{other}/link/../{zone}/{file}",            // the same
	"/{other}/..;/{zone}/{file}",                // Tomcat behind a proxy
	"/{other};/../{zone}/{file}",                // the same
	"/;x=/../{zone}/{file}",                     // the same
	"/{other}/%u002e%u002e/{zone}/{file}",       // IIS
	"/{other}/..%c0%af..%c0%af{zone}/{file}",    // IIS, MS00-078
	"/{other}/..%255c..%255c{zone}/{file}",      // IIS, MS01-026
	"/{other}/%2e%2e%2f%2e%2e%2f{zone}/{file}",  // many
	"/static/../../{zone}/{file}",               // Node's st, CVE-2014-3744, and many
	"/{other}/....//{zone}/{file}",              // filters that take "../" out once
	"/{other}/..././{zone}/{file}",              // the same
	"/{other}/.../.../{zone}/{file}",            // Novell and 4NT
	"/%5c%5clocalhost%5c{zone}%5c{file}",        // UNC paths
	"/{other}/%252e%252e%252f{zone}%252f{file}", // decoded twice
	"/{other}/%25252e%25252e/{zone}/{file}",     // thrice
	"/{other}/..%00/{zone}/{file}",              // C strings
	"/{other}/..%0d/{zone}/{file}",              // Nostromo, CVE-2019-16278
	"/{other}/..%01/{zone}/{file}",              // path normalisers that skip control characters
	"/{other}/.%09./{zone}/{file}",              // the same
	"/%3f/../{zone}/{file}",                     // a "?" decoded too early
	"/{other}/%23/../../{zone}/{file}",          // the same of "#"
	"/{zone}%ef%bc%8f{file}",                    // best fit of code pages
	"/{other}/%ef%bc%8e%ef%bc%8e/{zone}/{file}", // the same
	"/{other}/\xc0\xae\xc0\xae/{zone}/{file}",   // overlong UTF-8, not escaped
}

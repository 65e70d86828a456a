// Package webserve serves a template server's tree over HTTP, as an
// [http.Handler]: the four directories repo/, bundles/, yum/ and kubevirt/, each
// a zone with its own list of addresses that may read it.
package webserve

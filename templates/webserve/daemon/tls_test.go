package daemon_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// certPair is a certificate in files.
type certPair struct {
	certFile, keyFile string
	serial            int64
}

func newPair(t *testing.T, name string) *certPair {
	dir := t.TempDir()
	p := &certPair{certFile: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem")}
	p.renew(t, name, time.Hour)
	return p
}

// renew writes another pair over the files.
func (p *certPair) renew(t *testing.T, name string, valid time.Duration) {
	t.Helper()
	cert, key := makeCertificate(t, name, valid)
	p.write(t, cert, key)
}

// write replaces the files, with a time of their own whatever the clock's steps are.
func (p *certPair) write(t *testing.T, cert, key []byte) {
	t.Helper()
	p.serial++
	for name, data := range map[string][]byte{p.certFile: cert, p.keyFile: key} {
		require.NoError(t, os.WriteFile(name, data, 0o600))
		at := time.Unix(1_700_000_000+p.serial, 0)
		require.NoError(t, os.Chtimes(name, at, at))
	}
}

func makeCertificate(t *testing.T, name string, valid time.Duration) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	end := time.Now().Add(valid)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: end.Add(-48 * time.Hour), NotAfter: end, IPAddresses: []net.IP{net.ParseIP("127.0.0.1")},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// shown is the name in the certificate that a server shows.
func shown(t *testing.T, url string) string {
	t.Helper()
	c, err := tls.Dial("tcp", host(url), &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// client speaks TLS with whoever answers.
func client(t *testing.T, http2 bool) *http.Client {
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP1(!http2)
	tr.Protocols.SetHTTP2(http2)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestCertificateReload(t *testing.T) {
	pair := newPair(t, "first")
	var notices lockedBuffer
	s := start(t, whoAsks, daemon.Options{
		CertFile: pair.certFile, KeyFile: pair.keyFile, Notice: func(m string) { fmt.Fprintln(&notices, m) },
	})
	require.Equal(t, "first", shown(t, s.url))

	pair.renew(t, "second", time.Hour)
	require.Equal(t, "first", shown(t, s.url), "not before it is looked at")
	s.LookAtCertificate()
	require.Equal(t, "second", shown(t, s.url), "as its files changed")

	pair.renew(t, "third", time.Hour)
	require.NoError(t, s.Reload())
	require.Equal(t, "third", shown(t, s.url), "as it was told to")

	// A key of another certificate, then nonsense, then one whose time is over: the old one stays, and it is said once.
	cert, _ := makeCertificate(t, "half", time.Hour)
	_, key := makeCertificate(t, "other", time.Hour)
	pair.write(t, cert, key)
	s.LookAtCertificate()
	s.LookAtCertificate()
	require.Equal(t, 1, bytes.Count([]byte(notices.String()), []byte("stays in force")), notices.String())
	require.ErrorContains(t, s.Reload(), "does not match")
	pair.write(t, []byte("no certificate"), key)
	require.ErrorContains(t, s.Reload(), "stays in force")
	pair.renew(t, "over", -time.Hour)
	require.ErrorContains(t, s.Reload(), "its time was over on")
	require.NoError(t, os.Remove(pair.keyFile))
	s.LookAtCertificate()
	require.Equal(t, "third", shown(t, s.url))
	s.figure(t, `tplkit_certificate_reads_total{outcome="failed"}`, "5")
	s.figure(t, `tplkit_certificate_reads_total{outcome="done"}`, "3")

	pair.renew(t, "fourth", time.Hour)
	s.LookAtCertificate()
	require.Equal(t, "fourth", shown(t, s.url), "all is well again")
}

// A policy that is no good keeps the certificate out, too: all or nothing.
func TestReloadIsAllOrNothing(t *testing.T) {
	pair := newPair(t, "first")
	var bad atomic.Bool
	s := start(t, whoAsks, daemon.Options{CertFile: pair.certFile, KeyFile: pair.keyFile, Reload: func() error {
		if bad.Load() {
			return fmt.Errorf("policy:1: what is that")
		}
		return nil
	}})
	pair.renew(t, "second", time.Hour)
	bad.Store(true)
	require.ErrorContains(t, s.Reload(), "policy:1")
	require.Equal(t, "first", shown(t, s.url))
	bad.Store(false)
	require.NoError(t, s.Reload())
	require.Equal(t, "second", shown(t, s.url))
}

func TestCheckCertificate(t *testing.T) {
	pair := newPair(t, "x")
	require.NoError(t, daemon.CheckCertificate(pair.certFile, pair.keyFile))
	require.ErrorContains(t, daemon.CheckCertificate(pair.keyFile, pair.certFile), "key.pem")
	pair.renew(t, "x", -time.Hour)
	require.ErrorContains(t, daemon.CheckCertificate(pair.certFile, pair.keyFile), "renew it")

	// A server that begins with it says so, and serves.
	var notices lockedBuffer
	s := start(t, whoAsks, daemon.Options{CertFile: pair.certFile, KeyFile: pair.keyFile, Notice: func(m string) { fmt.Fprint(&notices, m) }})
	require.Equal(t, "x", shown(t, s.url))
	require.Contains(t, notices.String(), "renew it")
}

func TestTLSVersionsAndProtocols(t *testing.T) {
	pair := newPair(t, "x")
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", http2), func(t *testing.T) {
			path := fileOf(t, 3<<20)
			s := start(t, serveFile(path, nil), daemon.Options{CertFile: pair.certFile, KeyFile: pair.keyFile, HTTP2: http2})
			for _, want := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				c, err := tls.Dial("tcp", host(s.url), &tls.Config{InsecureSkipVerify: true, MinVersion: want, MaxVersion: want})
				require.NoError(t, err)
				c.Close()
			}
			_, err := tls.Dial("tcp", host(s.url), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
			require.Error(t, err)

			offered, err := tls.Dial("tcp", host(s.url), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
			require.NoError(t, err)
			defer offered.Close()
			require.Equal(t, map[bool]string{false: "http/1.1", true: "h2"}[http2], offered.ConnectionState().NegotiatedProtocol)

			resp, err := client(t, http2).Get(s.url)
			require.NoError(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.True(t, bytes.Equal(pattern(3<<20), body))
		})
	}
}

// A client can stop one stream of HTTP/2 while its connection lives: the stream is cut.
func TestStalledStreamIsCut(t *testing.T) {
	pair := newPair(t, "x")
	const idle = 300 * time.Millisecond
	ended := make(chan error, 2)
	path := fileOf(t, imageSize)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quick" {
			fmt.Fprint(w, "quick")
			return
		}
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		ended <- err
		http.NewResponseController(w).Flush()
	})
	s := start(t, h, daemon.Options{CertFile: pair.certFile, KeyFile: pair.keyFile, HTTP2: true, IdleTimeout: idle})
	c := client(t, true)
	resp, err := c.Get(s.url)
	require.NoError(t, err)
	defer resp.Body.Close()
	begun := time.Now()
	quick, err := c.Get(s.url + "/quick")
	require.NoError(t, err)
	quick.Body.Close()
	select {
	case err := <-ended:
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(begun), idle/2)
	case <-time.After(20 * idle):
		t.Fatal("a stream that is not read lives on")
	}
	s.figure(t, `tplkit_connections_cut_total{reason="idle"}`, "1")
	// The connection serves on, and ends with the server.
	quick, err = c.Get(s.url + "/quick")
	require.NoError(t, err)
	quick.Body.Close()
	s.stop()
	require.NoError(t, s.wait(t))
}

// Plain HTTP to a TLS port, and a handshake that never ends.
func TestNoHandshake(t *testing.T) {
	pair := newPair(t, "x")
	s := start(t, whoAsks, daemon.Options{CertFile: pair.certFile, KeyFile: pair.keyFile, HeaderTimeout: 200 * time.Millisecond, Policy: proxied()})
	header := goodProxy["v1 IPv4"].header
	c := dial(t, s.url)
	_, err := io.WriteString(c, header+request)
	require.NoError(t, err)
	b, _ := io.ReadAll(c)
	require.Contains(t, string(b), "400 Bad Request")

	c = dial(t, s.url)
	_, err = io.WriteString(c, header+"\x16\x03\x01")
	require.NoError(t, err)
	begun := time.Now()
	_, _ = io.ReadAll(c)
	require.Less(t, time.Since(begun), 5*time.Second)

	// And a good one behind a PROXY header.
	c = dial(t, s.url)
	_, err = io.WriteString(c, header)
	require.NoError(t, err)
	secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	require.Equal(t, "192.0.2.1:40000", ask(t, secure, request))
}

package daemon

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/tplkit/tplkit/templates"
)

// certificates hold the pair in force. Reading is done under the server's lock.
type certificates struct {
	certFile, keyFile string
	now               atomic.Pointer[tls.Certificate]
	tried             [2]fileStamp // of the files when they were last read, whatever came of it
}

// A fileStamp changes when a file is replaced or written.
type fileStamp struct {
	size int64
	time time.Time
}

func (c *certificates) stamps() (out [2]fileStamp) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if fi, err := os.Stat(name); err == nil {
			out[i] = fileStamp{fi.Size(), fi.ModTime()}
		}
	}
	return out
}

// changed says whether the files are others than those that were read last.
func (c *certificates) changed() bool { return c.stamps() != c.tried }

// read reads the pair and puts nothing in force.
func (c *certificates) read() (*tls.Certificate, error) {
	c.tried = c.stamps() // before reading: a file that changes meanwhile is read again
	return readCertificate(c.certFile, c.keyFile)
}

// renew is read for a pair that is to replace another: it must be of use.
func (c *certificates) renew() (*tls.Certificate, error) {
	pair, err := c.read()
	if err == nil {
		err = inTime(c.certFile, pair)
	}
	return pair, err
}

// CheckCertificate checks that a certificate with its chain and its key, both PEM files, can be read and belong
// together, and that the certificate's time is not over. The errors name the files.
func CheckCertificate(certFile, keyFile string) error {
	pair, err := readCertificate(certFile, keyFile)
	if err != nil {
		return err
	}
	return inTime(certFile, pair)
}

func readCertificate(certFile, keyFile string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", templates.Quote(certFile), templates.Quote(keyFile), err)
	}
	return &pair, nil
}

func inTime(certFile string, pair *tls.Certificate) error {
	if end := pair.Leaf.NotAfter; time.Now().After(end) {
		return fmt.Errorf("certificate %s: its time was over on %s: renew it", templates.Quote(certFile), end.UTC().Format(time.DateTime))
	}
	return nil
}

// errNoCertificate cannot be seen: a server with TLS does not open without one.
var errNoCertificate = errors.New("no certificate")

// config is that of the secure listeners.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if pair := c.now.Load(); pair != nil {
				return pair, nil
			}
			return nil, errNoCertificate
		},
	}
}

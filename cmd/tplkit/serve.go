package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

type serveCmd struct {
	policyFlags
	Root           string        `arg:"" complete:"dir" help:"The tree: a directory with repo, bundles, yum and kubevirt, or the zones of the policy."`
	Listen         []string      `sep:"none" placeholder:"ADDR" help:"Serve on this address, as :8080, 192.0.2.1:80 or https://:443; may be repeated. By default on the sockets that systemd passes, else on :8080."`
	TLSCert        string        `name:"tls-cert" placeholder:"FILE" complete:"file" help:"The certificate and its chain, as PEM. It is read again when it changes."`
	TLSKey         string        `name:"tls-key" placeholder:"FILE" complete:"file" help:"The certificate's key, as PEM."`
	HTTP2          bool          `name:"http2" help:"Offer HTTP/2 to clients of https. Large downloads are cheaper without."`
	Admin          string        `placeholder:"ADDR" help:"Serve /metrics, /healthz and /readyz on this address, to everyone who reaches it."`
	AccessLog      string        `placeholder:"FILE|-|none" help:"Where a line for each request goes; by default to standard output, with -q nowhere."`
	LogFormat      string        `enum:"combined,json" default:"combined" help:"The form of these lines: ${enum}."`
	IdleTimeout    time.Duration `default:"1m" placeholder:"TIME" help:"Cut a client that takes nothing for so long (${default})."`
	LeastRate      byteSize      `default:"1KiB" placeholder:"SIZE" help:"Cut a client that takes less than this in a second, on average over the idle timeout (${default}); 0 for no such limit."`
	MaxConns       int           `default:"0" placeholder:"N" help:"Open connections at most; 0 means as many as descriptors allow, up to 8192, and -1 no limit."`
	MaxPerClient   int           `name:"max-conns-per-client" default:"256" placeholder:"N" help:"Open connections of one IPv4 address or IPv6 /64 at most (${default}); -1 means no limit."`
	ShutdownGrace  time.Duration `default:"1m" placeholder:"TIME" help:"How long downloads may go on after SIGTERM (${default})."`
	PublicURL      string        `name:"public-url" placeholder:"URL" help:"The address that visitors know the tree by, behind a proxy."`
	Check          bool          `xor:"what" help:"Serve nothing; check the policy, the certificate and the tree."`
	FixPermissions bool          `xor:"what" help:"Serve nothing; repair owner and mode in yum/, so that its owner can upload."`
	User           string        `placeholder:"USER" help:"With --check: who serves the tree, as USER, USER:GROUP or UID:GID."`
	Owner          string        `placeholder:"USER" help:"With --check and --fix-permissions: who uploads to yum/; by default the owner of yum/ itself."`
	dryRun
}

func (serveCmd) Help() string {
	return `Serves a tree of templates over HTTP: with ranges, listings, a catalogue of repo/, and an allow-list for each zone. Without a policy repo, bundles and yum are for everyone and kubevirt is for the subnets of --allow-kubevirt. What a policy looks like, and what it says of a client, "tplkit acl --help" tells.

SIGHUP reads policy and certificate again: all of it or, when something is wrong, nothing. SIGUSR1 opens the log file anew. SIGTERM and SIGINT stop accepting and let downloads finish, as long as --shutdown-grace says: that is status 0. A second one cuts them off: status 130.

Examples:

    tplkit serve /srv/templates                                       # on port 8080, for everyone but kubevirt/
    tplkit serve /srv/templates --allow-kubevirt 192.0.2.0/24 --listen :80
    tplkit serve /srv/templates --config /etc/tplkit/policy --listen http://:80 --listen https://:443 --tls-cert c.pem --tls-key k.pem
    tplkit serve /srv/templates --config /etc/tplkit/policy --check   # status 3 where something is at fault
    tplkit serve /srv/templates --fix-permissions --owner builder -n`
}

// Validate refuses what means nothing before anything is opened.
func (c *serveCmd) Validate() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key: give both or neither")
	case c.HTTP2 && c.TLSCert == "":
		return errors.New("--http2: needs --tls-cert and --tls-key")
	case c.IdleTimeout <= 0:
		return fmt.Errorf("--idle-timeout=%v: must be more than 0, as 30s or 1m", c.IdleTimeout)
	case c.ShutdownGrace < 0:
		return fmt.Errorf("--shutdown-grace=%v: must be 0 or more", c.ShutdownGrace)
	case c.MaxConns < -1 || c.MaxPerClient < -1:
		return errors.New("--max-conns, --max-conns-per-client: must be -1 (no limit, written --max-conns=-1) or more")
	case c.DryRun && !c.FixPermissions:
		return errors.New("-n: goes with --fix-permissions; --check changes nothing anyway")
	case c.User != "" && !c.Check:
		return errors.New("--user: goes with --check; the server runs as whoever starts it")
	case c.Owner != "" && !c.Check && !c.FixPermissions:
		return errors.New("--owner: goes with --check and --fix-permissions")
	}
	return nil
}

// Run serves, checks or repairs.
func (c *serveCmd) Run(ctx context.Context, s *session) error {
	switch {
	case c.Check:
		return c.check(ctx, s)
	case c.FixPermissions:
		return c.fixPermissions(ctx, s)
	case s.JSON:
		return usagef("--json: a server has no document; --log-format json is for its log")
	}
	return c.serve(ctx, s)
}

const (
	// serveMemory is the least soft memory limit of a server. Some 4,000 connections exceed it whose clients have stalled;
	// then it moves.
	serveMemory = 208 << 20

	// serveGarbage is how much of garbage, in percent of what is in use, may pile up below that limit. What is in use is so
	// little that the collector would run all the time for small files, at a tenth of the processor's time and more.
	serveGarbage = 800
)

// serve runs the server until it is told to stop.
func (c *serveCmd) serve(ctx context.Context, s *session) (err error) {
	s.stderr = &lockedWriter{w: s.stderr} // several goroutines have something to say
	if _, ok := os.LookupEnv("GOMEMLIMIT"); !ok {
		defer daemon.LimitGarbage(max(debug.SetMemoryLimit(-1), serveMemory))()
	}
	if _, ok := os.LookupEnv("GOGC"); !ok {
		debug.SetGCPercent(serveGarbage)
	}
	policy, err := c.policy()
	if err != nil {
		return err
	}
	metrics := c.metrics()
	log, err := c.openLog(s)
	if err != nil {
		return err
	}
	if log != nil {
		defer func() { err = errors.Join(err, log.Close()) }()
	}
	h, err := webserve.New(c.Root, webserve.Options{
		Policy: policy, Catalogue: lagorepo.Catalogue, PublicURL: c.PublicURL,
		Observe: func(e *webserve.Event) {
			metrics.Observe(e)
			if log != nil {
				log.Observe(e)
			}
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	srv, err := daemon.Open(ctx, h, c.options(s, h, metrics, log))
	if err != nil {
		return err
	}
	defer c.handleSignals(s, srv, log)()
	c.announce(s, srv, policy)
	if err := srv.Run(ctx); err != nil {
		return err
	}
	s.stopped = true
	return nil
}

// options are those of the flags.
func (c *serveCmd) options(s *session, h *webserve.Handler, metrics *daemon.Metrics, log *daemon.AccessLog) daemon.Options {
	opt := daemon.Options{
		Listen: c.Listen, Admin: c.Admin, Getenv: os.Getenv, CertFile: c.TLSCert, KeyFile: c.TLSKey, HTTP2: c.HTTP2,
		IdleTimeout: c.IdleTimeout, LeastRate: int64(c.LeastRate), MaxConns: c.MaxConns, MaxConnsPerClient: c.MaxPerClient,
		Grace: c.ShutdownGrace, Policy: h.Policy, Metrics: metrics, AccessLog: log,
		Reload: func() error { return c.reload(s, h) },
		Ready: func() error {
			_, err := os.Stat(c.Root)
			return err
		},
		Notice: func(msg string) { s.note("%s", msg) },
	}
	// What zero means on the command line is negative in the library.
	if opt.LeastRate == 0 {
		opt.LeastRate = -1
	}
	if opt.Grace == 0 {
		opt.Grace = -1
	}
	if opt.MaxConnsPerClient == 0 {
		opt.MaxConnsPerClient = -1
	}
	if s.Verbose {
		opt.Errors = s.stderr
	}
	return opt
}

// reload puts what the policy file says now in force, or nothing of it.
func (c *serveCmd) reload(s *session, h *webserve.Handler) error {
	old := h.Policy()
	policy, err := c.policy()
	if err != nil {
		return err
	}
	if err := h.SetPolicy(policy); err != nil {
		return err
	}
	for _, change := range acl.Diff(old, policy) {
		s.note("%s", change)
	}
	return nil
}

// metrics are the server's, and when the repository was published last.
func (c *serveCmd) metrics() *daemon.Metrics {
	m := new(daemon.Metrics)
	m.Gauge("tplkit_repo_published_timestamp_seconds", "When repo.metadata was written last.", func() (float64, bool) {
		fi, err := os.Lstat(filepath.Join(c.Root, templates.RepoDir, templates.RepoMetadataName))
		if err != nil || !fi.Mode().IsRegular() {
			return 0, false
		}
		return float64(fi.ModTime().UnixNano()) / 1e9, true
	})
	return m
}

// openLog opens the access log; nil means that there is none.
func (c *serveCmd) openLog(s *session) (*daemon.AccessLog, error) {
	opt := daemon.LogOptions{Format: c.LogFormat}
	switch {
	case c.AccessLog == "none", c.AccessLog == "" && s.Quiet:
		return nil, nil
	case c.AccessLog == "", c.AccessLog == "-":
		return daemon.NewAccessLog(s.stdout, opt)
	}
	log, err := daemon.OpenAccessLog(c.AccessLog, opt)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--access-log: %w: make the directory first", err)
	}
	return log, err
}

package audit

import (
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// Options says what is expected of the tree. The zero value works.
type Options struct {
	// User is who serves the tree. Nil: only what this process itself cannot
	// read is found.
	User *Account
	// Owner is who uploads to yum/; its first group is the one that may write
	// there, too. Nil: the owner and group of yum/ itself.
	Owner *Account
	// DryRun has [FixPermissions] tell what it would do, and change nothing.
	DryRun bool
	// MaxEntries is how many files and directories are looked at, at most; 0
	// means 1,000,000. A tree with more is a fault.
	MaxEntries int
	// MaxFindings is how many faults, and how many warnings, are listed at
	// most; 0 means 1,000. The others are counted.
	MaxFindings int
}

const (
	defaultEntries  = 1_000_000
	defaultFindings = 1_000
	// maxDepth is far more than any repository needs.
	maxDepth = 64
)

func (o Options) withDefaults() (Options, error) {
	if o.MaxEntries < 0 || o.MaxFindings < 0 {
		return o, fmt.Errorf("MaxEntries %d, MaxFindings %d: expected 0 or more", o.MaxEntries, o.MaxFindings)
	}
	for _, a := range []*Account{o.User, o.Owner} {
		if a != nil && len(a.GIDs) == 0 {
			return o, fmt.Errorf("account %s: has no group, expected its primary group", templates.Quote(a.Name))
		}
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = defaultEntries
	}
	if o.MaxFindings == 0 {
		o.MaxFindings = defaultFindings
	}
	return o, nil
}

// Account is a user of the machine, as the permission bits know it.
type Account struct {
	Name string // for messages; "" is told as UID:GID
	UID  int
	GIDs []int // the primary group first; at least one
}

// String is "name (UID:GID)", or "UID:GID" without a name.
func (a *Account) String() string {
	ids := strconv.Itoa(a.UID)
	if len(a.GIDs) > 0 {
		ids += ":" + strconv.Itoa(a.GIDs[0])
	}
	if a.Name == "" {
		return ids
	}
	return a.Name + " (" + ids + ")"
}

// LookupAccount finds an account of this machine. It takes what chown(1) takes:
//
//	uploader         a user with its groups
//	uploader:www     a user with this group alone
//	1000             a number, for a user that need not exist: with its groups if it does
//	1000:1000        two numbers, neither of which need exist
func LookupAccount(s string) (*Account, error) {
	name, group, hasGroup := strings.Cut(s, ":")
	a, err := lookupUser(name)
	if err == nil && hasGroup {
		var gid int
		if gid, err = lookupGroup(group); err == nil {
			a.GIDs = []int{gid}
		}
	}
	if err == nil && len(a.GIDs) == 0 {
		err = errors.New("this number is no user of this machine: give its group, too, as UID:GID")
	}
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", templates.Quote(s), err)
	}
	return a, nil
}

func lookupUser(name string) (*Account, error) {
	u, err := user.Lookup(name)
	if id, numeric := number(name); err != nil && numeric {
		if u, err = user.LookupId(name); err != nil {
			return &Account{UID: id}, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("expected USER, USER:GROUP or UID:GID: %w", err)
	}
	a := &Account{Name: u.Username}
	uid, ok := number(u.Uid)
	gid, ok2 := number(u.Gid)
	if !ok || !ok2 {
		return nil, fmt.Errorf("has the ID %s, expected a number as Unix systems have it", templates.Quote(u.Uid))
	}
	a.UID, a.GIDs = uid, []int{gid}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if id, ok := number(g); ok && !slices.Contains(a.GIDs, id) {
			a.GIDs = append(a.GIDs, id)
		}
	}
	return a, nil
}

func lookupGroup(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		if id, ok := number(name); ok {
			return id, nil
		}
		return 0, err
	}
	id, ok := number(g.Gid)
	if !ok {
		return 0, fmt.Errorf("group %s has the ID %s, expected a number", templates.Quote(name), templates.Quote(g.Gid))
	}
	return id, nil
}

// number reads an ID. The largest is no ID: chown(2) takes it for "as it is".
func number(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil
}

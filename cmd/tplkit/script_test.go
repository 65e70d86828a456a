package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this very program, as a process of its own, so
// that signals and exit statuses are real.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tplkit": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Condition:          scriptCondition,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exitcode":   cmdExitCode,
			"interrupt":  cmdInterrupt,
			"mkstore":    cmdMakeStore,
			"mkkubevirt": cmdMakeKubeVirt,
			"mkimage":    cmdMakeImage,
			"files":      cmdFiles,
			"empty":      cmdEmpty,
			"maskjson":   cmdMaskJSON,
			"smalldisk":  cmdSmallDisk,
			"readonly":   cmdReadOnly,
			"same":       cmdSame,
			"damage":     cmdDamage,
			"fifo":       cmdFifo,
			"hold":       cmdHold,
			"server":     cmdServer,
			"fetch":      cmdFetch,

			"tplkitalone": cmdTplkitAlone,
		},
	})
}

// runs calls the program in this process.
func runs(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return runsIn(context.Background(), t, args...)
}

func runsIn(ctx context.Context, t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytesWriter
	code = Run(ctx, args, &out, &errs)
	return code, string(out), string(errs)
}

type bytesWriter []byte

func (b *bytesWriter) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

func requireClients() bool { return os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" }

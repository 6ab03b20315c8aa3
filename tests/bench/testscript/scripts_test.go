// The cases of `harness/dev bench peers` as testscript runs them: one script a case, in parallel.
package bench

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: os.Getenv("BENCH_SCRIPTS"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("SUBJECT", os.Getenv("SUBJECT"))
			return nil
		},
	})
}

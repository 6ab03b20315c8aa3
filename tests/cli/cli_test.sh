#!/usr/bin/env bash
# The program as a user meets it: exit statuses, what bad input is answered, and exec. usage: cli_test.sh GPUSTAGE
set -uo pipefail

GPUSTAGE=$(realpath "$1")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
MARK=marker-of-this-test-$$  # of another copy of this test, too, processes may run here
failed=0 passed=0

# expect STATUS TEXT ARGS…: the program ends with STATUS and prints TEXT; "" is any.
expect() {
  local status=$1 text=$2 printed got
  shift 2
  printed=$("$GPUSTAGE" "$@" 2>&1 </dev/null)
  got=$?
  if [[ $got == "$status" && $printed == *"$text"* ]]; then
    passed=$((passed + 1))
    return
  fi
  failed=$((failed + 1))
  printf 'gpustage %s\n  expected %s and "%s"\n  seen %s and:\n%s\n' "$*" "$status" "$text" "$got" "$printed"
}

healthy=first-steps/healthy@gpus=1,stack=ollama-12

cat >"$WORK/fails.yaml" <<'END'
claim: a healthy tree has no device, which is false
machine: {devices: [h100-80gb]}
layout: [nvidia-driver-debian, ollama-cuda-12]
runs: [{name: service, scanner: ollama-model}]
expect: [{devices: 0}]
END
cat >"$WORK/typo.yaml" <<'END'
claim: a wrong key is named with its place
machine: {devices: [h100-80gb]}
layout: [nvidia-driver-debian, ollama-cuda-12]
expcet: [{devices: 1}]
END
cat >"$WORK/leaves.yaml" <<'END'
claim: a path may not leave the root
machine: {devices: []}
tree: [{dir: /opt/../../etc}]
runs: [{name: service, scanner: ollama-model}]
expect: [{devices: 0}]
END

expect 0 "1 passed, 0 failed" run "$healthy" --scanner ollama-model
expect 1 "expected  devices: 0    $WORK/fails.yaml:5:11" run "$WORK/fails.yaml"
expect 1 "because   #" run "$WORK/fails.yaml"
expect 2 "$WORK/typo.yaml:4:1: unknown key \"expcet\"; did you mean \"expect\"?
    4 | expcet: [{devices: 1}]
      | ^~~~~~" run "$WORK/typo.yaml"
expect 2 "$WORK/leaves.yaml:3:14:" run "$WORK/leaves.yaml"
expect 2 "no case matches" run --filter there-is-no-such-text
expect 2 'no scenario "helthy"; did you mean "first-steps/healthy"?' run helthy
expect 2 'no scenario "first-steps/helthy"; did you mean "first-steps/healthy"?' run first-steps/helthy
expect 2 'no scenario "frst-steps"; did you mean "first-steps"?' run frst-steps
expect 2 '"healthy" could be first-steps/healthy or ollama/healthy' run healthy
expect 2 'no such file "nix.yaml"' run nix.yaml
expect 2 "did you mean \"$WORK/fails.yaml\"?" run "$WORK/fails"
expect 2 'first-steps/healthy has no case with "gpus=3"; gpus can be 1 or 2' run first-steps/healthy@gpus=3
expect 2 'has no axis "gpu"; did you mean "gpus"?' run first-steps/healthy@gpu=1
expect 0 "1 cases" check first-steps/healthy@stack=ggml-12,gpus=1
expect 0 "first-steps/healthy@gpus=2,stack=ggml-12" list first-steps/healthy@stack=ggml-12
expect 2 "2 mistakes
$WORK/typo.yaml:4:1: unknown key" check "$WORK/typo.yaml" "$WORK/leaves.yaml"
expect 2 "$WORK/leaves.yaml:3:14: " check "$WORK/typo.yaml" "$WORK/leaves.yaml"
# What two scenarios name, or who is given twice, is one mistake.
expect 2 "2 mistakes" check "$WORK/typo.yaml" "$WORK/typo.yaml" "$WORK/fails.yaml" "$WORK/leaves.yaml"
expect 2 'the runs there are service (ollama-model)' run "$WORK/fails.yaml" --scanner ggml
expect 2 'no command "rnu"; did you mean "run"?' rnu
expect 2 'no option "--fliter"; did you mean "--filter"?' run --fliter x
expect 2 '--evidence: expected none, libs, files or all, got "bogus"' run --evidence bogus
expect 2 '"B" is one word too many' trace A B
expect 2 "help lists the commands" frobnicate
expect 2 "run            run scenarios" 
expect 0 "run            run scenarios" help
expect 0 "--jobs, -j N" help run
expect 0 "--jobs, -j N" run --help
expect 0 "gpustage 0.1.0 (" --version
expect 0 "$healthy" show "first-steps/healthy@stack=ollama-12,gpus=1"
expect 0 "first-steps/unlistable-directory" complete -- run first-steps/unl
expect 0 "never" complete -- run --color ""
expect 2 'no scanner "gglm"; did you mean "ggml"?' run --scanner gglm
expect 2 "unknown report" run "$healthy" --report xml="$WORK/out"
expect 2 "no directory" run "$healthy" --report json="$WORK/no/such/out"
expect 2 "" run --jobs 0
expect 0 "first-steps/healthy@gpus=1,stack=ggml-12" list first-steps/healthy
expect 0 "symlink /usr/lib/x86_64-linux-gnu/libcuda.so.1 -> libcuda.so.580.159.04" show "$healthy"
expect 0 "isolation" doctor
expect 7 "" exec "$healthy" -- /bin/sh -c 'exit 7'
expect 139 "" exec "$healthy" -- /bin/sh -c 'kill -SEGV $$'
expect 127 "exec brings sh alone; $GPUSTAGE shell" exec "$healthy" -- sh -c 'namei /'
expect 2 "compare takes two scanners by their names" compare README.md ggml
expect 0 "libggml-cuda.so" exec "$healthy" -- ls /usr/local/lib/ollama/cuda_v12
expect 2 "no program" exec "$healthy" -- there-is-no-such-program
expect 2 "name one:" exec first-steps/healthy -- true
GPUSTAGE_CACHE=$WORK expect 77 "ggml is required: the real part" run first-steps/healthy --scanner ggml --require ggml
GPUSTAGE_CACHE=$WORK expect 0 "skipped 5: the real part ggml-12 is not here" run first-steps/driver-refuses first-steps/healthy --scanner ggml

# Somebody's own repository: a layout, a device and a scanner of theirs, said in a gpustage.yaml or by --fixtures.
mkdir -p "$WORK"/own/{parts/layouts,parts/devices,parts/scanners,scenarios}
cat >"$WORK/own/parts/layouts/mine.yaml" <<'END'
layout: mine
about: a program of ours
provides: [mine]
END
sed 's/^device: .*/device: my-gpu/' fixtures/devices/t4.yaml >"$WORK/own/parts/devices/my-gpu.yaml"
sed 's/^scanner: .*/scanner: my-dlopen/; s/^fits: .*/fits: mine/' fixtures/scanners/dlopen.yaml >"$WORK/own/parts/scanners/my-dlopen.yaml"
cat >"$WORK/own/scenarios/counts.yaml" <<'END'
claim: our scanner counts our device
machine: {devices: [my-gpu]}
layout: [nvidia-driver-debian, mine]
runs: [{scanner: my-dlopen, args: [libcuda.so.1]}]
expect: [{devices: 1}]
END
expect 2 'unknown device "my-gpu"' check "$WORK/own/scenarios/counts.yaml"
expect 2 'no folder' check "$WORK/own/scenarios" --fixtures "$WORK/own/pars"
expect 0 "1 cases of 1 files: no mistake" check "$WORK/own/scenarios" --fixtures "$WORK/own/parts"
expect 0 "1 passed" run "$WORK/own/scenarios/counts.yaml" --fixtures "$WORK/own/parts" --scanner my-dlopen
echo 'fixtures: [../parts]' >"$WORK/own/scenarios/gpustage.yaml"
expect 0 "1 passed" run "$WORK/own/scenarios"
printf 'fixtures: [../parts]\nrequire: [ollama@0.99]\n' >"$WORK/own/scenarios/gpustage.yaml"
expect 2 "ollama@0.99 is required" run "$WORK/own/scenarios"
echo 'fixtres: [../parts]' >"$WORK/own/scenarios/gpustage.yaml"
expect 2 'gpustage.yaml:1:1: unknown key "fixtres"; did you mean "fixtures"?' run "$WORK/own/scenarios"

# The completion of bash, as a shell loads it.
completed=$(bash -c 'source <("$1" help --format bash); COMP_WORDS=("$1" run first-steps/unl) COMP_CWORD=2; _gpustage; echo "${COMPREPLY[@]}"' - "$GPUSTAGE")
[[ $completed == first-steps/unlistable-directory ]] || { echo "bash completes: $completed"; failed=$((failed + 1)); }

# From nothing to a scenario that passes.
cd "$WORK"
expect 0 "next: $GPUSTAGE run first.yaml" new first
expect 0 "1 passed, 0 failed" run first.yaml --scanner ollama-model
[[ $(wc -l <first.yaml) -le 8 ]] || { echo "a first scenario of more than 8 lines"; failed=$((failed + 1)); }
expect 2 "first.yaml is there already" new first.yaml
expect 2 'no device "t44"; did you mean "t4"?' new second --device t44
expect 2 'no layout "olama-cuda-12"; did you mean "ollama-cuda-12"?' new second --layout olama-cuda-12
expect 0 "wrote third.yaml" new third --from first-steps/unlistable-directory
expect 0 "3 cases of 1 files" check third.yaml
cd - >/dev/null

# A report is written whole, and its totals are those of the run.
"$GPUSTAGE" run "$healthy" --scanner ollama-model --report json="$WORK/report.json" >/dev/null
grep -q '"pass": 1' "$WORK/report.json" || { echo "the JSON report has no totals"; failed=$((failed + 1)); }

# Killed in the middle, it leaves no process, and the next start clears its directory.
cat >"$WORK/hangs.yaml" <<END
claim: a driver that never answers
machine: {devices: [h100-80gb], faults: [{function: cuInit, hang: true}]}
layout: [nvidia-driver-debian]
tree: [{symlink: /opt/$MARK.so, to: /usr/lib/x86_64-linux-gnu/libcuda.so.1}]
runs: [{name: hand, scanner: dlopen, args: [/opt/$MARK.so]}]
expect: [{devices: 0}]
END
mkdir "$WORK/tmp"
TMPDIR=$WORK/tmp "$GPUSTAGE" run "$WORK/hangs.yaml" >"$WORK/hung" 2>&1 &
pid=$!
for _ in $(seq 100); do
  pgrep -f $MARK >/dev/null && break
  sleep 0.1
done
pgrep -f $MARK >/dev/null || { echo "the hanging scanner was never seen:"; cat "$WORK/hung"; failed=$((failed + 1)); }
kill -KILL "$pid"
wait "$pid" 2>/dev/null
for _ in $(seq 50); do
  pgrep -f $MARK >/dev/null || break
  sleep 0.1
done
pgrep -f $MARK >/dev/null && { echo "a scanner outlived the gpustage that was killed"; failed=$((failed + 1)); }
TMPDIR=$WORK/tmp "$GPUSTAGE" run "$healthy" --scanner ollama-model >/dev/null
[[ -z $(ls "$WORK/tmp") ]] || { echo "left behind: $(ls "$WORK/tmp")"; failed=$((failed + 1)); }

echo "$passed passed, $failed failed"
exit $((failed > 0))

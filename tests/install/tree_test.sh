#!/usr/bin/env bash
# The installed tree: what it is made of, and that it works from another place with nothing beside it.
# usage: tree_test.sh BUILD_TREE
# shellcheck source=tests/install/installed.sh
source "$(dirname "${BASH_SOURCE[0]}")/installed.sh"
install_tree
cd "$PREFIX"

# ---- What it is made of ------------------------------------------------------------------------------------------------

[[ $(ls) == $'bin\ninclude\nlib\nshare' ]] || fail "not of the FHS: $(ls)"
programs=$(cd bin && echo ./*)
[[ $programs == './gpustage ./gpustage-capture ./gpustage-gtest ./gpustage-real' ]] || fail "bin has $programs"
for part in lib/gpustage/{fakes/cuda.so,recorders/audit.so,programs/ollama-model,real.sh} share/gpustage/{fixtures/real-parts.yaml,fixtures/programs/go_nvml/go.sum,schemas/scenario.schema.json} \
  share/gpustage/fixtures/{devices,layouts,scanners}/*.yaml share/gpustage/scenarios/first-steps/healthy.yaml share/doc/gpustage/{README.md,copyright,docs/scenario.md} \
  share/{man/man1/gpustage.1,bash-completion/completions/gpustage,zsh/site-functions/_gpustage}; do
  [[ -s $part ]] || fail "not there: $part"
done

executable=$(find . -type f -perm /111 | sort)
expected=$(printf '%s\n' ./bin/gpustage{,-capture,-gtest,-real} ./lib/gpustage/programs/{dlopen_probe,ggml_driver,ollama-model,runner_info} ./lib/gpustage/recorders/{ask,driver_probe})
[[ $executable == "$expected" ]] || fail "executable is: $executable"
[[ -z $(find . -type d -empty) ]] || fail "empty: $(find . -type d -empty)"

# A path of the source, the build or the first prefix would tie it to this machine.
for path in "$SOURCE" "$BUILD" "$T"; do
  tied=$(grep -rlaF -- "$path" . || true)
  [[ -z $tied ]] || fail "has $path in it: $tied"
done
{ find . -type f \( -name '*.so*' -o -perm /111 \) -exec readelf -d {} + 2>/dev/null || true; } | sed -n 's/.*\(RPATH\|RUNPATH\).*\[\(.*\)\]/\2/p' | sort -u >"$T/out"
[[ $(<"$T/out") == $'$ORIGIN\n$ORIGIN/../lib'* ]] || fail "RUNPATHs: $(<"$T/out")"
! grep -vE '^\$ORIGIN(/\.\./lib[^:]*)?:?$' "$T/out" || fail 'a RUNPATH that is not relative'

# ---- The library: any GoogleTest goes with it, and no name of its own comes in the way --------------------------------

library=lib*/libgpustage.so
nm -DC --defined-only $library | awk '$2 != "A" {sub(/^[^ ]+ . /, ""); sub(/[[(].*/, ""); print}' | sort -u >"$T/exports"
cat >"$T/declared" <<'LIST'
gpustage::ListCases
gpustage::RunListed
gpustage::RunResult::Check
gpustage::RunResult::CheckLoss
gpustage::Stage::Add
gpustage::Stage::AddDevice
gpustage::Stage::AddDirectory
gpustage::Stage::AddFile
gpustage::Stage::AddLayout
gpustage::Stage::AddLibrary
gpustage::Stage::AddLink
gpustage::Stage::ChangeMode
gpustage::Stage::Remove
gpustage::Stage::Run
gpustage::Stage::SetEnv
gpustage::Stage::SetUser
gpustage::Stage::Stage
gpustage::Stage::UnsetEnv
gpustage::Stage::~Stage
LIST
diff "$T/declared" "$T/exports" || fail 'libgpustage.so does not export what the public headers declare'
! nm -DC --undefined-only $library | grep testing:: || fail 'libgpustage.so needs a GoogleTest'
! readelf -d $library | grep -E 'NEEDED.*(gtest|gmock)' || fail 'libgpustage.so needs a GoogleTest'

# ---- It works ----------------------------------------------------------------------------------------------------------

cd "$T"
needs_box
PATH=$PREFIX/bin:$PATH
ends 0 away gpustage doctor
says "ok  fakes      $PREFIX/lib/gpustage/fakes"
says 'run gpustage-real'
! grep -q '  no  \(fakes\|programs\|audit\|ask\)' "$T/out" || fail "$(<"$T/out")"

ends 0 "$BUILD/harness/gpustage" list
cp "$T/out" "$T/built"
ends 0 away gpustage list
diff "$T/built" "$T/out" >/dev/null || fail 'lists other cases than the build tree'

ends 0 away gpustage run first-steps --report json="$T/report.json"
says ' passed, 0 failed, '
says 'the real part ggml-12 is not here: run gpustage-real'
! grep -qE '^0 passed' "$T/out" || fail 'no case of fakes ran'

ends 0 away gpustage shell first-steps/healthy@gpus=1,stack=ollama-12 -- ls /usr/local/lib/ollama/cuda_v12
says libggml-cuda.so
ends 0 away gpustage-gtest first-steps --gtest_filter='first_steps.unlistable_directory/*'
says '[  PASSED  ]'
ends 2 away gpustage-gtest first-steps --gtest_filter='first_steps.no-such'
says 'no case matches --gtest_filter=first_steps.no-such'
# Shards of GoogleTest: each case once.
tests_run() { sed -n 's/^\[ RUN      \] //p' "$T/out"; }
ends 0 away gpustage-gtest first-steps/unlistable-directory first-steps/two-copies-one-gpu
tests_run | sort >"$T/one"
: >"$T/shards"
for shard in 0 1 2; do
  GTEST_TOTAL_SHARDS=3 GTEST_SHARD_INDEX=$shard ends 0 away gpustage-gtest first-steps/unlistable-directory first-steps/two-copies-one-gpu
  tests_run >>"$T/shards"
done
[[ -s $T/one ]] && sort "$T/shards" | diff "$T/one" - || fail 'shards do not add up to one run'

GPUSTAGE_OFFLINE=1 ends 0 away gpustage-real
says 'gpustage-real: ggml-12: missing, and GPUSTAGE_OFFLINE=1'
ends 2 away gpustage-real now
echo ok

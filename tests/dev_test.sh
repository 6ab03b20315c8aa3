#!/usr/bin/env bash
# harness/dev on a small tree of its own, with clients and a compiler that keep a log: what it starts, what it says, what is
# left behind. No network, nothing installed.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
command -v python3 >/dev/null || { echo "skipped: there is no python3 to unpack wheels with" && exit 77; }

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export GPUSTAGE_CACHE=$T/cache HOME=$T/home CXX=$T/bin/counted-c++ LOG=$T/log REMOTE=$T/remote
unset GPUSTAGE_OFFLINE GPUSTAGE_SANITIZE CUDA_PATH
mkdir -p "$T"/{bin,home,remote}

# ---- The world: a PATH of links, with our own clients ------------------------------------------------------------------

# Never through a link: that would write over the program of this machine.
program() { rm -f "$T/bin/$1" && cat >"$T/bin/$1" && chmod +x "$T/bin/$1"; }
real_cxx=$(command -v g++ || command -v c++)
ln -s /usr/bin/* /bin/* "$T/bin" 2>/dev/null || true
for name in cmake ctest ninja; do ln -sf "$(command -v $name)" "$T/bin/$name"; done
rm -f "$T"/bin/{apt-get,sudo,npm,pip,pip3,python3,nvcc,dnf,pacman,zypper}
PYTHON=$(command -v python3)

program counted-c++ <<END
#!/bin/sh
echo compiler >>"\$LOG"
exec $real_cxx "\$@"
END
program sudo <<'END'
#!/bin/sh
exec "$@"
END
# Installs by putting back what was taken from the PATH. Without lists it knows nothing.
program apt-get <<'END'
#!/bin/bash
if [[ " $* " == *" --assume-no "* ]]; then
  printf '0 upgraded, 2 newly installed, 0 to remove and 7 not upgraded.\nNeed to get 1,024 kB/3,072 kB of archives.\n'
  printf 'After this operation, 5,120 kB of additional disk space will be used.\nAbort.\n'
  exit 1
fi
echo "apt-get $(sed -E 's/.* (install|update)/\1/' <<<"$*")" >>"$LOG"
[[ " $* " == *" update "* ]] && rm -f "$REMOTE/no-lists"
[[ -e $REMOTE/no-lists ]] && exit 100
[[ " $* " == *" --simulate "* ]] || { [[ ! -e $REMOTE/cmake ]] || mv "$REMOTE/cmake" "$(dirname "$0")"; }
END
program npm <<'END'
#!/bin/bash
echo "npm ${*: -1}" >>"$LOG"
[[ ! -e $REMOTE/hangs ]] || sleep 60
[[ ! -e $REMOTE/down ]] || { echo 'npm error code ENOTFOUND'; exit 1; }
while [[ $1 != --pack-destination ]]; do shift; done
cp "$REMOTE/part.tgz" "$2"
END
program python3 <<END
#!/bin/bash
[[ "\$1 \$2" != '-m pip' ]] && exec $PYTHON "\$@"
[[ \$3 == --version ]] && exit
package=\${*: -1}
echo "pip \$package" >>"\$LOG"
[[ ! -e \$REMOTE/down ]] || { echo 'ERROR: no matching distribution'; exit 1; }
while [[ \$1 != --dest ]]; do shift; done
file=part.whl
[[ \$package != @x/npm* ]] || file=npm.whl
cp "\$REMOTE/\$file" "\$2"
END

program cpack <<'END'
#!/bin/sh
[ "$1 $2 $3 $5" = '-G DEB --config -B' ] && mkdir -p "$6" && touch "$6/small_1_amd64.deb"
END

(cd "$REMOTE" && mkdir -p package wheel/include/crt && echo library >package/lib.so && tar -czf part.tgz package &&
  touch wheel/libcudart.so.13 wheel/libcudart_static.a wheel/include/{cuda.h,crt/host_config.h} &&
  cd wheel && "$PYTHON" -m zipfile -c ../part.whl ./*)
# npm as a wheel: its node runs the script that stands behind it.
(cd "$REMOTE" && mkdir npm-wheel && printf '#!/bin/bash\nexec bash "$@"\n' >npm-wheel/node && cp "$T/bin/npm" npm-wheel/npm-cli && cd npm-wheel && "$PYTHON" -m zipfile -c ../npm.whl ./*)
sum() { sha256sum <"$REMOTE/$1" | cut -d' ' -f1; }

# part NAME CLIENT ARCHIVE FILE...
part() {
  printf -- '- name: %s\n  client: %s\n  package: "@x/%s"\n  version: 1.2.3\n  sha256: %s\n  bytes: 100\n' \
    "$1" "$2" "$1" "$(sum "$3")"
  printf '  into: real/%s\n  files:\n' "$1"
  printf '    %s\n' "${@:4}"
}

repository() {
  rm -rf "$T"/{repository,cache} "$REMOTE"/{down,hangs,no-lists}
  : >"$LOG"
  mkdir -p "$T"/repository/{harness,fakes,fixtures}
  cd "$T/repository"
  cp -r "$ROOT"/harness/{dev,dev.d} harness
  # Its own needs: whether this machine has those of gpustage is no question of this test.
  cat >harness/dev.d/needs.sh <<'END'
NEEDS=("g++|program $CXX|compiles" 'cmake|program cmake|configures the build')
WISHES=()
CLIENTS=('python3-pip|pip -|fetches real libraries')
TEST_WISHES=('small-wish|program small-wish|a test')
PACKAGE_WISHES=()
declare -A ELSEWHERE=([dnf]='g++=gcc-c++' [pacman]='g++=gcc cmake=-' [zypper]='')
END
  program small-wish <<<'#!/bin/sh'
  mkdir -p harness/cli
  printf '      {"run", "…", DeclareRun},\n      {"trace", "…", DeclareTrace},\n' >harness/cli/verbs.cc
  {
    echo '# comment'
    part lib npm part.tgz 'lib.so: package/lib.so'
    printf '  links:\n    link.so: lib.so\n\n'
    part cudart-13 pip part.whl 'libcudart.so.13: libcudart.so.13' 'libcudart_static.a: libcudart_static.a' 'include: include'
    part cuda-crt-13 pip part.whl 'include: include'
    part nvml-13 pip part.whl 'include: include'
    printf -- '- name: stub\n  client: toolkit\n  into: real/stub\n  files:\n    libcuda.so: lib64/stubs/libcuda.so\n'
  } >fixtures/real-parts.yaml
  cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES NONE)
enable_testing()
add_subdirectory(fakes)
add_subdirectory(fixtures)
add_subdirectory(harness)
add_test(NAME passes COMMAND true)
END
  touch {fakes,fixtures}/CMakeLists.txt
  cat >harness/CMakeLists.txt <<'END'
set(source ${CMAKE_CURRENT_SOURCE_DIR}/main.cc)
add_custom_command(OUTPUT gpustage COMMAND $ENV{CXX} ${source} -o gpustage DEPENDS ${source})
add_custom_target(program ALL DEPENDS gpustage)
END
  cat >harness/main.cc <<'END'
#include <cstdio>
#include <cstdlib>
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) std::printf("[%s]", argv[i]);
  std::printf("[called as %s]", std::getenv("GPUSTAGE_CALLED_AS"));
  return argc;
}
END
}

# dev STATUS ARGS...: output in $T/out.
dev() {
  local expected=$1 status=0
  shift
  PATH=$T/bin harness/dev "$@" >"$T/out" 2>&1 </dev/null || status=$?
  [[ $status == "$expected" ]] || fail "harness/dev $* ended with $status, not $expected"
}
fail() {
  printf '%s: %s\n' "${claim:-}" "$*"
  cat "$T/out"
  exit 1
}
says() { grep -qF -- "$1" "$T/out" || fail "does not say: $1"; }
says_not() { ! grep -qF -- "$1" "$T/out" || fail "says: $1"; }
log_is_not() { ! grep -qF -- "$1" "$LOG" || fail "started: $(<"$LOG")"; }
log_is() { [[ $(<"$LOG") == "$1" ]] || fail "started: $(<"$LOG")"; }
there() { [[ -e $1 ]] || fail "not there: $1"; }
not_there() { ! compgen -G "$1" >/dev/null || fail "there: $1"; }

# stopped_by SIGNAL: while npm runs.
stopped_by() {
  touch "$REMOTE/hangs"
  PATH=$T/bin setsid harness/dev real >"$T/out" 2>&1 &
  until [[ -s $LOG ]]; do sleep 0.05; done
  kill "-$1" -- -$!
  wait $! 2>/dev/null || true
  rm "$REMOTE/hangs"
  not_there "$GPUSTAGE_CACHE/real/*"
}

# ---- The claims --------------------------------------------------------------------------------------------------------

first_run_builds_and_passes_arguments_and_status_through() {
  dev 4 run one 'two words'
  says '[run][one][two words]'
  there "$GPUSTAGE_CACHE/real/lib/lib.so"
  [[ $(readlink "$GPUSTAGE_CACHE/real/lib/link.so") == lib.so ]] || fail 'no link'
}

only_the_program_writes_to_standard_output() {
  local printed
  printed=$(PATH=$T/bin harness/dev run 2>"$T/out") || true
  [[ $printed == '[run][called as harness/dev]' ]] || fail "$printed"
}

second_run_starts_no_compiler_no_apt_and_no_download() {
  dev 2 run
  local before
  before=$(stat -c %y .build/build.ninja)
  : >"$LOG"
  dev 2 run
  log_is ''
  says 'no work to do'
  dev 0 test
  log_is ''
  says '100% tests passed'
  [[ $(stat -c %y .build/build.ninja) == "$before" ]] || fail 'configured again'
}

test_passes_words_to_ctest() {
  dev 0 test -- -R nothing
  says 'No tests were found'
}

package_is_built_and_named() {
  local printed
  printed=$(PATH=$T/bin harness/dev package 2>"$T/out") || fail 'did not'
  there .build/harness/gpustage
  [[ $printed == "$T/repository/.build/package/small_1_amd64.deb" ]] || fail "$printed"
}

sanitizers_have_a_tree_of_their_own() {
  GPUSTAGE_SANITIZE=1 dev 0 test
  grep -q 'GPUSTAGE_SANITIZE:.*=ON' .build/sanitize/CMakeCache.txt || fail 'not on'
  not_there .build/CMakeCache.txt
}

missing_package_is_installed_and_explained() {
  mv "$T/bin/cmake" "$REMOTE"
  dev 2 run
  says '  cmake: configures the build'
  says '2 packages, 1,024 kB to fetch, 5,120 kB on disk'
  [[ $(head -2 "$LOG") == $'apt-get install cmake\napt-get install cmake' ]] || fail "$(<"$LOG")"
}

what_only_tests_want_is_installed_for_tests_alone() {
  mv "$T/bin/small-wish" "$REMOTE"
  dev 2 run
  log_is_not 'small-wish'
  dev 0 test
  grep -q 'apt-get install small-wish' "$LOG" || fail "$(<"$LOG")"
}

every_verb_of_the_program_is_passed_through() {
  dev 4 trace one 'two words'
  says '[trace][one][two words][called as harness/dev]'
  says_not 'no work to do'
  dev 2 frobnicate
  says 'harness/dev COMMAND [ARGS]'
  says_not '[frobnicate]'
}

package_lists_are_fetched_only_where_they_are_missing() {
  mv "$T/bin/cmake" "$REMOTE"
  touch "$REMOTE/no-lists"
  dev 2 run
  [[ $(head -3 "$LOG") == $'apt-get install cmake\napt-get update\napt-get install cmake' ]] || fail "$(<"$LOG")"
}

offline_nothing_is_installed() {
  mv "$T/bin/cmake" "$REMOTE"
  GPUSTAGE_OFFLINE=1 dev 3 run
  mv "$REMOTE/cmake" "$T/bin"
  says 'GPUSTAGE_OFFLINE=1; as root: apt-get install --no-install-recommends cmake'
  log_is ''
}

elsewhere_it_names_what_it_needs() {
  local manager line
  mv "$T/bin/cmake" "$T/bin/apt-get" "$REMOTE"
  while read -r manager line; do
    program "$manager" <<<'#!/bin/sh'
    CXX=no-such-compiler dev 3 run
    rm "$T/bin/$manager"
    says '  cmake: configures the build'
    says "there is no apt here; as root: $line (untested)"
  done <<'END'
dnf dnf install gcc-c++ cmake
pacman pacman -S --needed gcc
zypper zypper install g++ cmake
END
  mv "$REMOTE/cmake" "$REMOTE/apt-get" "$T/bin"
}

wish_that_cannot_be_installed_stops_nothing() {
  echo "WISHES=('wish|program no-such-program|a test')" >>harness/dev.d/needs.sh
  GPUSTAGE_OFFLINE=1 dev 2 run
  says 'going on without wish: GPUSTAGE_OFFLINE=1'
}

other_systems_are_told_that_they_are_untested() {
  # shellcheck source=harness/dev.d/packages.sh
  source "$ROOT/harness/dev.d/packages.sh"
  printf 'ID=debian\nVERSION_ID="12"\n' >"$T/os"
  tested_system "$T/os" || fail 'Debian 12 is tested'
  printf 'ID=ubuntu\nVERSION_ID="24.04"\n' >"$T/os"
  ! tested_system "$T/os" || fail 'Ubuntu is not'
  printf 'ID=debian\nVERSION_ID="13"\n' >"$T/os"
  tested_system "$T/os" || fail 'Debian 13 is tested'
}

offline_each_part_is_said_and_no_client_started() {
  GPUSTAGE_OFFLINE=1 dev 0 real
  says 'lib: missing, and GPUSTAGE_OFFLINE=1 (npm package @x/lib 1.2.3)'
  says 'nvml-13: missing'
  log_is ''
}

part_that_cannot_be_fetched_stops_nothing() {
  touch "$REMOTE/down"
  dev 0 real
  says 'lib: missing, npm could not fetch @x/lib 1.2.3: npm error code ENOTFOUND'
  says 'cudart-13: missing, pip could not fetch @x/cudart-13 1.2.3: ERROR: no matching distribution'
  says 'stub: missing, there is no CUDA Toolkit installed here'
  not_there "$GPUSTAGE_CACHE/real/*"
  dev 2 run
  says '[run]'
  says_not 'stub:'
}

npm_that_is_not_here_comes_from_a_wheel_and_goes_again() {
  printf -- '- name: npm\n  for: npm\n  client: pip\n  package: "@x/npm"\n  version: 1\n  sha256: %s\n  bytes: 9\n  node: node\n  script: npm-cli\n' \
    "$(sum npm.whl)" >>fixtures/real-parts.yaml
  mv "$T/bin/npm" "$REMOTE"
  dev 0 real
  there "$GPUSTAGE_CACHE/real/lib/lib.so"
  not_there "$GPUSTAGE_CACHE/tmp.*"
  [[ $(head -2 "$LOG") == $'pip @x/npm==1\nnpm @x/lib@1.2.3' ]] || fail "$(<"$LOG")"
  sed -i '/^- name: npm/,$s/sha256: ./sha256: x/' fixtures/real-parts.yaml
  rm -rf "$GPUSTAGE_CACHE"
  dev 0 real
  mv "$REMOTE/npm" "$T/bin"
  says 'npm: WRONG CHECKSUM, not used'
  says 'lib: missing, and there is no npm here'
}

part_of_tests_is_fetched_for_tests_alone() {
  sed -i '0,/^  client: pip/s//  for: tests\n  client: pip/' fixtures/real-parts.yaml
  dev 2 run
  not_there "$GPUSTAGE_CACHE/real/cudart-13"
  says 'fetches 3 real parts, 1 MB, into '
  dev 0 test
  there "$GPUSTAGE_CACHE/real/cudart-13/include"
}

missing_client_stops_nothing() {
  mv "$T"/bin/{npm,apt-get} "$REMOTE"
  dev 0 real
  mv "$REMOTE"/{npm,apt-get} "$T/bin"
  says 'lib: missing, and there is no npm here to fetch npm package @x/lib 1.2.3'
  there "$GPUSTAGE_CACHE/real/cudart-13/libcudart.so.13"
}

wrong_checksum_is_loud_and_not_installed() {
  sed -i "0,/sha256: ./s//sha256: x/" fixtures/real-parts.yaml
  dev 1 real
  says "lib: WRONG CHECKSUM, not installed: part.tgz is $(sum part.tgz)"
  not_there "$GPUSTAGE_CACHE/real/lib"
  there "$GPUSTAGE_CACHE/real/nvml-13/include"
  dev 2 run
}

changed_pin_is_fetched_again_alone() {
  dev 0 real
  : >"$LOG"
  sed -i '0,/version: 1.2.3/s//version: 1.2.4/' fixtures/real-parts.yaml
  dev 0 real
  log_is 'npm @x/lib@1.2.4'
}

go_program_is_built_of_its_source_and_again_when_that_changes() {
  mkdir -p fixtures/programs/client
  echo one >fixtures/programs/client/main.go
  printf -- '- name: client\n  client: go\n  package: x/module\n  version: 1.2.3\n  source: fixtures/programs/client\n  bytes: 9\n  into: real/client\n  files:\n    client: client\n' \
    >>fixtures/real-parts.yaml
  dev 0 real
  says 'client: missing, and there is no go here to fetch go module x/module 1.2.3'
  program go <<'END'
#!/bin/bash
echo go >>"$LOG"
[[ ! -e $REMOTE/down ]] || { echo 'x/module: dial tcp: no such host'; exit 1; }
while [[ $1 != -o ]]; do shift; done
cat main.go >"$2/client"
END
  touch "$REMOTE/down"
  dev 0 real
  says 'client: missing, go could not build it with x/module 1.2.3: x/module: dial tcp: no such host'
  not_there "$GPUSTAGE_CACHE/real/client"
  rm "$REMOTE/down"
  dev 0 real
  [[ $(<"$GPUSTAGE_CACHE/real/client/client") == one ]] || fail 'not built'
  : >"$LOG"
  dev 0 real
  log_is ''
  echo two >fixtures/programs/client/main.go
  GPUSTAGE_OFFLINE=1 dev 0 real
  says 'client: missing, and GPUSTAGE_OFFLINE=1 (go module x/module 1.2.3)'
  log_is ''
  dev 0 real
  rm "$T/bin/go"
  log_is go
  [[ $(<"$GPUSTAGE_CACHE/real/client/client") == two ]] || fail 'not built again'
}

interrupted_fetch_leaves_nothing() {
  stopped_by TERM
  # What clears up may outlive the script by a moment.
  for _ in {1..100}; do compgen -G "$GPUSTAGE_CACHE/tmp.*" >/dev/null && sleep 0.05; done
  not_there "$GPUSTAGE_CACHE/tmp.*"
}

killed_fetch_is_cleared_and_finished_by_the_next() {
  stopped_by KILL
  dev 0 real
  there "$GPUSTAGE_CACHE/real/lib/lib.so"
  not_there "$GPUSTAGE_CACHE/tmp.*"
}

wheels_become_a_toolkit() {
  dev 0 real
  [[ $(<"$GPUSTAGE_CACHE/cuda-13/version.txt") == 'CUDA Version 1.2.3' ]] || fail 'no version'
  for file in include/cuda.h include/crt/host_config.h lib64/libcudart.so lib64/libcudart_static.a; do
    there "$GPUSTAGE_CACHE/cuda-13/$file"
  done
}

toolkit_that_comes_later_is_configured() {
  GPUSTAGE_OFFLINE=1 dev 2 run
  dev 2 run
  says 'made a CUDA Toolkit 1.2.3'
  says 'Configuring done'
}

stub_comes_from_an_installed_toolkit() {
  mkdir -p "$T/installed/lib64/stubs"
  echo stub >"$T/installed/lib64/stubs/libcuda.so"
  CUDA_PATH=$T/installed dev 0 real
  [[ $(<"$GPUSTAGE_CACHE/real/stub/libcuda.so") == stub ]] || fail 'not copied'
}

list_in_another_form_is_refused_with_its_line() {
  echo 'files: {a: b}' >>fixtures/real-parts.yaml
  dev 2 real
  says "fixtures/real-parts.yaml:$(wc -l <fixtures/real-parts.yaml): "
}

mapfile -t claims < <(sed -n '/^# ---- The claims/,$s/^\([a-z_]*\)() {$/\1/p' "${BASH_SOURCE[0]}")
for claim in "${claims[@]}"; do
  repository
  $claim
  echo "ok $claim"
done

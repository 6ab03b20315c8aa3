#!/usr/bin/env bash
# The example project of a user, as it is installed, built against the installed tree and run.
# usage: example_test.sh BUILD_TREE
# shellcheck source=tests/install/installed.sh
source "$(dirname "${BASH_SOURCE[0]}")/installed.sh"
command -v ninja >/dev/null || { echo 'skipped: there is no ninja to build the example with' && exit 77; }
install_tree
needs_box
cp -r "$PREFIX"/share/doc/gpustage/examples example

# Each public header by itself, with what a careful project compiles with.
cxx=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
for header in "$PREFIX"/include/gpustage/*.h; do
  echo "#include <gpustage/${header##*/}>" >alone.cc
  ends 0 "$cxx" -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror -I "$PREFIX/include" alone.cc
done

# The same by pkg-config, as make and Meson do it.
if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$PREFIX" -name gpustage.pc)")
  export PKG_CONFIG_PATH
  cat >two.cc <<'END'
#include <gpustage/stage.h>
int main() { return gpustage::Stage().AddDevice("h100-80gb").AddLayout("nvidia-driver-debian").Run("no-such").error.empty(); }
END
  # shellcheck disable=SC2046  # words
  ends 0 "$cxx" -std=c++20 two.cc -o two $(pkg-config --cflags --libs gpustage) -Wl,-rpath,"$(pkg-config --variable=libdir gpustage)"
  ends 0 away ./two
fi

ends 0 away cmake -S example -B build -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$PREFIX"
ends 0 away cmake --build build

ends 0 away ctest --test-dir build --output-on-failure --output-junit "$T/junit.xml"
says '100% tests passed, 0 tests failed out of'
says 'scenarios/real-backend (Skipped)'
for label in scenarios scenarios/driver; do says "$label "; done
grep -q 'skipped 1: the real part ggml-12 is not here: run gpustage-real' "$T/junit.xml" || fail 'the skip has no reason' "$(<"$T/junit.xml")"
ran=$(grep -c '<testcase .*status="run"' "$T/junit.xml") || true
[[ $ran == 8 ]] || fail "$ran tests ran, not 6 of C++ and 2 scenario files" "$(<"$T/junit.xml")"

# The same scenarios as tests of GoogleTest.
ends 0 away "$PREFIX/bin/gpustage-gtest" example/scenarios/driver --scanner build/find-gpus.yaml
says '[  PASSED  ] 3 tests.'
says 'counts/gpus=3'
ends 2 away "$PREFIX/bin/gpustage-gtest" example/scenarios/driver
says 'unknown scanner "find-gpus"'

# A scenario file that is new is a new test, and one that is wrong fails it.
sed 's/devices: 0,/devices: 7,/' example/scenarios/driver/refuses.yaml >example/scenarios/driver/wrong.yaml
ends 0 away cmake --build build
ends 8 away ctest --test-dir build --output-on-failure -R scenarios/driver/wrong
says 'expected  devices: 7'

# Another release line is refused.
sed -i 's/find_package(gpustage 0.1 /find_package(gpustage 1.0 /' example/CMakeLists.txt
ends 1 away cmake -S example -B other -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$PREFIX"
says 'compatible with requested version "1.0"'
echo ok

# shellcheck shell=bash
# What the build and the tests need. Sourced by harness/dev.
# package of Debian | what shows that it is there | what it is for

# All that `harness/dev run` needs: a compiler and what the program links. tests/full/roots.sh counts it.
NEEDS=(
  "g++|program ${CXX:-g++}|compiles"
  'cmake|program cmake|configures the build'
  'ninja-build|program ninja|runs the build'
  'pkg-config|program pkg-config|finds libraries'
  'libboost-filesystem-dev|library libboost_filesystem.so|paths and directories'
  'libcli11-dev|header CLI/CLI.hpp|the command line'
  'libfmt-dev|header fmt/core.h|texts'
  'libgmock-dev|header gmock/gmock.h|the interface for C++ tests'
  'libgtest-dev|header gtest/gtest.h|the interface for C++ tests'
  'libre2-dev|header re2/re2.h|regular expressions of scenarios'
  'libseccomp-dev|header seccomp.h|the box that a scanner runs in'
  'libyaml-cpp-dev|header yaml-cpp/yaml.h|scenarios'
  'nlohmann-json3-dev|header nlohmann/json.hpp|JSON reports'
)

# What it can do without.
WISHES=()
((EUID == 0)) || WISHES+=('uidmap|program newuidmap|a second uid inside the box, else cases that need one are skipped')

# What fetches real parts; asked for only while one of them is missing.
CLIENTS=(
  'python3-pip|pip -|fetches real libraries'
  'ca-certificates|file /etc/ssl/certs/ca-certificates.crt|fetches real libraries'
)

# What the tests want besides; each is skipped, with that reason, where it is missing.
TEST_WISHES=(
  'elfutils|program eu-elflint|a test that reads the built fakes'
  'patchelf|program patchelf|tests that break a library'
  'gdb|program gdb|the test of a breakpoint inside gpustage shell'
  'golang-go|program go|the Go subject of the tests of evidence, and the client of go-nvml'
  'libxml2-utils|program xmllint|a test that holds JUnit reports to their schema'
  'libvulkan-dev|header vulkan/vulkan_core.h|the fakes of Vulkan drivers (brings libvulkan1 and python3)'
  'rocm-smi|program rocm-smi|scenarios of AMD (brings librocm-smi64 and python3)'
  'rocminfo|program rocm_agent_enumerator|scenarios of AMD (brings libhsa-runtime64, pciutils, kmod)'
  'uidmap|program newuidmap|the hostile tests of a user with lent ids'
  'strace|program strace|the tests that hold our file events against it'
  'vulkan-tools|program vulkaninfo|scenarios that ask vulkaninfo (brings libX11, libxcb and libwayland-client)'
)
# What tests/full/html.sh wants.
BROWSER_WISHES=(
  'chromium|program chromium|looks at the page of a report'
  'fonts-dejavu-core|file /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf|letters on its screenshots'
  'python3|program python3|speaks to the browser'
)
# What tests/full/fuzz.sh wants; clang brings the compiler-rt of its version where that is asked for.
FUZZ_WISHES=(
  'clang|program clang++|compiles for libFuzzer'
  "libclang-rt-dev|library llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a|libFuzzer and the sanitizers"
)
# What tests/full/slurm.sh wants.
SLURM_WISHES=(
  'munge|program munged|tells the daemons of Slurm who asks'
  'slurmctld|program slurmctld|hands out the tasks of an array'
  'slurmd|program slurmd|runs them'
  'slurm-client|program sbatch|starts an array'
)
PACKAGE_WISHES=('dpkg-dev|program dpkg-shlibdeps|what the Debian package depends on')

# Names elsewhere, of those that have another one; untested. A name of "-" is in the package before it.
declare -A ELSEWHERE=(
  [dnf]='g++=gcc-c++ pkg-config=pkgconf-pkg-config libboost-filesystem-dev=boost-devel libcli11-dev=cli11-devel libfmt-dev=fmt-devel
    libgmock-dev=gmock-devel libgtest-dev=gtest-devel libre2-dev=re2-devel libseccomp-dev=libseccomp-devel libvulkan-dev=vulkan-headers libyaml-cpp-dev=yaml-cpp-devel
    nlohmann-json3-dev=json-devel uidmap=shadow-utils golang-go=golang libxml2-utils=libxml2'
  [pacman]='g++=gcc ninja-build=ninja pkg-config=pkgconf libboost-filesystem-dev=boost libcli11-dev=cli11 libfmt-dev=fmt libgmock-dev=gtest
    libgtest-dev=- libre2-dev=re2 libseccomp-dev=libseccomp libvulkan-dev=vulkan-headers libyaml-cpp-dev=yaml-cpp nlohmann-json3-dev=nlohmann-json
    python3-pip=python-pip uidmap=shadow golang-go=go libxml2-utils=libxml2'
  [zypper]='g++=gcc-c++ ninja-build=ninja libboost-filesystem-dev=libboost_filesystem-devel libcli11-dev=cli11-devel libfmt-dev=fmt-devel
    libgmock-dev=gmock libgtest-dev=gtest libre2-dev=re2-devel libseccomp-dev=libseccomp-devel libvulkan-dev=vulkan-headers libyaml-cpp-dev=yaml-cpp-devel
    nlohmann-json3-dev=nlohmann_json-devel uidmap=shadow golang-go=go libxml2-utils=libxml2-tools'
)

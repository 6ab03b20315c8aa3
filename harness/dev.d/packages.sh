# shellcheck shell=bash
# What the build needs, and how it gets here. Sourced by harness/dev.

# package of Debian 12 | what shows that it is there | what it is for
NEEDS=(
  "g++|program ${CXX:-g++}|compiles"
  'cmake|program cmake|configures the build'
  'ninja-build|program ninja|runs the build'
  'pkg-config|program pkg-config|finds libraries'
  'elfutils|program eu-elflint|a test that reads the built fakes'
  'patchelf|program patchelf|tests that break a library'
  'libboost-filesystem-dev|library libboost_filesystem.so|paths and directories'
  'libcli11-dev|header CLI/CLI.hpp|the command line'
  'libfmt-dev|header fmt/core.h|texts'
  'libgmock-dev|header gmock/gmock.h|tests'
  'libgtest-dev|header gtest/gtest.h|tests'
  'libre2-dev|header re2/re2.h|regular expressions of scenarios'
  'libseccomp-dev|header seccomp.h|the box that a scanner runs in'
  'libvalijson-dev|header valijson/validator.hpp|a test that holds reports to their schema'
  'libvulkan-dev|header vulkan/vulkan_core.h|the structs of Vulkan, for its fakes (brings libvulkan1 and python3)'
  'libyaml-cpp-dev|header yaml-cpp/yaml.h|scenarios'
  'nlohmann-json3-dev|header nlohmann/json.hpp|JSON reports'
)

# What it can do without.
WISHES=(
  'gdb|program gdb|the test of a breakpoint inside gpustage shell'
  'golang-go|program go|the Go subject of the tests of evidence'
  'libxml2-utils|program xmllint|a test that holds JUnit reports to their schema'
  'rocm-smi|program rocm-smi|scenarios of AMD (brings librocm-smi64 and python3)'
  'rocminfo|program rocm_agent_enumerator|scenarios of AMD (brings libhsa-runtime64, pciutils, kmod)'
  'strace|program strace|the tests that hold our file events against it'
  'vulkan-tools|program vulkaninfo|scenarios that ask vulkaninfo (brings libX11, libxcb and libwayland-client)'
)
PACKAGE_WISHES=('dpkg-dev|program dpkg-shlibdeps|what the Debian package depends on')
((EUID == 0)) || WISHES+=('uidmap|program newuidmap|a second uid inside the box, else cases that need one are skipped')

# is_here KIND NAME
is_here() {
  case $1 in
    program) command -v "$2" >/dev/null ;;
    header) compgen -G "/usr/include/$2" || compgen -G "/usr/local/include/$2" ;;
    library) compgen -G "/usr/lib*/$2" || compgen -G "/usr/lib/*/$2" || compgen -G "/usr/local/lib*/$2" ;;
  esac >/dev/null
}

# missing_of NEED...: the packages that are not here, in MISSING, and with their purpose in EXPLAINED.
missing_of() {
  local need package test purpose
  MISSING=() EXPLAINED=''
  for need in "$@"; do
    IFS='|' read -r package test purpose <<<"$need"
    # shellcheck disable=SC2086  # two words on purpose
    is_here $test && continue
    MISSING+=("$package")
    EXPLAINED+="${EXPLAINED:+, }$package ($purpose)"
  done
}

# Installs what the build misses. Ends with 3 where it cannot.
install_needs() {
  missing_of "${NEEDS[@]}" "${WISHES[@]}"
  ((${#MISSING[@]})) || return 0
  local why='GPUSTAGE_OFFLINE=1' all=("${MISSING[@]}")
  say "needs $EXPLAINED"
  if ! command -v apt-get >/dev/null; then
    why='there is no apt here (the names are those of Debian 12)'
  elif [[ $OFFLINE != 1 ]]; then
    tested_system /etc/os-release || say "only Debian 12 is tested; trying its packages here"
    apt_install "${MISSING[@]}" && return
    why='apt-get could not install them'
  fi
  missing_of "${NEEDS[@]}"
  if ((${#MISSING[@]})); then cannot "$why: install ${MISSING[*]} by hand"; fi
  say "going on without ${all[*]}: $why"
}

# tested_system OS-RELEASE
tested_system() {
  # shellcheck disable=SC1090  # whatever file is given
  [[ -r $1 ]] && (source "$1" && [[ ${ID:-} == debian && ${VERSION_ID:-} == 12 ]])
}

# apt_install PACKAGE...: package lists are fetched only where the ones here do not do.
apt_install() {
  local as_root=(env) apt=(apt-get -y -q --no-install-recommends -o Dpkg::Use-Pty=0)
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { say "not root, and no sudo here" && return 1; }
    as_root=(sudo env)
  fi
  as_root+=(DEBIAN_FRONTEND=noninteractive)
  say "${as_root[*]} ${apt[*]} install $*"
  if "${apt[@]}" --simulate install "$@" >/dev/null 2>&1; then
    "${as_root[@]}" "${apt[@]}" install "$@" </dev/null >&2 && return
  fi
  "${as_root[@]}" "${apt[@]}" update </dev/null >&2 && "${as_root[@]}" "${apt[@]}" install "$@" </dev/null >&2
}

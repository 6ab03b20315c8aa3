# shellcheck shell=bash
# How what needs.sh names gets here. Sourced by harness/dev.

# is_here KIND NAME
is_here() {
  case $1 in
    program) command -v "$2" >/dev/null ;;
    header) compgen -G "/usr/include/$2" || compgen -G "/usr/local/include/$2" ;;
    library) compgen -G "/usr/lib*/$2" || compgen -G "/usr/lib/*/$2" || compgen -G "/usr/local/lib*/$2" ;;
    pip) find_pip ;;
    file) [[ -e $2 ]] ;;
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
    EXPLAINED+=$'\n'"  $package: $purpose"
  done
}

# Installs what the build misses. Ends with 3 where it cannot.
install_needs() {
  missing_of "${NEEDS[@]}" "${WISHES[@]}"
  ((${#MISSING[@]})) || return 0
  local why='GPUSTAGE_OFFLINE=1' all=("${MISSING[@]}")
  say "needs$EXPLAINED"
  if ! command -v apt-get >/dev/null; then
    why="there is no apt here"
  elif [[ $OFFLINE != 1 ]]; then
    tested_system /etc/os-release || say "only Debian 12 and 13 are tested; trying their packages here"
    apt_install "${MISSING[@]}" && return
    why='apt-get could not install them'
  fi
  missing_of "${NEEDS[@]}"
  if ((${#MISSING[@]})); then cannot "$why; as root: $(install_line "${MISSING[@]}")"; fi
  say "going on without ${all[*]}: $why"
}

# install_line PACKAGE...: what to type here.
install_line() {
  local manager package name names=()
  for manager in dnf pacman zypper; do
    command -v "$manager" >/dev/null || continue
    for package in "$@"; do
      name=$(grep -oE "(^| )${package//+/\\+}=[^ ]+" <<<"${ELSEWHERE[$manager]}" | head -1 || true)
      [[ $name == *=- ]] || names+=("${name:+${name#*=}}")
      [[ -n $name ]] || names[-1]=$package
    done
    case $manager in
      pacman) printf 'pacman -S --needed %s' "${names[*]}" ;;
      *) printf '%s install %s' "$manager" "${names[*]}" ;;
    esac
    printf ' (untested)'
    return
  done
  printf 'apt-get install --no-install-recommends %s' "$*"
}

# tested_system OS-RELEASE
tested_system() {
  # shellcheck disable=SC1090  # whatever file is given
  [[ -r $1 ]] && (source "$1" && [[ ${ID:-} == debian && ${VERSION_ID:-} =~ ^1[23]$ ]])
}

# apt_install PACKAGE...: package lists are fetched only where the ones here do not do. How many packages and how large is said
# before the first of them is fetched.
apt_install() {
  local as_root=(env) apt=(apt-get -y -q --no-install-recommends -o Dpkg::Use-Pty=0) planned
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { say "not root, and no sudo here" && return 1; }
    as_root=(sudo env)
  fi
  as_root+=(DEBIAN_FRONTEND=noninteractive)
  "${apt[@]}" --simulate install "$@" >/dev/null 2>&1 || "${as_root[@]}" "${apt[@]}" update </dev/null >&2 || return
  planned=$(LC_ALL=C apt-get --no-install-recommends --assume-no install "$@" 2>/dev/null || true)
  say "${as_root[*]} ${apt[*]} install $*"
  say "  $(apt_size <<<"$planned")"
  "${as_root[@]}" "${apt[@]}" install "$@" </dev/null >&2
}

# apt_size: of what apt-get would do, on standard input: "118 packages, 130 MB to fetch, 656 MB on disk".
apt_size() {
  sed -nE 's/.* ([0-9]+) newly installed.*/\1 packages/p
    s/^Need to get ([0-9.,]+) ?([kMG]?B)(\/[0-9., kMG]+B)? of archives.*/\1 \2 to fetch/p
    s/^After this operation, ([0-9.,]+ ?[kMG]?B) of additional.*/\1 on disk/p' | paste -sd '|' | sed 's/|/, /g'
}

# shellcheck shell=bash
# Fetches the parts of fixtures/real-parts.yaml, pinned by version and checksum, into $GPUSTAGE_CACHE, and makes a CUDA
# Toolkit of three of them. A part is there as a whole or not at all; what is there is not fetched again.
# Sourced by harness/dev.

PARTS=()
declare -A PART=()  # "ggml-12 version" -> 3.10.0; for files, links and gives lines of "name: where"
declare -A PIN=()   # ggml-12 -> its text in the list, kept beside the part: another text, and it is fetched again

TOOLKIT=cuda-13
TOOLKIT_PARTS=(cudart-13 cuda-crt-13 nvml-13)

# fetch_parts brief|full [tests]: brief says nothing of what is there; `tests`: also what only tests use. Fails only when a
# checksum was wrong: a part that cannot be had is said, and what needs it is skipped later.
fetch_parts() {
  find_missing "$@"
  if ((${#MISSING_PARTS[@]} == 0)) && is_placed $TOOLKIT "$(toolkit_pin)"; then
    [[ $1 == brief ]] || say "all real parts are in $GPUSTAGE_CACHE"
    return
  fi
  mkdir -p "$GPUSTAGE_CACHE"
  say_size
  (fetch_missing "${MISSING_PARTS[@]}")
}

# find_missing brief|full [tests]: into MISSING_PARTS.
find_missing() {
  local how=$1 scope=${2:-} name
  ((${#PARTS[@]})) || read_parts
  MISSING_PARTS=()
  for name in "${PARTS[@]}"; do
    is_placed "${PART[$name into]:-}" "${PIN[$name]}" && continue
    case ${PART[$name for]:-} in
      npm) continue ;;  # no part: what fetches others
      tests) [[ $scope == tests ]] || continue ;;
    esac
    [[ ${PART[$name client]} == toolkit && $how == brief ]] && ! installed_toolkit >/dev/null && continue
    MISSING_PARTS+=("$name")
  done
}

# How much is to be fetched, before the first byte.
say_size() {
  local name bytes=0 count=0
  for name in "${MISSING_PARTS[@]}"; do
    [[ ${PART[$name client]} == toolkit ]] && continue
    count=$((count + 1)) bytes=$((bytes + PART[$name bytes]))
  done
  ((count == 0)) || [[ $OFFLINE == 1 ]] || say "fetches $count real parts, $((bytes / 1000000 + 1)) MB, into $GPUSTAGE_CACHE"
}

read_parts() {
  local line number=0 name='' key=''
  local top='^(- |  )([a-z0-9]+): *"?([^"]*)"?$' below='^    ([^ ]+: [^ ]+)$'
  while IFS= read -r line; do
    number=$((number + 1))
    [[ -z $line || $line == '#'* ]] && continue
    if [[ $line =~ $top ]]; then
      key=${BASH_REMATCH[2]}
      [[ ${BASH_REMATCH[1]} == '- ' ]] && name=${BASH_REMATCH[3]} && PARTS+=("$name")
      PART[$name $key]=${BASH_REMATCH[3]}
    elif [[ $line =~ $below ]]; then
      PART[$name $key]+=${BASH_REMATCH[1]}$'\n'
    else
      say "fixtures/real-parts.yaml:$number: not in the form that its first lines describe: $line"
      exit 2
    fi
    [[ $key == for ]] || PIN[$name]+=$line$'\n'
    [[ $key != source ]] || PIN[$name]+="# $(cat "$ROOT/${BASH_REMATCH[3]}"/* | sha256sum | cut -d' ' -f1)"$'\n'
  done <"$ROOT/fixtures/real-parts.yaml"
}

# is_placed FOLDER PIN
is_placed() {
  [[ -f $GPUSTAGE_CACHE/$1/.pin && $(<"$GPUSTAGE_CACHE/$1/.pin") == "${2%$'\n'}" ]]
}

# In a subshell: one at a time on this machine, and whatever stops it leaves no half of a part behind.
fetch_missing() {
  exec {LOCK}>"$GPUSTAGE_CACHE/.lock"
  flock "$LOCK"
  rm -rf "$GPUSTAGE_CACHE"/tmp.*  # of a run that was killed
  WORK=$(mktemp -d "$GPUSTAGE_CACHE/tmp.XXXXXX")
  CLIENT=
  trap '[[ -z $CLIENT ]] || kill "$CLIENT" 2>/dev/null || true; rm -rf "$WORK" "$WORK.npm"' EXIT
  trap 'exit 130' INT TERM HUP

  local name wrong=0
  PATIENT=1
  for name in "$@"; do
    is_placed "${PART[$name into]}" "${PIN[$name]}" && continue  # another run fetched it while this one waited
    rm -rf "${WORK:?}"/*
    fetch_part "$name" || { (($? == 2)) && wrong=1; }
  done
  assemble_toolkit
  return $wrong
}

# 1: cannot be had, 2: something else came than what is pinned.
fetch_part() {
  local name=$1 sum=sha256 archive
  if [[ ${PART[$name client]} == toolkit ]]; then
    installed_toolkit >"$WORK/toolkit" || { say "$name: missing, there is no CUDA Toolkit installed here" && return 1; }
    mkdir "$WORK/tree"
    ln -s "$(<"$WORK/toolkit")"/* "$WORK/tree"
  elif [[ ${PART[$name client]} == go ]]; then
    go_build "$name" || return 1
  else
    if [[ -z ${PART[$name sha256]:-} ]]; then
      sum=sha256$(python_tag)
      [[ -n ${PART[$name $sum]:-} ]] || { say "$name: missing, it is pinned for no ${sum#sha256}" && return 1; }
    fi
    download "$name" || return 1
    archive=$(echo "$WORK"/download/*)
    if [[ $(sha256sum <"$archive") != "${PART[$name $sum]}  -" ]]; then
      say "$name: WRONG CHECKSUM, not installed: ${archive##*/} is $(sha256sum <"$archive" | cut -d' ' -f1)," \
        "fixtures/real-parts.yaml says ${PART[$name $sum]}"
      return 2
    fi
    unpack "$archive" "$WORK/tree" || { say "$name: missing, ${archive##*/} could not be unpacked" && return 1; }
  fi

  local to from
  mkdir "$WORK/part"
  while IFS=' ' read -r to from; do
    [[ -z $to ]] || cp -rL "$WORK/tree/$from" "$WORK/part/${to%:}" 2>"$WORK/log" ||
      { say "$name: missing: $(<"$WORK/log")" && return 1; }
  done <<<"${PART[$name files]}"
  while IFS=' ' read -r to from; do
    [[ -z $to ]] || ln -s "$from" "$WORK/part/${to%:}"
  done <<<"${PART[$name links]:-}"
  place "$WORK/part" "${PART[$name into]}" "${PIN[$name]}"
}

# go_build NAME: the program of its source, into $WORK/tree; go.sum holds the checksums, and Go keeps to them.
go_build() {
  local name=$1 what="go module ${PART[$1 package]} ${PART[$1 version]}" reason
  command -v go >/dev/null || { say "$name: missing, and there is no go here to fetch $what" && return 1; }
  [[ $OFFLINE == 1 ]] && { say "$name: missing, and GPUSTAGE_OFFLINE=1 ($what)" && return 1; }
  say "$name: building with $what"
  mkdir "$WORK/tree" "$WORK/home"
  (cd "$ROOT/${PART[$name source]}" && CGO_ENABLED=1 GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw -buildvcs=false' \
    GOPATH=$WORK/home/go GOCACHE=$WORK/home/cache go build -trimpath -o "$WORK/tree/" .) </dev/null >"$WORK/log" 2>&1 && return
  reason=$(grep -m1 -iE 'err|fail|mismatch|cannot|dial' "$WORK/log" || tail -1 "$WORK/log")
  say "$name: missing, go could not build it with ${what#go module }: $reason"
  return 1
}

# python_tag: cp311, as the wheels for the Python of this machine are called.
python_tag() {
  python3 -c 'import sys; print("cp%d%d" % sys.version_info[:2])' 2>/dev/null || echo python
}

# download NAME: the archive as published, into $WORK/download, by the registry's own client.
download() {
  local name=$1 client=${PART[$1 client]} package=${PART[$1 package]} version=${PART[$1 version]}
  local what="$client package $package $version"
  [[ $OFFLINE == 1 ]] && { say "$name: missing, and GPUSTAGE_OFFLINE=1 ($what)" && return 1; }
  have_client "$client" || { say "$name: missing, and there is no $client here to fetch $what" && return 1; }
  fetch "$name" "$client" "$package" "$version" "${PART[$name bytes]}"
}

# fetch NAME CLIENT PACKAGE VERSION BYTES: into $WORK/download.
fetch() {
  local name=$1 client=$2 package=$3 version=$4 form=--only-binary=:all: command fetched=0 reason started
  local what="$client package $package $version"
  # After a first failure the rest get one quick try each: without a network nobody waits for seven time-outs.
  if [[ $client == npm ]]; then
    command=("${NPM[@]}" pack --silent --cache "$WORK/cache" --pack-destination "$WORK/download" "--fetch-retries=$PATIENT"
      --fetch-retry-mintimeout=1000 "--fetch-timeout=$((PATIENT ? 60000 : 5000))" --loglevel=error "$package@$version")
  else
    [[ ${PART[$name archive]:-} == source ]] && form=--no-binary=:all:
    command=("${PIP[@]}" download --quiet --no-deps "$form" --no-cache-dir --disable-pip-version-check
      "--retries=$PATIENT" "--timeout=$((PATIENT ? 30 : 5))" --dest "$WORK/download" "$package==$version")
  fi
  mkdir "$WORK/download" "$WORK/tmp"
  started=$SECONDS
  (cd "$WORK" && TMPDIR=$WORK/tmp exec "${command[@]}") </dev/null >"$WORK/log" 2>&1 {LOCK}>&- &
  CLIENT=$!
  show_progress "$CLIENT" "$name: fetching $what" "$5"
  wait "$CLIENT" || fetched=$?
  CLIENT=
  if ((fetched != 0)) || ! compgen -G "$WORK/download/*" >/dev/null; then
    reason=$(grep -m1 -i err "$WORK/log" || echo 'it does not say why')
    say "$name: missing, $client could not fetch $package $version: $reason"
    PATIENT=0
    return 1
  fi
  say "$name: fetched $what in $((SECONDS - started)) s"
}

# show_progress PID TEXT BYTES: a line that grows on a terminal, a line every ten seconds elsewhere.
show_progress() {
  local pid=$1 text=$2 bytes=$3 ticks=0 have
  say "$text ($((bytes / 1000000 + 1)) MB)"
  while kill -0 "$pid" 2>/dev/null; do
    ticks=$((ticks + 1))
    sleep 0.1
    [[ -t 2 ]] || ((ticks % 100 == 0)) || continue
    have=$(du -sb "$WORK" 2>/dev/null | cut -f1) || continue
    ((have = have > bytes ? bytes : have))
    if [[ -t 2 ]]; then
      printf '\r  %3d of %d MB ' $((have / 1000000)) $((bytes / 1000000 + 1)) >&2
    else
      say "  $((have / 1000000)) of $((bytes / 1000000 + 1)) MB"
    fi
  done
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

# have_client npm|pip: one that is here. npm may come from PyPI, in one wheel with its node: Debian's is 357 packages.
have_client() {
  if [[ $1 == npm ]]; then
    [[ -n ${NPM:-} ]] || find_npm || wheel_npm
  else
    find_pip || { apt_client python3-pip && find_pip; }
  fi
}

find_npm() {
  command -v npm >/dev/null && NPM=(npm)
}

# Once a run; it lies beside $WORK/download and goes with $WORK.
wheel_npm() {
  local archive
  [[ -z ${WHEEL_TRIED:-} && -n ${PART[npm package]:-} ]] || return 1
  WHEEL_TRIED=1
  have_client pip && fetch npm pip "${PART[npm package]}" "${PART[npm version]}" "${PART[npm bytes]}" || return 1
  archive=$(echo "$WORK"/download/*)
  if [[ $(sha256sum <"$archive") != "${PART[npm sha256]}  -" ]]; then
    say "npm: WRONG CHECKSUM, not used: ${archive##*/} is $(sha256sum <"$archive" | cut -d' ' -f1), fixtures/real-parts.yaml says ${PART[npm sha256]}"
    return 1
  fi
  unpack "$archive" "$WORK.npm" || return 1
  rm -rf "$WORK"/download "$WORK"/tmp
  chmod +x "$WORK.npm/${PART[npm node]}"
  NPM=("$WORK.npm/${PART[npm node]}" "$WORK.npm/${PART[npm script]}")
}

find_pip() {
  for PIP in 'python3 -m pip' pip3 pip; do
    read -ra PIP <<<"$PIP"
    "${PIP[@]}" --version >/dev/null 2>&1 && return
  done
  return 1
}

# apt_client PACKAGE: tried once a run.
APT_TRIED=' '
apt_client() {
  [[ $APT_TRIED == *" $1 "* ]] && return 1
  APT_TRIED+="$1 "
  command -v apt-get >/dev/null || return 1
  say "needs $1 (fetches real parts)"
  apt_install "$1" ca-certificates
}

# unpack ARCHIVE FOLDER
unpack() {
  mkdir "$2"
  case $1 in
    *.tgz | *.tar.gz) tar -xzf "$1" -C "$2" ;;
    *.whl) python3 -m zipfile -e "$1" "$2" ;;
  esac
}

# place TREE FOLDER PIN: by a rename, so that nobody sees a half.
place() {
  printf '%s' "$3" >"$1/.pin"
  mkdir -p "$(dirname "$GPUSTAGE_CACHE/$2")" && rm -rf "${GPUSTAGE_CACHE:?}/$2" && mv -T "$1" "$GPUSTAGE_CACHE/$2"
}

# Prints the folder of the toolkit that is installed here; the places are those that CMake looks in.
installed_toolkit() {
  local nvcc folder
  nvcc=$(command -v nvcc) && nvcc=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
  for folder in "${CUDA_PATH:-}" "${nvcc:-}" /usr/local/cuda /opt/cuda; do
    [[ -n $folder && -f $folder/lib64/stubs/libcuda.so ]] && printf '%s\n' "$folder" && return
  done
  return 1
}

toolkit_pin() {
  local name
  for name in "${TOOLKIT_PARTS[@]}"; do printf '%s' "${PIN[$name]}"; done
}

# The wheels lack two things that FindCUDAToolkit of CMake 3.25 looks for: the libcudart.so link and the version file.
assemble_toolkit() {
  local name real=$GPUSTAGE_CACHE/real tree=$WORK/toolkit
  is_placed $TOOLKIT "$(toolkit_pin)" && return
  for name in "${TOOLKIT_PARTS[@]}"; do
    is_placed "${PART[$name into]}" "${PIN[$name]}" || return 0
  done
  rm -rf "$tree"
  mkdir -p "$tree/lib64" "$tree/include"
  for name in "${TOOLKIT_PARTS[@]}"; do cp -r "$GPUSTAGE_CACHE/${PART[$name into]}/include/." "$tree/include"; done
  cp "$real/cudart-13/libcudart.so.13" "$real/cudart-13/libcudart_static.a" "$tree/lib64"
  ln -s libcudart.so.13 "$tree/lib64/libcudart.so"
  printf 'CUDA Version %s\n' "${PART[cudart-13 version]}" >"$tree/version.txt"
  place "$tree" $TOOLKIT "$(toolkit_pin)"
  say "made a CUDA Toolkit ${PART[cudart-13 version]} of the wheels in $GPUSTAGE_CACHE/$TOOLKIT"
}

# shellcheck shell=bash
# A bare root of Debian: its essentials, some packages and what they depend on, only unpacked. Needs no debootstrap and starts nothing of it.
# Sourced.

BARE=(base-files base-passwd bash coreutils dash diffutils dpkg findutils grep libc-bin mount sed tar util-linux)

# bare_root ROOT KEPT PACKAGES…: packages are names or files, which is not unpacked where it is called gpustage; KEPT keeps archives.
# Where it cannot be had, BARE_WHY says why and the status is 1.
bare_root() {
  local root=$1 kept=$2 work name version arch archive download=(--download-only)
  shift 2
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # as it is now
  trap "rm -rf '$work'; trap - RETURN" RETURN
  mkdir -p "$kept/partial"
  : >"$work/status"
  local apt=(apt-get -y -qq -o Dir::State::status="$work/status" -o Dir::Cache::archives="$kept" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
    -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o APT::Install-Recommends=0)
  [[ ${OFFLINE:-0} != 1 ]] || download+=(--no-download)
  if ! "${apt[@]}" --simulate install "${BARE[@]}" "$@" >"$work/inst" 2>&1 || ! "${apt[@]}" "${download[@]}" install "${BARE[@]}" "$@" >"$work/out" 2>&1; then
    # shellcheck disable=SC2034  # whoever sources this
    BARE_WHY=$(cat "$work/out" "$work/inst" 2>/dev/null | grep -m1 '^E: ' || echo 'it does not say why')
    return 1
  fi
  mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},etc,tmp,proc,dev,sys,root,var/lib/dpkg/{info,updates}}
  chmod 1777 "$root/tmp"
  for name in bin sbin lib lib64; do [[ -e $root/$name ]] || ln -s usr/$name "$root/$name"; done
  while read -r name version arch; do
    [[ $name != gpustage ]] || continue
    archive=$kept/${name}_${version//:/%3a}_$arch.deb
    dpkg-deb --fsys-tarfile "$archive" | tar -x --keep-directory-symlink -C "$root"
    { dpkg-deb -f "$archive" && printf 'Status: install ok installed\n\n'; } >>"$root/var/lib/dpkg/status"
    dpkg-deb --fsys-tarfile "$archive" | tar -t | sed 's|^\.||; s|/$||; s|^$|/.|' >"$root/var/lib/dpkg/info/$name.list"
    [[ $(dpkg-deb -f "$archive" Multi-Arch) != same ]] || mv "$root/var/lib/dpkg/info/$name.list" "$root/var/lib/dpkg/info/$name:$arch.list"
  done < <(sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*\[(.*)\]\).*/\1 \2 \3/p' "$work/inst")
  # As base-passwd and ca-certificates do when they are configured.
  cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
  cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
  if [[ -d $root/usr/share/ca-certificates/mozilla ]]; then
    mkdir -p "$root/etc/ssl/certs" && cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
  fi
}

# inside ROOT COMMAND…: with this root and no other, also for what it mounts.
inside() {
  # shellcheck disable=SC2016  # for the inner shell
  unshare --mount --pid --ipc --fork env -i PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root LC_ALL=C.UTF-8 bash -c '
    root=$1 && shift && mount --bind "$root" "$root" && cd "$root" && mount -t proc proc proc && mount --rbind /dev dev && mount -t tmpfs -o mode=1777 tmp tmp &&
    mkdir -p .outer && pivot_root . .outer && cd / && umount -l /.outer && rmdir /.outer && exec "$@"' - "$@"
}

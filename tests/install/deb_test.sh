#!/usr/bin/env bash
# The Debian package: as Debian wants files, and in a bare root of what it depends on and Debian's essentials, entered by
# pivot_root: installed by dpkg, run, taken off again. The root's packages are fetched once, some 20 MB, and only unpacked.
# usage: deb_test.sh BUILD_TREE
# shellcheck source=tests/install/installed.sh
source "$(dirname "${BASH_SOURCE[0]}")/installed.sh"
skip() { echo "skipped: $*" && exit 77; }
for tool in cpack dpkg dpkg-deb dpkg-shlibdeps apt-get; do
  command -v $tool >/dev/null || skip "there is no $tool here"
done

ends 0 cpack -G DEB --config "$BUILD/CPackConfig.cmake" -B "$T/package"
DEB=$(echo "$T"/package/*.deb)
dpkg-deb -R "$DEB" files
dpkg-deb -c "$DEB" | awk '{print $1, $2, $6}' >contents

# ---- Files -------------------------------------------------------------------------------------------------------------

odd=$(grep -vE '^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x|lrwxrwxrwx) root/root \./(usr/((bin|include|lib|share)/.*)?)?$' contents || true)
[[ -z $odd ]] || fail "owner, mode or place: $odd"
(cd files && md5sum --quiet -c DEBIAN/md5sums)
while IFS= read -r file; do
  ! head -c 4 "$file" | grep -qa '^.ELF' || ! readelf -SW "$file" | grep -q ' \.symtab ' || fail "not stripped: $file"
done < <(find files/usr -type f)
depends=$(dpkg-deb -f "$DEB" Depends)
[[ $depends == *'libc6 (>= '* && $depends == *libyaml-cpp* ]] || fail "Depends: $depends"
[[ ! $depends =~ nvidia|cuda|gtest|gmock ]] || fail "Depends: $depends"

# ---- A bare root -------------------------------------------------------------------------------------------------------

((EUID == 0)) || skip 'only root can enter a root of its own by pivot_root'
unshare --mount --pid --fork true 2>/dev/null || skip 'this machine gives root no mount namespace'
mkdir -p "$KEPT/debian/partial"
: >status
apt=(apt-get -y -qq -o Dir::State::status="$T/status" -o Dir::Cache::archives="$KEPT/debian" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o APT::Install-Recommends=0)
bare=(base-files base-passwd bash coreutils dash diffutils dpkg findutils grep libc-bin mount sed tar util-linux)
download=(--download-only)
[[ $OFFLINE != 1 ]] || download+=(--no-download)
"${apt[@]}" --simulate install "${bare[@]}" >out 2>&1 || skip "apt-get knows no packages of a bare root: $(grep -m1 '^E: ' out)"
"${apt[@]}" --simulate install "${bare[@]}" "$DEB" >inst 2>&1 || fail 'what it depends on cannot be had:' "$(<inst)"
"${apt[@]}" "${download[@]}" install "${bare[@]}" "$DEB" >out 2>&1 || skip "apt-get cannot fetch a bare root: $(grep -m1 '^E: ' out)"

mkdir -p root/{usr/{bin,sbin,lib,lib64},etc,tmp,proc,dev,root,var/lib/dpkg/{info,updates}}
for name in bin sbin lib lib64; do ln -s usr/$name root/$name; done
while read -r name version arch; do
  [[ $name != gpustage ]] || continue
  archive=$KEPT/debian/${name}_${version//:/%3a}_$arch.deb
  dpkg-deb --fsys-tarfile "$archive" | tar -x --keep-directory-symlink -C root
  { dpkg-deb -f "$archive" && printf 'Status: install ok installed\n\n'; } >>root/var/lib/dpkg/status
  dpkg-deb --fsys-tarfile "$archive" | tar -t | sed 's|^\.||; s|/$||; s|^$|/.|' >"root/var/lib/dpkg/info/$name.list"
  [[ $(dpkg-deb -f "$archive" Multi-Arch) != same ]] || mv "root/var/lib/dpkg/info/$name.list" "root/var/lib/dpkg/info/$name:$arch.list"
done < <(sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*\[(.*)\]\).*/\1 \2 \3/p' inst)
# As base-passwd does when it is configured.
cp root/usr/share/base-passwd/passwd.master root/etc/passwd
cp root/usr/share/base-passwd/group.master root/etc/group
cp "$DEB" root/gpustage.deb

# inside COMMAND…: with this root and no other, also for what it mounts.
inside() {
  # shellcheck disable=SC2016  # for the inner shell
  unshare --mount --pid --ipc --fork env -i PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root bash -c '
    mount --bind root root && cd root && mount -t proc proc proc && mount --rbind /dev dev && mount -t tmpfs tmp tmp && mkdir old && pivot_root . old &&
    cd / && umount -l old && rmdir old && exec "$@"' - "$@"
}
# But for what dpkg and ldconfig keep of themselves.
everything() {
  (cd root && find . -path ./var/lib/dpkg -prune -o -print | grep -vE '^\./(etc/ld\.so\.cache|var/cache/ldconfig.*|var/log/dpkg\.log)$' | sort)
}

ends 0 inside ldconfig  # as libc-bin does when it is configured
everything >before
ends 0 inside dpkg -i /gpustage.deb
ends 0 inside gpustage doctor
says '  ok  fakes      /usr/lib/gpustage/fakes'
ends 0 inside gpustage run first-steps
says ' passed, 0 failed, '
! grep -q '^0 passed' out || fail "$(<out)"
says 'the real part ggml-12 is not here: run gpustage-real'
says 'no ollama here: give --ollama PATH, GPUSTAGE_OLLAMA or PATH'
grep -E '^[0-9]+ passed, ' out
ends 0 inside gpustage-gtest first-steps --gtest_filter='*unlistable*'
ends 0 inside env GPUSTAGE_CACHE=/tmp gpustage-real
says 'gpustage-real: ggml-12: missing, and there is no npm here'

ends 0 inside dpkg --purge gpustage
everything | diff before - || fail 'the package leaves something'
echo ok

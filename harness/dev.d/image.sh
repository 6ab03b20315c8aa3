# shellcheck shell=bash
# harness/dev image: an OCI image layout of a bare Debian with gpustage's package and what fetches real parts. Sourced by harness/dev.

# image: of the package that is built.
image() {
  local root version
  ((EUID == 0)) || cannot 'an image needs root: its files have owners'
  # shellcheck source=harness/package/bare_root.sh
  source "$ROOT/harness/package/bare_root.sh"
  version=$(sed -nE 's/^project\(gpustage VERSION ([0-9.]+).*/\1/p' "$ROOT/CMakeLists.txt")
  root=$(mktemp -d)
  # shellcheck disable=SC2064  # as it is now
  trap "rm -rf --one-file-system '$root'" EXIT
  chmod 755 "$root"
  say "a bare Debian with $(basename "$1"), python3-pip and ca-certificates"
  bare_root "$root" "$GPUSTAGE_CACHE/debian" "$1" python3-pip ca-certificates || cannot "it cannot be had: $BARE_WHY"
  cp "$1" "$root/gpustage.deb"
  inside "$root" ldconfig
  inside "$root" dpkg -i /gpustage.deb >&2
  rm "$root/gpustage.deb"
  SOURCE_DATE_EPOCH=$(git -C "$ROOT" log -1 --format=%ct 2>/dev/null || echo 0) "$ROOT/harness/package/image.sh" "$root" "$TREE/image" "$version"
  say "$(du -sm "$TREE/image" | cut -f1) MB; for example: skopeo copy oci:$TREE/image:$version docker-daemon:gpustage:$version"
  echo "$TREE/image"
}

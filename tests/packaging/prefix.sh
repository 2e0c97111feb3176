# SPDX-License-Identifier: MIT
# What the tests of this folder share: source it with $build set. It makes $place, an empty folder, which is removed in
# the end; `install_all` installs the build folder below it, and programs find it there as they would find it anywhere.
umask 022 # what its group may write is refused
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
number=0 failed=0

# check NAME COMMAND...: one TAP case, with what COMMAND says where it fails.
check() {
  local name=$1 verdict=ok
  shift
  "$@" >"$place/said" 2>&1 || verdict='not ok' failed=1
  echo "$verdict $((++number)) - $name"
  [ "$verdict" = ok ] || sed 's/^/# /' "$place/said"
}

installed() { find "$place/root" -path "*/$1" -print -quit; }

install_all() {
  meson install -C "$build" --destdir "$place/root" --no-rebuild --quiet &&
    dovetail=$(installed bin/dovetail) && [ -x "$dovetail" ] || return
  export PATH=$(dirname "$dovetail"):$PATH XDG_DATA_HOME=$place/data XDG_CACHE_HOME=$place/cache
  export PKG_CONFIG_LIBDIR=$(dirname "$(installed pkgconfig/dovetail.pc)") PKG_CONFIG_SYSROOT_DIR=$place/root \
    PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
  unset DOVETAIL_PLUGIN_PATH DOVETAIL_SCAN
}

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the build folder $1 into an empty folder, and begins plugins there with `dovetail new`. $2: this folder, $3:
# the page docs/writing-plugins.md, whose commands are run as they stand there.
set -u
build=$1 here=$2 page=$3
. "$here/prefix.sh"

is_short() { [ "$(wc -l <"my-$1/plugin.c")" -le 60 ]; }

builds_without_a_warning() {
  make -C "my-$1" >"$place/make" 2>&1 && ! grep -i warning "$place/make"
}

passes_its_tests() { make -C "my-$1" check; }

builds_with_meson() { meson setup "my-$1/build" "my-$1" && meson test -C "my-$1/build" -v; }

refuses_to_overwrite() {
  local status=0
  dovetail new head my-aligner >"$place/new" 2>&1 || status=$?
  [ "$status" -eq 2 ] && grep 'not empty' "$place/new" && grep -q joint_loss my-aligner/plugin.c
}

refuses() { # NUMBER-OF-STATUS TEXT ARGUMENT...: `dovetail new ARGUMENT...` ends so, and says so.
  local expected=$1 text=$2 status=0
  shift 2
  dovetail new "$@" >"$place/new" 2>&1 || status=$?
  cat "$place/new"
  [ "$status" -eq "$expected" ] && grep -qF -- "$text" "$place/new"
}

# The commands of the page, and its source, which is to take the place of the one that `new` wrote.
blocks() { awk -v kind="$1" '/^```/ { inside = $0 == "```" kind; next } inside' "$page"; }

page_can_be_followed() {
  local commands
  commands=$(blocks sh | awk -v source="$place/source.c" '/^make check$/ { print; print "cp " source " plugin.c"; next } 1')
  blocks c >"$place/source.c"
  grep -q feature_loss "$place/source.c" && (cd "$place" && bash -euxc "$commands")
}

echo 1..22
check 'installs into an empty folder' install_all
cd "$place"
umask 002 # as on many systems: what is built must be loaded all the same
for kind in aligner backbone dataset head; do
  check "$kind: a new project" dovetail new $kind my-$kind
  check "$kind: its source has 60 lines at most" is_short $kind
  check "$kind: make builds it without a warning" builds_without_a_warning $kind
  check "$kind: it passes conformance, and trains" passes_its_tests $kind
done
check 'meson builds one too, and runs its test' builds_with_meson aligner
check 'a folder that holds something is left alone' refuses_to_overwrite
check 'a misspelt kind gets the right one' refuses 2 "did you mean 'aligner'" alinger x
check 'a name that no plugin may have is refused' refuses 2 'lower-case' aligner My_Plugin
check 'docs/writing-plugins.md can be followed' page_can_be_followed
exit $failed

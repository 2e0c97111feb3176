# SPDX-License-Identifier: MIT
# What scripts/quickstart, scripts/test and .ci/run share. Source it under `set -eu`: it goes to the top of the tree.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022 # plugins that their group may write are refused

build_packages=(gcc libc6-dev libcairo2-dev libdnnl-dev libglib2.0-dev libjansson-dev libyaml-dev meson ninja-build pkg-config)

# docs/dependencies.md says more about each.
declare -A purpose=(
  [gcc]='C compiler'
  [libc6-dev]='headers of the C library'
  [libcairo2-dev]='cairo: figures as SVG and PNG'
  [libdnnl-dev]='oneDNN: the arithmetic of the layers'
  [libglib2.0-dev]='GLib: files, strings, containers, threads'
  [libjansson-dev]='JSON: metrics, results, headers of component files, what is known of plugins'
  [libyaml-dev]='YAML: experiments'
  [meson]='build system'
  [ninja-build]='build system'
  [pkg-config]='finds the libraries'
  [libcmocka-dev]='test framework'
  [g++]='C++ compiler: the public headers must be C++ too'
  [abigail-tools]='abidiff: is the plugin ABI still that of 1.0?'
  [clang]='second C compiler: other warnings'
  [clang-format]='format of the code'
  [python3-pil]='JPEG: unpacks the images of the tests on real data'
)

say() { printf '%s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# quietly COMMAND...: shows what COMMAND says only when it fails.
quietly() {
  local output status=0
  output=$(mktemp)
  "$@" >"$output" 2>&1 </dev/null || status=$?
  [ "$status" -eq 0 ] || cat "$output" >&2
  rm -f "$output"
  return "$status"
}

installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# apt_get ARGUMENT...: apt-get as root, which asks nothing and shows its first errors only.
apt_get() {
  local as_root=() output
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  output=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" 2>&1 </dev/null) ||
    { grep -E '^(E|dpkg|sudo):' <<<"$output" | head -n 3 >&2; return 1; }
}

# need PACKAGE...: installs those that are missing, after saying which they are and what for.
need() {
  local package missing=()
  command -v apt-get >/dev/null || die "this is no Debian: install the likes of these, then build with meson: $*"
  for package; do installed "$package" || missing+=("$package"); done
  [ "${#missing[@]}" -gt 0 ] || return 0

  say 'Installing these packages, and what they depend on:'
  for package in "${missing[@]}"; do printf '  %-16s %s\n' "$package" "${purpose[$package]}"; done
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || die 'installing takes root: run this as root, or install sudo'
  # An update that fails for some other source of this machine does no harm; without network the installation fails.
  apt_get update || say 'Not every package list could be updated.'
  apt_get install --yes --no-install-recommends "${missing[@]}" ||
    die 'the packages could not be installed: apt-get says why above; without network it cannot'
}

# build FOLDER [OPTION...]: builds FOLDER, made with meson's OPTIONs if it is not there yet.
build() {
  local folder=$1
  shift
  say "Building in $folder/."
  [ -f "$folder/build.ninja" ] || quietly meson setup "$folder" "$@" || die "meson could not set up $folder"
  quietly ninja -C "$folder" || die "the build in $folder failed"
}

# run_suite FOLDER [SETUP]: runs the tests of FOLDER. Shows what failed; the last line is the number of cases.
run_suite() {
  local log="$1/meson-logs/testlog${2:+-$2}.json" status=0
  say "Running the tests of $1/."
  rm -f "$log"
  # Programs run side by side: OpenMP's threads must not spin while they wait for one another.
  # Time limits are for tests that hang, not for busy machines.
  OMP_WAIT_POLICY=passive quietly meson test -C "$1" ${2:+--setup "$2"} --no-rebuild --timeout-multiplier 8 --quiet || status=$?
  scripts/tally.py "$log" "$status"
}

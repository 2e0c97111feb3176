#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the build folder $1 into an empty folder, and uses it there as a stranger would. $2: this folder.
set -u
build=$1 here=$2
. "$here/prefix.sh"

# lists NAME [OPTION...]: `dovetail plugins OPTION...` lists the plugin NAME, from a file in $place.
lists() {
  local name=$1
  shift
  (cd / && dovetail plugins "$@") | tee /dev/stderr |
    awk -v name="$name" -v place="$place" '$2 == name && index($0, place) { found = 1 } END { exit !found }'
}

lists_the_plugins_beside_it() {
  local name
  for name in resnet resnet-tail linear cifar10 cifar100 shapes common-classes distillation rotation shared-init; do
    lists "$name" || { echo "no $name"; return 1; }
  done
}

names_the_plugin_folder() {
  local folder
  folder=$(PKG_CONFIG_SYSROOT_DIR= pkg-config --variable=pluginsdir dovetail)
  [ -e "$place/root$folder/resnet.so" ] || { echo "no resnet.so in $folder"; return 1; }
}

# builds OUTPUT SOURCE COMPILER...: builds a plugin with pkg-config's flags.
builds() {
  local output=$1 source=$2 said flags
  shift 2
  said=$(pkg-config --cflags dovetail) || return
  eval "flags=($said)" # it is quoted for a shell
  mkdir -p "$place/plugins" && "$@" "${flags[@]}" -shared -fPIC -o "$place/plugins/$output.so" "$here/$source"
}

echo 1..7
check 'installs into an empty folder' install_all
check 'the program finds the plugins installed with it' lists_the_plugins_beside_it
check 'pkg-config names the folder of the plugins' names_the_plugin_folder
check 'a plugin builds with a compiler and pkg-config alone' builds stranger plugin.c ${CC:-cc}
check 'the program lists that plugin' lists small-features --plugin-path "$place/plugins"
if [ -n "${CXX:-}" ]; then
  check 'a plugin builds in C++' builds stranger-in-c++ plugin.cpp $CXX -std=c++20
  check 'the program lists the plugin in C++' lists idle --plugin-path "$place/plugins"
else
  echo 'ok 6 - a plugin builds in C++ # SKIP no C++ compiler'
  echo 'ok 7 - the program lists the plugin in C++ # SKIP no C++ compiler'
fi
exit $failed

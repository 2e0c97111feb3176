#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the plugin, and trains with it: test.sh @NAME@.so
set -eu
chmod go-w "$1" "$(dirname "$1")" # what others may write to is not loaded
dovetail conform "$1"
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
dovetail run "$(dirname "$0")/experiment.yaml" --plugin-path "$(dirname "$1")" --runs "$runs"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Each built plugin exports exactly one symbol, dovetail_plugin. Usage: exports.sh NM FOLDER

nm=$1
files=$(find "$2" -name '*.so' | sort)
if [ -z "$files" ]; then
  echo 'Bail out! no plugin was built'
  exit 1
fi
echo "1..$(echo "$files" | wc -l)"
echo "$files" | {
  failed=0
  number=0
  while IFS= read -r file; do
    number=$((number + 1))
    # Names with two underscores belong to the compiler: a sanitizer exports some.
    exported=$("$nm" -D --defined-only "$file" | awk '$3 !~ /^__/ { print $3 }')
    if [ "$exported" = dovetail_plugin ]; then
      echo "ok $number - $(basename "$file")"
    else
      echo "not ok $number - $(basename "$file")"
      echo "$exported" | sed 's/^/# exports: /'
      failed=1
    fi
  done
  exit $failed
}

#!/bin/sh
# SPDX-License-Identifier: MIT
# Each built plugin exports exactly one symbol, dovetail_plugin. Usage: exports.sh NM FOLDER

nm=$1
set -- $(find "$2" -name '*.so' | sort)
echo "1..$#"
if [ $# -eq 0 ]; then
  echo "Bail out! no plugin was built"
  exit 1
fi
failed=0
number=0
for file; do
  number=$((number + 1))
  # Names with two underscores belong to the compiler: a sanitizer exports some.
  exported=$("$nm" -D --defined-only "$file" | awk '$3 !~ /^__/ { print $3 }')
  if [ "$exported" = dovetail_plugin ]; then
    echo "ok $number - $(basename "$file")"
  else
    echo "not ok $number - $(basename "$file")"
    echo "# exports:" $exported
    failed=1
  fi
done
exit $failed

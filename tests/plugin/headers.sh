#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles alone, and twice, without a warning. Usage: headers.sh INCLUDE_FOLDER LANGUAGE COMPILER…
# LANGUAGE is c11 or c++17; without a compiler all is skipped.

include=$1
language=$2
shift 2
if [ $# -eq 0 ]; then
  echo "1..0 # SKIP no compiler for $language"
  exit 0
fi
case $language in
c++*) kind=c++ ;;
*) kind=c ;;
esac

headers=$(cd "$include" && ls dovetail/*.h)
echo "1..$(echo "$headers" | wc -l)"
failed=0
number=0
for header in $headers; do
  number=$((number + 1))
  source="#include <$header>
#include <$header>"
  if messages=$(echo "$source" | "$@" -x $kind -std="$language" -pedantic -Wall -Wextra -Werror -fsyntax-only \
      -I"$include" - 2>&1); then
    echo "ok $number - $header as $language"
  else
    echo "not ok $number - $header as $language"
    echo "$messages" | sed 's/^/# /'
    failed=1
  fi
done
exit $failed

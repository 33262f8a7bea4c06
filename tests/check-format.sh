#!/bin/bash
# Every C file has the format of .clang-format.  `tests/check-format.sh -i`
# formats them.
#
# The version is fixed: another one breaks lines in other places.

set -euo pipefail

src=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
tool=clang-format-14
how=(--dry-run --Werror)
[[ ${1:-} != -i ]] || how=(-i)

if ! command -v "$tool" >/dev/null; then
	echo "ok - format # SKIP no $tool"
	exit 77
fi
cd "$src"
mapfile -t files < <(find src tests -name '*.[ch]' -type f | sort)
if "$tool" --style=file "${how[@]}" "${files[@]}"; then
	echo "ok - format of ${#files[@]} files"
else
	echo "not ok - format; tests/check-format.sh -i puts it right"
	exit 1
fi

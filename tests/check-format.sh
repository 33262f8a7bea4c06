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
# What it has broken it may break otherwise when it sees it again.
if [[ ${1:-} == -i ]]; then
	"$tool" --style=file -i "${files[@]}"
	"$tool" --style=file -i "${files[@]}"
fi
if said=$("$tool" --style=file "${how[@]}" "${files[@]}" 2>&1); then
	echo "ok - format of ${#files[@]} files"
else
	grep -E ': (error|warning): ' <<<"$said" | awk -F: '
		!n[$1]++ { first[$1] = $2 }
		END { for (f in n) print "# " f ":" first[f] ": and " n[f] - 1 \
			" more" }' | sort
	echo "not ok - format; tests/check-format.sh -i puts it right"
	exit 1
fi

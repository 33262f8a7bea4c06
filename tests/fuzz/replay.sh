#!/bin/bash
# Every build, with sanitizers too, reads again what the fuzzers once found, and
# besides each file of the configuration tests, cut short at several places.

set -euo pipefail

src=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${top_builddir:-.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

replay() # NAME FOLDER
{
	local said
	if said=$("$build/replay_$1" "$2" 2>&1); then
		echo "ok - $1: $said"
	else
		printf '%s\n' "$said" | tail -n 40
		echo "not ok - $1"
		status=1
	fi
}

for name in alerts config domxml expr snapshot template trial zone; do
	replay "$name" "$src/tests/fuzz/corpus/$name"
done

# fuzz_config's first byte is the kind of file
for file in "$src"/tests/conf/{main,hosts,policy}-*.in; do
	base=${file##*/}
	size=$(stat -L -c %s "$file")
	((size < 20000)) || continue
	for part in 1 2 3; do
		{
			printf %s "${base:0:1}"
			head -c $((size * part / 3)) "$file"
		} >"$work/${base%.in}-$part"
	done
done
replay config "$work"
exit "$status"

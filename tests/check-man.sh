#!/bin/bash
# What the manual pages and README say holds: the pages are well formed, each of
# their examples loads, and their options and commands are those of the programs.
#
# An example is a literal block after a comment that names it:
#
#	.\" example: NAME.yaml main|policy|fragment|snapshot|test|event
#
# main is a whole drover.yaml, policy a file of policies.d, fragment what a
# minimal drover.yaml is completed with, snapshot what droverctl simulates, test
# what droverctl policy test plays, event a sample that droverctl prints.  In README it is an indented block whose first
# line is "# /etc/drover/FILE".
#
# Run by `make check`, which sets top_srcdir and top_builddir.

set -euo pipefail

src=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${top_builddir:-.}
pages=("$src"/man/*.[1-9])
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

ok()
{
	echo "ok - $*"
}

bad()
{
	echo "not ok - $*"
	status=1
}

# --- well formed

for page in "${pages[@]}"; do
	name=${page##*/}
	if ! command -v mandoc >/dev/null; then
		ok "$name is well formed # SKIP no mandoc"
	elif mandoc -Tlint -Wwarning "$page"; then
		ok "$name is well formed"
	else
		bad "$name is well formed"
	fi
	for section in EXAMPLES 'EXIT STATUS' DIAGNOSTICS; do
		[[ $name == *.[18] || $section != EXIT* ]] || continue
		grep -q "^\.Sh $section\$" "$page" || bad "$name has no $section"
	done
done

# --- examples

umask 077
printf 'whsec_%s\n' "$(head -c 32 /dev/urandom | base64 -w 0)" >"$work/secret"
echo 0123456789abcdef >"$work/token"
echo https://chat.example.org/hooks/0123456789 >"$work/url"

minimal_policy()
{
	printf '%s\n' 'version: 1' 'policies:' '  - name: minimal' \
		'    mode: auto' '    when: { host: maintenance }'
}

# Lets droverd read an example where its own files are at hand.
load() # WHAT FOLDER
{
	local said file
	mkdir -p "$2/policies.d" "$2/hosts.d"
	while read -r file; do
		sed -i "s,/etc/drover/,$2/," "$file"
		grep -oE "(secret|token|url)_file: *[^ ,}]*" "$file" |
			while read -r key path; do
				# those of the service are not looked at here
				[[ $path == *credential:* ]] ||
					cp "$work/${key%_file:}" "$path"
			done || :
	done < <(find "$2" -name '*.yaml')
	if said=$("$build/droverd" -t -c "$2/drover.yaml" 2>&1); then
		ok "$1 loads"
	else
		printf '%s\n' "$said"
		bad "$1 loads"
	fi
}

page_examples() # PAGE: into $work/examples/FILE.KIND
{
	awk -v dir="$work/examples" '
	/^\.\\" example: / { file = dir "/" $3 "." $4; next }
	file != "" && /^\.Bd / { on = 1; next }
	/^\.Ed/ { if (on) close(file); on = 0; file = ""; next }
	on { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-")
		gsub(/\\\(dq/, "\""); print >file }' "$1"
}

for page in "${pages[@]}"; do
	rm -rf "$work/examples"
	mkdir "$work/examples"
	page_examples "$page"
	wanted=$(grep -c '^\.\\" example: ' "$page" || :)
	got=$(find "$work/examples" -type f | wc -l)
	[[ $wanted == "$got" ]] ||
		bad "${page##*/}: $wanted examples are marked, $got were found"
	for file in "$work/examples"/*; do
		[[ -e $file ]] || continue
		kind=${file##*.}
		name=$(basename "$file" ".$kind")
		at=$(mktemp -d "$work/load.XXXXXX")
		mkdir "$at/policies.d" "$at/hosts.d"
		case $kind in
		main)
			cp "$file" "$at/drover.yaml"
			minimal_policy >"$at/policies.d/minimal.yaml"
			;;
		policy)
			echo "version: 1" >"$at/drover.yaml"
			cp "$file" "$at/policies.d/$name"
			;;
		fragment)
			echo "version: 1" >"$at/drover.yaml"
			# a list of hosts alone is a file of hosts.d
			if [[ $(grep -E '^[a-z_]+:' "$file") == hosts: ]]; then
				cp "$file" "$at/hosts.d/$name"
			else
				cat "$file" >>"$at/drover.yaml"
			fi
			;;
		test)
			# of the page's example of that name
			cp "$work"/examples/*.policy "$at/"
			for policy in "$at"/*.policy; do
				mv "$policy" "${policy%.policy}"
			done
			cp "$file" "$at/$name"
			if said=$("$build/droverctl" policy test "$at/$name"); then
				ok "${page##*/}: $name passes"
			else
				printf '%s\n' "$said"
				bad "${page##*/}: $name passes"
			fi
			continue
			;;
		snapshot)
			if said=$("$build/droverctl" simulate --score \
				"$file" 2>&1); then
				ok "${page##*/}: $name loads"
			else
				printf '%s\n' "$said"
				bad "${page##*/}: $name loads"
			fi
			continue
			;;
		event)
			if "$build/droverctl" event sample "${name%.json}" |
				cmp -s - "$file"; then
				ok "${page##*/}: $name is what droverctl says"
			else
				bad "${page##*/}: $name is what droverctl says"
			fi
			continue
			;;
		*) bad "${page##*/}: $name: no such kind: $kind" ;;
		esac
		load "${page##*/}: $name" "$at"
	done
done

mkdir "$work/readme"
awk -v dir="$work/readme" '
/^    # \/etc\/drover\/[a-z0-9.\/-]+\.yaml$/ {
	file = dir "/" substr($2, length("/etc/drover/") + 1)
	folder = file; sub(/\/[^\/]*$/, "", folder); system("mkdir -p " folder) }
file != "" && /^[^ ]/ { close(file); file = "" }
file != "" { sub(/^    /, ""); print >file }' "$src/README"
if [[ -s $work/readme/drover.yaml ]]; then
	load "README: drover.yaml" "$work/readme"
else
	bad "README has an example of drover.yaml"
fi

# --- options and commands

# The options that a page gives in macros: "-c" or "--timeout".
page_options() # PAGE [SECTION...]
{
	awk -v only="${*:2}" '
	/^\.Sh / { section = substr($0, 5) }
	only != "" && index("," only ",", "," section ",") == 0 { next }
	/^\./ { for (i = 1; i < NF; i++)
		if ($i == "Fl" || $i == ".Fl")
			for (j = i + 1; j <= NF && $j ~ /^([-a-zA-Z]+|\|)$/ &&
			    $j !~ /^(Ar|Cm|Fl|Op|Oc|Oo|Ns|No|Pq|Xr|Nm)$/; j++)
				if ($j ~ /[a-zA-Z]/) print "-" $j }' "$1" | sort -u
}

same() # WHAT PROGRAM-FILE PAGE-FILE
{
	local lost extra
	lost=$(comm -23 "$2" "$3" | tr '\n' ' ')
	extra=$(comm -13 "$2" "$3" | tr '\n' ' ')
	if [[ -s $2 && -z $lost && -z $extra ]]; then
		ok "$1: $(wc -l <"$2") in the page and in the program"
	else
		[[ -z $lost ]] || echo "# not in the page: $lost"
		[[ -z $extra ]] || echo "# not in the program: $extra"
		bad "$1"
	fi
}

export LC_ALL=C
"$build/droverd" -h | sed -nE 's/^  (-[a-zA-Z]) .*/\1/p' | sort -u \
	>"$work/droverd.help"
page_options "$src/man/droverd.8" SYNOPSIS >"$work/droverd.page"
same "options of droverd, SYNOPSIS" "$work/droverd.help" "$work/droverd.page"
page_options "$src/man/droverd.8" DESCRIPTION >"$work/droverd.page"
same "options of droverd, DESCRIPTION" "$work/droverd.help" \
	"$work/droverd.page"

page=$src/man/droverctl.1
ctl=$build/droverctl
"$ctl" --help | sed -nE '/^commands:/,/^$/s/^  ([a-z]+( [a-z]+)?) .*/\1/p' \
	>"$work/commands"
{
	"$ctl" --help
	while read -r -a command; do
		"$ctl" "${command[@]}" --help
	done <"$work/commands"
} | sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z-]+).*/\1\2/p' | tr -d , | tr ' ' '\n' |
	sort -u >"$work/ctl.help"
page_options "$page" >"$work/ctl.page"
same "options of droverctl" "$work/ctl.help" "$work/ctl.page"

mandoc -Tascii -O width=500 "$page" 2>/dev/null | sed 's/.\x08//g' |
	tr -s ' ' >"$work/ctl.text"
while read -r command; do
	if grep -qE "(^|[^a-z])$command([^a-z]|\$)" "$work/ctl.text"; then
		ok "droverctl $command is in the page"
	else
		bad "droverctl $command is in the page"
	fi
done <"$work/commands"

# --- words that programs and people are told

# In $work/WHAT.page: the words of a page's ".It Cm" lines between two sections.
page_words() # PAGE FROM TO
{
	sed -n "/^\\.S[sh] $2\$/,/^\\.S[sh] $3\$/s/^\\.It //p" "$1" |
		sed 's/\\[(][a-z][a-z]//g' | grep -oE '[a-z0-9]+(-[a-z0-9]+)*' |
		sort -u
}

known() # WHAT WORDS-FILE PAGE-WORDS-FILE
{
	local lost
	lost=$(comm -23 "$2" "$3" | tr '\n' ' ')
	if [[ -s $2 && -z $lost ]]; then
		ok "$1: $(wc -l <"$2") are explained"
	else
		[[ -z $lost ]] || echo "# not explained: $lost"
		bad "$1"
	fi
}

tr '\n' ' ' <"$src/src/hv/explain_table.c" |
	grep -oE '\}, *\{ *"[a-z0-9-]+"' | grep -oE '[a-z0-9-]+' | sort -u \
	>"$work/tokens"
page_words "$src/man/droverd.8" 'Causes of failed moves' 'SEE ALSO' \
	>"$work/tokens.page"
known "causes of failed moves" "$work/tokens" "$work/tokens.page"

{
	grep -hoE '^    \{"[a-z-]+", [a-z]+_check_' "$src"/src/decide/strategy*.c
	grep -hoE '"(not-allowed|later)"' "$src"/src/decide/strategy*.c
	sed -n '/^place_rule_name/,/^}/p' "$src/src/decide/place_filter.c"
	sed -n '/^place_guest_rule_name/,/^}/p' "$src/src/decide/place_guest.c"
} | grep -oE '"[a-z-]+"' | tr -d '"' | grep -vx ok | sort -u >"$work/rules"
page_words "$src/man/drover-policy.7" Refusals 'POLICY TESTS' >"$work/rules.page"
known "refusals" "$work/rules" "$work/rules.page"

"$ctl" event types -o name | sort >"$work/types"
sed -n 's/^\.\\" example: \(.*\)\.json event$/\1/p' \
	"$src/man/drover-events.7" | sort >"$work/types.page"
same "types of events" "$work/types" "$work/types.page"
exit "$status"

# shellcheck shell=bash
# Images of guests: made and filled, listed, compared from outside; pools that
# get full.
#
# All that concerns a local pool is done inside its host: what lies at the same
# path elsewhere is another folder, and may be another file system.

# What guest/disk.c expects: the ring lies before, the filling begins here.
FILL_AT_MIB=8

pool_path() # HOST POOL
{
	if [[ $2 == shared ]]; then
		echo "$SHARED"
	else
		cat "$STATE/$1/pool"
	fi
}

size_in_mib() # SIZE, such as 64M or 10G
{
	local n=${1%[MG]}
	[[ $1 =~ ^[0-9]+[MG]?$ ]] || die "not a size: $1 (64M, 10G)"
	[[ $1 != *G ]] || n=$((n * 1024))
	echo "$n"
}

# Commands for qemu-io: each MiB gets a byte of its own, zeros come after.  Of
# an image with a backing image, PART says which half it gets.
fill_commands() # FILL_MIB ZEROS_MIB PART: all, even or odd
{
	awk -v fill="$1" -v zeros="$2" -v part="$3" -v at="$FILL_AT_MIB" 'BEGIN {
		for (i = 0; i < fill + zeros; i++) {
			if (part == "even" && i % 2 || part == "odd" && i % 2 == 0)
				continue
			printf "write -q -P %d %dM 1M\n",
				i < fill ? i % 251 + 1 : 0, at + i
		}
	}'
}

volume_fill() # HOST PATH FORMAT FILL_MIB ZEROS_MIB PART
{
	local said
	(($4 + $5 > 0)) || return 0
	said=$(fill_commands "$4" "$5" "$6" |
		in_host "$1" qemu-io -t unsafe -f "$3" "$2" 2>&1 |
		tr -d '\r' | sed 's/qemu-io> //g' | grep -v '^$' | head -n 3) || :
	[[ -z $said ]] || die "filling $2 on $1: $said"
}

volume_make() # HOST POOL NAME SIZE FORMAT [BACKING-PATH]
{
	virsh_on "$1" vol-create-as "$2" "$3" "$4" --format "$5" --allocation 0 \
		${6:+--backing-vol "$6" --backing-vol-format qcow2} >/dev/null
}

# Every image of a pool: NAME format= virtual= allocated= backing=, in bytes.
volume_list() # HOST POOL
{
	local file
	in_host "$1" find "$(pool_path "$1" "$2")" -maxdepth 1 -type f |
	sort | while read -r file; do
		in_host "$1" qemu-img info -U --output=json "$file" |
		jq -r --arg name "${file##*/}" '[ $name, "format=\(.format)",
			"virtual=\(."virtual-size")",
			"allocated=\(."actual-size")",
			"backing=\(."backing-filename" // "-")" ] | join(" ")'
	done
}

# What a guest that is off would read from each disk, whatever layers it has.
guest_checksum() # GUEST
{
	local host target path work
	host=$(guest_where "$1" | awk '/pid=none/ { print $1; exit }')
	if [[ -z $host || -n $(qemu_pids "$1") ]]; then
		die "$1 is not off; ask it: verify and fill"
	fi
	work=$(mktemp -d "$DATA/checksum.XXXXXX")
	virsh_on "$host" domblklist --inactive --details "$1" |
	while read -r _ kind target path; do
		[[ $kind == disk ]] || continue
		in_host "$host" qemu-img convert -O raw "$path" "$work/raw" &&
			printf '%s %s\n' "$target" \
				"$(sha256sum <"$work/raw" | cut -c 1-64)"
		rm -f "$work/raw"
	done
	rm -rf "$work"
}

# A file system of its own under the local pool.  It holds no image yet, or is
# one already and gets another size.
pool_limit() # HOST MiB
{
	local path
	path=$(pool_path "$1" local)
	[[ $2 =~ ^[0-9]+$ ]] || die "not a number of MiB: $2"
	if in_host "$1" mountpoint -q "$path"; then
		in_host "$1" mount -o "remount,size=${2}M" "$path"
	else
		[[ -z $(in_host "$1" ls "$path") ]] ||
			die "the local pool of $1 is not empty"
		in_host "$1" mount -t tmpfs -o "size=${2}M" none "$path"
	fi
	virsh_on "$1" pool-refresh local >/dev/null
}

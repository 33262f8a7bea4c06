# shellcheck shell=bash
# What all parts of the lab share: where things are, how processes are found
# and ended, how to wait.  Sourced by ../lab, which sets NAME and LAB_DIR.
#
# A lab keeps its state in /run/drover-lab/NAME (process ids, guests, and the
# network namespaces, pinned there by bind mounts as `ip netns` does) and its
# data in /var/lib/drover-lab/NAME.  Links and bridges exist only inside the
# lab's own namespaces, so no name of theirs can clash with another lab's or
# with anything of the machine.

# shellcheck disable=SC2034  # used by the other parts
{
	LAB_ROOT=/run/drover-lab
	STATE=$LAB_ROOT/$NAME
	DATA=/var/lib/drover-lab/$NAME
	SHARED=/srv/drover-lab/$NAME/shared
	CACHE=${DROVER_LAB_CACHE:-/var/cache/drover-lab}
	NET=10.77.0
	HUB=$STATE/ns/hub
}

say()
{
	printf 'lab %s: %s\n' "$NAME" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# A daemon of the lab must not keep a caller's pipe open.
close_inherited()
{
	local fd
	for fd in "/proc/$$/fd"/*; do
		fd=${fd##*/}
		# 255 is the script itself
		((fd < 3 || fd == 255)) || eval "exec $fd>&-"
	done
}

is_up()
{
	[[ -e $STATE/up ]]
}

need_up()
{
	is_up || die "is not up"
}

need_host()
{
	[[ ${1:-} =~ ^kvm[1-8]$ && -d $STATE/$1 ]] || die "no host '${1:-}'"
}

hosts()
{
	local dir
	for dir in "$STATE"/kvm[1-8]; do
		[[ ! -d $dir ]] || printf '%s\n' "${dir##*/}"
	done
}

host_address()
{
	printf '%s.%s\n' "$NET" "${1#kvm}"
}

host_uri()
{
	printf 'qemu+tcp://%s/system\n' "$(host_address "$1")"
}

# wait_for SECONDS WHAT CMD...: polls until CMD succeeds
wait_for()
{
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		if ((SECONDS >= deadline)); then
			say "timed out: $what"
			return 1
		fi
		sleep 0.02
	done
}

# --- processes

# The time since boot at which a process began; tells a reused id from ours.
pid_start()
{
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086  # split into fields
	set -- $stat
	[[ $1 != Z ]] && printf '%s\n' "${20}"
}

pid_save() # FILE PID
{
	printf '%s %s\n' "$2" "$(pid_start "$2")" >"$1"
}

# Prints the process id kept in FILE if that very process still lives.
pid_of()
{
	local pid='' start=''
	[[ -r $1 ]] && read -r pid start <"$1" || return 1
	[[ -n $pid && $(pid_start "$pid") == "$start" ]] || return 1
	printf '%s\n' "$pid"
}

pid_gone()
{
	! pid_start "$1" >/dev/null
}

# Prints "PID FILE" for each process whose network namespace is pinned here.
pids_in_lab()
{
	local pin inode
	local -A pins=()
	for pin in "$STATE"/ns/*; do
		[[ -e $pin && $(stat -f -c %T "$pin") == nsfs ]] || continue
		inode=$(stat -L -c %i "$pin")
		pins["net:[$inode]"]=${pin##*/}
	done
	((${#pins[@]} > 0)) || return 0
	find /proc/[0-9]*/ns/net -maxdepth 0 -printf '%p %l\n' 2>/dev/null |
	while read -r path link; do
		[[ -n $link && -n ${pins[$link]:-} ]] || continue
		path=${path#/proc/}
		printf '%s %s\n' "${path%%/*}" "${pins[$link]}"
	done
}

# Prints "PID HOST" of each QEMU process of a guest, found by process.
qemu_pids() # GUEST
{
	local pid where
	local -a args
	while read -r pid where; do
		[[ $where != hub ]] || continue
		{ mapfile -d '' -t -n 3 args <"/proc/$pid/cmdline"; } \
			2>/dev/null || continue
		if [[ ${args[1]:-} == -name && ${args[2]:-} == "guest=$1,"* ]]
		then
			printf '%s %s\n' "$pid" "$where"
		fi
	done < <(pids_in_lab)
}

# --- inside the namespaces

in_hub()
{
	nsenter --net="$HUB" -- "$@"
}

in_host() # HOST CMD...
{
	local anchor
	anchor=$(pid_of "$STATE/$1/anchor") || die "$1 has lost its anchor"
	shift
	nsenter --target "$anchor" --net --uts --mount -- "$@"
}

virsh_on() # HOST ARGS...
{
	local uri
	uri=$(host_uri "$1")
	shift
	in_hub virsh --quiet --connect "$uri" "$@"
}

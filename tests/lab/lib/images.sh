# shellcheck shell=bash
# hvprobe for tests of images: one that is kept, asked line by line.  Sourced by a
# test after fixture.sh, with the lab up.

# The local pool of each host, and its directory as the host sees it.
# shellcheck disable=SC2034
IMAGES=/var/lib/libvirt/images

probe_start() # HOST...
{
	local host
	local -a hosts=()
	[[ -x $BUILD/hvprobe ]] || make -s -C "$BUILD" hvprobe
	for host in "$@"; do
		hosts+=("$host=$(lab uri "$host")")
	done
	rm -f "$WORK/probe.in"
	mkfifo "$WORK/probe.in"
	: >"$WORK/probe.out"
	# not by the function lab: its shell would be what $! names
	"$LAB_DIR/lab" -n "$LAB_NAME" exec "$BUILD/hvprobe" --sample 100000 \
		"${hosts[@]}" <"$WORK/probe.in" >"$WORK/probe.out" 2>&1 &
	PROBE_PID=$!
	PIDS+=("$PROBE_PID")
	exec 8>"$WORK/probe.in"
	wait_for 30 "hvprobe's hosts" probe_listed $#
}

probe_listed()
{
	(($(grep -c ' listed ' "$WORK/probe.out") >= $1))
}

probe_kill()
{
	kill -9 "$PROBE_PID"
	wait "$PROBE_PID" 2>/dev/null || true
	exec 8>&-
}

# Sends a command and does not wait for it.
probe_send() # WORD...
{
	PROBE_MARK=$(wc -l <"$WORK/probe.out")
	printf '%s\n' "$*" >&8
}

# What came since the last command.
probe_said()
{
	tail -n +"$((PROBE_MARK + 1))" "$WORK/probe.out"
}

probe_ended() # VERB
{
	probe_said | among -E " (done|failed) $1 in "
}

# Waits for the end of the command that was sent; prints what it said.
probe_wait() # SECONDS VERB
{
	# what is said on stdout is for the caller
	wait_for "$1" "the end of $2" probe_ended "$2" >&2
	probe_said
}

# expect_done VERB...: it ends well; says what it said
expect_done()
{
	local said
	probe_send "$@"
	said=$(probe_wait 120 "$1")
	[[ $said != *" failed $1 "* ]] || fail "$*: $said" >&2
	printf '%s\n' "$said"
}

# expect_refused CODE PATTERN VERB...: it fails with this code, and its message
# matches
expect_refused()
{
	local code=$1 pattern=$2 said
	shift 2
	probe_send "$@"
	said=$(probe_wait 120 "$1")
	[[ $said =~ failed\ $1\ in\ [0-9]+\ ms:\ $code\  ]] ||
		fail "$*: expected $code: $said" >&2
	[[ $said =~ $pattern ]] || fail "$*: expected '$pattern': $said"
	printf '%s\n' "$said"
}

# Bytes that a file takes on a host, and what it holds.
taken() # HOST FILE
{
	lab host "$1" stat -c '%b' "$2" | awk '{ print $1 * 512 }'
}

sum_of() # HOST FILE
{
	lab host "$1" sha256sum "$2" | cut -d ' ' -f 1
}

guest_uuid() # HOST GUEST
{
	lab virsh "$1" domuuid "$2" | head -n 1
}

# The images of a guest's persistent definition: "vda:PATH vdb:PATH"
images_named() # HOST GUEST
{
	lab virsh "$1" domblklist "$2" --inactive |
		awk 'NF == 2 { print $1 ":" $2 }' | paste -s -d ' '
}

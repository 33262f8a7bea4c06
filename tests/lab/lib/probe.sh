# shellcheck shell=bash
# For tests of the hypervisor layer alone: hvprobe instead of droverd.  Its
# output is in $WORK/probe; probe_says looks there.

PROBE=$BUILD/hvprobe
[[ -x $PROBE ]] || make -s -C "$BUILD" hvprobe

probe_run()
{
	local host hosts=()
	for host in $(lab status | awk '/libvirtd=/ { print $1 }'); do
		hosts+=("$host=$(lab uri "$host")")
	done
	exec timeout 200 "$LAB_DIR/lab" -n "$LAB_NAME" exec "$PROBE" \
		--sample 600000 "${hosts[@]}" >"$WORK/probe" 2>&1
}

# probe <COMMANDS: carries them out; 1 when one of them failed
probe()
{
	sed 's/^\t*//' | (probe_run)
}

# The same with commands that come one by one: probe_open, then probe_tell
# COMMAND as often as needed, then probe_close, which gives the result.
probe_open()
{
	: >"$WORK/probe"
	mkfifo "$WORK/tell"
	(probe_run) <"$WORK/tell" &
	PROBE_PID=$!
	PIDS+=("$PROBE_PID")
	exec 7>"$WORK/tell"
	rm "$WORK/tell"
}

probe_tell()
{
	printf '%s\n' "$*" >&7
}

probe_close()
{
	exec 7>&-
	wait "$PROBE_PID"
}

probe_says()
{
	grep -qE "$1" "$WORK/probe"
}

# wait_says SECONDS PATTERN
wait_says()
{
	wait_for "$1" "hvprobe to say: $2" probe_says "$2"
}

expect_says()
{
	probe_says "$1" || {
		sed 's/^/    /' "$WORK/probe"
		fail "hvprobe does not say: $1"
	}
}

uuid_of() # GUEST [HOST]
{
	lab virsh "${2:-kvm1}" domuuid "$1" | head -n 1
}

# Of the disk TARGET in GUEST's XML on HOST; --inactive for the persistent one.
disk_of() # HOST GUEST TARGET [OPTION]
{
	lab virsh "$1" dumpxml "$2" "${@:4}" | tr -d '\n' |
		sed 's/<disk /\n<disk /g; s/<\/disk>/&\n/g' |
		grep "target dev='$3'" || fail "$2 has no $3 on $1"
}

# shellcheck shell=bash
# What every lab test begins with: a lab, a receiver, droverd, and words to ask
# and to wait.  A test is a file in tests/lab/t; it is sourced by tests/lab/run
# in a shell of its own with `set -euo pipefail`, and everything that it starts
# is ended by the traps here, by process id.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${DROVER_BUILD:-$LAB_DIR/../../build}
DROVERD=${DROVERD:-$BUILD/droverd}
DROVERCTL=${DROVERCTL:-$BUILD/droverctl}
HUB=10.77.0.254

# shellcheck source=faults.sh
. "$LAB_DIR/lib/faults.sh"

say()
{
	printf '    %s\n' "$*"
}

fail()
{
	printf '    FAILED: %s\n' "$*"
	exit 1
}

lab()
{
	"$LAB_DIR/lab" -n "$LAB_NAME" "$@"
}

# case_ok WHAT: one of several things that the test shows; a line of its own in
# what tests/lab/run says
case_ok()
{
	printf 'case: %s\n' "$*"
}

# wait_for SECONDS WHAT CMD...: until CMD succeeds
wait_for()
{
	local seconds=$1 what=$2 end
	shift 2
	end=$((SECONDS + seconds))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || fail "waited ${seconds}s for: $what"
		sleep 0.1
	done
}

# among [OPTION-OF-GREP...] PATTERN: whether what comes in has such a line.  It
# reads all of it: whoever writes into grep -q may end of a broken pipe, and that
# is a failure here.
among()
{
	local all
	all=$(cat)
	grep -q "$@" <<<"$all"
}

# ---- beginning and ending ----

# What the receiver got is as drover-events(7) and the schemas say.
fixture_check_events()
{
	local check=$BUILD/events_check
	[[ -s $WORK/webhooks ]] || return 0
	[[ -x $check ]] || flock "$BUILD" make -s -C "$BUILD" events_check ||
		return
	"$check" "$WORK/webhooks" >"$WORK/events" 2>&1 && return
	printf '    FAILED: events that are not as they are documented\n'
	tail -n 20 "$WORK/events" | sed 's/^/    /'
	return 1
}

fixture_end()
{
	local rc=$?
	trap - EXIT
	set +e
	if ((rc != 0)) && [[ -z ${FIXTURE_QUIET:-} && -s $WORK/droverd.log ]]; then
		printf '    --- droverd.log (end)\n'
		grep -v 'debug control: GET' "$WORK/droverd.log" |
			tail -n 60 | sed 's/^/    /'
	fi
	for pid in "${PIDS[@]}"; do
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	lab down >/dev/null 2>&1
	if [[ -s $WORK/twice ]]; then
		printf '    FAILED: a guest ran twice\n'
		head -5 "$WORK/twice" | sed 's/^/    /'
		rc=1
	fi
	if grep -qE 'Sanitizer|runtime error' "$WORK/droverd.log" 2>/dev/null
	then
		printf '    FAILED: the sanitizer found something\n'
		grep -A30 -E 'Sanitizer|runtime error' "$WORK/droverd.log" |
			head -60 | sed 's/^/    /'
		rc=1
	fi
	fixture_check_events || rc=1
	rm -rf "$WORK"
	exit "$rc"
}

# fixture HOSTS [MORE-LINES-OF-CONFIGURATION]: a lab, a receiver, a
# configuration; droverd is not started yet
fixture()
{
	local hosts=$1 more=${2:-} i
	WORK=$(mktemp -d)
	PIDS=()
	trap fixture_end EXIT
	trap 'exit 1' INT TERM
	mkdir -p "$WORK/policies.d" "$WORK/run"
	cp "$LAB_DIR"/../../policies/*.yaml "$WORK/policies.d/"
	# shellcheck disable=SC2086
	lab up --hosts "$hosts" ${LAB_UP_OPTIONS:-} >"$WORK/lab.log" 2>&1 ||
		{ cat "$WORK/lab.log"; fail "the lab does not come up"; }
	# throughout the test, and judged at its end
	"$LAB_DIR/once" -n "$LAB_NAME" "$WORK/twice" >/dev/null 2>&1 &
	PIDS+=($!)
	receiver_start
	write_config "$hosts" "$more"
}

write_config()
{
	local hosts=$1 more=${2:-} i
	{
		cat <<-EOF
		version: 1
		site: lab
		state_dir: $WORK/state
		socket: $WORK/run/drover.sock
		socket_group: ""
		sample_interval: 2s
		maintenance_dir: $WORK/run/maintenance.d
		storage: { shared_paths: [ $(lab shared) ]${STORAGE_MORE:-} }
		receivers:
		  - { name: ops, type: cloudevents, url: "http://$HUB:$PORT/hook",
		      secret_file: $WORK/secret }
		$more
		hosts:
		EOF
		for ((i = 1; i <= hosts; i++)); do
			printf '  - { name: kvm%d, uri: "%s", reserve: %s }\n' \
				"$i" "$(lab uri "kvm$i")" '{ memory: 0 }'
		done
	} >"$WORK/drover.yaml"
}

receiver_start()
{
	PORT=8000
	if [[ ! -e $WORK/secret ]]; then
		printf 'whsec_%s\n' "$(head -c 32 /dev/urandom | base64)" \
			>"$WORK/secret"
		chmod 600 "$WORK/secret"
		printf 'ok\n' >"$WORK/behave"
	fi
	"$LAB_DIR/lab" -n "$LAB_NAME" exec "$LAB_DIR/receiver" --listen "$HUB:$PORT" \
		--secret-file "$WORK/secret" --log "$WORK/webhooks" \
		--control "$WORK/behave" >"$WORK/receiver.out" 2>&1 &
	PIDS+=($!)
	wait_for 10 "the receiver" test -s "$WORK/receiver.out"
}

# How the receiver answers from now on; see receiver --help.
receiver_behave()
{
	printf '%s\n' "$*" >"$WORK/behave.new"
	mv "$WORK/behave.new" "$WORK/behave"
}

# ---- droverd ----

droverd_launch()
{
	# not by the function lab: its shell would be what $! names
	"$LAB_DIR/lab" -n "$LAB_NAME" exec "$DROVERD" -v -c "$WORK/drover.yaml" \
		>>"$WORK/droverd.log" 2>&1 </dev/null &
	DROVERD_PID=$!
	PIDS+=("$DROVERD_PID")
}

droverd_start()
{
	droverd_launch
	wait_for 20 "droverd's socket" ctl status
}

# droverd_up N: N hosts are up, or fail
droverd_up()
{
	wait_for 30 "$1 hosts up" hosts_up "$1"
}

hosts_up()
{
	[[ $(ctl -o json status | jq .hosts.up) == "$1" ]]
}

droverd_kill()
{
	kill -9 "$DROVERD_PID"
	wait "$DROVERD_PID" 2>/dev/null || true
}

# Ends it in good order; fails when it takes long or ends badly.
droverd_stop()
{
	local rc=0
	kill -TERM "$DROVERD_PID"
	wait_for 15 "droverd's end" droverd_gone
	wait "$DROVERD_PID" || rc=$?
	((rc == 0)) || fail "droverd ended with $rc"
}

droverd_gone()
{
	local stat
	stat=$(ps -o stat= -p "$DROVERD_PID" 2>/dev/null) || return 0
	[[ $stat == Z* ]]
}

ctl()
{
	timeout 300 "$DROVERCTL" -s "$WORK/run/drover.sock" "$@"
}

api()
{
	curl -sS --max-time 30 --unix-socket "$WORK/run/drover.sock" \
		"http://drover$1" "${@:2}"
}

# The move rows, newest first, as JSON lines.
moves()
{
	api "/v1/moves?max=1000" | jq -c '.moves[]'
}

# is_moving GUEST: its pages are on their way
is_moving()
{
	api "/v1/moves?open=1&max=100" | jq -e --arg g "$1" \
		'.moves[] | select(.vm == $g and .progress.percent >= 5)'
}

drain_state()
{
	api "/v1/drains?max=1" | jq -r '.drains[0].state'
}

drain_is()
{
	[[ $(drain_state) == "$1" ]]
}

# ---- guests, asked from inside and outside ----

# The hosts on which the guest's QEMU runs with running vCPUs, one per line.
running_on()
{
	lab where "$1" | awk '/vcpus=running/ { print $1 }'
}

# expect_on GUEST HOST: it runs there, and nowhere else, also not paused
expect_on()
{
	local n
	wait_for 60 "$1 on $2" is_on "$1" "$2"
	n=$(lab where "$1" | grep -c 'pid=[0-9]' || true)
	((n == 1)) || fail "$1 has $n QEMU processes: $(lab where "$1")"
}

is_on()
{
	[[ $(running_on "$1") == "$2" ]]
}

# expect_defined GUEST HOST: defined there, and on no other host of the lab
expect_defined()
{
	local host name
	for host in $(api /v1/hosts | jq -r '.hosts[].name'); do
		name=$(lab virsh "$host" -q list --all --name |
			grep -x "$1" || true)
		if [[ $host == "$2" ]]; then
			[[ -n $name ]] || fail "$1 is not defined on $host"
		else
			[[ -z $name ]] || fail "$1 is still known to $host"
		fi
	done
}

value()
{
	sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" <<<"$2"
}

# The guest's own word: its counter never went back, its memory and its disk
# are what it wrote.
expect_healthy()
{
	local status verify
	status=$(lab ask "$1" status)
	verify=$(lab ask "$1" verify)
	[[ $(value backwards "$status") == 0 ]] ||
		fail "$1: its counter went back: $status"
	[[ $(value stale_words "$status") == 0 ]] ||
		fail "$1: its memory is damaged: $status"
	[[ $(value verify "$verify") == ok ]] ||
		fail "$1: its disk is damaged: $verify"
	[[ $(value boot "$status") == 1 ]] ||
		fail "$1: it was booted anew: $status"
}

# expect_filled GUEST: all that was put on its disk before it was made is there
expect_filled()
{
	local said
	said=$(lab ask "$1" fill 120)
	[[ $(value fill "$said") == ok && $(value checked "$said") != 0 ]] ||
		fail "$1: its disk has lost what was on it: $said"
}

# expect_restarted GUEST STATUS-BEFORE [BOOTS]: it was booted anew, that often,
# and its disks go on: the sequence never goes back, no block is stale or torn
expect_restarted()
{
	local status verify
	wait_for 90 "$1 to answer" lab ask "$1" status
	status=$(lab ask "$1" status)
	verify=$(lab ask "$1" verify)
	(($(value boot "$status") == $(value boot "$2") + ${3:-1})) ||
		fail "$1: not booted ${3:-1} times: $2, then $status"
	(($(value disk_first "$status") >= $(value disk_records "$2"))) ||
		fail "$1: its disk went back: $2, then $status"
	(($(value disk2_first "$status") >= $(value disk2_records "$2"))) ||
		fail "$1: its second disk went back: $2, then $status"
	[[ $(value disk_errors "$status") == 0 ]] ||
		fail "$1: its disk is damaged: $status"
	[[ $(value verify "$verify") == ok ]] ||
		fail "$1: its disk is damaged: $verify"
	[[ $(value stale_words "$status") == 0 ]] ||
		fail "$1: its memory is damaged: $status"
}

# What it is asked again and again until it stops to answer; last_status GUEST
# is the last that it said.  For moves by restart: how far its disk had come.
witness_start()
{
	(
		trap 'exit 0' TERM
		while :; do
			lab ask "$1" status 2 >"$WORK/witness.$1.new" 2>&1 &&
				[[ -s $WORK/witness.$1.new ]] &&
				mv "$WORK/witness.$1.new" "$WORK/witness.$1"
			sleep 0.2
		done
	) &
	WITNESS=$!
	PIDS+=("$WITNESS")
	wait_for 30 "a word of $1" test -s "$WORK/witness.$1"
}

witness_stop()
{
	kill -TERM "$WITNESS"
	wait "$WITNESS" 2>/dev/null || true
}

# ---- images ----

# Names of what is in a host's local pool, on one line.
images_of()
{
	lab images "$1" | awk '{ print $1 }' | sort | paste -s -d ' '
}

# expect_images HOST "NAME NAME...": that, and nothing else
expect_images()
{
	local have want
	want=$(tr ' ' '\n' <<<"$2" | sed '/^$/d' | sort | paste -s -d ' ')
	have=$(images_of "$1")
	[[ $have == "$want" ]] ||
		fail "images on $1: '$have', expected '$want'"
}

has_images()
{
	[[ $(images_of "$1") == "$(tr ' ' '\n' <<<"$2" | sed '/^$/d' | sort |
		paste -s -d ' ')" ]]
}

# image_figure HOST NAME KEY: of `lab images`
image_figure()
{
	value "$3" "$(lab images "$1" | grep "^$2 ")"
}

# ---- webhooks ----

# received TYPE [JQ-CONDITION]: how many different ids of this type came
received()
{
	jq -r --arg t "drover.$1" "select(.type == \$t and .code == 200) |
		.body |= fromjson | select(${2:-true}) | .id" "$WORK/webhooks" 2>/dev/null |
		sort -u | wc -l
}

has_received()
{
	(($(received "$2" "${3:-true}") >= $1))
}

# expect_received N TYPE [CONDITION]: exactly N, all signed well
expect_received()
{
	wait_for 30 "$1 $2" has_received "$1" "$2" "${3:-true}"
	[[ $(received "$2" "${3:-true}") == "$1" ]] ||
		fail "$(received "$2" "${3:-true}") of $2, expected $1"
	[[ $(jq -r 'select(.signature_ok == false) | .id' \
		"$WORK/webhooks" | wc -l) == 0 ]] ||
		fail "a signature is wrong"
}

#!/bin/bash
# What operators see and do of webhooks, end to end: droverd without hosts, a
# receiver that is down, refuses, is gone or fine, and droverctl notify.  The
# events are those of refused reloads.
#
# Runs in a network namespace of its own, so that its port is free; all that it
# starts is ended by its process id.  Run by `make check`, which sets
# top_srcdir and top_builddir.

set -uo pipefail

self=$(readlink -f "$0")
src=${top_srcdir:-$(cd "$(dirname "$self")/../.." && pwd)}
build=$(readlink -f "${top_builddir:-.}")
if [[ ${1:-} != inside ]]; then
	if ! unshare --net true 2>/dev/null; then
		echo "1..0 # SKIP needs root for a network namespace"
		exit 77
	fi
	exec unshare --net -- "$self" inside
fi
ip link set lo up

work=$(mktemp -d)
daemon='' answerer='' status=0
key=kEyOfTheUrl123
path=/services/T00000042/$key
seen=$work/seen # all that was shown
export DROVER_SOCKET=$work/sock

# shellcheck disable=SC2317  # by the trap
finish()
{
	local rc=$?
	trap - EXIT
	((rc == 0)) || status=1
	for pid in $answerer $daemon; do
		kill -9 "$pid"
		wait "$pid"
	done 2>/dev/null
	((status == 0)) || sed 's/^/# /' "$work/log" "$work/received" 2>/dev/null
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

is() # WHAT CMD...: a test
{
	local what=$1
	shift
	if "$@"; then
		echo "ok - $what"
	else
		echo "not ok - $what"
		sed 's/^/#   /' "$work/out" 2>/dev/null
		status=1
	fi
}

until_true() # CMD...: waits for it, or fails
{
	local deadline=$((SECONDS + 30))
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

ctl() # what it prints is in $work/out, and judged for secrets at the end
{
	local rc=0
	"$build/droverctl" "$@" >"$work/out" 2>&1 || rc=$?
	cat "$work/out" >>"$seen"
	return "$rc"
}

says() # TEXT: it is in what was printed
{
	grep -qF -- "$1" "$work/out"
}

# shows FILTER COMMAND...: jq's filter is true of what a command says in JSON
shows()
{
	local filter=$1
	shift
	ctl "$@" -o json && jq -e "$filter" "$work/out" >/dev/null
}

behave() # CODE TEXT
{
	printf '%s\n' "$*" >"$work/behave.new"
	mv "$work/behave.new" "$work/behave"
}

answerer_start()
{
	"$src/tests/notify/answerer" 8080 "$work/behave" "$work/received" \
		</dev/null >>"$work/answerer" 2>&1 &
	answerer=$!
	until_true bash -c ': <>/dev/tcp/127.0.0.1/8080' 2>/dev/null
}

answerer_stop()
{
	kill "$answerer"
	wait "$answerer" 2>/dev/null
	answerer=
}

configure() # LINE...
{
	printf '%s\n' "version: 1" "site: here" "state_dir: $work/state" \
		"socket: $work/sock" 'socket_group: ""' "$@" >"$work/drover.yaml"
}

receiver="receivers: [ { name: ops, type: cloudevents, secret_file: $work/secret,
    url: 'http://127.0.0.1:8080$path' } ]"

# One event: a reload that is refused.
make_event()
{
	configure "$receiver" "unknwon: 1"
	ctl reload
	(($? == 6)) || return 1
	configure "$receiver"
}

received() # FILTER: a request that the receiver got
{
	jq -se "map(select($1)) | length > 0" "$work/received" >/dev/null 2>&1
}

queued() # STATE COUNT
{
	shows ".receivers[0].$1 == $2" notify list
}

lacks() # TEXT FILE...
{
	! grep -F -- "$@"
}

# ---- begin

(umask 077 && echo "whsec_$(head -c 32 /dev/urandom | base64 -w 0)" \
	>"$work/secret")
behave 200 fine
: >"$work/received"
answerer_start || exit 1
configure "$receiver"
"$build/droverd" -v -c "$work/drover.yaml" </dev/null >"$work/log" 2>&1 &
daemon=$!
until_true ctl status || exit 1

is "a receiver that nothing happened to is ok" \
	shows '.receivers[0] | .name == "ops" and .state == "ok" and .pending == 0' \
	notify list
is "a test reaches it" ctl notify test ops
is "... and says so" says "ops: HTTP 200 in "
is "... signed, at its path" received \
	".signed and .path == \"$path\" and .type == \"drover.test\""
is "... from this site" received '.source == "/drover/here"'
is "a sample of any event reaches it" ctl notify test ops \
	--event drain.completed
is "... as that" received '.type == "drover.drain.completed"'
ctl notify test ops --event drain.finished
is "... if there is such an event" test $? == 1
ctl notify test nobody
is "a test of nobody fails" test $? == 1
is "... and says who is not there" says 'there is no receiver "nobody"'

# ---- it is down

answerer_stop
make_event || exit 1
is "an event waits for a receiver that is down" until_true shows \
	'.deliveries[0] | .event == "config.rejected" and .attempts > 0' \
	notify queue ops
id=$(jq '.deliveries[0].id' "$work/out")
webhook=$(jq -r '.deliveries[0].webhook_id' "$work/out")
is "... and the queue says why" shows \
	'.deliveries[0].why | test("connect")' notify queue
is "it is being retried" shows '.receivers[0].state == "retrying"' notify list
ctl status
is "status says what waits" says "ops (cloudevents): 1 event waits since "
is "... and what shows more" says "; droverctl notify show $id"
ctl notify test ops
is "a test of it fails" test $? == 1
is "... and says what to do" says "nobody takes the connection: is it running"

# ---- it refuses

behave 400 "no hook $key at PATH"
answerer_start || exit 1
is "an event that is refused becomes a dead letter" until_true queued dead 1
is "it is listed" shows ".deliveries | length == 1 and .[0].id == $id" \
	notify queue --dead
is "its last attempt is shown" shows \
	'.state == "dead" and .log[0].code == 400 and .log[-1].error != null' \
	notify show "$id"
is "... with what was answered, but for the secrets" shows \
	'.log[0].answer == "no hook [secret] at [secret]"' notify show "$id"
is "... and the event" shows '.body.type == "drover.config.rejected"' \
	notify show "$id"
ctl status
is "status tells of the dead letter" says \
	"ops (cloudevents): 1 dead letter: droverctl notify show $id"
is "the log has it" shows \
	'.attempts[0] | .code == 400 and .receiver == "ops"' notify log ops

# ---- again

behave 204
is "it is delivered again" ctl notify replay "$id"
is "... under the same webhook-id" until_true received \
	".id == \"$webhook\" and .code == 204"
is "... and is no dead letter any more" until_true shows \
	'.state == "delivered" and .attempts == 1' notify show "$id"
ctl notify drop "$id"
is "what was delivered cannot be dropped" test $? == 1

# ---- no more

behave 503 "later PATH"
make_event || exit 1
until_true shows '.deliveries[0].attempts > 0' notify queue || exit 1
id=$(jq '.deliveries[0].id' "$work/out")
is "what waits can be dropped" ctl notify drop "$id"
is "... and says who did it" shows \
	'.state == "dead" and (.why | startswith("dropped by uid 0 (pid "))' \
	notify show "$id"
is "a dead letter is deleted" ctl notify drop "$id"
ctl notify show "$id"
is "... and gone" test $? == 1

make_event && make_event || exit 1
ctl notify drop --pending ops
is "all that waits is dropped at a word" says \
	"ops: 2 events dropped, they are dead letters now"
behave 200
ctl notify replay --dead ops
is "all dead letters are sent again at a word" says \
	"ops: 2 dead letters are sent again"
is "... and arrive" until_true shows \
	'.receivers[0] | .pending == 0 and .dead == 0 and .state == "ok"' \
	notify list

# ---- it is gone

behave 410 "PATH is gone"
make_event || exit 1
is "a receiver that says that it is gone is disabled" until_true shows \
	'.receivers[0] | .state == "disabled" and .pending > 0' notify list
ctl notify drop --pending ops
behave 200
is "a word enables it" ctl notify replay --dead ops
is "... and what it was owed arrives" until_true shows \
	'.receivers[0] | .state == "ok" and .pending == 0 and .dead == 0' \
	notify list

# ---- figures

curl -s --unix-socket "$work/sock" http://drover/metrics >"$work/out"
cat "$work/out" >>"$seen"
is "attempts are counted" grep -qE \
	'^drover_delivery_attempts_total\{receiver="ops",code="4xx"\} [1-9]' \
	"$work/out"
is "latency is a histogram" grep -qE \
	'^drover_delivery_latency_seconds_count\{receiver="ops"\} [1-9]' \
	"$work/out"
is "the receiver is up" grep -q '^drover_receiver_up{receiver="ops"} 1$' \
	"$work/out"

# ---- it left the configuration

behave 503 "later PATH"
make_event || exit 1
configure
ctl reload || exit 1
is "what is owed to a receiver that left is kept" shows \
	'.receivers[0] | .state == "not-configured" and .pending > 0' notify list
is "... until it is dropped" ctl notify drop --pending ops
is "... and deleted" ctl notify drop --dead ops
is "... then nobody is left" shows '.receivers == []' notify list
configure "$receiver"
behave 200
ctl reload || exit 1

# ---- secrets

ctl status -o json
ctl notify log -n 1000 -o json
ctl notify log
ctl event list -o json
for state in pending delivered dead; do
	curl -s --unix-socket "$work/sock" \
		"http://drover/v1/deliveries?state=$state&max=1000" >>"$seen"
done
for id in $(curl -s --unix-socket "$work/sock" \
    'http://drover/v1/deliveries?max=1000' | jq '.deliveries[].id'); do
	ctl notify show "$id" -o json
done

# ---- it ends while somebody waits

behave 0
"$build/droverctl" notify test ops >"$work/waits" 2>&1 &
waits=$!
is "a test waits for its answer" until_true received '.code == 0'
kill "$daemon"
wait "$daemon"
is "droverd ends well meanwhile" test $? == 0
daemon=
wait "$waits"
is "... and who waited is not told that it went well" test $? != 0
rm -f "$work/out"
is "what is searched for secrets is there" test -s "$seen" -a -s "$work/log"
is "no URL was shown" lacks "$key" "$seen"
is "no URL was logged" lacks "$key" "$work/log"
is "no path was shown or logged" lacks /services "$seen" "$work/log"
is "no secret was shown or logged" lacks "$(cut -c 7- "$work/secret")" \
	"$seen" "$work/log"
for what in "delivery 1 again" "delivery 2 dropped" "delivery 2 deleted" \
    "what is pending (2 of 2) dropped" "its dead letters again (2 of 2)" \
    "what is dead (1 of 1) deleted" "tried with test"; do
	is "it is logged who said it: $what" grep -qF \
		"notify: receiver ops: $what, by uid 0 (pid " "$work/log"
done

# shellcheck shell=bash
# Receivers that answer late, never, half, in drips, without end, with redirects
# and absurd waits, with garbage and resets, and one whose name no server tells:
# they delay no move, take no memory and hold no end up.  Once they behave all
# that should arrive arrives, and nothing twice.
MOVES=4

# Those that are to get everything; those that refuse for good; those that were
# heard to ask for aeons, and get them cut.
hostile="late 8001 slow 0.7
never 8002 hang
half 8003 half
drip 8004 drip
huge 8005 huge
negative 8006 retry -5
soon 8007 retry soon, perhaps
past 8008 retry Thu, 01 Jan 1970 00:00:00 GMT
garbage 8009/tls garbage
resets 8010 reset
unnamed 8011 ok"
refusing="redirect 8012 redirect"
patient="aeons 8013 429 999999999999
future 8014 retry Fri, 31 Dec 9999 23:59:59 GMT"

everyone=$hostile$'\n'$refusing$'\n'$patient

names_of() { awk '{ print $1 }' <<<"$1"; }

behave() # NAME BEHAVIOUR...
{
	printf '%s\n' "${*:2}" >"$WORK/hostile.$1.new"
	mv "$WORK/hostile.$1.new" "$WORK/hostile.$1"
}

hostile_start()
{
	local name port how host scheme options=()
	mkdir "$WORK/certs"
	printf 'cn = hooks.test\nip_address = %s\nexpiration_days = 2\nca\n' \
		"$HUB" >"$WORK/certs/template"
	certtool --generate-privkey --ecc --outfile "$WORK/certs/key" \
		2>/dev/null
	certtool --generate-self-signed --load-privkey "$WORK/certs/key" \
		--template "$WORK/certs/template" \
		--outfile "$WORK/certs/ca-certificates.crt" 2>/dev/null
	cat "$WORK/certs/ca-certificates.crt" "$WORK/certs/key" \
		>"$WORK/certs/both"
	while read -r name port how; do
		options+=(--also "$name=$port")
		behave "$name" "$how"
		host=$HUB scheme=http
		[[ $name != unnamed ]] || host=hooks.test
		[[ $port != */tls ]] || scheme=https
		cat <<-END >>"$WORK/receivers"
		  - { name: $name, type: cloudevents, events: [ move.* ],
		      url: "$scheme://$host:${port%/*}/T0KEN", timeout: 3s,
		      secret_file: $WORK/secret }
		END
	done <<<"$everyone"
	behave dns hang
	"$LAB_DIR/lab" -n "$LAB_NAME" exec "$LAB_DIR/receiver" --dns \
		--listen "$HUB:8099" --secret-file "$WORK/secret" \
		--log "$WORK/heard" --control "$WORK/hostile" \
		--certificate "$WORK/certs/both" "${options[@]}" \
		>"$WORK/hostile.out" 2>&1 &
	PIDS+=($!)
	wait_for 10 "the hostile receivers" test -s "$WORK/hostile.out"
}

# droverd without sanitizers, since its memory is looked at; its name server is
# the lab's, and so is the authority of the system that it trusts.
droverd_in_a_corner()
{
	mkdir -p /etc/ssl/certs
	[[ -e /etc/resolv.conf ]] || : >/etc/resolv.conf
	printf 'nameserver %s\noptions timeout:30 attempts:3\n' "$HUB" \
		>"$WORK/resolv.conf"
	cat >"$WORK/droverd" <<-END
	#!/bin/bash
	exec unshare --mount --propagation private -- bash -c '
		mount --bind "$WORK/resolv.conf" /etc/resolv.conf &&
		mount --bind "$WORK/certs" /etc/ssl/certs &&
		exec "\$0" "\$@"' "$BUILD/droverd" "\$@"
	END
	chmod +x "$WORK/droverd"
	DROVERD=$WORK/droverd
}

receiver_says() # NAME KEY
{
	ctl -o json status | jq -r --arg n "$1" --arg k "$2" \
		'.receivers[] | select(.name == $n) | .[$k]'
}

says() # NAME KEY VALUE
{
	[[ $(receiver_says "$1" "$2") == "$3" ]]
}

memory_peak()
{
	awk '/^VmHWM/ { print $2 }' "/proc/$DROVERD_PID/status"
}

# Moves the guest to the other host and back, and prints how long each took.
move_about() # MOVES
{
	local i to
	for ((i = 0; i < $1; i++)); do
		to=kvm2
		[[ $(running_on g1) == kvm1 ]] || to=kvm1
		ctl vm move g1 --to "$to" >/dev/null || fail "no move" >&2
		api '/v1/moves?max=1' | jq '.moves[0].duration_ms'
	done
}

median()
{
	sort -n | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}

# ids_of LOG CONDITION: one line for each request
ids_of()
{
	[[ ! -e $1 ]] || jq -r "select(.signature_ok and ($2)) | .id" "$1"
}

accepted_by() { ids_of "$WORK/heard.$1" '.code == 200'; }

got_all() # NAME
{
	[[ -z $(comm -3 <(accepted_by "$1" | sort -u) "$WORK/ids") ]]
}

fixture 2
hostile_start
droverd_in_a_corner
lab guest g1 >/dev/null
droverd_start
droverd_up 2
move_about 1 >/dev/null
before=$(move_about $MOVES | median)
peak_before=$(memory_peak)
wait_for 20 "the good receiver to have everything" says ops pending 0
known=$(wc -l <"$WORK/webhooks")

write_config 2 "$(<"$WORK/receivers")"
ctl reload >/dev/null
move_about 1 >/dev/null
after=$(move_about $MOVES | median)
peak_after=$(memory_peak)
say "median of a move: $before ms without them, $after ms with them"
say "memory: $peak_before KiB, then $peak_after KiB"
((after < before * 2)) || fail "moves take longer: $before ms, then $after ms"
case_ok "moves take as long as without them"

# each was tried, and is what it should be
for name in $(names_of "$everyone"); do
	[[ $name == garbage || $name == unnamed ]] ||
		[[ -n $(ids_of "$WORK/heard.$name" true) ]] ||
		fail "$name was not tried"
done
says garbage last_error "what answers there does not speak TLS" ||
	fail "garbage: $(receiver_says garbage last_error)"
says unnamed last_error "Timeout was reached looking its name up" ||
	fail "unnamed: $(receiver_says unnamed last_error)"
((peak_after < peak_before + 16384)) ||
	fail "memory grew from $peak_before to $peak_after KiB"
case_ok "memory stays bounded"
! grep -q T0KEN "$WORK/droverd.log" || fail "a URL is in the log"

# what hangs holds no end up, and what waits survives it; one who has an event
# and did not say so yet would get it again
wait_for 20 "the late one to have everything" says late pending 0
droverd_stop
droverd_start
droverd_up 2
case_ok "an end waits for none of them"

while read -r name _; do
	behave "$name" ok
done <<<"$everyone"$'\ndns'
ctl reload >/dev/null
wait_for 20 "the good receiver to have everything" says ops pending 0
tail -n "+$((known + 1))" "$WORK/webhooks" >"$WORK/good"
ids_of "$WORK/good" '.code == 200 and (.type | startswith("drover.move."))' |
	sort -u >"$WORK/ids"
(($(wc -l <"$WORK/ids") >= 2 * MOVES)) || fail "too few events: $(<"$WORK/ids")"
for name in $(names_of "$hostile"); do
	wait_for 60 "everything at $name" got_all "$name"
	wait_for 10 "the end of $name" says "$name" pending 0
	says "$name" dead 0 || fail "$name: something was given up"
done
case_ok "everything arrives once they behave"

# a redirect is a refusal: a dead letter at once, not followed and not repeated
ids_of "$WORK/heard.redirect" '.code == 301' | sort >"$WORK/refused"
[[ -s $WORK/refused && -z $(uniq -d "$WORK/refused") ]] ||
	fail "redirected more than once: $(<"$WORK/refused")"
says redirect dead "$(wc -l <"$WORK/refused")" || fail "redirect: no dead letters"
[[ -z $(comm -3 <(accepted_by redirect | sort - "$WORK/refused") "$WORK/ids") ]] ||
	fail "redirect: something was lost"

# nobody can put an event off for longer than ten minutes, and none is lost
for name in $(names_of "$patient"); do
	left=$(($(wc -l <"$WORK/ids") - $(accepted_by "$name" | wc -l)))
	wait_for 10 "$name, which has $left to wait" says "$name" pending "$left"
	says "$name" dead 0 || fail "$name: something was given up"
	due=$(sqlite3 -readonly "$WORK/state/drover.db" "SELECT MAX(next)
		FROM outbox WHERE receiver = '$name' AND state = 0")
	((${due:-0} <= ($(date +%s) + 600) * 1000)) ||
		fail "$name: the next attempt is at $due"
done

for name in $(names_of "$everyone"); do
	twice=$(accepted_by "$name" | sort | uniq -d)
	[[ -z $twice ]] || fail "$name got twice: $twice"
done
case_ok "nothing arrives twice"
expect_on g1 "$(running_on g1)"
expect_healthy g1
droverd_stop

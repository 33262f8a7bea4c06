# shellcheck shell=bash
# Words for tests of the strategies and of faults in the middle of moves.
#
# A guest's name begins with how it is to move:
#
#	ls*  live-shared    lc*  live-copy    rs*  restart, disks shared
#	                                      rl*  restart, disks local
#
# so that one fault can hit all of them in flight.

# strategy_policy STRATEGY [WITH [SELECT]]: a drain knows this one only; more in
# YAML's flow style: strategy_policy restart 'shutdown: { repeat: 2s }'
strategy_policy()
{
	cat >"$WORK/policies.d/10-maintenance.yaml" <<-YAML
	version: 1
	policies:
	  - name: maintenance
	    mode: auto
	    when: { host: maintenance }
	    select: { except: [ ]${3:+, $3} }
	    with: { strategies: [ $1 ]${2:+, $2} }
	    on_failure: { retries: ${RETRIES:-6}, backoff: 1s }
	YAML
}

strategy_of()	# GUEST
{
	case $1 in
	ls*) echo live-shared ;;
	lc*) echo live-copy ;;
	rs* | rl*) echo restart ;;
	*) fail "no strategy for $1" ;;
	esac
}

# strategy_guests [-m MiB] [-l SECONDS] NAME...: small ones, all made at once.
# The local disks hold -m of data (24); those that are restarted take -l from
# the power button to their end, so that there is a middle (0).
strategy_guests()
{
	local guest pid mib=24 linger=0 option OPTIND=1
	local -a pids=()
	while getopts m:l: option; do
		case $option in
		m) mib=$OPTARG ;;
		l) linger=$OPTARG ;;
		*) return 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	for guest in "$@"; do
		case $guest in
		lc* | rl*)
			lab guest "$guest" --local --format qcow2 --disk 256M \
				--allocate "${mib}M" --linger "$linger" \
				>/dev/null &
			;;
		*) lab guest "$guest" --linger "$linger" >/dev/null & ;;
		esac
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for guest in "$@"; do
		remember "$guest"
	done
}

# ---- what a guest said before, and whether it goes on from there ----

declare -A SAID=()

remember()	# GUEST
{
	SAID[$1]=$(lab ask "$1" status)
	[[ -n ${SAID[$1]} ]] || fail "$1 does not answer"
}

boots()		# GUEST: since it was remembered
{
	local now
	wait_for 90 "$1 to answer" lab ask "$1" status >&2
	now=$(lab ask "$1" status)
	echo $(($(value boot "$now") - $(value boot "${SAID[$1]}")))
}

# expect_goes_on GUEST: what a live move promises (not noticed), or a restart
# (booted anew, its disks go on); what was on its disk is there
expect_goes_on()
{
	local n
	n=$(boots "$1")
	if ((n == 0)); then
		[[ $(lab ask "$1" status) == *" backwards=0 "* ]] ||
			fail "$1: its counter went back"
		expect_disks "$1"
	elif [[ $(strategy_of "$1") == restart ]]; then
		expect_restarted "$1" "${SAID[$1]}" "$n"
	else
		fail "$1: a live move has booted it anew"
	fi
	case $1 in
	lc* | rl*) expect_filled "$1" ;;
	esac
}

expect_disks()	# GUEST
{
	local status verify
	status=$(lab ask "$1" status)
	verify=$(lab ask "$1" verify)
	[[ $(value stale_words "$status") == 0 ]] ||
		fail "$1: its memory is damaged: $status"
	[[ $(value disk_errors "$status") == 0 &&
		$(value verify "$verify") == ok ]] ||
		fail "$1: its disk is damaged: $status, $verify"
}

# ---- nothing is left behind ----

# Volumes of a host's pool that Drover keeps for a while, by name.
kept_on()	# HOST [POOL]
{
	api "/v1/hosts/$1" | jq -r --arg p "${2:-local}" \
		'.kept[] | select(.pool == $p) | .volume' | sort
}

# Images that the domains defined on a host use in a pool, with those below.
used_on()	# HOST POOL
{
	local guest path dir
	dir=$(lab virsh "$1" pool-dumpxml "$2" |
		sed -n 's,.*<path>\(.*\)</path>.*,\1,p')
	lab virsh "$1" list --all --name | while read -r guest; do
		[[ -n $guest ]] || continue
		{
			lab virsh "$1" domblklist --details "$guest"
			lab virsh "$1" domblklist --details --inactive "$guest"
		} | awk '$2 == "disk" { print $4 }'
	done | sort -u | while read -r path; do
		# a layer or a backing image of the chain lies here or elsewhere
		lab host "$1" qemu-img info -U --backing-chain --output=json \
			"$path" | jq -r '.[].filename'
	done | sort -u | while read -r path; do
		[[ ${path%/*} != "$dir" ]] || echo "${path##*/}"
	done
}

# Whatever else there is was forgotten; whatever is missing was lost.  BYSTANDER
# is the name of an image that is nobody's business.
expect_no_orphans()
{
	local host have want
	for host in $(api /v1/hosts | jq -r '.hosts[].name'); do
		have=$(lab images "$host" | awk '{ print $1 }' | sort -u |
			grep -vxF "${BYSTANDER:-none}" || true)
		want=$({ used_on "$host" local; kept_on "$host"; } | sort -u |
			grep -vxF "${BYSTANDER:-none}" || true)
		[[ $have == "$want" ]] ||
			fail "images on $host: $have; used or kept: $want"
	done
	have=$(lab images kvm1 shared | awk '{ print $1 }' | sort -u)
	want=$(for host in $(api /v1/hosts | jq -r '.hosts[].name'); do
		used_on "$host" shared
	done | sort -u)
	[[ $have == "$want" ]] ||
		fail "images in the shared pool: $have; used: $want"
}

# expect_whole GUEST HOST: it runs there, once, is known to no other host, and
# goes on
expect_whole()
{
	expect_on "$1" "$2"
	expect_defined "$1" "$2"
	expect_goes_on "$1"
}

# ---- moves ----

# The newest, of all guests or of one, as JSON.  (No head: what feeds it would
# end by SIGPIPE, and that is a failure here.)
newest_move()	# [GUEST]
{
	moves | jq -s -c --arg g "${1:-}" \
		'map(select($g == "" or .vm == $g)) | .[0] // empty'
}

no_move_open()
{
	local open
	# no answer is not "none"
	open=$(api '/v1/moves?open=1&max=10' 2>/dev/null |
		jq -r '.moves[].vm') && [[ -z $open ]]
}

wait_settled()	# [SECONDS]
{
	wait_for "${1:-180}" "the end of all moves" no_move_open
}

# Each move began once and ended once, as receivers heard it.
expect_all_told()
{
	local id outcome
	while read -r id outcome; do
		[[ $outcome != stuck ]] || fail "move $id is stuck: $(
			ctl move show "$id")"
		expect_received 1 move.started ".body.data.move == $id"
		wait_for 30 "the event of move $id ($outcome)" told "$id"
		(($(ends_told "$id") == 1)) ||
			fail "the end of move $id is told $(ends_told "$id") times"
	done < <(moves | jq -r '"\(.id) \(.outcome)"')
}

ends_told()	# MOVE
{
	jq -r "select(.code == 200) | .type as \$t | .body |= fromjson |
		select((\$t == \"drover.move.completed\" or
		\$t == \"drover.move.failed\" or
		\$t == \"drover.move.rolled_back\") and
		.body.data.move == $1) | .id" "$WORK/webhooks" | sort -u | wc -l
}

told()
{
	(($(ends_told "$1") >= 1))
}

# expect_move GUEST CONDITION: of its newest move, in jq's words
expect_move()
{
	newest_move "$1" | jq -e "$2" >/dev/null ||
		fail "$1: not $2: $(newest_move "$1")"
}

move_of()	# GUEST: the id of its newest move
{
	newest_move "$1" | jq -r .id
}

# has_step GUEST KIND STEP: the journal of its newest move has come to there
has_step()
{
	local id
	id=$(move_of "$1")
	[[ -n $id ]] && ctl -o json move show "$id" | jq -e --arg k "$2" \
		--arg s "$3" 'any(.journal[]; .kind == $k and .step == $s)'
}

# under_way GUEST: the step that takes its time has begun
under_way()
{
	case $1 in
	ls* | lc*) has_step "$1" intent perform ;;
	rs*) has_step "$1" intent shutdown ;;
	rl*) has_step "$1" intent copy ;;
	esac
}

# all_under_way GUEST...: waits until they are, and fails when one is through
# already: then the test would test nothing
all_under_way()
{
	local guest open
	for guest in "$@"; do
		wait_for 60 "$guest on its way" under_way "$guest"
	done
	open=$(api '/v1/moves?open=1&max=100' | jq -r '.moves[].vm' | sort)
	[[ $open == "$(printf '%s\n' "$@" | sort)" ]] ||
		fail "not all of $* are on their way: $open"
}

# begin_moves GUEST...: each by its strategy, to kvm2
begin_moves()
{
	local guest
	for guest in "$@"; do
		wait_for 60 "$guest to be movable" can_move_to "$guest" kvm2
	done
	for guest in "$@"; do
		ctl vm move "$guest" --to kvm2 --no-wait \
			--strategy "$(strategy_of "$guest")"
	done
}

# expect_after_fault GUEST...: each has moved, or has been taken back, by itself,
# is whole, and has left nothing; what has been taken back can go now
expect_after_fault()
{
	local guest outcome
	wait_settled
	for guest in "$@"; do
		outcome=$(newest_move "$guest" | jq -r .outcome)
		say "$guest: $outcome"
		case $outcome in
		completed) expect_whole "$guest" kvm2 ;;
		failed | rolled-back) expect_whole "$guest" kvm1 ;;
		*) fail "$guest: $(ctl move show "$(move_of "$guest")")" ;;
		esac
		case_ok "$(strategy_of "$guest"), ${guest%[0-9]}: $outcome"
	done
	expect_no_orphans
	expect_all_told
	for guest in "$@"; do
		[[ $(running_on "$guest") != kvm2 ]] || continue
		wait_for 60 "$guest to be movable" can_move_to "$guest" kvm2
		ctl vm move "$guest" --to kvm2 \
			--strategy "$(strategy_of "$guest")"
		expect_whole "$guest" kvm2
	done
	expect_no_orphans
}

off_at_source()	# GUEST [HOST]
{
	[[ $(lab virsh "${2:-kvm1}" domstate "$1") == "shut off" ]]
}

# ---- kill -9 at every journal record ----

# The daemon kills itself after its N-th entry; see --enable-fault-injection.
droverd_start_doomed()	# N
{
	export DROVER_KILL_AT_JOURNAL=$1
	droverd_launch
	unset DROVER_KILL_AT_JOURNAL
}

# need_fault_injection: or the test can't fail
need_fault_injection()
{
	grep -qa DROVER_KILL_AT_JOURNAL "$DROVERD" ||
		fail "$DROVERD was built without --enable-fault-injection"
}

gone_or_settled()
{
	droverd_gone || { no_move_open && (($(moves | wc -l) > MOVES_BEFORE)); }
}

# kill_at_every_record GUEST AT-LEAST: from kvm1 to kvm2 and back, until a move
# has no N-th record any more; there must have been so many
kill_at_every_record()
{
	local guest=$1 least=$2 n at=kvm1 to outcome strategy
	strategy=$(strategy_of "$guest")
	for ((n = 1; n <= 80; n++)); do
		to=kvm2
		[[ $at == kvm1 ]] || to=kvm1
		remember "$guest"
		droverd_start_doomed "$n"
		wait_for 20 "droverd's socket" ctl status
		droverd_up 2
		wait_for 30 "$guest to be movable" can_move_to "$guest" "$to"
		MOVES_BEFORE=$(moves | wc -l)
		ctl vm move "$guest" --to "$to" --strategy "$strategy" \
			--no-wait >"$WORK/out" 2>&1 ||
			wait_for 5 "the daemon's end" droverd_gone
		wait_for 120 "record $n" gone_or_settled
		if ! droverd_gone; then
			# it has ended before its n-th record
			droverd_stop
			case_ok "$strategy, at each of $((n - 1)) records"
			break
		fi
		wait "$DROVERD_PID" 2>/dev/null || true
		droverd_start
		droverd_up 2
		wait_settled 150
		outcome=$(newest_move | jq -r .outcome)
		[[ $outcome == completed ]] || to=$at
		say "record $n: $outcome"
		expect_whole "$guest" "$to"
		expect_no_orphans
		expect_all_told
		droverd_stop
		at=$to
	done
	((n > least)) || fail "only $((n - 1)) records"
}

can_move_to()
{
	[[ $(ctl -o json vm move "$1" --to "$2" --strategy \
		"$(strategy_of "$1")" --dry-run | jq -r .to) == "$2" ]]
}

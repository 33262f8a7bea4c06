# shellcheck shell=bash
# A guest that goes while its dirty rate is measured: the measuring ends with
# an unknown rate, and nothing of what libvirt answered is kept.
fixture 1
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
# the one that is checked for leaks
PROBE=${DROVERD%/*}/hvprobe
[[ -x $PROBE ]] || make -s -C "${DROVERD%/*}" hvprobe
lab guest g1 >/dev/null
uuid=$(uuid_of g1)
probe_open
probe_tell up kvm1
probe_tell survey "$uuid" kvm1 4000
probe_pid() # below what brings it into the lab
{
	local pid=$PROBE_PID child
	while child=$(pgrep -P "$pid"); do
		pid=$child
	done
	echo "$pid"
}
measuring()
{
	lab virsh kvm1 domstats --dirtyrate g1 | among 'calc_status=1'
}
wait_for 30 "the dirty rate to be measured" measuring
# between two looks: it goes in one step, as after a migration
kill -STOP "$(probe_pid)"
lab virsh kvm1 undefine g1
lab virsh kvm1 destroy g1
kill -CONT "$(probe_pid)"
probe_tell sync
probe_close || fail "$(cat "$WORK/probe")"
! probe_says 'LeakSanitizer' || fail "$(cat "$WORK/probe")"
expect_says 'dirty-rate -1'

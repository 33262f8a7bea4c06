# shellcheck shell=bash
# The pressure of a host is what its kernel says.  While it is read there is a
# pool at the host, and then none: not when droverd ends, not when a killed one
# left it.  A host that does not tell is said so once.
fixture 1 "pressure: true"
sed -i 's/^sample_interval: .*/sample_interval: 1s/' "$WORK/drover.yaml"

pressure()	# NAME: as the daemon has it; empty: unknown
{
	ctl -o json host show kvm1 | jq -r ".$1 // empty"
}
is_known()
{
	[[ -n $(pressure psi_cpu) && -n $(pressure psi_memory) &&
		-n $(pressure psi_io) ]]
}
has_no_pool()
{
	! lab virsh kvm1 pool-list --all | among drover-state
}
says()		# TEXT: how often the log does
{
	grep -c "$1" "$WORK/droverd.log" || :
}
has_said()
{
	(($(says "$1") > 0))
}
# The kernel's own figure is between two readings of it, give or take what it
# changed since droverd's last one.
is_as_the_kernel_says()
{
	local kernel
	kernel=$(lab host kvm1 sed -n 's/^some.* avg60=\([0-9.]*\).*/\1/p' \
		/proc/pressure/cpu)
	jq -en --argjson kernel "$kernel" --argjson ours "$(pressure psi_cpu)" \
		'($ours * 100 - $kernel) | fabs < 10'
}

droverd_start
droverd_up 1
wait_for 20 "the pressure" is_known
wait_for 10 "the kernel's figure" is_as_the_kernel_says
ctl host show kvm1 | among 'pressure on cpu' || fail "host show has none"
curl -s --unix-socket "$WORK/run/drover.sock" http://drover/metrics |
	among '^drover_host_pressure_ratio{host="kvm1",resource="io"} ' ||
	fail "no metric"
case_ok "it is what the kernel says"

wait_for 5 "a moment without a pool" has_no_pool
sleep 5
(($(says 'kvm1: pool drover-state') == 0)) || fail "the pool is told of"
[[ $(ctl -o json host show kvm1) != *drover-state* ]] || fail "it is listed"
droverd_stop
has_no_pool || fail "a pool is left after an orderly end"
case_ok "nothing stays"

lab host kvm1 mount -t tmpfs none /proc/pressure
droverd_start
droverd_up 1
wait_for 20 "the reason" has_said 'kvm1: its pressure is unknown: /proc/pressure'
sleep 5
(($(says 'its pressure is unknown') == 1)) || fail "it is said again and again"
! is_known || fail "it is known without being read"
lab host kvm1 umount /proc/pressure
wait_for 20 "the pressure" is_known
has_said 'its pressure is known again' || fail "that it is back is not said"
case_ok "that it cannot be read is said once"

droverd_kill
lab virsh kvm1 pool-create-as drover-state-pressure dir \
	--target /proc/pressure >/dev/null 2>&1 || :
! has_no_pool || fail "no pool to begin with"
sed -i '/^pressure:/d' "$WORK/drover.yaml"
droverd_start
droverd_up 1
wait_for 20 "what was left to go" has_no_pool
! is_known || fail "it is read though it is off"
droverd_stop
case_ok "what a killed daemon left goes, also where pressure is off now"

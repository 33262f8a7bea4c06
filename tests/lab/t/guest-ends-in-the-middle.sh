# shellcheck shell=bash
# seconds: 420
# The guest's owner shuts it down, or reboots it, while it is on its way.  Shut
# down it is off at one host and startable, with all that was on its disks;
# rebooted it runs at one host.
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 16MiB/s }'
quiet_guest()	# NAME OPTION...: so that a restart has a middle
{
	lab guest "$1" --no-acpi "${@:2}" >/dev/null &
	pids+=($!)
}
guests_up()
{
	local pid
	pids=()
	for g in "$@"; do
		case $g in
		rs*) quiet_guest "$g" ;;
		ls*) quiet_guest "$g" ;;
		*) quiet_guest "$g" --local --format qcow2 --disk 256M \
			--allocate 24M ;;
		esac
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for g in "$@"; do
		remember "$g"
	done
}
in_the_middle()	# WORD GUEST...: it says so itself
{
	local word=$1
	shift
	begin_moves "$@"
	for g in "$@"; do
		wait_for 60 "$g on its way" under_way "$g"
		lab ask "$g" "$word" || fail "$g does not answer"
	done
}

first=(ls1 lc1 rs1 rl1)
guests_up "${first[@]}"
droverd_start
droverd_up 2
in_the_middle poweroff "${first[@]}"
wait_settled
# rs1 had been asked by Drover: that it went off was no wish of its owner's
expect_whole rs1 kvm2
case_ok "shut down: restart, rs: as it was asked to"
for g in ls1 lc1 rl1; do
	[[ -z $(running_on "$g") ]] || fail "$g: $(lab where "$g")"
	# off, known to one host, and startable there
	mapfile -t at < <(lab where "$g" | awk '{ print $1 }')
	((${#at[@]} == 1)) || fail "$g: $(lab where "$g")"
	case $g in
	l*) [[ ${at[0]} == kvm1 ]] || fail "$g is off at ${at[0]}" ;;
	esac
	say "$g: $(newest_move "$g" | jq -r .outcome), off at ${at[0]}"
	lab virsh "${at[0]}" start "$g" >/dev/null
	wait_for 90 "$g" lab ask "$g" status
	expect_restarted "$g" "${SAID[$g]}"
	case $g in lc* | rl*) expect_filled "$g" ;; esac
	case_ok "shut down: $(strategy_of "$g"), ${g%1}"
done
expect_no_orphans
expect_all_told
for g in "${first[@]}"; do
	lab drop "$g"
done

second=(ls2 lc2 rs2 rl2)
guests_up "${second[@]}"
in_the_middle reboot "${second[@]}"
# a restart is off sooner when it does not have to wait for its owner's reboot
for g in rs2 rl2; do
	wait_for 120 "$g to be back" lab ask "$g" status
	lab virsh kvm1 domstate "$g" | among running &&
		ctl move abort "$(move_of "$g")"
done
wait_settled
for g in "${second[@]}"; do
	host=$(running_on "$g")
	[[ -n $host ]] || fail "$g runs nowhere: $(lab where "$g")"
	expect_on "$g" "$host"
	expect_defined "$g" "$host"
	expect_restarted "$g" "${SAID[$g]}" "$(boots "$g")"
	(($(boots "$g") >= 1)) || fail "$g did not reboot"
	case $g in lc* | rl*) expect_filled "$g" ;; esac
	case_ok "rebooted: $(strategy_of "$g"), ${g%2}"
done
expect_all_told
droverd_stop

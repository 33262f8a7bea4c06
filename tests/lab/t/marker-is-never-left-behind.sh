# shellcheck shell=bash
# Markers are in the pools of two hosts when something dies: droverd, or the
# libvirtd of one of them.  Whatever died, none is left when all are back.  One
# host is frozen meanwhile, so that the round of markers stands still, and makes
# its marker after its daemon has died.
fixture 2
sed -i 's/^storage: .*/storage: { proof: marker }/' "$WORK/drover.yaml"

in_store()
{
	sqlite3 "$WORK/state/drover.db" 'SELECT COUNT(*) FROM markers'
}

some_in_store()
{
	(($(in_store) > 0))
}

# as the file system has them, whatever libvirt believes
marker_files()
{
	{
		lab host "$1" find /var/lib/libvirt/images -name '.drover-marker-*'
		find "$(lab shared)" -name '.drover-marker-*'
	} | sort -u
}

has_marker()
{
	[[ -n $(marker_files "$1") ]]
}

all_gone()
{
	[[ $(in_store) == 0 && -z $(marker_files kvm1) &&
		-z $(marker_files kvm2) ]]
}

nobody_lists_one()
{
	local host pool
	for host in kvm1 kvm2; do
		for pool in local shared; do
			! lab virsh "$host" vol-list "$pool" |
				among drover-marker || return 1
		done
	done
}

# A guest appears on kvm1 and its pools matter, while kvm2 does not answer.
stop_in_the_middle() # GUEST
{
	lab freeze kvm2
	lab guest "$1" --local --no-wait >/dev/null
	wait_for 20 "a marker on kvm1" has_marker kvm1
	some_in_store || fail "a marker is there and the store knows nothing"
}

droverd_start
droverd_up 2
stop_in_the_middle g1
droverd_kill
lab thaw kvm2
has_marker kvm1 || fail "the marker went without anybody"
droverd_start
droverd_up 2
wait_for 60 "all markers to go after a kill" all_gone
wait_for 20 "the pools to be as they were" nobody_lists_one
case_ok "droverd killed"
droverd_stop

# The pools are forgotten by a new start, so that it asks again.
droverd_start
droverd_up 2
wait_for 20 "the first verdict" grep -q 'marker: kvm1/local' "$WORK/droverd.log"
lab freeze kvm2
lab kill kvm1
lab start kvm1
wait_for 40 "a marker on kvm1" has_marker kvm1
lab kill kvm1
lab thaw kvm2
has_marker kvm1 || fail "the marker went without anybody"
lab start kvm1
wait_for 60 "all markers to go after a lost host" all_gone
case_ok "libvirtd killed where the marker is"

lab freeze kvm2
lab kill kvm1
lab start kvm1
wait_for 40 "a marker on kvm1" has_marker kvm1
droverd_stop
[[ -z $(marker_files kvm1) ]] || fail "an orderly end left $(marker_files kvm1)"
lab thaw kvm2
droverd_start
droverd_up 2
wait_for 60 "all markers to go after an end" all_gone
case_ok "droverd ended in good order"
droverd_stop

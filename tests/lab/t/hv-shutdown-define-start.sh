# shellcheck shell=bash
# What a move by shutdown and start asks of hosts, one by one: a shutdown that
# the guest takes note of, a reboot that is noticed, a definition carried over
# with an edit, a start that may be repeated and that leaves a managed save
# alone; snapshots and managed saves in the listing.
fixture 2
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
lab guest g1 --format qcow2 >/dev/null
lab guest g2 --reboot-on-acpi >/dev/null
g1=$(uuid_of g1) g2=$(uuid_of g2)

say "shutdown and reboot"
probe_open
probe_tell up kvm1
probe_tell "shutdown $g1 kvm1 agent"
# calls may overtake one another, and one that is off has no agent to be asked
wait_says 60 'failed shutdown .*\[no-agent\]'
probe_tell "shutdown $g1 kvm1 acpi"
probe_tell "shutdown $g2 kvm1 acpi"
wait_says 60 'event g1 stopped \(shutdown\)'
wait_says 60 'event g2 rebooted'
probe_tell "shutdown $g1 kvm1 acpi"
probe_close && fail "a guest without an agent was asked by its agent"
expect_says 'failed shutdown .*\[no-agent\]'
[[ $(grep -c 'done shutdown' "$WORK/probe") == 3 ]] ||
	fail "one that is off is not off: $(grep shutdown "$WORK/probe")"
[[ $(lab virsh kvm1 domstate g2) == running ]] || fail "g2 does not run"

say "definition and start"
probe <<-END || { cat "$WORK/probe"; fail "not started"; }
	up kvm1
	up kvm2
	export $g1 kvm1 $WORK/g1.xml thin:vda
	sync
	define kvm2 $WORK/g1.xml
	sync
	define kvm2 $WORK/g1.xml
	start $g1 kvm2
	sync
	start $g1 kvm2
END
[[ $(disk_of kvm2 g1 vda --inactive) == *"detect_zeroes='unmap'"* ]] ||
	fail "not edited: $(disk_of kvm2 g1 vda --inactive)"
expect_on g1 kvm2
lab virsh kvm2 destroy g1 >/dev/null

say "snapshots and a managed save"
lab virsh kvm1 snapshot-create-as g1 s1 --disk-only --diskspec \
	vda,file="$WORK/overlay" >/dev/null 2>&1 ||
	lab virsh kvm1 snapshot-create-as g1 s1 >/dev/null ||
	fail "no snapshot"
lab virsh kvm1 managedsave g2 >/dev/null
probe <<-END && fail "a managed save was restored"
	up kvm1
	read $g1 kvm1
	read $g2 kvm1
	start $g2 kvm1
END
for what in "$g1 g1 .* snapshots=1 checkpoints=0 xml" \
    "$g2 g2 .* snapshots=0 checkpoints=0 saved xml"; do
	[[ $(grep -cE "domain $what" "$WORK/probe") == 2 ]] || {
		cat "$WORK/probe"
		fail "listed and read: $what"
	}
done
expect_says 'failed start .* conflict .*managed save'

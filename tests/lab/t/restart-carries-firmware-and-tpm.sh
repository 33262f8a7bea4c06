# shellcheck shell=bash
# What libvirt keeps of a guest beside its definition and its disks comes along
# in a restart, and does not stay behind: the variables of its firmware, the
# state of its TPM.
fixture 2
lab guest rs1 --nvram --tpm >/dev/null
uuid=$(lab virsh kvm1 domuuid rs1)
nvram=/var/lib/libvirt/qemu/nvram/rs1_VARS.fd
state=/var/lib/libvirt/swtpm/${uuid//[[:space:]]/}/tpm2/tpm2-00.permall
remember rs1
sum()	# HOST FILE
{
	lab host "$1" sha256sum "$2" | cut -c 1-64
}
variables=$(sum kvm1 $nvram)
droverd_start
droverd_up 2
wait_for 30 "rs1 to be movable" can_move_to rs1 kvm2
ctl vm move rs1 --to kvm2 --strategy restart
expect_whole rs1 kvm2
[[ $(sum kvm2 $nvram) == "$variables" ]] || fail "other variables"
for file in $nvram "$state"; do
	lab host kvm2 test -s "$file" || fail "no $file on kvm2"
	! lab host kvm1 test -e "$file" || fail "$file is left on kvm1"
done
case_ok "of a guest that runs"

# off, so that nobody writes to it meanwhile
lab ask rs1 poweroff >/dev/null
wait_for 20 "rs1 to be off" off_at_source rs1 kvm2
tpm=$(sum kvm2 "$state")
wait_for 30 "rs1 to be movable" can_move_to rs1 kvm1
ctl vm move rs1 --to kvm1
expect_defined rs1 kvm1
[[ $(sum kvm1 $nvram) == "$variables" ]] || fail "other variables"
[[ $(sum kvm1 "$state") == "$tpm" ]] || fail "another TPM"
for file in $nvram "$state"; do
	! lab host kvm2 test -e "$file" || fail "$file is left on kvm2"
done
lab virsh kvm1 start rs1 >/dev/null
expect_whole rs1 kvm1
case_ok "of one that is off"
droverd_stop

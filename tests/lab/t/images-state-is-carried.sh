# shellcheck shell=bash
# What libvirt keeps of a guest beside disks and definition: firmware variables
# and TPM state go to the target and can be taken away again, on one host and
# never where both see the same directory; secrets are there with their value,
# or it is said why not.
fixture 2
# shellcheck source=../lib/images.sh
. "$LAB_DIR/lib/images.sh"
lab guest g1 --stopped --no-wait --nvram --tpm >/dev/null
uuid=$(guest_uuid kvm1 g1)
nvram=/var/lib/libvirt/qemu/nvram/g1_VARS.fd
tpm=/var/lib/libvirt/swtpm/$uuid/tpm2
lab host kvm1 bash -c "mkdir -p -m 711 $tpm && echo state >$tpm/tpm2-00.permall
	: >$tpm/.lock; chmod 640 $tpm/tpm2-00.permall
	chown -R 4711:4712 $tpm $nvram"
probe_start kvm1 kvm2

# No pool of ours stays, whatever happened.
expect_no_pools()
{
	local host
	for host in kvm1 kvm2; do
		! lab virsh "$host" pool-list --all --name |
			grep drover- || fail "a pool is left on $host"
	done
}

expect_same()
{
	local file
	for file in "$nvram" "$tpm/tpm2-00.permall"; do
		[[ $(sum_of kvm1 "$file") == $(sum_of kvm2 "$file") &&
			$(lab host kvm1 stat -c '%u %g %a' "$file") == \
			$(lab host kvm2 stat -c '%u %g %a' "$file") ]] ||
			fail "$file is not the same"
	done
}

expect_done carry "$uuid" kvm1 kvm2 >/dev/null
expect_same
lab host kvm2 test ! -e "$tpm/.lock" || fail "another process's lock came along"
expect_no_pools

say "changed since, in the middle of a stale pool of a daemon that died"
lab host kvm1 bash -c "echo other >$tpm/tpm2-00.permall; echo x >>$nvram"
lab virsh kvm2 pool-create-as drover-state-0123456789abcdef-0 dir \
	--target "${nvram%/*}" >/dev/null
expect_done carry "$uuid" kvm1 kvm2 >/dev/null
expect_same
expect_no_pools

say "forgotten, twice"
expect_done forget "$uuid" kvm2 kvm1 >/dev/null
lab host kvm2 test ! -e "$nvram" || fail "$nvram is left"
lab host kvm2 test ! -e "${tpm%/*}" || fail "${tpm%/*} is left"
expect_done forget "$uuid" kvm2 kvm1 >/dev/null
expect_same_left()
{
	lab host kvm1 test -s "$nvram" && lab host kvm1 test -s \
		"$tpm/tpm2-00.permall"
}
expect_same_left || fail "the source has lost its state"
expect_no_pools

say "a directory that both see is left alone"
shared=$(lab shared)/vars
lab host kvm1 bash -c "mkdir -p $shared && cp $nvram $shared/g1_VARS.fd"
lab virsh kvm1 dumpxml g1 --inactive | sed "s|$nvram|$shared/g1_VARS.fd|" \
	>"$WORK/g1.xml"
lab virsh kvm1 define "$WORK/g1.xml" >/dev/null
expect_done carry "$uuid" kvm1 kvm2 >/dev/null
expect_done forget "$uuid" kvm2 kvm1 >/dev/null
lab host kvm1 test -s "$shared/g1_VARS.fd" || fail "the variables are gone"
[[ $(lab host kvm1 ls "$shared") == g1_VARS.fd ]] || fail "something is left"
expect_no_pools

say "secrets"
secret() # HOST PRIVATE VALUE
{
	cat >"$WORK/secret.xml" <<-XML
	<secret ephemeral='no' private='$2'>
	  <uuid>5a2b2c3d-0000-4000-8000-000000000001</uuid>
	  <usage type='iscsi'><target>lab</target></usage>
	</secret>
	XML
	lab virsh "$1" secret-define "$WORK/secret.xml" >/dev/null
	lab virsh "$1" secret-set-value 5a2b2c3d-0000-4000-8000-000000000001 \
		--base64 "$(printf %s "$3" | base64)" >/dev/null 2>&1
}
secret_value()
{
	lab virsh "$1" secret-get-value \
		5a2b2c3d-0000-4000-8000-000000000001 | base64 -d
}
sed -i "s|</devices>|<disk type='network' device='disk'>\
<driver name='qemu' type='raw'/>\
<source protocol='iscsi' name='iqn.2013-07.com.example:lab/1'>\
<host name='192.0.2.1' port='3260'/>\
<auth username='lab'><secret type='iscsi' usage='lab'/></auth></source>\
<target dev='vdz' bus='virtio'/></disk></devices>|" "$WORK/g1.xml"
lab virsh kvm1 define "$WORK/g1.xml" >/dev/null
expect_refused not-found 'secret lab' carry "$uuid" kvm1 kvm2 >/dev/null
secret kvm1 no first
expect_done carry "$uuid" kvm1 kvm2 >/dev/null
[[ $(secret_value kvm2) == first ]] || fail "the secret did not come along"
expect_done carry "$uuid" kvm1 kvm2 >/dev/null
secret kvm1 no second
said=$(expect_refused conflict 'with another value' carry "$uuid" kvm1 kvm2)
[[ $said != *second* && $said != *first* ]] || fail "it was told: $said"
[[ $(secret_value kvm2) == first ]] || fail "another's secret was changed"
lab virsh kvm1 secret-undefine 5a2b2c3d-0000-4000-8000-000000000001 >/dev/null
secret kvm1 yes second
expect_refused refused 'is private' carry "$uuid" kvm1 kvm2 >/dev/null

say "what can't be carried is refused"
sed -e "s|<auth username='lab'>.*</auth>||" -e "s|<tpm model='tpm-tis'>|&<!-- -->|" \
	"$WORK/g1.xml" >"$WORK/g2.xml"
sed -i "s|<backend type='emulator'[^>]*/>|<backend type='passthrough'>\
<device path='/dev/tpm0'/></backend>|" "$WORK/g2.xml"
lab virsh kvm1 define "$WORK/g2.xml" >/dev/null
expect_refused refused 'TPM' carry "$uuid" kvm1 kvm2 >/dev/null

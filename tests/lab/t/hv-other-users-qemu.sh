# shellcheck shell=bash
# QEMU that does not run as root, and storage that libvirt takes for local:
# post-copy is asked for, refused and left out within one call, and libvirt's
# doubt is overruled only where Drover says so.
export LAB_UP_OPTIONS="--storage dir --dynamic-ownership"
fixture 2
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
[[ $(cat /proc/sys/vm/unprivileged_userfaultfd) == 0 ]] || {
	say "skipped: userfaultfd is for everybody here"
	exit 0
}
lab guest g1 >/dev/null
g1=$(uuid_of g1)
probe <<-END && fail "moved against libvirt's will"
	up kvm1
	up kvm2
	migrate $g1 kvm1 kvm2
END
expect_says 'failed migrate .*\[unsafe-storage\]'
expect_on g1 kvm1
probe <<-END || { cat "$WORK/probe"; fail "not moved"; }
	up kvm1
	up kvm2
	migrate $g1 kvm1 kvm2 postcopy unsafe
END
expect_says 'note post-copy was refused'
expect_on g1 kvm2
expect_healthy g1

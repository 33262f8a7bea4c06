# shellcheck shell=bash
# The mark that says who acts on a host: one has it, the other learns who; a dead
# one is replaced only if it is still what was seen; it ends with libvirtd.
fixture 1
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
probe <<-END && fail "two have the mark"
	up kvm1
	claim kvm1 alpha 1
	sync
	claim kvm1 alpha 2
	sync
	claim kvm1 beta 1
	sync
	claim kvm1 beta 1 alpha 1
	sync
	unclaim kvm1 beta
	sync
	claim kvm1 beta 5 alpha 2
	sync
	claim kvm1 alpha 3
	sync
END
[[ $(grep -c 'done claim' "$WORK/probe") == 3 ]] || fail "$(cat "$WORK/probe")"
[[ $(grep -c 'held by alpha beat=2' "$WORK/probe") == 2 ]] ||
	fail "$(cat "$WORK/probe")"
[[ $(grep -c 'held by beta beat=5' "$WORK/probe") == 1 ]] ||
	fail "$(cat "$WORK/probe")"
lab virsh kvm1 secret-list | among 'drover:beta' || fail "not to be seen"
lab kill kvm1
lab start kvm1
probe <<-END || { cat "$WORK/probe"; fail "the mark outlived the daemon"; }
	up kvm1
	claim kvm1 alpha 1
	sync
	unclaim kvm1 alpha
	sync
	unclaim kvm1 alpha
END
[[ -z $(lab virsh kvm1 -q secret-list) ]] || fail "the mark stayed"

say "many at once: one gets it"
pids=()
for i in 1 2 3 4 5 6; do
	printf 'up kvm1\nclaim kvm1 owner%d 1\nsync\n' "$i" |
		timeout 60 "$LAB_DIR/lab" -n "$LAB_NAME" exec "$PROBE" \
		--sample 600000 "kvm1=$(lab uri kvm1)" >"$WORK/p$i" 2>&1 &
	pids+=($!)
done
PIDS+=("${pids[@]}")
for pid in "${pids[@]}"; do
	wait "$pid" || true
done
[[ $(cat "$WORK"/p? | grep -c 'done claim') == 1 &&
	$(cat "$WORK"/p? | grep -c 'failed claim .* conflict') == 5 ]] ||
	fail "$(cat "$WORK"/p?)"

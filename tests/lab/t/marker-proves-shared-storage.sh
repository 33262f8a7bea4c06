# shellcheck shell=bash
# Nobody has said which storage is shared: a marker tells that the pool `shared`
# is one on both hosts, and that the pools `local`, which have the same name and
# the same path, are two.  Afterwards no marker is there, nor known to libvirt.
fixture 2
sed -i 's/^storage: .*/storage: { proof: marker }/' "$WORK/drover.yaml"
lab guest g1 >/dev/null
lab guest g2 --local >/dev/null

# the verdict on each pair of pools, in droverd's own words
judged()
{
	grep -q "marker: kvm1/$1 and kvm2/$1 are $2\$" "$WORK/droverd.log"
}

no_marker_at()
{
	local pool
	for pool in local shared; do
		lab virsh "$1" pool-refresh "$pool" >/dev/null
		! lab virsh "$1" vol-list "$pool" | among drover-marker ||
			return 1
	done
}

markers_known()
{
	sqlite3 "$WORK/state/drover.db" 'SELECT COUNT(*) FROM markers'
}

none_known()
{
	[[ $(markers_known) == 0 ]]
}

droverd_start
droverd_up 2
wait_for 20 "the pools shared to be one" judged shared one
wait_for 20 "the pools local to be two" judged local two
case_ok "one pool is proven one, two of the same path are proven two"

wait_for 20 "no marker in the store" none_known
# before anything refreshes: nobody lists what is no longer there
for host in kvm1 kvm2; do
	for pool in local shared; do
		! lab virsh "$host" vol-list "$pool" | grep drover-marker ||
			fail "$host still lists a marker in $pool"
	done
	no_marker_at "$host" || fail "a marker is left on $host"
done
case_ok "no marker is left, none is listed"

plan=$(ctl -o json vm move g1 --dry-run)
[[ $(jq -r .strategy <<<"$plan") == live-shared ]] ||
	fail "g1 would not go as shared: $plan"
ctl vm move g1
expect_on g1 kvm2
expect_healthy g1
[[ $(moves | jq -r 'select(.vm == "g1") | .strategy') == live-shared ]] ||
	fail "g1 did not go as shared: $(moves)"
case_ok "a guest moves on the word of a marker alone"

plan=$(ctl -o json vm move g2 --dry-run || true)
[[ $(jq -r ".strategy // \"none\"" <<<"$plan") != live-shared ]] ||
	fail "g2 would go as shared: $plan"
grep -q 'a marker made in pool local was not seen' <<<"$plan" ||
	fail "g2 does not say why: $plan"
case_ok "a guest on storage of its host's own does not"
droverd_stop
none_known || fail "$(markers_known) markers are known after the end"

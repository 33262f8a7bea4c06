# shellcheck shell=bash
# handover: strict: the guest arrives paused and runs only once the source is
# proven to be stopped.
fixture 2
sed -i 's/handover: default/handover: strict/' \
	"$WORK/policies.d/10-maintenance.yaml"
lab guest g1 --autostart >/dev/null
droverd_start
droverd_up 2
ctl host drain kvm1 --timeout 2m
expect_on g1 kvm2
expect_defined g1 kvm2
expect_healthy g1
id=$(moves | jq .id)
ctl -o json move show "$id" | jq -e '.handover == "strict" and
	any(.journal[]; .kind == "intent" and .step == "resume-target")' \
	>/dev/null || fail "$(ctl -o json move show "$id")"
droverd_stop

# shellcheck shell=bash
fixture 2
droverd_start
droverd_up 2
cp "$WORK/drover.yaml" "$WORK/good.yaml"
sed -i 's/^site: lab/sitte: lab/; s/sample_interval: 2s/sample_interval: 2/' \
	"$WORK/drover.yaml"
rc=0
ctl reload >"$WORK/out" 2>&1 || rc=$?
cat "$WORK/out"
((rc == 6)) || fail "exit code $rc, expected 6"
grep -q 'drover.yaml:2:1:.*site' "$WORK/out" || fail "no place or suggestion"
grep -q 'sample_interval' "$WORK/out" || fail "only the first fault is told"
expect_received 1 config.rejected
droverd_up 2
ctl status | among -i 'refused\|rejected' || fail "status does not tell"
kill -HUP "$DROVERD_PID"
expect_received 2 config.rejected
# a good one, with a host less
sed '/name: kvm2/d; s/^site: lab/site: yard/' "$WORK/good.yaml" \
	>"$WORK/drover.yaml"
ctl reload
[[ $(ctl -o json status | jq -r .site) == yard ]] || fail "not applied"
[[ $(ctl -o json host list | jq '.hosts | length') == 1 ]] || fail "hosts"
expect_received 1 config.accepted '.body.data.hosts == 1'
cp "$WORK/good.yaml" "$WORK/drover.yaml"
kill -HUP "$DROVERD_PID"
droverd_up 2
# that one was not refused before
expect_received 1 config.accepted
droverd_stop

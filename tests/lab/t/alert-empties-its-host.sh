# shellcheck shell=bash
# Monitoring says that a disk of kvm1 fails: the host goes into maintenance, its
# guest leaves, and who approves is asked where the policy says so.
token=$(mktemp)
printf 'secret-of-the-lab\n' >"$token"
chmod 600 "$token"
fixture 2 "alerts: { listen: \"127.0.0.1:9464\", token_file: $token }"
sed -i 's/for: 1m .*/for: 2s/' "$WORK/policies.d/50-failing-disk.yaml"
lab guest g1 >/dev/null
droverd_start
droverd_up 2

post()	# STATUS TOKEN
{
	"$LAB_DIR/lab" -n "$LAB_NAME" exec curl -sS -o "$WORK/answer" \
		-w '%{http_code}' -H "Authorization: Bearer $2" \
		-H 'Content-Type: application/json' --data-binary @- \
		http://127.0.0.1:9464/v1/alerts <<-END
	{"version": "4", "groupKey": "x", "status": "$1", "receiver": "drover",
	 "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
	 "externalURL": "", "truncatedAlerts": 0,
	 "alerts": [{"status": "$1", "labels": {"alertname": "DiskFailing",
	   "severity": "critical", "instance": "kvm1:9100"}, "annotations": {},
	   "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
	   "generatorURL": "", "fingerprint": "f1"}]}
	END
}
waits_for_approval()
{
	ctl -o json decision list | jq -e '.decisions[] |
		select(.policy == "failing-disk" and .state == "waiting")'
}

[[ $(post firing wrong) == 401 ]] || fail "a wrong token was taken"
ctl policy set-mode failing-disk approve
[[ $(post firing secret-of-the-lab) == 200 ]] || fail "$(cat "$WORK/answer")"
ctl alert list | among kvm1 || fail "the alert is not listed"
wait_for 20 "a decision that waits" waits_for_approval
[[ $(ctl -o json host show kvm1 | jq .maintenance) == false ]] ||
	fail "nobody approved"
case_ok "the alert is taken, and what would follow waits for approval"

ctl policy approve "$(waits_for_approval | jq .id)"
expect_on g1 kvm2
[[ $(ctl -o json host show kvm1 | jq .maintenance) == true ]] ||
	fail "kvm1 is not in maintenance"
expect_received 1 drain.completed
expect_healthy g1
case_ok "approved, the host is emptied"

# the operator's word counts as long as the alert is the same
ctl host undrain kvm1
lab guest g2 --host kvm1 >/dev/null
end=$((SECONDS + 6))
while ((SECONDS < end)); do
	[[ $(post firing secret-of-the-lab) == 200 ]] || fail "not repeated"
	[[ $(ctl -o json host show kvm1 | jq .maintenance) == false ]] ||
		fail "kvm1 is in maintenance again"
	sleep 1
done
case_ok "an operator takes the flag back"

# it is on after a restart, and goes when it is resolved
droverd_kill
droverd_start
ctl alert list | among DiskFailing || fail "the alert was forgotten"
[[ $(post resolved secret-of-the-lab) == 200 ]] || fail "$(cat "$WORK/answer")"
! ctl alert list | among DiskFailing || fail "the alert is still on"
droverd_stop
rm -f "$token"

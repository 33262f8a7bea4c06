# shellcheck shell=bash
fixture 1
rc=0
ctl status >"$WORK/out" 2>&1 || rc=$?
cat "$WORK/out"
((rc == 4)) || fail "exit code $rc, expected 4"
grep -q "$WORK/run/drover.sock" "$WORK/out" || fail "the socket is not named"
rc=0
ctl hots list >"$WORK/out" 2>&1 || rc=$?
((rc == 2)) || fail "exit code $rc, expected 2"
grep -q 'host' "$WORK/out" || fail "no suggestion"
# -T tells which host cannot be used
lab exec "$DROVERD" -T -c "$WORK/drover.yaml" >"$WORK/out" ||
	fail "-T refuses a good lab: $(cat "$WORK/out")"
lab kill kvm1
rc=0
lab exec "$DROVERD" -T -c "$WORK/drover.yaml" >"$WORK/out" || rc=$?
cat "$WORK/out"
((rc == 1)) || fail "-T: exit code $rc, expected 1"
grep -q 'kvm1.*FAILED' "$WORK/out" || fail "-T does not name kvm1"

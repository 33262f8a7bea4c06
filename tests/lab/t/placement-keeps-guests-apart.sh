# shellcheck shell=bash
# Guests of one label stay on different hosts, whoever moves them: the drain takes
# the host that the ladder would not have chosen, an operator is refused with the
# rule's name, and what a policy forbids is refused as well.
fixture 3
cat >"$WORK/policies.d/80-rules.yaml" <<'END'
version: 1
placement:
  - { name: web-apart, vms: "labels.app = \"web\"", apart: app }
policies:
  - name: keep-db
    mode: auto
    forbid: vm.name like "db*" and target.name = "kvm2"
END
lab guest web1 >/dev/null
lab guest db1 >/dev/null
# twice as much on kvm3: without rules kvm2 is better
lab guest web2 --host kvm2 >/dev/null
lab guest fat --host kvm3 --memory 512 >/dev/null
droverd_start
droverd_up 3
ctl vm label web1 app=web
ctl vm label web2 app=web

answered()
{
	ctl -o json plan drain kvm1 | jq -e '.movable == 2'
}
wait_for 30 "answers of all hosts" answered
ctl explain web1 --to kvm2 | tee "$WORK/out"
among 'placement: keeps .* apart\|rule web-apart' <"$WORK/out" ||
	fail "no word about the rule"
ctl plan drain kvm1 --deadline 30m | tee "$WORK/out"
among '^by .*: yes' <"$WORK/out" || fail "no word about the deadline"
if ctl vm move web1 --to kvm2 2>"$WORK/out"; then
	fail "moved beside its twin"
fi
among web-apart <"$WORK/out" || fail "$(cat "$WORK/out")"
case_ok "an operator is refused, with the rule"

ctl host drain kvm1 --deadline 30m | tee "$WORK/out"
expect_on web1 kvm3
expect_on db1 kvm3
expect_on web2 kvm2
expect_healthy web1
case_ok "a drain keeps guests apart and obeys what is forbidden"
droverd_stop

# shellcheck shell=bash
# kill -9 of the source's libvirtd while four guests are on their way, one of
# each kind.
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 24MiB/s }'
strategy_policies 'shutdown: { repeat: 2s }'
guests=(ls1 lc1 rs1 rl1)
strategy_guests -l 4 "${guests[@]}"
droverd_start
droverd_up 2
ctl host drain --no-wait kvm1
all_under_way "${guests[@]}"
lab kill kvm1
wait_for 60 "the loss to be noticed" has_received 1 host.lost
lab start kvm1
wait_for 180 "the drain's end" drain_is done
for g in "${guests[@]}"; do
	expect_whole "$g" kvm2
	case_ok "$(strategy_of "$g"), ${g%1}"
done
expect_no_orphans
expect_all_told
droverd_stop

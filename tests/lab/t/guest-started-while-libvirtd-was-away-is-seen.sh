# shellcheck shell=bash
# Events during a disconnect are lost; the listing after it is the truth.
fixture 2
droverd_start
droverd_up 2
lab guest g1 >/dev/null
seen()
{
	[[ $(ctl -o json vm list | jq -r '.vms[] | select(.name == "g1") |
		"\(.host) \(.state)"') == "$1" ]]
}
wait_for 20 "g1 to be seen by its events" seen "kvm1 running"
# while libvirtd is away the guest ends, and nobody is told
pid=$(lab qemu-pid kvm1 g1)
lab kill kvm1
wait_for 30 "the loss" has_received 1 host.lost
kill -9 "$pid"
lab start kvm1
wait_for 40 "the new state" seen "kvm1 shut off"
expect_received 1 host.recovered
droverd_stop

# shellcheck shell=bash
# A result that happened is delivered, also when droverd is killed between the
# result and its delivery; under the same id, however often it is sent.
fixture 2
receiver_behave status 503
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl vm move g1
expect_on g1 kvm2
droverd_kill
tried=$(jq -r 'select(.type == "drover.move.completed") | .id' \
	"$WORK/webhooks" | sort -u)
receiver_behave ok
droverd_start
expect_received 1 move.completed
expect_received 1 move.started
if [[ -n $tried ]]; then
	jq -r 'select(.type == "drover.move.completed" and .code == 200) |
		.id' "$WORK/webhooks" | among -x "$tried" ||
		fail "the id has changed"
fi
droverd_stop

/*
 * One event of each type, as a droverd on three hosts sent it.  People write
 * their receivers after these, so they are whole: what an event of that type
 * often has is in it.  In the texts ' stands for ".
 */
#include <stdlib.h>
#include <string.h>

#include "notify/catalog_priv.h"

#define MOVE                                                                   \
	"'guest': 'web1', 'uuid': '6c1a2f0e-9f5d-4c1b-8a53-0d9b7e3c4f21', "    \
	"'from': 'kvm1', 'to': 'kvm2', "
#define WHY                                                                    \
	"'why': {'decision': 57, 'policy': 'maintenance', "                    \
	"'rule': '/etc/drover/policies.d/10-maintenance.yaml:9', "             \
	"'text': 'host kvm1 is in maintenance'}, "
#define REJECTED                                                               \
	"'rejected': [{'host': 'kvm2', 'rule': 'memory', "                     \
	"'why': '64.0 GiB are needed, 21.3 GiB are free'}, "                   \
	"{'host': 'kvm3', 'rule': 'strategy', 'why': 'no way to move it', "    \
	"'strategies': [{'strategy': 'live-shared', 'rule': 'device', "        \
	"'why': 'it has a PCI device of its host'}]}]"
#define DRAIN_HEAD                                                             \
	"'drain': 12, 'host': 'kvm1', 'by': 'uid 1000', "                      \
	"'reason': 'new memory', "
#define DRAIN_GUESTS                                                           \
	"{'guest': 'mail', 'uuid': '0b7f1d52-55f3-4f0c-9d53-4c39a1b5de10', "   \
	"'outcome': 'moved', 'strategy': 'live-copy', 'to': 'kvm3', "          \
	"'duration_ms': 41210, 'downtime_ms': 118, 'attempts': 1}, "           \
	"{'guest': 'web1', 'uuid': '6c1a2f0e-9f5d-4c1b-8a53-0d9b7e3c4f21', "   \
	"'outcome': 'moved', 'strategy': 'live-shared', 'to': 'kvm2', "        \
	"'duration_ms': 2915, 'downtime_ms': 43, 'attempts': 1}"

const struct catalog_example catalog_examples[] = {
    {"move.started", "vm/web1", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e01",
	"2026-03-14T09:26:53.589Z",
	"{" MOVE "'strategy': 'live-shared', 'move': 311, 'attempts': 1, " WHY
	"'handover': 'fast', 'drain': 12}"},
    {"move.completed", "vm/web1", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e02",
	"2026-03-14T09:26:56.504Z",
	"{" MOVE "'strategy': 'live-shared', 'move': 311, 'attempts': 1, " WHY
	"'handover': 'fast', 'drain': 12, 'outcome': 'completed', "
	"'duration_ms': 2915, 'total_ms': 2915, 'downtime_ms': 43, "
	"'downtime_source': 'qemu', 'bytes': 1288490188, "
	"'memory_bytes': 1288490188, 'disk_bytes': 0, 'iterations': 3, "
	"'job_ms': 2604, 'link_rate': 494927872, 'predicted_ms': 3100, "
	"'predicted_downtime_ms': 60, 'prediction_error_percent': -5}"},
    {"move.failed", "vm/web1", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e03",
	"2026-03-14T09:26:54.117Z",
	"{" MOVE "'strategy': 'live-shared', 'move': 311, 'attempts': 2, " WHY
	"'handover': 'fast', 'drain': 12, 'outcome': 'failed', "
	"'duration_ms': 528, 'error': 'kvm2: cannot set up guest memory: "
	"Cannot allocate memory', 'error_token': 'no-memory', "
	"'cause': 'The target has not enough memory to take the guest in.', "
	"'remedy': 'Choose another target, or free memory there.'}"},
    {"move.rolled_back", "vm/web1", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e04",
	"2026-03-14T09:41:02.310Z",
	"{" MOVE "'strategy': 'restart', 'move': 312, 'attempts': 1, " WHY
	"'drain': 12, 'outcome': 'rolled-back', 'duration_ms': 65204, "
	"'error': 'kvm2: the guest does not start'}"},
    {"drain.started", "host/kvm1", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e05",
	"2026-03-14T09:26:53.402Z",
	"{'drain': 12, 'host': 'kvm1', 'by': 'uid 1000', "
	"'reason': 'new memory'}"},
    {"drain.completed", "host/kvm1", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e06",
	"2026-03-14T09:27:34.911Z",
	"{" DRAIN_HEAD "'started': '2026-03-14T09:26:53.401Z', "
	"'ended': '2026-03-14T09:27:34.910Z', 'duration_ms': 41509, "
	"'total': 2, 'moved': 2, 'moving': 0, 'waiting': 0, 'blocked': 0, "
	"'excepted': 0, 'failed': 0, 'bytes': 22763339980, "
	"'guests': [" DRAIN_GUESTS "], 'remaining': []}"},
    {"drain.blocked", "host/kvm1", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e07",
	"2026-03-14T09:27:34.911Z",
	"{" DRAIN_HEAD "'started': '2026-03-14T09:26:53.401Z', "
	"'ended': '2026-03-14T09:27:34.910Z', 'duration_ms': 41509, "
	"'total': 3, 'moved': 2, 'moving': 0, 'waiting': 0, 'blocked': 1, "
	"'excepted': 0, 'failed': 0, 'bytes': 22763339980, "
	"'guests': [{'guest': 'db1', "
	"'uuid': 'e2d1b1a4-3c0f-4c55-8f0b-7a6f5c9d2b33', "
	"'outcome': 'blocked', 'reason': 'no host can take it'}, " DRAIN_GUESTS
	"], 'remaining': [{'guest': 'db1', 'fate': 'blocked', "
	"'why': 'no host can take it', " REJECTED "}]}"},
    {"decision.made", "policy/cpu-pressure",
	"3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e08", "2026-03-14T11:02:10.020Z",
	"{'id': 58, 'policy': 'cpu-pressure', 'host': 'kvm2', "
	"'mode': 'auto', 'state': 'on', 'summary': '1 starts', "
	"'at': '2026-03-14T11:02:10.015Z', "
	"'updated': '2026-03-14T11:02:10.015Z', "
	"'file': '/etc/drover/policies.d/20-cpu-pressure.yaml', 'line': 4, "
	"'actions': ['move'], 'since': '2026-03-14T11:02:10.015Z', "
	"'why': 'its CPUs were busy for 5 m', "
	"'seen': [{'condition': 'host', 'phase': 'on', "
	"'text': 'cpu > 85% (91%)', 'since': '2026-03-14T10:57:10.004Z'}], "
	"'items': [{'vm': 'web1', "
	"'uuid': '6c1a2f0e-9f5d-4c1b-8a53-0d9b7e3c4f21', 'from': 'kvm2', "
	"'to': 'kvm3', 'strategy': 'live-shared', 'storage': 'shared', "
	"'handover': 'fast', 'predicted_ms': 3100, "
	"'predicted_downtime_ms': 60, 'strategies': [], "
	"'why': 'it uses the most of those that may move', "
	"'rejected': [{'host': 'kvm1', 'rule': 'maintenance', "
	"'why': 'it is in maintenance'}], 'fate': 'start'}]}"},
    {"host.lost", "host/kvm3", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e09",
	"2026-03-14T12:00:00.733Z",
	"{'host': 'kvm3', 'why': 'the connection was closed: keepalive "
	"timeout'}"},
    {"host.recovered", "host/kvm3", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e0a",
	"2026-03-14T12:04:21.050Z", "{'host': 'kvm3'}"},
    {"host.maintenance", "host/kvm1", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e0b",
	"2026-03-14T09:26:53.398Z",
	"{'host': 'kvm1', 'maintenance': true, 'cordoned': true, "
	"'source': 'operator', 'by': 'uid 1000', 'reason': 'new memory'}"},
    {"host.claimed", "host/kvm2", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e0c",
	"2026-03-14T13:30:05.800Z",
	"{'host': 'kvm2', 'by': 'standby.example.org lab'}"},
    {"host.released", "host/kvm2", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e0d",
	"2026-03-14T13:31:12.201Z", "{'host': 'kvm2'}"},
    {"policy.mode", "policy/balance", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e0e",
	"2026-03-14T22:10:44.001Z",
	"{'policy': 'balance', 'mode': 'observe', 'before': 'auto', "
	"'file_mode': 'auto', 'by': 'uid 1000'}"},
    {"config.rejected", "config", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e0f",
	"2026-03-15T08:00:12.450Z",
	"{'error': '/etc/drover/drover.yaml: 1 fault in the configuration', "
	"'faults': '/etc/drover/drover.yaml:12:5: hosts[0].url: unknown key "
	"(did you mean uri?)\\n'}"},
    {"config.accepted", "config", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e10",
	"2026-03-15T08:02:31.118Z",
	"{'hosts': 3, 'policies': 6, 'receivers': 2}"},
    {"receiver.disabled", "receiver/chat",
	"3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e11", "2026-03-15T09:15:00.090Z",
	"{'receiver': 'chat', 'why': 'HTTP 410', 'code': 410, "
	"'since': '2026-03-15T09:15:00.088Z'}"},
    {"receiver.enabled", "receiver/chat",
	"3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e13", "2026-03-15T10:02:07.514Z",
	"{'receiver': 'chat', 'since': '2026-03-15T09:15:00.088Z', "
	"'why': 'its url is another one'}"},
    {"condition.ended",
	"condition/move-failed/6c1a2f0e-9f5d-4c1b-8a53-0d9b7e3c4f21",
	"3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e14", "2026-03-15T09:26:54.301Z",
	"{'condition': 'move-failed/6c1a2f0e-9f5d-4c1b-8a53-0d9b7e3c4f21', "
	"'name': 'DroverMoveFailed', 'since': '2026-03-14T09:26:54.117Z', "
	"'why': 'nothing was heard of it for a day'}"},
    {"test", "receiver/ops", "3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e12",
	"2026-03-15T09:20:41.377Z",
	"{'text': 'A test from droverctl notify test.', 'receiver': 'ops', "
	"'by': 'uid 1000'}"},
    {NULL, NULL, NULL, NULL, NULL},
};

static json_t *
read_data(const char *text)
{
	char *copy = strdup(text);
	json_t *data;

	if (copy == NULL)
		abort();
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	data = json_loads(copy, 0, NULL);
	free(copy);
	return data;
}

json_t *
catalog_sample(const char *type)
{
	const struct catalog_type *t = catalog_find(type);
	const struct catalog_example *x = catalog_examples;
	json_t *data;

	while (t != NULL && x->type != NULL && strcmp(x->type, t->type) != 0)
		x++;
	if (t == NULL || x->type == NULL)
		return NULL;
	data = read_data(x->data);
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:o}",
	    "specversion", "1.0", "id", x->id, "source", "/drover/lab", "type",
	    json_sprintf("drover.%s", x->type), "subject", x->subject, "time",
	    x->time, "severity", catalog_severity_word(x->type, data),
	    "datacontenttype", "application/json", "data", data);
}

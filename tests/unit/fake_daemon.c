/*
 * A daemon without hosts, to try droverctl by hand:
 *
 *   fake_daemon SOCKET [GUESTS [MS]]
 *
 * serves the control interface with a made-up host kvm1 of GUESTS guests, whose
 * moves take about MS milliseconds each.  Every seventh guest does not
 * converge, every fourth is restarted with its disk copied, gpu1 cannot move, and
 * flaky1 fails once.  Asked for a drain that
 * began before it was started, it begins again, as if it had been restarted.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/server.h"

#define GUESTS_MAX 2000
#define PARALLEL 2

enum state { WAITING, MOVING, MOVED };

struct guest {
	char name[32], uuid[40];
	enum state state;
	int attempts;
	struct mono began;
	int64_t took;
	bool blocked;
};

static struct guest guests[GUESTS_MAX];
static int guest_count = 8;
static int64_t move_ms = 2000;
static struct mono drain_began;
static int64_t drain_ended = -1;
static const char *drain_state; /* NULL: none */
static int parallel = PARALLEL;
static struct loop *loop;
static struct server *server;
static struct loop_timer *timer;
static char events[1000][600];
static int64_t event_count;

static void
add_event(const char *type, const struct guest *guest)
{
	struct store_event event = {0};
	char at[CLOCK_RFC3339_SIZE];
	char *text = events[event_count % 1000];
	char subject[64], full[64];
	json_t *json;

	memset(text, 0, sizeof(events[0]));
	wall_format(clock_wall_now(), at);
	snprintf(subject, sizeof(subject), "%s%s",
	    guest != NULL ? "vm/" : "host/",
	    guest != NULL ? guest->name : "kvm1");
	snprintf(full, sizeof(full), "drover.%s", type);
	json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s,s:s}}", "specversion",
	    "1.0", "type", full, "source", "/drover/fake", "subject", subject,
	    "time", at, "data", "from", "kvm1", "to", "kvm2", "strategy",
	    "live-shared");
	if (guest != NULL && guest->took > 0)
		json_object_set_new(json_object_get(json, "data"),
		    "duration_ms", json_integer(guest->took));
	json_dumpb(json, text, sizeof(events[0]) - 1, JSON_COMPACT);
	json_decref(json);
	event.seq = ++event_count;
	if (server != NULL)
		server_push_event(server, &event);
}

static int64_t
time_of(int i)
{
	return move_ms / 2 + (i * 700) % move_ms +
	    (i % 7 == 3 ? 2 * move_ms : 0);
}

static void
advance(void *arg)
{
	struct mono now = clock_mono_now();
	int moving = 0, left = 0;

	(void)arg;
	for (int i = 0; i < guest_count; i++) {
		struct guest *g = &guests[i];
		bool flaky = strcmp(g->name, "flaky1") == 0;

		if (g->state == MOVING &&
		    mono_diff(now, g->began) > time_of(i)) {
			g->took = mono_diff(now, g->began);
			g->state = flaky && g->attempts == 1 ? WAITING : MOVED;
			add_event(g->state == MOVED ? "move.completed"
						    : "move.failed",
			    g);
		}
		moving += g->state == MOVING;
	}
	for (int i = 0; i < guest_count && drain_state != NULL &&
	     strcmp(drain_state, "running") == 0;
	     i++) {
		struct guest *g = &guests[i];

		if (g->state == WAITING && !g->blocked && moving < parallel) {
			g->state = MOVING;
			g->attempts++;
			g->began = now;
			moving++;
			add_event("move.started", g);
		}
		left += g->state != MOVED && !g->blocked;
	}
	if (drain_state != NULL && strcmp(drain_state, "running") == 0 &&
	    left == 0) {
		drain_ended = mono_diff(now, drain_began);
		drain_state = "done";
		for (int i = 0; i < guest_count; i++)
			if (guests[i].blocked)
				drain_state = "blocked";
		add_event(strcmp(drain_state, "done") == 0 ? "drain.completed"
							   : "drain.blocked",
		    NULL);
	}
	loop_timer_set(timer, 20);
}

static bool
restarts(int i)
{
	return i % 4 == 1;
}

/* A restart with its disk, as share of its time. */
static void
add_restart(json_t *move, double percent)
{
	json_t *progress = json_object_get(move, "progress");
	const char *phase = percent < 50 ? "copying disks"
	    : percent < 80               ? "shutting down"
	    : percent < 85               ? "copying the rest"
					 : "starting";

	json_object_set_new(move, "disks",
	    json_pack("[{s:s,s:s,s:s,s:s,s:s,s:I,s:I}]", "target", "vda",
		"path", "/var/lib/libvirt/images/disk.qcow2", "pool", "default",
		"volume", "disk.qcow2", "dest_path", "/srv/vm/disk.qcow2",
		"capacity", (json_int_t)10 << 30, "allocation",
		(json_int_t)3 << 29));
	if (progress == NULL)
		return;
	json_object_set_new(progress, "phase", json_string(phase));
	json_object_set_new(progress, "copied_bytes",
	    json_integer((json_int_t)((percent < 50 ? percent / 50 : 1) *
		(double)((json_int_t)3 << 29))));
	if (percent >= 50)
		json_object_set_new(
		    progress, "asks", json_integer(percent < 65 ? 1 : 2));
	json_object_del(progress, "converging");
}

static json_t *
move_json(int i)
{
	const struct guest *g = &guests[i];
	int64_t elapsed = mono_diff(clock_mono_now(), g->began);
	json_t *move = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "id",
	    (json_int_t)i * 10 + g->attempts, "vm", g->name, "uuid", g->uuid,
	    "from", "kvm1", "to", i % 2 ? "kvm3" : "kvm2", "strategy",
	    restarts(i) ? "restart" : "live-shared", "attempt", g->attempts,
	    "started", "2026-11-21T03:00:00.000Z");

	json_object_set_new(move, "predicted_ms", json_integer(time_of(i)));
	json_object_set_new(move, "predicted_downtime_ms",
	    json_integer(restarts(i) ? time_of(i) / 2 : 60));

	if (g->state == MOVING) {
		double percent = 100.0 * (double)elapsed / (double)time_of(i);
		json_t *progress = json_pack("{s:f,s:s,s:i,s:b}", "percent",
		    percent - (elapsed / 300 % 2 ? 15 : 0), "phase",
		    percent > 90 ? "handover" : "pre-copy", "rate", 300 << 20,
		    "converging", i % 7 != 3);

		if (i % 7 != 3)
			json_object_set_new(progress, "eta_ms",
			    json_integer(time_of(i) - elapsed));
		json_object_set_new(move, "progress", progress);
		if (restarts(i))
			add_restart(move, percent);
		return move;
	}
	json_object_set_new(move, "duration_ms", json_integer(g->took));
	if (g->state == WAITING) {
		json_object_set_new(move, "outcome", json_string("failed"));
		json_object_set_new(
		    move, "error", json_string("kvm2 closed the connection"));
		return move;
	}
	json_object_set_new(move, "outcome", json_string("completed"));
	json_object_set_new(move, "result",
	    json_pack("{s:i,s:I}", "downtime_ms",
		restarts(i) ? (int)time_of(i) / 2 : 40 + i % 60, "bytes",
		restarts(i) ? (json_int_t)3 << 29 : (json_int_t)190 << 20));
	if (restarts(i)) {
		add_restart(move, 100);
		json_object_set_new(json_object_get(move, "result"),
		    "kept_until", json_string("2026-11-22T03:00:00.000Z"));
	}
	return move;
}

static json_t *
vm_json(int i)
{
	const struct guest *g = &guests[i];
	static const char *const fates[] = {"waiting", "moving", "moved"};
	json_t *vm = json_pack("{s:s,s:s,s:s,s:i}", "vm", g->name, "uuid",
	    g->uuid, "fate", g->blocked ? "blocked" : fates[g->state],
	    "attempts", g->attempts);

	if (g->attempts > 0) {
		json_object_set_new(vm, "move", move_json(i));
		json_object_set_new(
		    vm, "to", json_string(i % 2 ? "kvm3" : "kvm2"));
	}
	if (g->blocked) {
		json_object_set_new(
		    vm, "why", json_string("no host can take it"));
		json_object_set_new(vm, "rejected",
		    json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s}]", "host", "kvm2",
			"rule", "pins", "why", "PCI passthrough 0000:3b:00.0",
			"host", "kvm3", "rule", "memory", "why",
			"needs 8.0 GiB, 2.1 GiB are free"));
	} else if (g->state == WAITING) {
		json_object_set_new(vm, "why",
		    json_string("limit per_source 2 of kvm1 reached"));
	}
	return vm;
}

static json_t *
drain_json(void)
{
	int counts[3] = {0}, blocked = 0;
	json_t *vms = json_array();

	for (int i = 0; i < guest_count; i++) {
		counts[guests[i].state] += !guests[i].blocked;
		blocked += guests[i].blocked;
		json_array_append_new(vms, vm_json(i));
	}
	return json_pack("{s:i,s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:I,s:o}", "id", 1,
	    "host", "kvm1", "state", drain_state, "total", guest_count, "moved",
	    counts[MOVED], "moving", counts[MOVING], "waiting", counts[WAITING],
	    "blocked", blocked, "duration_ms",
	    (json_int_t)(drain_ended >= 0
		    ? drain_ended
		    : mono_diff(clock_mono_now(), drain_began)),
	    "vms", vms);
}

static json_t *
host_json(int i)
{
	char name[16];

	snprintf(name, sizeof(name), "kvm%d", i);
	return json_pack("{s:s,s:s,s:s,s:b,s:b,s:i,s:i,s:f,s:I,s:I}", "name",
	    name, "uri", "qemu:///system", "state", i == 4 ? "down" : "up",
	    "maintenance", i == 1 && drain_state != NULL, "cordoned", i == 3,
	    "vms", i == 1 ? guest_count : 0, "cpus", 64, "cpu_used", 3.25 * i,
	    "memory", (json_int_t)256 << 30, "memory_free",
	    (json_int_t)(100 - i) << 30);
}

static json_t *
fd_hosts(void *arg, struct err *err)
{
	json_t *hosts = json_array();

	(void)arg;
	(void)err;
	for (int i = 1; i <= 4; i++)
		json_array_append_new(hosts, host_json(i));
	return json_pack("{s:o}", "hosts", hosts);
}

static json_t *
fd_status(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	return json_pack("{s:s,s:s,s:i,s:i,s:{s:i,s:i,s:i},s:{s:i,s:i},"
			 "s:{s:i,s:i,s:i},s:{s:s,s:s}}",
	    "version", "fake", "site", "lab", "pid", 1, "uptime_ms", 754000,
	    "hosts", "up", 3, "down", 1, "maintenance", drain_state != NULL,
	    "vms", "running", guest_count, "total", guest_count, "moves",
	    "in_flight", 0, "completed", 0, "failed", 0, "config", "path",
	    "/etc/drover/drover.yaml", "loaded", "2026-11-21T03:00:00Z");
}

static json_t *
fd_host(void *arg, const char *name, struct err *err)
{
	(void)arg;
	if (strncmp(name, "kvm", 3) == 0 && name[3] >= '1' && name[3] <= '4') {
		json_t *host = host_json(name[3] - '0');

		if (name[3] == '1')
			json_object_set_new(host, "kept",
			    json_pack("[{s:i,s:i,s:s,s:s,s:s,s:s,s:s}]", "id",
				1, "move", 11, "vm", "db1", "pool", "default",
				"volume", "disk.qcow2", "since",
				"2026-11-21T03:00:00Z", "until",
				"2026-11-22T03:00:00Z"));
		return host;
	}
	err_set(err, ERR_NOT_FOUND, "there is no host %s", name);
	return NULL;
}

static json_t *
fd_vms(void *arg, struct err *err)
{
	json_t *vms = json_array();

	(void)arg;
	(void)err;
	for (int i = 0; i < guest_count; i++)
		json_array_append_new(vms,
		    json_pack("{s:s,s:s,s:s,s:s,s:i,s:I,s:b}", "name",
			guests[i].name, "uuid", guests[i].uuid, "host",
			guests[i].state == MOVED ? "kvm2" : "kvm1", "state",
			"running", "vcpus", 2, "memory", (json_int_t)2 << 30,
			"moving", guests[i].state == MOVING));
	return json_pack("{s:o}", "vms", vms);
}

static json_t *
fd_drain(void *arg, const char *host,
    const struct control_drain_options *options,
    const struct control_peer *peer, struct err *err)
{
	(void)arg;
	(void)peer;
	if (strcmp(host, "kvm1") != 0) {
		err_set(err, ERR_NOT_FOUND, "there is no host %s", host);
		return NULL;
	}
	if (drain_state == NULL || strcmp(drain_state, "cancelled") == 0) {
		drain_state = "running";
		drain_ended = -1;
		drain_began = clock_mono_now();
		parallel = options->parallel > 0 ? options->parallel : PARALLEL;
	}
	return drain_json();
}

static json_t *
fd_drain_show(void *arg, int64_t id, struct err *err)
{
	(void)arg;
	/* A real daemon goes on after a restart; so does this one. */
	if (drain_state == NULL && id == 1) {
		drain_state = "running";
		drain_began = clock_mono_now();
	}
	if (id == 1)
		return drain_json();
	err_set(err, ERR_NOT_FOUND, "there is no drain %lld", (long long)id);
	return NULL;
}

static json_t *
fd_undrain(void *arg, const char *host, const struct control_peer *peer,
    struct err *err)
{
	(void)peer;
	if (drain_state != NULL) {
		drain_ended = mono_diff(clock_mono_now(), drain_began);
		drain_state = "cancelled";
	}
	return fd_host(arg, host, err);
}

static json_t *
fd_drains(void *arg, int max, struct err *err)
{
	json_t *drains = json_array();

	(void)arg;
	(void)max;
	(void)err;
	if (drain_state != NULL)
		json_array_append_new(drains, drain_json());
	return json_pack("{s:o}", "drains", drains);
}

static json_t *
fd_cordon(void *arg, const char *host, const char *reason,
    const struct control_peer *peer, struct err *err)
{
	(void)reason;
	(void)peer;
	return fd_host(arg, host, err);
}

static json_t *
fd_uncordon(void *arg, const char *host, const struct control_peer *peer,
    struct err *err)
{
	(void)peer;
	return fd_host(arg, host, err);
}

static json_t *
fd_plan(void *arg, const char *host,
    const struct control_drain_options *options, struct err *err)
{
	json_t *steps = json_array();

	(void)arg;
	(void)options;
	(void)err;
	for (int i = 0; i < guest_count; i++) {
		json_t *step = vm_json(i);

		if (!guests[i].blocked) {
			json_object_set_new(step, "to", json_string("kvm2"));
			json_object_set_new(
			    step, "wave", json_integer(i / 2 + 1));
			json_object_set_new(step, "strategy",
			    json_string(
				restarts(i) ? "restart" : "live-shared"));
			json_object_set_new(step, "storage",
			    json_string(restarts(i) ? "local" : "shared"));
			json_object_set_new(
			    step, "predicted_ms", json_integer(time_of(i)));
			json_object_set_new(step, "predicted_downtime_ms",
			    json_integer(restarts(i) ? time_of(i) / 2 : 60));
			json_object_set_new(
			    step, "why", json_string("most free memory"));
		}
		json_array_append_new(steps, step);
	}
	return json_pack("{s:s,s:s,s:i,s:i,s:i,s:o}", "host", host, "policy",
	    "maintenance", "waves", (guest_count + 1) / 2, "movable",
	    guest_count - 1, "blocked", 1, "steps", steps);
}

static json_t *
fd_explain(void *arg, const char *name, const char *to, struct err *err)
{
	struct control_drain_options options = {.parallel = -1};
	json_t *plan = fd_plan(arg, "kvm1", &options, err), *item;
	size_t i;

	(void)to;
	if (strcmp(name, "kvm1") == 0) {
		json_object_set_new(plan, "kind", json_string("host"));
		json_object_set_new(plan, "state", json_string("up"));
		json_object_set_new(plan, "policies",
		    json_pack("[{s:s,s:s,s:i,s:s,s:s,s:s}]", "policy",
			"maintenance", "file", "10-maintenance.yaml", "line", 7,
			"mode", "auto", "when", "maintenance", "holds",
			drain_state != NULL ? "true" : "false"));
		return plan;
	}
	json_array_foreach(json_object_get(plan, "steps"), i, item)
	{
		if (strcmp(json_string_value(json_object_get(item, "vm")),
			name) != 0)
			continue;
		json_incref(item);
		json_decref(plan);
		json_object_set_new(item, "kind", json_string("vm"));
		json_object_set_new(item, "state", json_string("running"));
		json_object_set_new(item, "from", json_string("kvm1"));
		json_object_set_new(item, "strategies",
		    json_pack("[{s:s,s:s,s:s}]", "strategy", "live-copy",
			"rule", "pool-room", "why",
			"needs 1.5 GiB, 1.0 GiB are free in pool default"));
		return item;
	}
	json_decref(plan);
	err_set(
	    err, ERR_NOT_FOUND, "there is no guest and no host \"%s\"", name);
	return NULL;
}

static json_t *
fd_moves(void *arg, const struct control_move_filter *filter, struct err *err)
{
	json_t *moves = json_array();

	(void)arg;
	(void)err;
	for (int i = guest_count - 1; i >= 0; i--)
		if (guests[i].attempts > 0 &&
		    (!filter->open_only || guests[i].state == MOVING))
			json_array_append_new(moves, move_json(i));
	return json_pack("{s:o}", "moves", moves);
}

static json_t *
fd_move(void *arg, int64_t id, struct err *err)
{
	(void)arg;
	if (id / 10 < guest_count && guests[id / 10].attempts > 0)
		return move_json((int)(id / 10));
	err_set(err, ERR_NOT_FOUND, "there is no move %lld", (long long)id);
	return NULL;
}

static json_t *
fd_vm(void *arg, const char *name, struct err *err)
{
	json_t *all = fd_vms(arg, err), *vm, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(all, "vms"), i,
	    vm) if (strcmp(json_string_value(json_object_get(vm, "name")),
			name) == 0) found = json_incref(vm);
	json_decref(all);
	if (found == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no guest %s", name);
	return found;
}

static json_t *
fd_move_abort(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	(void)arg;
	(void)id;
	(void)peer;
	err_set(err, ERR_CONFLICT, "made-up moves cannot be aborted");
	return NULL;
}

static json_t *
fd_vm_move(void *arg, const char *vm,
    const struct control_move_options *options, const struct control_peer *peer,
    struct err *err)
{
	(void)arg;
	(void)peer;
	for (int i = 0; i < guest_count; i++) {
		if (strcmp(guests[i].name, vm) != 0)
			continue;
		if (options->dry_run)
			return json_pack("{s:s,s:s,s:s,s:s,s:s}", "vm", vm,
			    "from", "kvm1", "to", "kvm2", "strategy",
			    "live-shared", "why", "most free memory");
		guests[i].state = MOVING;
		guests[i].attempts++;
		guests[i].began = clock_mono_now();
		return move_json(i);
	}
	err_set(err, ERR_NOT_FOUND, "there is no guest %s", vm);
	return NULL;
}

/* Its guests on kvm1, as `droverctl simulate` takes them. */
static json_t *
fd_snapshot(void *arg, struct err *err)
{
	json_t *hosts = json_array(), *vms = json_array();

	(void)arg;
	(void)err;
	for (int i = 1; i <= 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "kvm%d", i);
		json_array_append_new(hosts,
		    json_pack("{s:s,s:i,s:f,s:I,s:b,s:b}", "name", name, "cpus",
			64, "cpu_used", 3.25 * i, "memory",
			(json_int_t)256 << 30, "cordoned", i == 3, "up",
			i != 4));
	}
	for (int i = 0; i < guest_count; i++)
		json_array_append_new(vms,
		    json_pack("{s:s,s:s,s:s,s:I,s:i,s:f,s:s}", "name",
			strchr(guests[i].name, '\033') == NULL ? guests[i].name
							       : guests[i].uuid,
			"uuid", guests[i].uuid, "host", "kvm1", "memory",
			(json_int_t)4 << 30, "vcpus", 2, "cpu_used",
			0.25 * (i % 5), "storage", "shared"));
	for (int i = 0; i < guest_count; i++)
		if (guests[i].blocked)
			json_object_set_new(json_array_get(vms, (size_t)i),
			    "pinned", json_true());
	return json_pack("{s:o,s:o}", "hosts", hosts, "vms", vms);
}

static json_t *
fd_alerts(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	return json_pack("{s:[{s:s, s:s, s:s, s:{s:s}}]}", "alerts", "name",
	    "DiskFailing", "severity", "critical", "host", "kvm1", "labels",
	    "alertname", "DiskFailing");
}

static json_t *
fd_reload(void *arg, char **out_faults, struct err *err)
{
	(void)arg;
	*out_faults = strdup(
	    "drover.yaml:12:5: hosts[0].uri: missing\n"
	    "drover.yaml:14:3: limit: unknown key (did you mean limits?)\n");
	err_set(err, ERR_INVALID,
	    "the configuration has 2 faults; the "
	    "running one is kept");
	return NULL;
}

static int
fd_events(void *arg, int64_t after, int max,
    void (*fn)(const struct store_event *event, void *fn_arg), void *fn_arg,
    struct err *err)
{
	(void)arg;
	(void)err;
	for (int64_t seq = after + 1; seq <= event_count && max-- > 0; seq++) {
		struct store_event event = {.seq = seq,
		    .type = "drover.event",
		    .body = events[(seq - 1) % 1000]};

		fn(&event, fn_arg);
	}
	return 0;
}

static int64_t
fd_last_event(void *arg)
{
	(void)arg;
	return event_count;
}

static void
on_signal(int number, void *arg)
{
	(void)number;
	loop_stop(arg);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = {"web1", "db1", "gpu1", "flaky1",
	    "größe-für-alle", "仮想マシン", "evil\033[2Jname"};
	const struct control_backend backend = {
	    .status = fd_status,
	    .hosts = fd_hosts,
	    .host = fd_host,
	    .vms = fd_vms,
	    .vm = fd_vm,
	    .plan_drain = fd_plan,
	    .snapshot = fd_snapshot,
	    .explain = fd_explain,
	    .drain = fd_drain,
	    .undrain = fd_undrain,
	    .cordon = fd_cordon,
	    .uncordon = fd_uncordon,
	    .drains = fd_drains,
	    .drain_show = fd_drain_show,
	    .move_abort = fd_move_abort,
	    .moves = fd_moves,
	    .move = fd_move,
	    .vm_move = fd_vm_move,
	    .alerts = fd_alerts,
	    .reload = fd_reload,
	    .events = fd_events,
	    .last_event = fd_last_event,
	};
	struct err err = {0};

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: fake_daemon SOCKET [GUESTS [MS]]\n");
		return 2;
	}
	if (argc > 2)
		guest_count = atoi(argv[2]);
	if (argc > 3)
		move_ms = atoi(argv[3]);
	if (guest_count < 1 || guest_count > GUESTS_MAX || move_ms < 10)
		return 2;
	for (int i = 0; i < guest_count; i++) {
		if (i < 7)
			snprintf(guests[i].name, sizeof(guests[i].name), "%s",
			    names[i]);
		else
			snprintf(
			    guests[i].name, sizeof(guests[i].name), "app%d", i);
		snprintf(guests[i].uuid, sizeof(guests[i].uuid),
		    "00000000-0000-0000-0000-%012d", i);
		guests[i].blocked = strcmp(guests[i].name, "gpu1") == 0;
	}
	loop = loop_new();
	server = server_new(loop, argv[1], NULL, &backend, &err);
	if (server == NULL) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	timer = loop_timer_new(loop, advance, NULL);
	loop_timer_set(timer, 20);
	loop_on_signal(loop, SIGTERM, on_signal, loop);
	loop_on_signal(loop, SIGINT, on_signal, loop);
	loop_run(loop);
	server_free(server);
	loop_timer_free(timer);
	loop_free(loop);
	return 0;
}

/*
 * The daemon's answers to the control API: looks things up, calls the part whose
 * business it is, and puts the outcome into JSON.  Shapes: control/backend.h.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fields.h"
#include "base/log.h"
#include "backend.h"
#include "control/metrics.h"
#include "model/view.h"

void
backend_peer_text(const struct control_peer *peer, char *out, size_t size)
{
	(void)snprintf(
	    out, size, "uid %u (pid %d)", (unsigned)peer->uid, (int)peer->pid);
}

const struct settings_host *
backend_find_host(const struct daemon *d, const char *name, struct err *err)
{
	const struct settings_host *h = settings_find_host(d->settings, name);

	if (h == NULL)
		(void)err_set(err, ERR_NOT_FOUND,
		    "there is no host \"%s\" in "
		    "the configuration",
		    name);
	return h;
}

/* ---- looking ---- */

static void
count_hosts(const struct snapshot *s, json_t *out)
{
	int up = 0, silent = 0, claimed = 0, maintenance = 0, cordoned = 0;
	int running = 0, active;

	for (size_t i = 0; i < s->host_count; i++) {
		const struct snap_host *h = &s->hosts[i];
		bool is_silent = h->up && h->silent_ms >= PLACE_SILENT_MS;

		bool is_claimed = h->up && !is_silent && h->claimed_by != NULL;

		up += h->up && !is_silent && !is_claimed;
		claimed += is_claimed;
		silent += is_silent;
		maintenance += h->maintenance;
		cordoned += h->cordoned && !h->maintenance;
	}
	for (size_t i = 0; i < s->vm_count; i++) {
		active = s->vms[i].state == DOMAIN_RUNNING ||
		    s->vms[i].state == DOMAIN_BLOCKED;
		running += active;
	}
	json_object_set_new(out, "hosts",
	    json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "up", up, "down",
		(int)s->host_count - up - silent - claimed, "silent", silent,
		"claimed", claimed, "maintenance", maintenance, "cordoned",
		cordoned));
	json_object_set_new(out, "vms",
	    json_pack(
		"{s:i, s:i}", "running", running, "total", (int)s->vm_count));
}

static json_t *
get_status(void *arg, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	json_t *o =
	    json_pack("{s:s, s:s, s:i, s:I}", "version", PACKAGE_VERSION,
		"site", d->settings->site, "pid", (int)getpid(), "uptime_ms",
		(json_int_t)mono_diff(clock_mono_now(), d->started_mono));
	json_t *config = json_pack("{s:s, s:s*}", "path", d->config_path,
		   "rejected", d->rejected),
	       *drains, *receivers = NULL;

	drains = drains_list(d->drains, 1000, true, err);
	if (drains != NULL)
		receivers = backend_receiver_rows(d, err);
	if (receivers == NULL) {
		json_decref(o);
		json_decref(config);
		json_decref(drains);
		return NULL;
	}
	fields_time(o, "started", d->started);
	fields_time(config, "loaded", d->loaded);
	count_hosts(s, o);
	json_object_set_new(o, "moves",
	    json_pack("{s:i, s:I, s:I}", "in_flight",
		(int)executor_count(d->executor), "completed",
		(json_int_t)d->completed, "failed", (json_int_t)d->failed));
	json_object_set_new(o, "drains", drains);
	json_object_set_new(o, "receivers", receivers);
	json_object_set_new(o, "config", config);
	json_object_set_new(o, "conditions", keeper_status(d->keeper));
	return o;
}

struct in_flight {
	struct metrics_gauge gauges[3];
};

static void
count_in_flight(const struct executor_report *report, void *arg)
{
	struct in_flight *f = arg;

	for (size_t i = 0; i < 3; i++)
		if (strcmp(f->gauges[i].label, report->strategy) == 0)
			f->gauges[i].value++;
}

static const struct metrics_load *
loads_of(const struct snapshot *s)
{
	struct metrics_load *loads =
	    arena_array(s->arena, s->host_count, sizeof(loads[0]));

	for (size_t i = 0; i < s->host_count; i++) {
		const struct snap_host *host = &s->hosts[i];

		loads[i] = (struct metrics_load){host->name,
		    host->cpus > 0 ? host->cpu_smooth / host->cpus : NAN,
		    host->memory_smooth, host->psi_cpu, host->psi_memory,
		    host->psi_io};
	}
	return loads;
}

static struct metrics_gauge *
count_alerts(const struct daemon *d, const struct snapshot *s, size_t *out)
{
	struct metrics_gauge *gauges =
	    calloc(s->host_count + 1, sizeof(*gauges));

	if (gauges == NULL)
		abort();
	for (size_t i = 0; i < s->host_count; i++)
		gauges[i] = (struct metrics_gauge){
		    s->hosts[i].name, (int64_t)s->hosts[i].alert_count};
	gauges[s->host_count] =
	    (struct metrics_gauge){"", (int64_t)alerts_without_host(d->alerts)};
	*out = s->host_count + 1;
	return gauges;
}

static int
metrics(void *arg, struct buf *out, struct err *err)
{
	static const char *const states[] = {
	    "up", "down", "silent", "claimed", "maintenance", "cordoned"};
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	struct in_flight moves = {
	    {{"live-shared", 0}, {"live-copy", 0}, {"restart", 0}}};
	struct metrics_gauge hosts[sizeof(states) / sizeof(states[0])];
	cleanup_free struct metrics_gauge *alerts = NULL;
	json_t *counts = json_object(), *by_state;
	json_t *kept = leftovers_json(d->leftovers, NULL);
	struct metrics_now now = {.version = PACKAGE_VERSION,
	    .in_flight = moves.gauges,
	    .in_flight_count = 3,
	    .hosts = hosts,
	    .host_count = sizeof(states) / sizeof(states[0]),
	    .loads = loads_of(s),
	    .load_count = s->host_count,
	    .deliver = d->deliver,
	    .at = clock_wall_now(),
	    .kept = (int64_t)json_array_size(kept)};

	now.alerts = alerts = count_alerts(d, s, &now.alert_count);
	executor_each(d->executor, count_in_flight, &moves);
	count_hosts(s, counts);
	by_state = json_object_get(counts, "hosts");
	for (size_t i = 0; i < now.host_count; i++)
		hosts[i] = (struct metrics_gauge){states[i],
		    json_integer_value(json_object_get(by_state, states[i]))};
	json_decref(counts);
	json_decref(kept);
	return metrics_write(d->store, &now, out, err);
}

static json_t *
get_hosts(void *arg, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	json_t *list = json_array();

	(void)err;
	for (size_t i = 0; i < s->host_count; i++)
		json_array_append_new(list, view_host(s, &s->hosts[i], false));
	return json_pack("{s:o}", "hosts", list);
}

static json_t *
get_host(void *arg, const char *name, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	const struct snap_host *h = snapshot_find_host(s, name);
	int64_t drain;
	json_t *o;

	if (h == NULL) {
		(void)backend_find_host(d, name, err);
		return NULL;
	}
	o = view_host(s, h, true);
	json_object_set_new(o, "kept", leftovers_json(d->leftovers, name));
	json_object_set_new(o, "homes", pilot_homes(d->pilot, name));
	drain = drains_open_id(d->drains, name);
	if (drain != 0)
		json_object_set_new(
		    o, "drain", drains_show(d->drains, drain, false, NULL));
	return o;
}

static json_t *
get_vms(void *arg, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	json_t *list = json_array();

	(void)err;
	for (size_t i = 0; i < s->vm_count; i++)
		json_array_append_new(list, view_vm(s, &s->vms[i], false));
	return json_pack("{s:o}", "vms", list);
}

const struct snap_vm *
backend_find_vm(const struct snapshot *s, const char *name, struct err *err)
{
	bool ambiguous = false;
	const struct snap_vm *vm = snapshot_search_vm(s, name, &ambiguous);

	if (vm == NULL && ambiguous)
		(void)err_set(err, ERR_CONFLICT,
		    "several guests are called "
		    "\"%s\"; name it by its UUID",
		    name);
	else if (vm == NULL)
		(void)err_set(err, ERR_NOT_FOUND,
		    "there is no guest \"%s\" "
		    "on any host that was seen",
		    name);
	return vm;
}

static json_t *
get_vm(void *arg, const char *name, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	const struct snap_vm *vm = backend_find_vm(s, name, err);
	json_t *o, *home;

	if (vm == NULL)
		return NULL;
	o = view_vm(s, vm, true);
	home = pilot_home(d->pilot, vm->uuid);
	if (home != NULL)
		json_object_set_new(o, "home", home);
	return o;
}

/* ---- drains and flags ---- */

int
backend_check_target(
    const struct daemon *d, const char *host, const char *to, struct err *err)
{
	if (to == NULL)
		return 0;
	if (backend_find_host(d, to, err) == NULL)
		return -1;
	if (host != NULL && strcmp(host, to) == 0)
		return err_set(
		    err, ERR_INVALID, "%s cannot be its own target", host);
	return 0;
}

static json_t *
drain(void *arg, const char *host, const struct control_drain_options *o,
    const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;
	char by[64];
	int64_t id;
	json_t *outlook, *shown;
	struct store_flag flag = {.host = host,
	    .maintenance = true,
	    .cordoned = true,
	    .source = "operator",
	    .by = by,
	    .reason = o->reason};

	if (backend_find_host(d, host, err) == NULL ||
	    backend_check_target(d, host, o->only_to, err) < 0)
		return NULL;
	backend_peer_text(peer, by, sizeof(by));
	if (flags_set(d->flags, &flag, err) < 0)
		return NULL;
	id = drains_start(d->drains, host,
	    &(struct drains_options){.parallel = o->parallel,
		.only_to = o->only_to,
		.reason = o->reason,
		.by = by,
		.force_off = o->force_off,
		.include_stopped = o->include_stopped,
		.return_home = o->return_home,
		.deadline = o->deadline},
	    err);
	if (id < 0)
		return NULL;
	/* Now, so that the answer names the guests. */
	pilot_retry(d->pilot, host);
	outlook = pilot_route(d->pilot, host);
	pilot_turn(d->pilot);
	shown = drains_show(d->drains, id, true, err);
	if (shown != NULL && outlook != NULL)
		json_object_set(shown, "outlook", outlook);
	json_decref(outlook);
	return shown;
}

/* A flag that a file sets would come back with the file: so the file goes. */
static int
remove_flag_file(const struct daemon *d, const char *host, struct err *err)
{
	char path[4096];

	if (d->watchdir == NULL || !watchdir_has(d->watchdir, host))
		return 0;
	(void)snprintf(
	    path, sizeof(path), "%s/%s", watchdir_path(d->watchdir), host);
	if (unlink(path) < 0)
		return err_set(err, ERR_CONFLICT,
		    "%s: the flag is set by %s, "
		    "which cannot be removed: %m",
		    host, path);
	log_info("flag", "%s: removed %s", host, path);
	return 0;
}

static json_t *
set_flag(struct daemon *d, const char *host, bool cordoned, const char *reason,
    const struct control_peer *peer, struct err *err)
{
	char by[64];
	struct store_flag flag = {.host = host,
	    .cordoned = cordoned,
	    .source = "operator",
	    .by = by,
	    .reason = reason};
	const struct store_flag *now = flags_get(d->flags, host);

	if (backend_find_host(d, host, err) == NULL)
		return NULL;
	backend_peer_text(peer, by, sizeof(by));
	if (cordoned && now != NULL && now->maintenance)
		flag = *now, flag.cordoned = true;
	if (!cordoned && remove_flag_file(d, host, err) < 0)
		return NULL;
	if (flags_set(d->flags, &flag, err) < 0)
		return NULL;
	return get_host(d, host, err);
}

static json_t *
undrain(void *arg, const char *host, const struct control_peer *peer,
    struct err *err)
{
	return set_flag(arg, host, false, NULL, peer, err);
}

static json_t *
cordon(void *arg, const char *host, const char *reason,
    const struct control_peer *peer, struct err *err)
{
	return set_flag(arg, host, true, reason, peer, err);
}

static json_t *
list_drains(void *arg, int max, struct err *err)
{
	struct daemon *d = arg;
	json_t *list = drains_list(d->drains, max, false, err);

	return list != NULL ? json_pack("{s:o}", "drains", list) : NULL;
}

static json_t *
show_drain(void *arg, int64_t id, struct err *err)
{
	struct daemon *d = arg;

	return drains_show(d->drains, id, true, err);
}

/* ---- moves ---- */

struct move_listing {
	struct daemon *d;
	json_t *list;
};

static void
add_move(const struct store_move *row, void *arg)
{
	struct move_listing *l = arg;
	struct executor_report report;

	json_array_append_new(l->list,
	    executor_find(l->d->executor, row->id, &report)
		? executor_report_json(&report)
		: executor_row_json(row));
}

static json_t *
list_moves(void *arg, const struct control_move_filter *filter, struct err *err)
{
	struct daemon *d = arg;
	struct move_listing l = {d, json_array()};

	if (store_each_move(d->store,
		&(struct store_move_filter){
		    .open_only = filter->open_only, .max = filter->max},
		add_move, &l, err) < 0) {
		json_decref(l.list);
		return NULL;
	}
	return json_pack("{s:o}", "moves", l.list);
}

static void
add_journal(const struct store_journal *entry, void *arg)
{
	json_t *o = json_pack("{s:s, s:s, s:s*}", "kind", entry->kind, "step",
	    entry->step, "detail", entry->detail);

	fields_time(o, "at", entry->at);
	json_array_append_new(arg, o);
}

json_t *
backend_show_move(void *arg, int64_t id, struct err *err)
{
	struct daemon *d = arg;
	struct move_listing l = {d, json_array()};
	json_t *o = NULL, *journal = json_array();

	if (store_get_move(d->store, id, add_move, &l, err) == 0 &&
	    store_each_journal(d->store, id, add_journal, journal, err) == 0) {
		o = json_incref(json_array_get(l.list, 0));
		json_object_set(o, "journal", journal);
	}
	json_decref(journal);
	json_decref(l.list);
	return o;
}

static json_t *
abort_move(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;

	if (executor_abort(d->executor, id, err) < 0) {
		/* Unknown, or over: the store knows which. */
		if (err != NULL && err->code == ERR_NOT_FOUND) {
			json_t *o = backend_show_move(d, id, err);

			if (o != NULL)
				(void)err_set(err, ERR_CONFLICT,
				    "move %" PRId64 " has ended", id);
			json_decref(o);
		}
		return NULL;
	}
	log_info("control", "move %" PRId64 ": abort asked for by uid %u", id,
	    (unsigned)peer->uid);
	return backend_show_move(d, id, err);
}

/* ---- alerts ---- */

static json_t *
list_alerts(void *arg, struct err *err)
{
	struct daemon *d = arg;

	(void)err;
	return json_pack("{s:o}", "alerts", alerts_json(d->alerts));
}

static json_t *
post_alerts(void *arg, const char *body, size_t len, struct err *err)
{
	struct daemon *d = arg;

	return alerts_post(d->alerts, body, len, err);
}

/* ---- the rest ---- */

static json_t *
reload(void *arg, char **out_faults, struct err *err)
{
	if (daemon_reload(arg, out_faults, err) < 0)
		return NULL;
	return json_pack("{s:b}", "loaded", 1);
}

static int
events(void *arg, int64_t after, int max,
    void (*fn)(const struct store_event *event, void *fn_arg), void *fn_arg,
    struct err *err)
{
	struct daemon *d = arg;

	return store_each_event(d->store, after, max, fn, fn_arg, err);
}

static int64_t
last_event(void *arg)
{
	struct daemon *d = arg;

	return store_last_event(d->store);
}

struct control_backend
backend_make(struct daemon *d)
{
	return (struct control_backend){
	    .arg = d,
	    .status = get_status,
	    .metrics = metrics,
	    .hosts = get_hosts,
	    .host = get_host,
	    .vms = get_vms,
	    .vm = get_vm,
	    .plan_drain = backend_plan,
	    .snapshot = backend_snapshot,
	    .explain = backend_explain,
	    .drain = drain,
	    .undrain = undrain,
	    .cordon = cordon,
	    .uncordon = undrain,
	    .drains = list_drains,
	    .drain_show = show_drain,
	    .moves = list_moves,
	    .move = backend_show_move,
	    .vm_move = backend_move_vm,
	    .move_abort = abort_move,
	    .decisions = backend_decisions,
	    .decision = backend_decision,
	    .decision_approve = backend_approve,
	    .policies = backend_policies,
	    .policy = backend_policy,
	    .policy_set_mode = backend_set_mode,
	    .vm_label = backend_label,
	    .alerts = list_alerts,
	    .alerts_post = post_alerts,
	    .receivers = backend_receivers,
	    .deliveries = backend_deliveries,
	    .delivery = backend_delivery,
	    .attempts = backend_attempts,
	    .delivery_replay = backend_delivery_replay,
	    .delivery_drop = backend_delivery_drop,
	    .receiver_replay = backend_receiver_replay,
	    .receiver_drop = backend_receiver_drop,
	    .receiver_test = backend_receiver_test,
	    .reload = reload,
	    .events = events,
	    .last_event = last_event,
	};
}

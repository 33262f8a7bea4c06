/*
 * The control server is tested against this: what matters there is what arrives
 * at the backend and how its answers and errors come back, not hosts and
 * guests.
 */

#include "fake_backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *note(struct fake_backend *fake, struct err *err, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* Notes the call; returns an object that names it, or fails as told. */
static json_t *
note(struct fake_backend *fake, struct err *err, const char *fmt, ...)
{
	char text[1024];
	size_t used;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&fake->lock);
	used = strlen(fake->calls);
	snprintf(fake->calls + used, sizeof(fake->calls) - used, "%s\n", text);
	pthread_mutex_unlock(&fake->lock);
	if (fake->fail.code != ERR_NONE) {
		err_set(err, fake->fail.code, "%s", fake->fail.msg);
		return NULL;
	}
	return json_pack("{s:s, s:f}", "called", text, "number", 0.1);
}

static const char *
or_none(const char *s)
{
	return s != NULL ? s : "-";
}

static json_t *
fake_status(void *arg, struct err *err)
{
	return note(arg, err, "status");
}

static int
fake_metrics(void *arg, struct buf *out, struct err *err)
{
	json_t *answer = note(arg, err, "metrics");

	if (answer == NULL)
		return -1;
	json_decref(answer);
	return buf_adds(out, "# TYPE drover_up gauge\ndrover_up 1\n");
}

static json_t *
fake_alerts(void *arg, struct err *err)
{
	return note(arg, err, "alerts");
}

static json_t *
fake_alerts_post(void *arg, const char *body, size_t len, struct err *err)
{
	return note(arg, err, "alerts_post %zu %.*s", len,
	    (int)(len < 40 ? len : 40), body);
}

static json_t *
fake_hosts(void *arg, struct err *err)
{
	return note(arg, err, "hosts");
}

static json_t *
fake_host(void *arg, const char *name, struct err *err)
{
	return note(arg, err, "host %s", name);
}

static json_t *
fake_vms(void *arg, struct err *err)
{
	return note(arg, err, "vms");
}

static json_t *
fake_vm(void *arg, const char *name, struct err *err)
{
	return note(arg, err, "vm %s", name);
}

static json_t *
fake_plan_drain(void *arg, const char *host,
    const struct control_drain_options *options, struct err *err)
{
	return note(arg, err, "plan_drain %s %d %s %s%s%s", host,
	    options->parallel, or_none(options->only_to),
	    or_none(options->reason), options->force_off ? " force" : "",
	    options->include_stopped                    ? " stopped"
		: options->deadline.ms == 1795230000000 ? " by then"
							: "");
}

static json_t *
fake_snapshot(void *arg, struct err *err)
{
	return note(arg, err, "snapshot");
}

static json_t *
fake_explain(void *arg, const char *name, const char *to, struct err *err)
{
	return note(arg, err, "explain %s %s", name, or_none(to));
}

static json_t *
fake_drain(void *arg, const char *host,
    const struct control_drain_options *options,
    const struct control_peer *peer, struct err *err)
{
	return note(arg, err, "drain %s %d %s %s%s%s%s uid=%u pid=%d", host,
	    options->parallel, or_none(options->only_to),
	    or_none(options->reason), options->force_off ? " force" : "",
	    options->include_stopped ? " stopped" : "",
	    options->return_home ? " home" : "", (unsigned)peer->uid,
	    (int)peer->pid);
}

static json_t *
fake_undrain(void *arg, const char *host, const struct control_peer *peer,
    struct err *err)
{
	return note(arg, err, "undrain %s uid=%u", host, (unsigned)peer->uid);
}

static json_t *
fake_cordon(void *arg, const char *host, const char *reason,
    const struct control_peer *peer, struct err *err)
{
	return note(arg, err, "cordon %s %s uid=%u", host, or_none(reason),
	    (unsigned)peer->uid);
}

static json_t *
fake_uncordon(void *arg, const char *host, const struct control_peer *peer,
    struct err *err)
{
	return note(arg, err, "uncordon %s uid=%u", host, (unsigned)peer->uid);
}

static json_t *
fake_drains(void *arg, int max, struct err *err)
{
	return note(arg, err, "drains %d", max);
}

static json_t *
fake_drain_show(void *arg, int64_t id, struct err *err)
{
	return note(arg, err, "drain_show %lld", (long long)id);
}

static json_t *
fake_moves(void *arg, const struct control_move_filter *filter, struct err *err)
{
	return note(arg, err, "moves %d %d", filter->max, filter->open_only);
}

static json_t *
fake_move(void *arg, int64_t id, struct err *err)
{
	return note(arg, err, "move %lld", (long long)id);
}

static json_t *
fake_vm_move(void *arg, const char *vm,
    const struct control_move_options *options, const struct control_peer *peer,
    struct err *err)
{
	struct fake_backend *fake = arg;

	json_t *answer;

	answer = note(arg, err, "vm_move %s %s %s %d%s uid=%u", vm,
	    or_none(options->to), or_none(options->strategy), options->dry_run,
	    options->force ? " force" : "", (unsigned)peer->uid);
	if (fake->waits == 0 || answer == NULL)
		return answer;
	json_decref(answer);
	fake->waits--;
	*options->out_wait = true;
	err_set(err, ERR_CONFLICT, "%s: no host can take it yet: %s", vm,
	    "kvm2: is being asked");
	return NULL;
}

static json_t *
fake_move_abort(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	return note(arg, err, "move_abort %lld uid=%u", (long long)id,
	    (unsigned)peer->uid);
}

static json_t *
fake_decisions(
    void *arg, const struct control_decision_filter *filter, struct err *err)
{
	return note(arg, err, "decisions %s %s %d %d", or_none(filter->policy),
	    or_none(filter->host), filter->max, filter->open_only);
}

static json_t *
fake_decision(void *arg, int64_t id, struct err *err)
{
	return note(arg, err, "decision %lld", (long long)id);
}

static json_t *
fake_approve(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	return note(arg, err, "approve %lld uid=%u", (long long)id,
	    (unsigned)peer->uid);
}

static json_t *
fake_policies(void *arg, struct err *err)
{
	return note(arg, err, "policies");
}

static json_t *
fake_policy(void *arg, const char *name, struct err *err)
{
	return note(arg, err, "policy %s", name);
}

static json_t *
fake_set_mode(void *arg, const char *name, const char *mode,
    const struct control_peer *peer, struct err *err)
{
	return note(
	    arg, err, "set_mode %s %s uid=%u", name, mode, (unsigned)peer->uid);
}

static json_t *
fake_label(void *arg, const char *name, json_t *labels,
    const struct control_peer *peer, struct err *err)
{
	char *text = json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);
	json_t *answer = note(
	    arg, err, "label %s %s uid=%u", name, text, (unsigned)peer->uid);

	free(text);
	return answer;
}

static json_t *
fake_receivers(void *arg, struct err *err)
{
	return note(arg, err, "receivers");
}

static json_t *
fake_deliveries(
    void *arg, const struct control_delivery_filter *filter, struct err *err)
{
	return note(arg, err, "deliveries %s %s %lld %d",
	    or_none(filter->receiver), or_none(filter->state),
	    (long long)filter->before, filter->max);
}

static json_t *
fake_delivery(void *arg, int64_t id, struct err *err)
{
	return note(arg, err, "delivery %lld", (long long)id);
}

static json_t *
fake_attempts(
    void *arg, const struct control_delivery_filter *filter, struct err *err)
{
	return note(arg, err, "attempts %s %lld %d", or_none(filter->receiver),
	    (long long)filter->before, filter->max);
}

static json_t *
fake_delivery_replay(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	return note(arg, err, "delivery_replay %lld uid=%u", (long long)id,
	    (unsigned)peer->uid);
}

static json_t *
fake_delivery_drop(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	return note(arg, err, "delivery_drop %lld uid=%u", (long long)id,
	    (unsigned)peer->uid);
}

static json_t *
fake_receiver_replay(void *arg, const char *name,
    const struct control_peer *peer, struct err *err)
{
	json_t *answer = note(
	    arg, err, "receiver_replay %s uid=%u", name, (unsigned)peer->uid);

	if (answer != NULL)
		json_object_set_new(answer, "replayed", json_integer(3));
	return answer;
}

static json_t *
fake_receiver_drop(void *arg, const char *name, bool dead,
    const struct control_peer *peer, struct err *err)
{
	json_t *answer = note(arg, err, "receiver_drop %s %s uid=%u", name,
	    dead ? "dead" : "pending", (unsigned)peer->uid);

	if (answer != NULL)
		json_object_set_new(
		    answer, dead ? "deleted" : "dropped", json_integer(2));
	if (answer != NULL && ((struct fake_backend *)arg)->slices > 0)
		json_object_set_new(answer, "left",
		    json_integer(2 * --((struct fake_backend *)arg)->slices));
	return answer;
}

static int
fake_receiver_test(void *arg, const char *name, const char *event,
    const struct control_peer *peer, control_done_fn *done, void *done_arg,
    struct err *err)
{
	struct fake_backend *fake = arg;
	json_t *answer = note(fake, err, "receiver_test %s %s uid=%u", name,
	    or_none(event), (unsigned)peer->uid);

	if (answer == NULL)
		return -1;
	json_decref(answer);
	pthread_mutex_lock(&fake->lock);
	fake->done = done;
	fake->done_arg = done_arg;
	pthread_mutex_unlock(&fake->lock);
	if (fake->test_answer != NULL)
		fake_finish_test(fake);
	return 0;
}

void
fake_finish_test(void *arg)
{
	struct fake_backend *fake = arg;
	control_done_fn *done = fake->done;
	struct err err = {0};

	pthread_mutex_lock(&fake->lock);
	fake->done = NULL;
	pthread_mutex_unlock(&fake->lock);
	if (fake->test_answer == NULL)
		err_set(&err, ERR_TIMEOUT, "it took too long");
	done(fake->test_answer != NULL ? json_loads(fake->test_answer, 0, NULL)
				       : NULL,
	    &err, fake->done_arg);
}

static json_t *
fake_reload(void *arg, char **out_faults, struct err *err)
{
	struct fake_backend *fake = arg;
	json_t *answer = note(arg, err, "reload");

	if (fake->faults == NULL)
		return answer;
	json_decref(answer);
	*out_faults = strdup(fake->faults);
	err_set(err, ERR_INVALID, "the configuration has faults");
	return NULL;
}

static int
fake_events(void *arg, int64_t after, int max,
    void (*fn)(const struct store_event *event, void *fn_arg), void *fn_arg,
    struct err *err)
{
	struct fake_backend *fake = arg;
	char *body = malloc(fake->event_size + 128);

	(void)err;
	pthread_mutex_lock(&fake->lock);
	for (int64_t seq = after + 1; seq <= fake->event_count && max > 0;
	     seq++, max--) {
		struct store_event event = {
		    .seq = seq, .type = "drover.move.completed", .body = body};
		int used =
		    sprintf(body, "{\"n\":%lld,\"pad\":\"", (long long)seq);

		memset(body + used, 'x', fake->event_size);
		memcpy(body + (size_t)used + fake->event_size, "\"}", 3);
		fake->events_read++;
		fn(&event, fn_arg);
	}
	pthread_mutex_unlock(&fake->lock);
	free(body);
	return 0;
}

static int64_t
fake_last_event(void *arg)
{
	struct fake_backend *fake = arg;
	int64_t last;

	pthread_mutex_lock(&fake->lock);
	last = fake->event_count;
	pthread_mutex_unlock(&fake->lock);
	return last;
}

void
fake_init(struct fake_backend *fake)
{
	memset(fake, 0, sizeof(*fake));
	pthread_mutex_init(&fake->lock, NULL);
	fake->backend = (struct control_backend){
	    .arg = fake,
	    .status = fake_status,
	    .metrics = fake_metrics,
	    .hosts = fake_hosts,
	    .host = fake_host,
	    .vms = fake_vms,
	    .vm = fake_vm,
	    .plan_drain = fake_plan_drain,
	    .snapshot = fake_snapshot,
	    .explain = fake_explain,
	    .drain = fake_drain,
	    .undrain = fake_undrain,
	    .cordon = fake_cordon,
	    .uncordon = fake_uncordon,
	    .drains = fake_drains,
	    .drain_show = fake_drain_show,
	    .moves = fake_moves,
	    .move = fake_move,
	    .vm_move = fake_vm_move,
	    .move_abort = fake_move_abort,
	    .decisions = fake_decisions,
	    .decision = fake_decision,
	    .decision_approve = fake_approve,
	    .policies = fake_policies,
	    .policy = fake_policy,
	    .policy_set_mode = fake_set_mode,
	    .vm_label = fake_label,
	    .alerts = fake_alerts,
	    .alerts_post = fake_alerts_post,
	    .receivers = fake_receivers,
	    .deliveries = fake_deliveries,
	    .delivery = fake_delivery,
	    .attempts = fake_attempts,
	    .delivery_replay = fake_delivery_replay,
	    .delivery_drop = fake_delivery_drop,
	    .receiver_replay = fake_receiver_replay,
	    .receiver_drop = fake_receiver_drop,
	    .receiver_test = fake_receiver_test,
	    .reload = fake_reload,
	    .events = fake_events,
	    .last_event = fake_last_event,
	};
}

void
fake_free(struct fake_backend *fake)
{
	pthread_mutex_destroy(&fake->lock);
}

void
fake_calls(struct fake_backend *fake, char out[4096])
{
	pthread_mutex_lock(&fake->lock);
	memcpy(out, fake->calls, sizeof(fake->calls));
	fake->calls[0] = '\0';
	pthread_mutex_unlock(&fake->lock);
}

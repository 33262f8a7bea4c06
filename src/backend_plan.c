/*
 * Answers about what would be done, which are all made as the deed itself would
 * be: from a snapshot of this moment, by the code that decides.  And the one deed
 * that an operator asks for by name, the move of a guest.
 */
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "base/log.h"
#include "decide/evaluate.h"
#include "decide/route.h"
#include "model/view.h"
#include "plan/write.h"

#define ARENA_MAX ((size_t)1 << 30)

static const struct snap_host *
seen_host(const struct daemon *d, const struct snapshot *s, const char *name,
    struct err *err)
{
	const struct snap_host *h = snapshot_find_host(s, name);

	if (h == NULL)
		(void)backend_find_host(d, name, err);
	else if (!h->known)
		(void)err_set(err, ERR_UNREACHABLE,
		    "%s has not been seen yet: %s", name,
		    h->down_why != NULL ? h->down_why : "connecting");
	return h != NULL && h->known ? h : NULL;
}

/* The mode of the policy as it is, where an operator set another than its
 * file's. */
static json_t *
with_mode(const struct daemon *d, json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "policy"));
	const struct store_mode *said =
	    name != NULL ? modes_find(d->modes, name) : NULL;

	if (said != NULL)
		json_object_set_new(object, "mode", json_string(said->mode));
	return object;
}

/* Whoever asks about a guest is likely to ask again: with better figures. */
static void
wonder_all(struct daemon *d, const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++)
		pilot_wonder(d->pilot, plan->steps[i].item.vm->uuid);
}

json_t *
backend_plan(void *arg, const char *host, const struct control_drain_options *o,
    struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	cleanup_arena struct arena *arena = arena_new(ARENA_MAX);
	const struct snap_host *h = seen_host(d, s, host, err);
	struct evaluate_drain drain = {.host = host,
	    .parallel = o->parallel,
	    .only_to = o->only_to,
	    .include_stopped = o->include_stopped,
	    .force_off = o->force_off,
	    .deadline = o->deadline};
	struct evaluate_input input;
	struct route *route;
	struct plan *planned;
	json_t *json;

	if (h == NULL || backend_check_target(d, host, o->only_to, err) < 0)
		return NULL;
	pilot_fill_input(d->pilot, s, &input);
	input.drains = &drain;
	input.drain_count = 1;
	route = route_drain(arena, &input, h);
	drain.hints = route->hints;
	drain.hint_count = route->hint_count;
	planned = plan_drain(arena, &input, h);
	wonder_all(d, planned);
	json = with_mode(d, explain_plan(planned));
	json_object_set_new(
	    json, "outlook", route_json(route, s, s->taken_wall));
	return json;
}

json_t *
backend_snapshot(void *arg, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);

	(void)err;
	return plan_write_snapshot(s, d->settings);
}

/* ---- explain ---- */

/* The options of a drain that is under way, but for the target. */
static struct evaluate_drain
drain_of(const struct evaluate_input *input, const char *host, const char *to)
{
	for (size_t i = 0; i < input->drain_count; i++) {
		struct evaluate_drain drain = input->drains[i];

		if (strcmp(drain.host, host) != 0)
			continue;
		if (to != NULL)
			drain.only_to = to;
		return drain;
	}
	return (struct evaluate_drain){
	    .host = host, .parallel = -1, .only_to = to};
}

static json_t *
explain_guest(struct daemon *d, const struct snapshot *s,
    const struct snap_vm *vm, const char *to)
{
	cleanup_arena struct arena *arena = arena_new(ARENA_MAX);
	struct evaluate_input input;
	struct evaluate_drain drain;
	json_t *o, *home;

	pilot_wonder(d->pilot, vm->uuid);
	pilot_fill_input(d->pilot, s, &input);
	drain = drain_of(&input, s->hosts[vm->host].name, to);
	input.drains = &drain;
	input.drain_count = 1;
	o = with_mode(d, explain_vm(arena, &input, vm, to));
	json_object_set_new(o, "kind", json_string("vm"));
	home = pilot_home(d->pilot, vm->uuid);
	if (home != NULL)
		json_object_set_new(o, "home", home);
	return o;
}

static json_t *
policies_json(const struct daemon *d, const struct snapshot *s,
    const struct snap_host *host)
{
	const struct settings *settings = d->settings;
	struct look_cluster cluster;
	json_t *list = json_array();

	look_at_cluster(s, &cluster);
	for (size_t i = 0; i < settings->policy_count; i++) {
		const struct policy *p = &settings->policies[i];

		if (p->condition_count == 0)
			continue;
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "policy",
			p->name, "file", p->file, "line", (int)p->line, "mode",
			policy_mode_name(modes_get(d->modes, p)), "when",
			p->conditions[0].when.text, "holds",
			evaluate_holds(settings, s, &cluster, p, host)));
	}
	return list;
}

static json_t *
explain_host(struct daemon *d, const struct snapshot *s, const char *name,
    const char *to, struct err *err)
{
	cleanup_arena struct arena *arena = arena_new(ARENA_MAX);
	const struct snap_host *h = seen_host(d, s, name, err);
	struct evaluate_input input;
	struct evaluate_drain drain;
	struct plan *planned;
	json_t *o, *view;

	if (h == NULL || backend_check_target(d, name, to, err) < 0)
		return NULL;
	pilot_fill_input(d->pilot, s, &input);
	drain = drain_of(&input, name, to);
	input.drains = &drain;
	input.drain_count = 1;
	planned = plan_drain(arena, &input, h);
	wonder_all(d, planned);
	o = with_mode(d, explain_plan(planned));
	json_object_set_new(o, "kind", json_string("host"));
	view = view_host(s, h, false);
	json_object_set(o, "state", json_object_get(view, "state"));
	json_decref(view);
	json_object_set_new(o, "policies", policies_json(d, s, h));
	return o;
}

json_t *
backend_explain(void *arg, const char *name, const char *to, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	bool ambiguous = false;
	const struct snap_vm *vm = snapshot_search_vm(s, name, &ambiguous);
	bool host = settings_find_host(d->settings, name) != NULL;

	if ((vm != NULL || ambiguous) && host) {
		(void)err_set(err, ERR_CONFLICT,
		    "a guest and a host are called \"%s\"; name the guest by "
		    "its UUID, and see \"plan drain %s\" for the host",
		    name, name);
		return NULL;
	}
	if (host)
		return explain_host(d, s, name, to, err);
	if (vm == NULL) {
		if (ambiguous)
			(void)backend_find_vm(s, name, err);
		else
			(void)err_set(err, ERR_NOT_FOUND,
			    "there is no guest and no host \"%s\"", name);
		return NULL;
	}
	if (backend_check_target(d, s->hosts[vm->host].name, to, err) < 0)
		return NULL;
	return explain_guest(d, s, vm, to);
}

/* ---- one move ---- */

json_t *
backend_move_vm(void *arg, const char *name,
    const struct control_move_options *o, const struct control_peer *peer,
    struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	cleanup_arena struct arena *arena = arena_new(ARENA_MAX);
	const struct snap_vm *vm = backend_find_vm(s, name, err);
	struct place_choice choice = {0};
	enum strategy by = STRATEGY_LIVE_SHARED;
	struct pilot_wish wish = {.only_to = o->to,
	    .only_by = o->strategy != NULL ? &by : NULL,
	    .dry_run = o->dry_run,
	    .force = o->force};
	struct executor_report report;
	int64_t id;

	if (vm == NULL)
		return NULL;
	if (o->strategy != NULL && !strategy_parse(o->strategy, &by)) {
		(void)err_set(err, ERR_INVALID,
		    "strategy \"%s\" is not known; there are live-shared, "
		    "live-copy and restart",
		    o->strategy);
		return NULL;
	}
	if (backend_check_target(d, NULL, o->to, err) < 0)
		return NULL;
	if (o->dry_run)
		pilot_wonder(d->pilot, vm->uuid);
	id = pilot_move_guest(d->pilot, arena, s, vm, &wish, &choice, err);
	if (id < 0 && choice.wait) {
		/* So that what is awaited is asked for first. */
		pilot_wonder(d->pilot, vm->uuid);
		if (o->out_wait != NULL)
			*o->out_wait = true;
	}
	if (o->dry_run && choice.vm != NULL) {
		if (err != NULL)
			*err = (struct err){0};
		return explain_choice(&choice);
	}
	if (id <= 0)
		return NULL;
	log_info("control", "%s: move to %s asked for by uid %u%s", vm->name,
	    choice.target->name, (unsigned)peer->uid,
	    o->force ? ", whatever policies forbid" : "");
	if (executor_find(d->executor, id, &report))
		return executor_report_json(&report);
	return backend_show_move(d, id, err);
}

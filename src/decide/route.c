/*
 * The plan of a drain.
 *
 * First the ladder is asked what it would do: it knows load, wishes and racks,
 * which the planner does not.  The planner is better at two things, time and
 * tight packing; so it is asked when there is a deadline, or when somebody would
 * be left behind, and its answer is taken when it leaves fewer.
 *
 * The forecast of memory is of the moves that will be made, whoever planned them.
 */
#include "decide/route.h"

#include <string.h>

#include "base/fields.h"
#include "decide/route_priv.h"
#include "plan/evacuate.h"

/* ---- the planner ---- */

static void
take_moves(const struct route_state *state, const struct plan_result *result,
    struct route *out)
{
	const struct plan_cluster *cluster = state->cluster;

	out->planned = true;
	out->makespan_ms = result->makespan_ms;
	out->hints = arena_array(
	    state->arena, result->move_count, sizeof(out->hints[0]));
	for (uint32_t i = 0; i < result->move_count; i++) {
		const struct plan_move *move = &result->moves[i];

		out->hints[out->hint_count++] = (struct evaluate_hint){
		    .uuid = cluster->guests[move->guest].uuid,
		    .to = cluster->hosts[move->to].name,
		    .order = i,
		    .not_before = out->deadline.ms > 0
			? mono_add(state->input->now, move->begin_ms)
			: (struct mono){0},
		    .restart = move->way == PLAN_RESTART &&
			cluster->guests[move->guest].way != PLAN_RESTART,
		    .room = move->parking ? move->reason : NULL};
	}
}

static size_t
count_stuck(const struct route_state *state, const struct plan_result *result)
{
	size_t stuck = 0;

	for (uint32_t i = 0; i < result->blocked_count; i++)
		stuck +=
		    !state->cluster->guests[result->blocked[i].guest].stays;
	return stuck;
}

/* A guest that may move and that the ladder leaves behind. */
static size_t
count_left(const struct route_state *state)
{
	size_t left = 0;

	for (size_t i = 0; i < state->plan->step_count; i++) {
		const struct evaluate_item *item = &state->plan->steps[i].item;

		left += item->fate == EVALUATE_BLOCKED &&
		    item->choice.guest_rule == PLACE_GUEST_OK;
	}
	return left;
}

static void
look_at_deadline(const struct route_state *state,
    const struct plan_evacuate_options *options,
    const struct plan_result *result, struct route *out)
{
	struct plan_outlook outlook;

	if (options->deadline_ms == 0)
		return;
	plan_evacuate_outlook(state->arena, state->cluster, state->index,
	    options, result, &outlook);
	out->late =
	    arena_array(state->arena, outlook.late_count, sizeof(out->late[0]));
	for (uint32_t i = 0; i < outlook.late_count; i++)
		out->late[out->late_count++] = state->vm[outlook.late[i]];
}

static void
ask_planner(struct route_state *state, struct route *out)
{
	const struct snapshot *s = state->input->snapshot;
	int64_t left_ms = out->deadline.ms - s->taken_wall.ms;
	struct plan_evacuate_options options = {0};
	struct plan_result result;
	size_t left = count_left(state), stuck;

	route_make_cluster(state);
	if (state->index == PLAN_NONE)
		return;
	options.may_restart = state->may_restart;
	if (out->deadline.ms > 0)
		options.deadline_ms = left_ms > 0 ? left_ms : 1;
	plan_evacuate(
	    state->arena, state->cluster, state->index, &options, &result);
	stuck = count_stuck(state, &result);
	if (stuck > 0 && route_allow_room(state)) {
		plan_evacuate(state->arena, state->cluster, state->index,
		    &options, &result);
		stuck = count_stuck(state, &result);
	}
	if (out->deadline.ms == 0 && stuck >= left)
		return;
	out->blocked = out->blocked - left + stuck;
	take_moves(state, &result, out);
	look_at_deadline(state, &options, &result, out);
}

/* ---- memory ---- */

static void
shift_memory(const struct snapshot *s, const struct snap_vm *vm,
    const struct snap_host *to, int64_t *delta, bool *takes)
{
	int64_t need = snapshot_vm_active(vm) && vm->memory > 0
	    ? place_memory_need(vm->memory)
	    : 0;

	delta[vm->host] -= need;
	delta[to - s->hosts] += need;
	takes[to - s->hosts] |= need > 0;
}

static int
percent_of(const struct snap_host *host, int64_t used)
{
	return (int)(((double)used * 100 + (double)host->memory_total / 2) /
	    (double)host->memory_total);
}

static void
forecast(const struct route_state *state, struct route *out)
{
	const struct snapshot *s = state->input->snapshot;
	struct place_ledger *flight = place_ledger_new(state->arena, s);
	int64_t *delta =
	    arena_array(state->arena, s->host_count, sizeof(*delta));
	bool *takes = arena_array(state->arena, s->host_count, sizeof(*takes));

	for (size_t i = 0; out->planned && i < out->hint_count; i++)
		shift_memory(s, snapshot_find_vm(s, out->hints[i].uuid),
		    snapshot_find_host(s, out->hints[i].to), delta, takes);
	for (size_t i = 0; !out->planned && i < state->plan->step_count; i++) {
		const struct evaluate_item *item = &state->plan->steps[i].item;

		if (item->choice.target != NULL)
			shift_memory(
			    s, item->vm, item->choice.target, delta, takes);
	}
	out->filled =
	    arena_array(state->arena, s->host_count, sizeof(out->filled[0]));
	for (size_t h = 0; h < s->host_count; h++) {
		const struct snap_host *host = &s->hosts[h];
		int64_t used;

		if (!takes[h] || host->memory_total <= 0 ||
		    host->memory_free == SNAPSHOT_UNKNOWN)
			continue;
		used = host->memory_total - host->memory_free +
		    host->memory_arrived + flight->memory[h];
		if ((double)(used + delta[h]) * 100 >
		    (double)host->memory_total * ROUTE_FULL)
			out->filled[out->filled_count++] =
			    (struct route_filled){host, percent_of(host, used),
				percent_of(host, used + delta[h])};
	}
}

struct route *
route_drain(struct arena *arena, const struct evaluate_input *input,
    const struct snap_host *host)
{
	struct route *out = arena_alloc(arena, sizeof(*out));
	struct evaluate_input plain = *input;
	struct evaluate_drain options = {.host = host->name, .parallel = -1};
	struct route_state state = {
	    .arena = arena, .input = &plain, .host = host};

	for (size_t i = 0; i < input->drain_count; i++)
		if (strcmp(input->drains[i].host, host->name) == 0)
			options = input->drains[i];
	options.hints = NULL;
	options.hint_count = 0;
	plain.drains = &options;
	plain.drain_count = 1;
	out->deadline = options.deadline;
	out->makespan_ms = -1;
	state.plan = plan_drain(arena, &plain, host);
	drain_init(&state.drain, arena, &plain, host, state.plan->policy);
	state.drain.wish.at_once = true;
	out->blocked = state.plan->blocked;
	if (out->deadline.ms > 0 || count_left(&state) > 0)
		ask_planner(&state, out);
	forecast(&state, out);
	return out;
}

/* ---- JSON ---- */

static json_t *
filled_json(const struct route *route)
{
	json_t *list = json_array();

	for (size_t i = 0; i < route->filled_count; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:i, s:i}", "host",
			route->filled[i].host->name, "memory_percent_before",
			route->filled[i].before, "memory_percent",
			route->filled[i].after));
	return list;
}

static json_t *
room_json(const struct route *route, const struct snapshot *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < route->hint_count; i++) {
		const struct evaluate_hint *hint = &route->hints[i];
		const struct snap_vm *vm;

		if (hint->room == NULL)
			continue;
		vm = snapshot_find_vm(s, hint->uuid);
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s, s:s}", "vm", vm->name,
			"uuid", vm->uuid, "from", s->hosts[vm->host].name, "to",
			hint->to, "why", hint->room));
	}
	return list;
}

json_t *
route_json(const struct route *route, const struct snapshot *s, struct wall now)
{
	json_t *object = json_object(), *late = json_array();

	for (size_t i = 0; i < route->late_count; i++)
		json_array_append_new(late, json_string(route->late[i]->name));
	if (route->deadline.ms > 0) {
		fields_time(object, "deadline", route->deadline);
		json_object_set_new(object, "met",
		    json_boolean(
			route->late_count == 0 && route->blocked == 0));
		json_object_set(object, "late", late);
	}
	json_decref(late);
	if (route->makespan_ms >= 0) {
		fields_count(object, "makespan_ms", route->makespan_ms);
		fields_time(
		    object, "ends", (struct wall){now.ms + route->makespan_ms});
	}
	fields_count(object, "blocked", (int64_t)route->blocked);
	json_object_set_new(object, "filled", filled_json(route));
	json_object_set_new(object, "room", room_json(route, s));
	return object;
}

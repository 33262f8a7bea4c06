/*
 * Guests that go back to where they came from, once what made them leave is over.
 *
 * "Over" must last: for as long as the policy's conditions have to last before
 * they come on, and a minute at least, lest a guest goes to and fro with a load
 * that it brings along itself.  Whoever else has a word about the guest or its
 * home goes first: these decisions come after all others, as those of the policy
 * that moved the guest away, with its windows, cooldowns and limits.  What that
 * policy demands of targets is not asked of the home, since it is about getting
 * rid of guests; what policies forbid, and placement, is.
 *
 * A guest that is neither where it was put nor at home was moved by somebody who
 * had a reason, and stays there.
 */
#include <string.h>

#include "base/units.h"
#include "decide/evaluate_priv.h"

#define HOME_NONE SIZE_MAX

struct home_look {
	struct evaluate_state *state;
	const struct evaluate_home *home;
	struct evaluate_homing *out;
	const struct policy *policy;  /* that moved it; NULL: it is gone */
	const struct snap_host *host; /* its home; NULL: not known */
	const struct snap_vm *vm;     /* NULL: nowhere */
	size_t decision;              /* where it is; HOME_NONE: nowhere */
};

static const char *
home_format(struct evaluate_state *state, int64_t ms)
{
	char text[UNITS_TEXT_SIZE];

	units_format_duration(ms, text);
	return arena_strdup(state->arena, text);
}

/* For so long nothing may keep a guest away before it goes back. */
static int64_t
home_hold_ms(const struct policy *policy)
{
	int64_t hold = EVALUATE_HOME_HOLD_MS;

	for (size_t i = 0; i < policy->condition_count; i++) {
		if (policy->conditions[i].for_ms > hold)
			hold = policy->conditions[i].for_ms;
	}
	return hold;
}

static const struct policy *
home_find_policy(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->policy_count; i++) {
		if (strcmp(settings->policies[i].name, name) == 0)
			return &settings->policies[i];
	}
	return NULL;
}

/* Where it was put before anywhere else: while a move is being verified, and by
 * accident, a guest is seen in two places. */
static const struct snap_vm *
home_find_vm(const struct snapshot *s, const struct evaluate_home *home)
{
	for (size_t i = 0; i < s->vm_count; i++) {
		if (strcmp(s->vms[i].uuid, home->uuid) == 0 &&
		    strcmp(s->hosts[s->vms[i].host].name, home->at) == 0)
			return &s->vms[i];
	}
	return snapshot_find_vm(s, home->uuid);
}

static void
home_set(
    struct home_look *look, enum evaluate_home_state state, const char *why)
{
	look->out->state = state;
	look->out->why = why;
}

/* Not seen anywhere: its host is away, or it is gone. */
static void
home_judge_missing(struct home_look *look)
{
	struct evaluate_state *state = look->state;
	const struct evaluate_home *home = look->home;
	const struct snap_host *at =
	    snapshot_find_host(state->input->snapshot, home->at);
	struct mono gone = mono_add(home->missing_since, EVALUATE_HOME_GONE_MS);

	if (at != NULL && (!at->up || !at->known)) {
		home_set(look, EVALUATE_HOME_WAITS,
		    arena_printf(
			state->arena, "%s, where it is, is not up", home->at));
		return;
	}
	home_set(look, EVALUATE_HOME_MISSING,
	    "it has not been seen on any host of late");
	if (home->missing_since.ms == 0)
		evaluate_wake_at(
		    state, mono_add(state->input->now, EVALUATE_HOME_GONE_MS));
	else if (mono_before(state->input->now, gone))
		evaluate_wake_at(state, gone);
	else
		home_set(look, EVALUATE_HOME_OVER, "it is gone");
}

static bool
home_is_on_its_way(const struct snapshot *s, const struct evaluate_home *home)
{
	for (size_t i = 0; i < s->move_count; i++) {
		if (strcmp(s->moves[i].uuid, home->uuid) == 0)
			return strcmp(s->moves[i].to, home->host) == 0;
	}
	return false;
}

static const char *home_words_on(const struct home_look *look);

/* True: it is where it was put, and the rest is to be looked at. */
static bool
home_judge_place(struct home_look *look)
{
	struct evaluate_state *state = look->state;
	const struct evaluate_home *home = look->home;
	const struct snapshot *s = state->input->snapshot;
	const char *where;

	if (snapshot_is_moving(s, home->uuid)) {
		/* On its way home, it stays in its decision, unless the
		 * policy has come on again: it has one then. */
		if (look->vm != NULL && look->host != NULL &&
		    home_is_on_its_way(s, home) && home_words_on(look) == NULL)
			home_set(look, EVALUATE_HOME_FREE, NULL);
		else
			home_set(
			    look, EVALUATE_HOME_WAITS, "it is being moved");
		return false;
	}
	if (look->vm == NULL) {
		home_judge_missing(look);
		return false;
	}
	where = s->hosts[look->vm->host].name;
	if (strcmp(where, home->at) == 0 ||
	    (strcmp(where, home->was) == 0 && strcmp(where, home->host) != 0))
		return true;
	if (mono_before(state->input->now, home->doubt_until)) {
		evaluate_wake_at(state, home->doubt_until);
		home_set(look, EVALUATE_HOME_WAITS, "it has just been moved");
	} else if (strcmp(where, home->host) == 0) {
		home_set(look, EVALUATE_HOME_BACK, "it is at home");
	} else {
		home_set(look, EVALUATE_HOME_OVER,
		    arena_printf(
			state->arena, "it was moved to %s meanwhile", where));
	}
	return false;
}

/* NULL, or what keeps guests away from the home. */
static const char *
home_words_host(const struct home_look *look)
{
	const struct snap_host *host = look->host;
	struct arena *arena = look->state->arena;
	const struct policy *leaving;

	if (host == NULL || !host->up || !host->known)
		return arena_printf(arena, "%s is not up", look->home->host);
	if (host->silent_ms >= PLACE_SILENT_MS)
		return arena_printf(arena, "%s does not answer", host->name);
	if (host->claimed_by != NULL || host->claim_open)
		return arena_printf(
		    arena, "another daemon may act on %s", host->name);
	if (host->maintenance)
		return arena_printf(arena, "%s is in maintenance", host->name);
	if (host->cordoned)
		return arena_printf(arena, "%s is cordoned", host->name);
	leaving =
	    look->state->leaving[host - look->state->input->snapshot->hosts];
	if (leaving != NULL)
		return arena_printf(arena,
		    "policy %s (%s:%u) moves guests away from %s",
		    leaving->name, leaving->file, leaving->when_line,
		    host->name);
	return NULL;
}

/* NULL, or that what made it leave is not over. */
static const char *
home_words_on(const struct home_look *look)
{
	const struct evaluate_state *state = look->state;
	const struct policy *policy = look->policy;
	struct watch_state at;

	at = watch_is_of_guests(policy)
	    ? watch_vm(state->watch, policy, state->input->snapshot, look->vm)
	    : watch_host(state->watch, policy, look->host);
	if (at.phase == WATCH_OFF)
		return NULL;
	return arena_printf(state->arena,
	    "the conditions of policy %s (%s:%u) hold for %s", policy->name,
	    policy->file, policy->when_line,
	    watch_is_of_guests(policy) ? look->vm->name : look->host->name);
}

static void
home_judge(struct home_look *look)
{
	struct evaluate_state *state = look->state;
	const struct evaluate_input *input = state->input;
	const struct evaluate_home *home = look->home;
	const char *why;

	look->policy = home_find_policy(input->settings, home->policy);
	look->host = snapshot_find_host(input->snapshot, home->host);
	look->vm = home_find_vm(input->snapshot, home);
	if (settings_find_host(input->settings, home->host) == NULL)
		why = arena_printf(state->arena,
		    "%s is not in the configuration any more", home->host);
	else if (look->policy == NULL)
		why = arena_printf(state->arena,
		    "policy %s is not in the configuration any more",
		    home->policy);
	else if (input->snapshot->taken_wall.ms - home->since.ms >=
	    EVALUATE_HOME_MAX_MS)
		why = "it left 7 days ago";
	else
		why = NULL;
	if (why != NULL) {
		home_set(look, EVALUATE_HOME_OVER, why);
		return;
	}
	if (!home_judge_place(look))
		return;
	why = home_words_host(look);
	if (why == NULL)
		why = home_words_on(look);
	if (why != NULL)
		home_set(look, EVALUATE_HOME_WAITS, why);
	else
		home_set(look, EVALUATE_HOME_FREE, NULL);
}

/* ---- what becomes of those that nothing keeps away ---- */

/* NULL: it has lasted long enough. */
static const char *
home_words_hold(struct home_look *look)
{
	struct evaluate_state *state = look->state;
	int64_t hold = home_hold_ms(look->policy);
	struct mono now = state->input->now, since = look->home->off_since, due;

	if (since.ms == 0)
		since = now;
	due = mono_add(since, hold);
	if (!mono_before(now, due))
		return NULL;
	evaluate_wake_at(state, due);
	return arena_printf(state->arena,
	    "goes home in %s, when nothing has kept it away for %s",
	    home_format(state, mono_diff(due, now)), home_format(state, hold));
}

static void
home_item(struct home_look *look, struct evaluate_decision *decision,
    struct evaluate_item *item)
{
	struct evaluate_state *state = look->state;
	const struct snapshot *s = state->input->snapshot;
	const struct evaluate_drain options = {.host = look->home->at,
	    .parallel = -1,
	    .only_to = look->home->host};
	struct drain drain;
	const char *held;

	drain_init(&drain, state->arena, state->input,
	    &s->hosts[look->vm->host], look->policy);
	drain.options = &options;
	drain.homing = true;
	drain.wish.include_stopped = true;
	drain.cluster = &state->cluster;
	drain.guard.leaving = state->leaving;
	drain.guard.emptied = state->emptied;
	drain.guard.watch = state->watch;
	drain.guard.policy = NULL;
	drain_judge(&drain, state->planned, look->vm, item);
	held = home_words_hold(look);
	if (held == NULL && state->claimed[look->vm - s->vms])
		held = "another policy has it";
	if (item->fate == EVALUATE_START && held != NULL) {
		item->fate = EVALUATE_WAIT;
		item->why = held;
	} else if (item->fate == EVALUATE_START) {
		item->choice.why = arena_printf(
		    state->arena, "goes home to %s", decision->host->name);
		evaluate_start(state, &drain, decision, item);
	}
	evaluate_count(decision, item);
	look->out->why = item->why;
	if (item->fate == EVALUATE_START)
		look->out->why = "its move begins";
	else if (item->why == NULL)
		look->out->why = item->choice.why;
}

static const char *
home_words_decision(
    struct evaluate_state *state, const struct evaluate_decision *decision)
{
	const struct policy *policy = decision->policy;

	return arena_printf(state->arena,
	    "policy %s (%s:%u): it is over for %s, and guests that it moved "
	    "away go home%s",
	    policy->name, policy->file, policy->when_line, decision->host->name,
	    decision->mode == POLICY_OBSERVE
		? "; mode observe, nothing is started"
		: "");
}

/* The guests of one home that one policy moved away. */
static void
home_decide(struct evaluate_state *state, struct home_look *looks, size_t count,
    size_t index, struct evaluate_decision *decision)
{
	decision->items =
	    arena_array(state->arena, count, sizeof(decision->items[0]));
	evaluate_tell(state, decision);
	decision->why = home_words_decision(state, decision);
	decision->gate = gate_decision(state, decision);
	for (size_t i = 0; i < count; i++) {
		if (looks[i].decision == index)
			home_item(&looks[i], decision,
			    &decision->items[decision->item_count++]);
	}
	evaluate_claim(state, decision);
}

static struct wall
home_since(const struct home_look *look)
{
	const struct evaluate_input *input = look->state->input;
	struct wall now = input->snapshot->taken_wall;

	if (look->home->off_since.ms != 0)
		now.ms -= mono_diff(input->now, look->home->off_since);
	return now;
}

/* The decision for those of the same policy and home as this one. */
static void
home_append(struct evaluate_state *state, struct evaluation *evaluation,
    struct home_look *looks, size_t count, size_t first)
{
	const struct home_look *one = &looks[first];
	size_t index = evaluation->decision_count;

	evaluate_append(
	    state, evaluation, one->policy, one->host, home_since(one))
	    ->home = true;
	for (size_t i = first; i < count; i++) {
		if (looks[i].out->state == EVALUATE_HOME_FREE &&
		    looks[i].policy == one->policy &&
		    looks[i].host == one->host)
			looks[i].decision = index;
	}
}

void
evaluate_homes(struct evaluate_state *state, struct evaluation *evaluation)
{
	const struct evaluate_input *input = state->input;
	size_t count = input->home_count, before = evaluation->decision_count;
	struct home_look *looks =
	    arena_array(state->arena, count, sizeof(looks[0]));

	evaluation->homings =
	    arena_array(state->arena, count, sizeof(evaluation->homings[0]));
	for (size_t i = 0; i < count; i++) {
		looks[i] = (struct home_look){.state = state,
		    .home = &input->homes[i],
		    .out = &evaluation->homings[i],
		    .decision = HOME_NONE};
		home_judge(&looks[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (looks[i].out->state == EVALUATE_HOME_FREE &&
		    looks[i].decision == HOME_NONE)
			home_append(state, evaluation, looks, count, i);
	}
	/* Those that do not act take nothing from those that do. */
	for (int act = 1; act >= 0; act--) {
		for (size_t i = before; i < evaluation->decision_count; i++) {
			if (evaluation->decisions[i].act == (act == 1))
				home_decide(state, looks, count, i,
				    &evaluation->decisions[i]);
		}
	}
}

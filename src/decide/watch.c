/*
 * Holding and hysteresis.  A load that is high for a moment must move nothing,
 * and what was begun at 80 % must not end at 79 %; so each condition of a policy
 * has a small state for each host, or guest, that it speaks of.
 *
 * Nearly all of them are off nearly all of the time, and those are not kept: an
 * entry exists only while its condition is pending or on.  A hundred policies over
 * a thousand hosts are a hundred thousand evaluations of an expression, of some
 * tens of nanoseconds each, and a handful of entries.
 *
 * Conditions belong to the name of their policy and to their own text, so that a
 * reload that changes something else does not make anybody wait again.
 */
#include "decide/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define WATCH_ARENA_MAX ((size_t)64 << 20)

static const char watch_unseen[] = ""; /* compared by address */

struct watch_entry {
	struct watch_state state;
	struct mono blind_since; /* of ON; ms 0: it is not blind */
	unsigned turn;           /* the look that saw it last */
};

/* A condition of a policy. */
struct watch_slot {
	char *policy, *text;
	size_t index;              /* in the policy */
	const struct policy *last; /* that it was looked at with; only to be
				    * compared, it may be gone */
	int64_t for_ms;
	struct map *entries; /* host name, or UUID, or "" -> entry */
	unsigned turn;
};

struct watch {
	struct watch_slot **slots;
	size_t slot_count, slot_cap;
	struct map *acted; /* policy and host -> struct mono */
	unsigned turn;
	struct mono wake;
};

/* What one look is made with. */
struct watch_look {
	struct watch *watch;
	const struct settings *settings;
	const struct snapshot *s;
	const struct snap_vm **guests; /* NULL: not listed yet */
	size_t guest_count;
	const char **storage; /* by guest: look.storage, or watch_unseen */
	const struct policy *policy;
	const struct policy_condition *condition;
	struct watch_slot *slot;
	struct look look;
	struct mono now;
	struct wall now_wall;
};

static void *
watch_calloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (p == NULL)
		abort();
	return p;
}

static char *
watch_strdup(const char *s)
{
	char *copy = strdup(s);

	if (copy == NULL)
		abort();
	return copy;
}

struct watch *
watch_new(void)
{
	struct watch *watch = watch_calloc(1, sizeof(*watch));

	watch->acted = map_new(free);
	watch->wake.ms = INT64_MAX;
	return watch;
}

static void
watch_slot_free(struct watch_slot *slot)
{
	map_free(slot->entries);
	free(slot->policy);
	free(slot->text);
	free(slot);
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < watch->slot_count; i++)
		watch_slot_free(watch->slots[i]);
	free(watch->slots);
	map_free(watch->acted);
	free(watch);
}

static bool
watch_is_slot(
    const struct watch_slot *slot, const struct policy *policy, size_t index)
{
	return slot->index == index &&
	    strcmp(slot->policy, policy->name) == 0 &&
	    strcmp(slot->text, policy->conditions[index].when.text) == 0;
}

static struct watch_slot *
watch_find_slot(
    const struct watch *watch, const struct policy *policy, size_t index)
{
	/* Most often it is the very object of the last look; another one may
	 * have come to lie at its address. */
	for (size_t i = 0; i < watch->slot_count; i++) {
		struct watch_slot *slot = watch->slots[i];

		if (slot->last == policy && watch_is_slot(slot, policy, index))
			return slot;
	}
	for (size_t i = 0; i < watch->slot_count; i++) {
		if (watch_is_slot(watch->slots[i], policy, index))
			return watch->slots[i];
	}
	return NULL;
}

static struct watch_slot *
watch_get_slot(struct watch *watch, const struct policy *policy, size_t index)
{
	struct watch_slot *slot = watch_find_slot(watch, policy, index);

	if (slot != NULL)
		return slot;
	if (watch->slot_count == watch->slot_cap) {
		watch->slot_cap = 2 * watch->slot_cap + 16;
		watch->slots = realloc(
		    watch->slots, watch->slot_cap * sizeof(watch->slots[0]));
		if (watch->slots == NULL)
			abort();
	}
	slot = watch_calloc(1, sizeof(*slot));
	slot->policy = watch_strdup(policy->name);
	slot->text = watch_strdup(policy->conditions[index].when.text);
	slot->index = index;
	slot->entries = map_new(free);
	watch->slots[watch->slot_count++] = slot;
	return slot;
}

static void
watch_wake_at(struct watch_look *l, struct mono at)
{
	if (mono_before(at, l->watch->wake))
		l->watch->wake = at;
}

/* ---- one condition of one thing ---- */

static bool
watch_is_over(struct watch_look *l, enum expr_truth holds,
    enum expr_truth until, struct watch_entry *entry)
{
	bool blind;

	if (l->condition->until.expr != NULL) {
		if (until == EXPR_TRUE)
			return true;
		blind = until == EXPR_UNKNOWN;
	} else {
		if (holds == EXPR_FALSE)
			return true;
		blind = holds == EXPR_UNKNOWN;
	}
	if (!blind) {
		entry->blind_since.ms = 0;
		return false;
	}
	if (entry->blind_since.ms == 0)
		entry->blind_since = l->now;
	if (mono_diff(l->now, entry->blind_since) >= WATCH_BLIND_MS)
		return true;
	watch_wake_at(l, mono_add(entry->blind_since, WATCH_BLIND_MS));
	return false;
}

/* Pending becomes on. */
static void
watch_ripen(struct watch_look *l, struct watch_entry *entry)
{
	struct watch_state *state = &entry->state;
	struct mono due = mono_add(state->since, l->condition->for_ms);

	if (mono_before(l->now, due)) {
		watch_wake_at(l, due);
		return;
	}
	state->phase = WATCH_ON;
	state->since = l->now;
	state->since_wall = l->now_wall;
}

static void
watch_step(struct watch_look *l, const char *key, enum expr_truth holds,
    enum expr_truth until)
{
	struct watch_entry *entry = map_count(l->slot->entries) > 0
	    ? map_get(l->slot->entries, key)
	    : NULL;

	if (entry == NULL && holds != EXPR_TRUE)
		return;
	if (entry == NULL) {
		entry = watch_calloc(1, sizeof(*entry));
		entry->state = (struct watch_state){.phase = WATCH_PENDING,
		    .since = l->now,
		    .since_wall = l->now_wall};
		map_set(l->slot->entries, key, entry);
	}
	entry->turn = l->watch->turn;
	if (entry->state.phase == WATCH_PENDING) {
		if (holds != EXPR_TRUE) {
			(void)map_remove(l->slot->entries, key);
			return;
		}
		watch_ripen(l, entry);
	} else if (watch_is_over(l, holds, until, entry)) {
		(void)map_remove(l->slot->entries, key);
	}
}

static enum expr_truth
watch_test(struct watch_look *l, const struct policy_expr *expr)
{
	if (expr->expr == NULL)
		return EXPR_FALSE;
	return expr_test(expr->expr, look_up, &l->look);
}

/* Any alert of the host for which the expression holds. */
static enum expr_truth
watch_test_events(struct watch_look *l, const struct snap_host *host)
{
	enum expr_truth found = EXPR_FALSE, one;

	for (size_t i = 0; i < host->alert_count; i++) {
		l->look.event = &host->alerts[i];
		one = watch_test(l, &l->condition->when);
		if (one == EXPR_TRUE || found == EXPR_FALSE)
			found = one;
		if (found == EXPR_TRUE)
			break;
	}
	l->look.event = NULL;
	return found;
}

static bool
watch_concerns(struct watch_look *l, const struct snap_host *host)
{
	l->look.host = host;
	return l->policy->hosts.expr == NULL ||
	    watch_test(l, &l->policy->hosts) == EXPR_TRUE;
}

static void
watch_hosts(struct watch_look *l)
{
	for (size_t i = 0; i < l->s->host_count; i++) {
		const struct snap_host *host = &l->s->hosts[i];
		enum expr_truth holds;

		if (!watch_concerns(l, host))
			continue;
		holds = l->condition->subject == POLICY_SUBJECT_EVENT
		    ? watch_test_events(l, host)
		    : watch_test(l, &l->condition->when);
		watch_step(
		    l, host->name, holds, watch_test(l, &l->condition->until));
	}
}

/* Of a guest that two hosts know, the one where it lives; the same for all
 * conditions. */
static void
watch_list_guests(struct watch_look *l)
{
	const struct snapshot *s = l->s;
	struct arena *arena = l->look.arena;

	if (l->guests != NULL)
		return;
	l->guests = arena_array(arena, s->vm_count, sizeof(l->guests[0]));
	l->storage = arena_array(arena, s->vm_count, sizeof(l->storage[0]));
	for (size_t i = 0; i < s->vm_count; i++) {
		l->storage[i] = watch_unseen;
		if (snapshot_vm_is_it(s, &s->vms[i]))
			l->guests[l->guest_count++] = &s->vms[i];
	}
}

/* Where a guest's storage is takes long to find out, and is mostly not what
 * decides: so it is first left unknown, and only if then the answer is unknown as
 * well it matters. */
static enum expr_truth
watch_test_guest(struct watch_look *l, const struct policy_expr *expr)
{
	enum expr_truth truth = watch_test(l, expr);
	size_t index = (size_t)(l->look.vm - l->s->vms);

	if (truth != EXPR_UNKNOWN || strstr(expr->text, "storage") == NULL)
		return truth;
	if (l->storage[index] == watch_unseen)
		l->storage[index] =
		    look_at_storage(l->s, l->settings, l->look.vm);
	l->look.storage = l->storage[index];
	truth = watch_test(l, expr);
	l->look.storage = NULL;
	return truth;
}

static void
watch_guests(struct watch_look *l)
{
	watch_list_guests(l);
	for (size_t i = 0; i < l->guest_count; i++) {
		const struct snap_vm *vm = l->guests[i];

		if (!watch_concerns(l, &l->s->hosts[vm->host]))
			continue;
		l->look.vm = vm;
		watch_step(l, vm->uuid,
		    watch_test_guest(l, &l->condition->when),
		    watch_test_guest(l, &l->condition->until));
	}
	l->look.vm = NULL;
}

/* What was not seen in this look is not there any more. */
static void
watch_forget(struct watch_look *l)
{
	const char *key;
	void *value;
	size_t i = 0;

	while (map_next(l->slot->entries, &i, &key, &value)) {
		const struct watch_entry *entry = value;

		if (entry->turn != l->watch->turn)
			(void)map_remove(l->slot->entries, key);
	}
}

static void
watch_policy(struct watch_look *l)
{
	for (size_t i = 0; i < l->policy->condition_count; i++) {
		l->condition = &l->policy->conditions[i];
		l->slot = watch_get_slot(l->watch, l->policy, i);
		l->slot->turn = l->watch->turn;
		l->slot->last = l->policy;
		l->slot->for_ms = l->condition->for_ms;
		l->look.host = NULL;
		switch (l->condition->subject) {
		case POLICY_SUBJECT_HOST:
		case POLICY_SUBJECT_EVENT:
			watch_hosts(l);
			break;
		case POLICY_SUBJECT_VM:
			watch_guests(l);
			break;
		case POLICY_SUBJECT_CLUSTER:
			watch_step(l, "", watch_test(l, &l->condition->when),
			    watch_test(l, &l->condition->until));
			break;
		}
		watch_forget(l);
	}
}

static void
watch_forget_slots(struct watch *watch)
{
	size_t kept = 0;

	for (size_t i = 0; i < watch->slot_count; i++) {
		if (watch->slots[i]->turn == watch->turn)
			watch->slots[kept++] = watch->slots[i];
		else
			watch_slot_free(watch->slots[i]);
	}
	watch->slot_count = kept;
}

void
watch_look(struct watch *watch, const struct settings *settings,
    const enum policy_mode *modes, const struct snapshot *s, struct mono now,
    struct wall now_wall)
{
	struct arena *arena = arena_new(WATCH_ARENA_MAX);
	struct look_cluster cluster;
	struct watch_look l = {.watch = watch,
	    .settings = settings,
	    .s = s,
	    .now = now,
	    .now_wall = now_wall};

	watch->turn++;
	watch->wake.ms = INT64_MAX;
	look_at_cluster(s, &cluster);
	l.look = (struct look){
	    .s = s, .cluster = &cluster, .now = now_wall, .arena = arena};
	for (size_t i = 0; i < settings->policy_count; i++) {
		l.policy = &settings->policies[i];
		if (policy_mode_now(settings, modes, l.policy) != POLICY_OFF)
			watch_policy(&l);
	}
	watch_forget_slots(watch);
	arena_free(arena);
}

struct mono
watch_wake(const struct watch *watch)
{
	return watch->wake;
}

/* ---- answers ---- */

static char *
watch_acted_key(const char *policy, const char *host)
{
	size_t len = strlen(policy) + strlen(host) + 2;
	char *key = watch_calloc(1, len);

	(void)strcat(strcat(strcpy(key, policy), "\n"), host);
	return key;
}

void
watch_acted(
    struct watch *watch, const char *policy, const char *host, struct mono now)
{
	char *key = watch_acted_key(policy, host);
	struct mono *at = watch_calloc(1, sizeof(*at));

	*at = now;
	map_set(watch->acted, key, at);
	free(key);
}

/* The policy takes some guests and then looks what came of it. */
static bool
watch_is_careful(const struct policy *policy)
{
	if ((policy->actions & POLICY_ACTION_BALANCE) != 0)
		return true;
	return (policy->actions & POLICY_ACTION_DRAIN) == 0 &&
	    (policy->select_max > 0 || policy->select_until.expr != NULL);
}

static void
watch_add_quiet(const struct watch *watch, const struct policy *policy,
    const struct policy_condition *condition, const char *host,
    struct watch_state *state)
{
	const struct mono *at;
	char *key;

	if (map_count(watch->acted) == 0 || !watch_is_careful(policy))
		return;
	key = watch_acted_key(policy->name, host);
	at = map_get(watch->acted, key);
	free(key);
	if (at != NULL && condition->for_ms > 0)
		state->quiet_until = mono_add(*at, condition->for_ms);
}

struct watch_state
watch_condition(const struct watch *watch, const struct policy *policy,
    size_t condition, const struct snap_host *host, const struct snap_vm *vm)
{
	const struct policy_condition *c = &policy->conditions[condition];
	const struct watch_slot *slot =
	    watch_find_slot(watch, policy, condition);
	const struct watch_entry *entry;
	const char *key = "";
	struct watch_state state = {.phase = WATCH_OFF};

	if (slot == NULL || map_count(slot->entries) == 0 ||
	    (host == NULL && c->subject != POLICY_SUBJECT_CLUSTER))
		return state;
	if (c->subject == POLICY_SUBJECT_VM)
		key = vm->uuid;
	else if (c->subject != POLICY_SUBJECT_CLUSTER)
		key = host->name;
	entry = map_get(slot->entries, key);
	if (entry == NULL)
		return state;
	state = entry->state;
	watch_add_quiet(
	    watch, policy, c, host != NULL ? host->name : "", &state);
	return state;
}

/* How two conditions are together. */
static struct watch_state
watch_join(bool all, struct watch_state a, struct watch_state b)
{
	bool later;
	struct watch_state out;

	if (a.phase == b.phase) {
		/* Together they are so since the last of them, either is since
		 * the first. */
		later = mono_before(a.since, b.since);
		out = all == later ? b : a;
	} else {
		out = all == (a.phase < b.phase) ? a : b;
	}
	out.quiet_until = mono_before(a.quiet_until, b.quiet_until)
	    ? b.quiet_until
	    : a.quiet_until;
	return out;
}

static struct watch_state
watch_joined(const struct watch *watch, const struct policy *policy,
    const struct snap_host *host, const struct snap_vm *vm)
{
	struct watch_state state = {.phase = WATCH_OFF}, one;
	bool first = true;

	for (size_t i = 0; i < policy->condition_count; i++) {
		if (vm == NULL &&
		    policy->conditions[i].subject == POLICY_SUBJECT_VM)
			continue;
		one = watch_condition(watch, policy, i, host, vm);
		state = first ? one : watch_join(policy->all, state, one);
		first = false;
	}
	return state;
}

bool
watch_is_quiet(const struct watch *watch, const struct policy *policy)
{
	for (size_t i = 0; i < policy->condition_count; i++) {
		const struct watch_slot *slot =
		    watch_find_slot(watch, policy, i);

		if (slot != NULL && map_count(slot->entries) > 0)
			return false;
	}
	return true;
}

bool
watch_is_of_guests(const struct policy *policy)
{
	for (size_t i = 0; i < policy->condition_count; i++) {
		if (policy->conditions[i].subject == POLICY_SUBJECT_VM)
			return true;
	}
	return false;
}

struct watch_state
watch_host(const struct watch *watch, const struct policy *policy,
    const struct snap_host *host)
{
	return watch_joined(watch, policy, host, NULL);
}

struct watch_state
watch_vm(const struct watch *watch, const struct policy *policy,
    const struct snapshot *s, const struct snap_vm *vm)
{
	return watch_joined(watch, policy, &s->hosts[vm->host], vm);
}

const char *
watch_phase_name(enum watch_phase phase)
{
	switch (phase) {
	case WATCH_PENDING:
		return "pending";
	case WATCH_ON:
		return "on";
	case WATCH_OFF:
		break;
	}
	return "off";
}

/*
 * What follows from a decision: moves begin, a drain is opened for a host that is
 * to be emptied, a flag is set.  A decision that does not act (observe, waiting
 * for approval) only stands in the record.
 *
 * A policy sets a flag once for each time that its conditions come on: whoever
 * takes it away again meanwhile has decided otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/pilot_priv.h"
#include "base/log.h"
#include "base/map.h"

#define KEY_SIZE 512

/* Do the guests that leave this host come back? */
static bool
is_for_a_time(struct pilot *p, const struct evaluate_decision *decision)
{
	const struct evaluate_drain *drains;
	size_t n;

	if (decision->host == NULL || decision->home)
		return false;
	if (decision->policy->return_home)
		return true;
	drains = drains_options(p->deps.drains, &n);
	for (size_t i = 0; i < n && evaluate_empties(decision->policy); i++) {
		if (strcmp(drains[i].host, decision->host->name) == 0)
			return drains[i].return_home;
	}
	return false;
}

/* As it is in the record; 0: it is not. */
static int64_t
number_of(const struct pilot *p, const struct evaluate_decision *decision)
{
	return p->deps.decisions == NULL
	    ? 0
	    : decisions_id(p->deps.decisions, decision->policy->name,
		  decision->host != NULL ? decision->host->name : NULL);
}

/* Begins the move of one guest; where it belongs is on disk before that. */
static int64_t
begin_move(struct pilot *p, struct arena *arena,
    const struct evaluate_decision *decision, const struct evaluate_item *item,
    struct err *err)
{
	bool leaves = !item->room && is_for_a_time(p, decision);
	const char *from = item->choice.from->name;
	const char *to = item->choice.target->name;
	struct err why = {0};
	int64_t id;

	if (leaves &&
	    homes_leave(p->homes, item->vm, from, to, decision->policy->name,
		clock_wall_now(), &why) < 0)
		log_error("home", "%s: will not come back to %s by itself: %s",
		    item->vm->name, from, why.msg);
	id = pilot_start(p, arena, &item->choice, decision->policy, item->with,
	    item->room ? decision->host->name : NULL, number_of(p, decision),
	    err);
	if (id < 0 && leaves)
		homes_not_left(p->homes, item->vm->uuid, to);
	return id;
}

static void
begin_moves(struct pilot *p, struct arena *arena,
    struct evaluate_decision *decision, struct mono now)
{
	for (size_t i = 0; i < decision->item_count; i++) {
		struct evaluate_item *item = &decision->items[i];
		struct err err = {0};

		if (item->fate != EVALUATE_START)
			continue;
		if (begin_move(p, arena, decision, item, &err) < 0) {
			log_error("move", "%s", err.msg);
			item->fate = EVALUATE_WAIT;
			item->why = "its move could not be begun, see the log";
			item->held = true;
			/* Full disk, lost link: not a try of this guest. */
			history_defer(
			    p->history, item->vm->uuid, PILOT_BACKOFF_MS, now);
			p->again = true;
		}
	}
}

/* A host emptied by its flag has its drain from the flag on; one that got a guest
 * afterwards gets a new drain.  Guests that the policy leaves alone are no reason
 * for one: it would be over at once, again and again. */
static void
open_drain(struct pilot *p, const struct evaluate_decision *decision)
{
	if (!evaluate_empties(decision->policy) || decision->host == NULL ||
	    decision->home || decision->item_count <= decision->excepted ||
	    drains_open_id(p->deps.drains, decision->host->name) != 0)
		return;
	(void)drains_start(p->deps.drains, decision->host->name,
	    &(struct drains_options){.parallel = -1, .by = "policy"}, NULL);
}

static void
flag_key(const struct evaluate_decision *decision, char key[KEY_SIZE])
{
	(void)snprintf(key, KEY_SIZE, "%s\n%s", decision->policy->name,
	    decision->host->name);
}

/* It was done for this very time that the conditions came on. */
static bool
is_flagged(const struct pilot *p, const struct evaluate_decision *decision)
{
	char key[KEY_SIZE];
	const int64_t *since;

	flag_key(decision, key);
	since = map_get(p->flagged, key);
	return since != NULL && *since == decision->since.ms;
}

static void
remember_flag(struct pilot *p, const struct evaluate_decision *decision)
{
	char key[KEY_SIZE];
	int64_t *since = malloc(sizeof(*since));

	if (since == NULL)
		abort();
	*since = decision->since.ms;
	flag_key(decision, key);
	map_set(p->flagged, key, since);
}

static void
set_flag(struct pilot *p, const struct evaluate_decision *decision)
{
	unsigned actions = decision->policy->actions;
	bool maintenance = (actions & POLICY_ACTION_MAINTENANCE) != 0;
	const char *host = decision->host->name;
	const struct store_flag *now = flags_get(p->deps.flags, host);
	struct err err = {0};
	struct store_flag flag = {.host = host,
	    .maintenance = maintenance || (now != NULL && now->maintenance),
	    .cordoned = true,
	    .source = "policy",
	    .by = decision->policy->name,
	    .reason = decision->why};

	if (is_flagged(p, decision))
		return;
	if (now != NULL && (now->maintenance || !maintenance)) {
		remember_flag(p, decision);
		return;
	}
	if (flags_set(p->deps.flags, &flag, &err) < 0) {
		log_error("policy", "%s: %s: its flag could not be set: %s",
		    decision->policy->name, host, err.msg);
		return;
	}
	remember_flag(p, decision);
	log_info("policy", "%s: %s is %s: %s", decision->policy->name, host,
	    maintenance ? "in maintenance" : "cordoned", decision->why);
}

void
pilot_act(struct pilot *p, struct arena *arena,
    struct evaluate_decision *decision, struct mono now)
{
	unsigned flags = POLICY_ACTION_CORDON | POLICY_ACTION_MAINTENANCE;

	if (!decision->act)
		return;
	open_drain(p, decision);
	begin_moves(p, arena, decision, now);
	if (decision->host != NULL && !decision->home &&
	    decision->gate == NULL && (decision->policy->actions & flags) != 0)
		set_flag(p, decision);
}

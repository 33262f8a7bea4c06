/*
 * The choice of how.  Each strategy has a row of rules, looked at in order, and
 * the first that fails is the reason why it is not this one; so a person reads
 * first what matters most.  All of them are tried although one is enough, because
 * "why not live?" is asked after the move more often than before it.
 *
 * A strategy that is wanted more and may still pass (its answer is awaited) holds
 * back those that come after it: nobody shuts a guest down because a daemon had
 * no time yet to say that it could have gone live.
 */
#include "decide/strategy_look.h"

#include <string.h>

#include "base/buf.h"

#define STRATEGY_WHY_MAX (16 << 10)

static const struct strategy_rule *
strategy_rules(enum strategy strategy)
{
	switch (strategy) {
	case STRATEGY_LIVE_SHARED:
		return strategy_live_shared_rules;
	case STRATEGY_LIVE_COPY:
		return strategy_live_copy_rules;
	case STRATEGY_RESTART:
		break;
	}
	return strategy_restart_rules;
}

static bool
strategy_is_strict(const struct strategy_look *look)
{
	switch (look->wish->handover) {
	case POLICY_HANDOVER_STRICT:
		return true;
	case POLICY_HANDOVER_FAST:
		return false;
	case POLICY_HANDOVER_DEFAULT:
		break;
	}
	return !look->storage->locked;
}

/* The plan of one strategy in *plan, or the refusal. */
static bool
strategy_attempt(const struct strategy_look *look, enum strategy strategy,
    struct strategy_result *plan, struct strategy_refusal *refusal)
{
	struct strategy_try try = {.look = look, .strategy = strategy};

	try.plan.strategy = strategy;
	for (const struct strategy_rule *rule = strategy_rules(strategy);
	     rule->name != NULL; rule++) {
		const char *why = rule->check(&try);

		if (why == NULL)
			continue;
		*refusal = (struct strategy_refusal){
		    strategy, rule->name, why, try.wait};
		return false;
	}
	*plan = try.plan;
	plan->found = true;
	if (strategy != STRATEGY_RESTART) {
		plan->strict = strategy_is_strict(look);
		plan->unsafe_ok =
		    look->storage->own_proof && look->storage->unsafe == NULL;
	}
	strategy_predict(look, plan);
	return true;
}

/* Its place in the wish; the count when it is not in it. */
static size_t
strategy_rank(const struct strategy_wish *wish, enum strategy strategy)
{
	size_t i;

	for (i = 0; i < wish->count; i++) {
		if (wish->order[i] == strategy)
			break;
	}
	return i;
}

static const char *
strategy_words_not_allowed(const struct strategy_look *look)
{
	if (look->wish->policy == NULL)
		return "it was not asked for";
	return arena_printf(look->arena,
	    "policy %s does not allow it (with.strategies)",
	    look->wish->policy);
}

/* Said of nearly each guest and host, so these texts are not made anew. */
static const char *
strategy_words_later(enum strategy first, bool found)
{
	switch (first) {
	case STRATEGY_LIVE_SHARED:
		return found ? "possible, but live-shared comes first"
			     : "possible, but live-shared comes first and may "
			       "be so too";
	case STRATEGY_LIVE_COPY:
		return found ? "possible, but live-copy comes first"
			     : "possible, but live-copy comes first and may be "
			       "so too";
	case STRATEGY_RESTART:
		break;
	}
	return found ? "possible, but restart comes first"
		     : "possible, but restart comes first and may be so too";
}

void
strategy_choose(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, const struct snap_host *target,
    const struct snap_vm *vm, const struct strategy_wish *wish,
    int64_t (*disk_taken)(const char *host, const char *pool, void *arg),
    void *arg, struct strategy_result *out)
{
	struct storage_result storage;
	const struct strategy_look look = {arena, settings, s,
	    &s->hosts[vm->host], target, vm, wish, &storage, disk_taken, arg};
	struct strategy_result plans[STRATEGY_COUNT] = {0};
	struct strategy_refusal refusals[STRATEGY_COUNT] = {0};
	size_t best = wish->count;

	storage_classify(arena, settings, s, look.source, target, vm, &storage);
	for (size_t i = 0; i < STRATEGY_COUNT; i++) {
		enum strategy strategy = (enum strategy)i;
		size_t rank = strategy_rank(wish, strategy);

		if (rank == wish->count) {
			refusals[i] =
			    (struct strategy_refusal){strategy, "not-allowed",
				strategy_words_not_allowed(&look), false};
			continue;
		}
		if ((strategy_attempt(
			 &look, strategy, &plans[i], &refusals[i]) ||
			refusals[i].wait) &&
		    rank < best)
			best = rank;
	}
	*out = (struct strategy_result){.rank = best};
	if (best < wish->count) {
		enum strategy first = wish->order[best];

		if (plans[first].found)
			*out = plans[first];
		out->rank = best;
		out->wait = !out->found;
	}
	for (size_t i = 0; i < STRATEGY_COUNT; i++) {
		if (out->found && out->strategy == (enum strategy)i)
			continue;
		if (plans[i].found)
			refusals[i] = (struct strategy_refusal){
			    (enum strategy)i, "later",
			    strategy_words_later(wish->order[best], out->found),
			    false};
		out->refusals[out->refusal_count++] = refusals[i];
	}
	out->storage = storage;
}

static struct converge_policy
strategy_converge(const struct policy *policy)
{
	return (struct converge_policy){
	    .rungs = policy->converge,
	    .max_downtime_ms = policy->downtime_step_max_ms,
	    .pause_max_ms = policy->pause_max_ms,
	};
}

struct strategy_wish
strategy_wish_of(const struct settings *settings, const struct policy *policy)
{
	struct strategy_wish wish = {
	    .order = {STRATEGY_LIVE_SHARED, STRATEGY_LIVE_COPY,
		STRATEGY_RESTART},
	    .count = STRATEGY_COUNT,
	    .bandwidth = settings->limits.bandwidth,
	    .include_stopped = true,
	};
	struct policy defaults;

	policy_set_defaults(&defaults);
	wish.converge = strategy_converge(policy != NULL ? policy : &defaults);
	if (policy == NULL)
		return wish;
	wish.policy = policy->name;
	wish.handover = policy->handover;
	wish.max_downtime_ms = policy->max_downtime_ms;
	wish.include_stopped = policy->include_stopped;
	if (policy->bandwidth > 0 &&
	    (wish.bandwidth <= 0 || policy->bandwidth < wish.bandwidth))
		wish.bandwidth = policy->bandwidth;
	if (policy->strategy_count > 0) {
		wish.count = policy->strategy_count;
		for (size_t i = 0; i < wish.count; i++)
			wish.order[i] = (enum strategy)policy->strategies[i];
	}
	return wish;
}

/* Is that all there is to say of it?  Of a guest that has nothing to copy nobody
 * asks why it is not copied. */
static bool
strategy_is_aside(const struct strategy_refusal *refusal)
{
	static const char *const rules[] = {
	    "not-allowed", "later", "nothing-local", "not-running"};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(refusal->rule, rules[i]) == 0)
			return true;
	}
	return false;
}

/* When there is one for all; NULL when there are several. */
static const char *
strategy_only_reason(const struct strategy_result *result)
{
	const char *only = NULL, *aside = "no strategy is allowed";

	for (size_t i = 0; i < result->refusal_count; i++) {
		const struct strategy_refusal *refusal = &result->refusals[i];

		if (strategy_is_aside(refusal)) {
			if (strcmp(refusal->rule, "not-allowed") != 0)
				aside = refusal->why;
			continue;
		}
		if (only != NULL && strcmp(only, refusal->why) != 0)
			return NULL;
		only = refusal->why;
	}
	return only != NULL ? only : aside;
}

const char *
strategy_words(struct arena *arena, const struct strategy_result *result)
{
	struct buf buf = BUF_INIT(STRATEGY_WHY_MAX);
	bool told[STRATEGY_COUNT] = {false};
	const char *text = strategy_only_reason(result);

	if (text != NULL)
		return text;
	for (size_t i = 0; i < result->refusal_count; i++) {
		const struct strategy_refusal *first = &result->refusals[i];

		if (told[i] || strategy_is_aside(first))
			continue;
		buf_addf(&buf, "%s%s", buf.len > 0 ? "; " : "",
		    strategy_name(first->strategy));
		for (size_t j = i + 1; j < result->refusal_count; j++) {
			const struct strategy_refusal *same =
			    &result->refusals[j];

			if (strcmp(same->why, first->why) != 0)
				continue;
			told[j] = true;
			buf_addf(&buf, ", %s", strategy_name(same->strategy));
		}
		buf_addf(&buf, ": %s", first->why);
	}
	text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

const char *
strategy_name(enum strategy strategy)
{
	switch (strategy) {
	case STRATEGY_LIVE_SHARED:
		return "live-shared";
	case STRATEGY_LIVE_COPY:
		return "live-copy";
	case STRATEGY_RESTART:
		break;
	}
	return "restart";
}

bool
strategy_parse(const char *name, enum strategy *out)
{
	for (int i = 0; i < STRATEGY_COUNT; i++) {
		if (strcmp(name, strategy_name((enum strategy)i)) != 0)
			continue;
		*out = (enum strategy)i;
		return true;
	}
	return false;
}

void
strategy_wish_first(struct strategy_wish *wish, enum strategy strategy)
{
	for (size_t i = 0; i < wish->count; i++) {
		if (wish->order[i] != strategy)
			continue;
		for (; i > 0; i--)
			wish->order[i] = wish->order[i - 1];
		wish->order[0] = strategy;
		return;
	}
}

/*
 * Where a guest goes.  Every host passes the filters or is rejected with the
 * reason; among those that are left, a ladder of steps decides: the first step
 * on which two hosts differ.  The ladder is a table, in which each step
 * compares and has the words for it, so that "why there?" has the same answer
 * as the choice itself.
 *
 * All comparisons are of whole numbers or of figures put into bands, so that
 * they are transitive, and the last step is the name: nothing depends on the
 * order of the hosts.
 */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "decide/guard.h"
#include "decide/place_look.h"
#include "model/hash.h"

#define PLACE_WHY_MAX (256 << 10)

/* Step 6: from here on a host has no room for surprises. */
#define PLACE_TIGHT_PERCENT 90

/* Step 10: CPU load is noisy; a difference within a band says nothing. */
#define PLACE_LOAD_BAND_PERCENT 5
#define PLACE_LOAD_UNKNOWN 1000000

/* What the ladder compares. */
static void
place_weigh(const struct place_look *look, struct place_candidate *candidate)
{
	const struct snap_host *host = candidate->host;
	const struct snap_vm *vm = look->request->vm;
	size_t index = (size_t)(host - look->s->hosts);
	int64_t left, total = host->memory_total;
	double load;

	for (size_t i = 0; i < look->s->attempt_count; i++) {
		const struct snap_attempt *attempt = &look->s->attempts[i];

		if (strcmp(attempt->uuid, vm->uuid) == 0 &&
		    strcmp(attempt->to, host->name) == 0)
			candidate->failures += attempt->failures;
	}

	candidate->rank = candidate->verdict.strategy.rank;
	candidate->planned = look->request->prefer != NULL &&
	    strcmp(look->request->prefer, host->name) == 0;
	candidate->guard = look->request->guard;
	if (candidate->guard != NULL) {
		candidate->wishes = guard_wishes(candidate->guard, vm, host);
		candidate->spread = guard_spread(candidate->guard, host);
	}

	/* The reserve is free memory too, as far as use goes. */
	left = place_memory_left(look, host) + host->reserve_memory;
	if (snapshot_vm_active(vm))
		left -= place_memory_need(vm->memory);
	candidate->free_permille = total > 0
	    ? (int64_t)floor((double)left / (double)total * 1000)
	    : -1000000;
	candidate->memory_percent = (int)(100 - candidate->free_permille / 10);
	candidate->tight =
	    candidate->free_permille < (100 - PLACE_TIGHT_PERCENT) * 10;

	place_weigh_wishes(look, candidate);

	candidate->inbound = look->ledger->inbound[index];
	candidate->inbound_limit = host->inbound_limit > 0
	    ? host->inbound_limit
	    : look->settings->limits.per_target;
	if (candidate->inbound_limit <= 0)
		candidate->inbound_limit = 1;

	load = isnan(host->cpu_smooth) ? host->cpu_used : host->cpu_smooth;
	load = host->cpus > 0 ? (load + look->ledger->cpu[index]) / host->cpus
			      : NAN;
	if (isnan(load)) {
		candidate->load_band = PLACE_LOAD_UNKNOWN;
		return;
	}
	load = fmax(load, 0);
	candidate->load_percent = (int)fmin(load * 100, 10000);
	candidate->load_band =
	    candidate->load_percent / PLACE_LOAD_BAND_PERCENT;
}

static int
place_compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* 1. Fewest earlier failures of this guest on that host. */
static int
ladder_failures(
    const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers(a->failures, b->failures);
}

static const char *
ladder_failures_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	return arena_printf(arena,
	    "fewer failed attempts there (%d against "
	    "%d)",
	    a->failures, b->failures);
}

/* 2. The strategy that is wanted most: that the owner notices least. */
static int
ladder_strategy(
    const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers((int64_t)a->rank, (int64_t)b->rank);
}

static const char *
ladder_strategy_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	return arena_printf(arena, "%s is possible there, not only %s",
	    strategy_name(a->verdict.strategy.strategy),
	    strategy_name(b->verdict.strategy.strategy));
}

/* 3. Where the plan of the drain wants it. */
static int
ladder_planned(const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers(b->planned, a->planned);
}

static const char *
ladder_planned_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	(void)arena;
	(void)a;
	(void)b;
	return "by the plan of the drain";
}

/* 4. What the policy prefers, its first wish before all others. */
static int
ladder_wishes(const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers(a->wishes, b->wishes);
}

static const char *
ladder_wishes_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	return guard_wish_words(a->guard, arena, a->wishes, b->wishes);
}

/* 5. Evenly over the values of a label, as the policy wants. */
static int
ladder_spread(const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers(a->spread, b->spread);
}

static const char *
ladder_spread_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	return guard_spread_words(
	    a->guard, arena, a->host, a->spread, b->host, b->spread);
}

/* 6. Hosts whose memory the move does not push above 90 %. */
static int
ladder_tight(const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers(a->tight, b->tight);
}

static const char *
ladder_tight_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	return arena_printf(arena,
	    "memory in use stays below %d %% (%d %% "
	    "against %d %%)",
	    PLACE_TIGHT_PERCENT, a->memory_percent, b->memory_percent);
}

/* 9. Fewest moves coming in relative to the limit, which spreads a drain. */
static int
ladder_inbound(const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers((int64_t)a->inbound * b->inbound_limit,
	    (int64_t)b->inbound * a->inbound_limit);
}

static const char *
ladder_inbound_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	return arena_printf(arena,
	    "fewer moves to it (%d against %d; limits "
	    "%d and %d)",
	    a->inbound, b->inbound, a->inbound_limit, b->inbound_limit);
}

/* 10. Lowest expected CPU load, in bands; unknown is worse than known. */
static int
ladder_load(const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers(a->load_band, b->load_band);
}

static const char *
ladder_load_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	if (b->load_band == PLACE_LOAD_UNKNOWN)
		return arena_printf(
		    arena, "its CPU load is known (%d %%)", a->load_percent);
	return arena_printf(arena, "less CPU load (%d %% against %d %%)",
	    a->load_percent, b->load_percent);
}

/* 11. Most memory free after the move, as a share of all. */
static int
ladder_free(const struct place_candidate *a, const struct place_candidate *b)
{
	return place_compare_numbers(b->free_permille, a->free_permille);
}

static const char *
ladder_free_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	return arena_printf(arena,
	    "more memory free after the move (%.1f %% "
	    "against %.1f %%)",
	    (double)a->free_permille / 10, (double)b->free_permille / 10);
}

/* 12. The name, so that there is always an answer, and the same one. */
static int
ladder_name(const struct place_candidate *a, const struct place_candidate *b)
{
	return strcmp(a->host->name, b->host->name);
}

static const char *
ladder_name_words(struct arena *arena, const struct place_candidate *a,
    const struct place_candidate *b)
{
	(void)arena;
	(void)a;
	(void)b;
	return "all else is equal, first by name";
}

static const struct {
	int (*compare)(
	    const struct place_candidate *a, const struct place_candidate *b);
	const char *(*words)(struct arena *arena,
	    const struct place_candidate *better,
	    const struct place_candidate *other);
} place_ladder[] = {
    {ladder_failures, ladder_failures_words},
    {ladder_strategy, ladder_strategy_words},
    {ladder_planned, ladder_planned_words},
    {ladder_wishes, ladder_wishes_words},
    {ladder_spread, ladder_spread_words},
    {ladder_tight, ladder_tight_words},
    {place_compare_broken, place_words_broken}, /* 7 */
    {place_compare_crowds, place_words_crowds}, /* 8 */
    {ladder_inbound, ladder_inbound_words},
    {ladder_load, ladder_load_words},
    {ladder_free, ladder_free_words},
    {ladder_name, ladder_name_words},
};

/* The first step on which they differ; *out_order as of strcmp(). */
static size_t
place_compare(const struct place_candidate *a, const struct place_candidate *b,
    int *out_order)
{
	const size_t steps = sizeof(place_ladder) / sizeof(place_ladder[0]);

	for (size_t i = 0; i < steps; i++) {
		*out_order = place_ladder[i].compare(a, b);
		if (*out_order != 0)
			return i;
	}
	return steps - 1;
}

/* Takes the best of the candidates; the second best says which step decided. */
static void
place_take_best(const struct place_look *look,
    const struct place_candidate *candidates, size_t count,
    struct place_choice *out)
{
	const struct place_candidate *best = &candidates[0], *second = NULL;
	size_t step;
	int order;

	for (size_t i = 1; i < count; i++) {
		const struct place_candidate *next = &candidates[i];

		place_compare(next, best, &order);
		if (order < 0) {
			second = best;
			best = next;
			continue;
		}
		if (second != NULL)
			place_compare(next, second, &order);
		if (second == NULL || order < 0)
			second = next;
	}
	out->target = best->host;
	out->strategy = best->verdict.strategy;
	if (look->request->only_to != NULL) {
		out->why = arena_printf(
		    look->arena, "%s was asked for", best->host->name);
	} else if (second == NULL) {
		out->why = arena_printf(look->arena,
		    "%s is the only host that can take it", best->host->name);
	} else {
		step = place_compare(best, second, &order);
		out->why = arena_printf(look->arena, "%s rather than %s: %s",
		    best->host->name, second->host->name,
		    place_ladder[step].words(look->arena, best, second));
	}
}

/* "kvm2, kvm4: cordoned; kvm3: needs ...": hosts of one reason together, in
 * order of the first. */
static void
place_list_reasons(const struct place_look *look,
    const struct place_choice *choice, struct buf *buf)
{
	bool *told =
	    arena_array(look->arena, choice->rejection_count, sizeof(*told));
	uint64_t *hash =
	    arena_array(look->arena, choice->rejection_count, sizeof(*hash));
	const char *separator = "";

	/* So that not every text is compared with every other. */
	for (size_t i = 0; i < choice->rejection_count; i++)
		hash[i] = hash_string(HASH_START, choice->rejections[i].why);
	for (size_t i = 0; i < choice->rejection_count; i++) {
		const struct place_rejection *first = &choice->rejections[i];

		/* That it cannot go where it is needs no words. */
		if (told[i] || first->rule == PLACE_SAME_HOST)
			continue;
		buf_addf(buf, "%s%s", separator, first->host->name);
		for (size_t j = i + 1; j < choice->rejection_count; j++) {
			const struct place_rejection *same =
			    &choice->rejections[j];

			if (told[j] || same->rule != first->rule ||
			    hash[j] != hash[i] ||
			    strcmp(same->why, first->why) != 0)
				continue;
			told[j] = true;
			buf_addf(buf, ", %s", same->host->name);
		}
		buf_addf(buf, ": %s", first->why);
		separator = "; ";
	}
}

static const char *
place_words_no_host(
    const struct place_look *look, const struct place_choice *choice)
{
	const char *only_to = look->request->only_to;
	struct buf buf = BUF_INIT(PLACE_WHY_MAX);
	const char *text;

	if (only_to != NULL && snapshot_find_host(look->s, only_to) == NULL)
		return arena_printf(
		    look->arena, "there is no host %s", only_to);
	for (size_t i = 0; only_to != NULL && i < choice->rejection_count;
	     i++) {
		const struct place_rejection *rejection =
		    &choice->rejections[i];

		if (strcmp(rejection->host->name, only_to) == 0)
			return arena_printf(look->arena,
			    choice->wait ? "%s cannot take it yet: %s"
					 : "%s cannot take it: %s",
			    only_to, rejection->why);
	}
	if (look->s->host_count < 2)
		return "no host can take it: there is no other host";
	if (choice->wait)
		buf_adds(&buf, "no host can take it yet: ");
	else
		buf_adds(&buf, "no host can take it: ");
	place_list_reasons(look, choice, &buf);
	text = arena_strdup(look->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static struct place_rejection
place_reject(const struct place_look *look, const struct snap_host *host,
    const struct place_verdict *verdict)
{
	struct place_rejection rejection = {.host = host,
	    .rule = verdict->rule,
	    .why = verdict->why,
	    .wait = verdict->wait};
	size_t count = verdict->strategy.refusal_count;
	struct strategy_refusal *refusals;

	if (verdict->rule != PLACE_STRATEGY)
		return rejection;
	refusals = arena_array(look->arena, count, sizeof(refusals[0]));
	memcpy(
	    refusals, verdict->strategy.refusals, count * sizeof(refusals[0]));
	rejection.refusals = refusals;
	rejection.refusal_count = count;
	return rejection;
}

/* A host where something that is wanted more than `rank` may pass yet. */
static const struct place_rejection *
place_find_better(
    const struct place_choice *choice, const size_t *ranks, size_t rank)
{
	for (size_t i = 0; i < choice->rejection_count; i++) {
		if (ranks[i] < rank)
			return &choice->rejections[i];
	}
	return NULL;
}

/* The best of the candidates, unless another host may soon do better than any of
 * them. */
static void
place_settle(const struct place_look *look,
    const struct place_candidate *candidates, size_t count, const size_t *ranks,
    struct place_choice *out)
{
	const struct place_rejection *better;

	if (count == 0) {
		out->why = place_words_no_host(look, out);
		return;
	}
	place_take_best(look, candidates, count, out);
	better = place_find_better(out, ranks, out->strategy.rank);
	if (better == NULL) {
		out->wait = false;
		return;
	}
	out->why = arena_printf(look->arena,
	    "%s could take it by %s, but %s may take it by %s: %s",
	    out->target->name, strategy_name(out->strategy.strategy),
	    better->host->name,
	    strategy_name(
		look->request->wish->order[ranks[better - out->rejections]]),
	    better->why);
	out->wait = true;
	out->target = NULL;
}

void
place_choose(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, struct place_ledger *ledger,
    const struct place_request *request, struct place_choice *out)
{
	struct place_look look = {arena, settings, s, ledger, request,
	    &s->hosts[request->vm->host], NULL, NULL};
	struct place_candidate *candidates;
	size_t *ranks, count = 0;

	*out = (struct place_choice){.vm = request->vm, .from = look.source};
	out->guest_rule = place_check_guest(&look, &out->wait, &out->why);
	if (out->guest_rule != PLACE_GUEST_OK)
		return;
	place_find_taken(&look);
	out->why = place_words_twice(&look, &out->wait);
	if (out->why != NULL) {
		out->guest_rule = PLACE_GUEST_BUSY;
		return;
	}
	look.placement =
	    placement_see(settings, ledger, request->vm, request->leaving);
	/* Large, and not wanted any more afterwards: the same for all guests. */
	if (ledger->candidates == NULL)
		ledger->candidates = arena_array(
		    ledger->arena, s->host_count, sizeof(candidates[0]));
	candidates = ledger->candidates;
	out->rejections =
	    arena_array(arena, s->host_count, sizeof(out->rejections[0]));
	ranks = arena_array(arena, s->host_count, sizeof(ranks[0]));
	for (size_t i = 0; i < s->host_count; i++) {
		struct place_candidate *candidate = &candidates[count];
		struct place_verdict *verdict = &candidate->verdict;

		*candidate = (struct place_candidate){.host = &s->hosts[i]};
		place_check_host(&look, candidate->host, verdict);
		if (verdict->rule == PLACE_OK) {
			place_weigh(&look, candidate);
			count++;
			continue;
		}
		ranks[out->rejection_count] =
		    verdict->wait ? verdict->rank : SIZE_MAX;
		out->rejections[out->rejection_count++] =
		    place_reject(&look, &s->hosts[i], verdict);
		out->wait = out->wait || verdict->wait;
	}
	place_settle(&look, candidates, count, ranks, out);
}

void
place_check(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, struct place_ledger *ledger,
    const struct place_request *request, const struct snap_host *host,
    struct place_rejection *out)
{
	struct place_look look = {arena, settings, s, ledger, request,
	    &s->hosts[request->vm->host], NULL, NULL};
	struct place_verdict verdict;

	place_find_taken(&look);
	look.placement =
	    placement_see(settings, ledger, request->vm, request->leaving);
	place_check_host(&look, host, &verdict);
	*out = place_reject(&look, host, &verdict);
}

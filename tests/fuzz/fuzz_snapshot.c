/*
 * Any bytes as a snapshot: refused with positions, or a cluster whose parts all
 * refer to one another, never a crash.  What can be planned for in no time is:
 * balanced, which never makes it worse, and its first host emptied.
 */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "plan/apply.h"
#include "plan/balance.h"
#include "plan/evacuate.h"
#include "plan/read.h"
#include "plan/score.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What planners rely on. */
static void
judge(const struct plan_cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->host_count; i++) {
		const struct plan_host *host = &cluster->hosts[i];

		if (host->memory <= 0 || !(host->cpus > 0) ||
		    host->cpu_used < 0 || (host->accepts && !host->up))
			abort();
		if (i > 0 && strcmp(host[-1].name, host->name) >= 0)
			abort();
	}
	for (uint32_t i = 0; i < cluster->guest_count; i++) {
		const struct plan_guest *guest = &cluster->guests[i];

		if (guest->host >= cluster->host_count ||
		    (guest->memory > 0) != guest->runs || guest->overhead < 0 ||
		    guest->overhead > guest->memory || guest->cpu < 0 ||
		    guest->disk < 0)
			abort();
		if (guest->apart != PLAN_NONE &&
		    guest->apart >= cluster->apart_count)
			abort();
		if (i > 0 && strcmp(guest[-1].uuid, guest->uuid) >= 0)
			abort();
	}
}

static void
judge_moves(
    const struct plan_cluster *cluster, const struct plan_result *result)
{
	for (uint32_t i = 0; i < result->move_count; i++) {
		const struct plan_move *move = &result->moves[i];

		if (move->guest >= cluster->guest_count ||
		    move->from >= cluster->host_count ||
		    move->to >= cluster->host_count || move->from == move->to ||
		    !cluster->hosts[move->to].accepts ||
		    cluster->guests[move->guest].stays || move->wave == 0 ||
		    move->reason == NULL || move->begin_ms < 0)
			abort();
	}
}

static void
balance(struct arena *arena, const struct plan_cluster *cluster)
{
	struct plan_balance_options options = plan_balance_defaults(cluster);
	struct plan_result result = {0};
	struct plan_score_parts parts;
	double before = plan_score(cluster, &parts), after;
	struct plan_cluster *then;

	options.max_moves = 40;
	plan_balance(arena, cluster, &options, &result);
	judge_moves(cluster, &result);
	then = plan_apply(arena, cluster, &result);
	after = plan_score(then, &parts);
	if (isnan(before) || isnan(after) || after > before + 1e-9)
		abort();
}

static void
evacuate(struct arena *arena, const struct plan_cluster *cluster,
    const struct plan_evacuate_options *options)
{
	struct plan_result result = {0};
	struct plan_outlook outlook = {0};
	uint32_t here = 0, left = 0;

	plan_evacuate(arena, cluster, 0, options, &result);
	judge_moves(cluster, &result);
	for (uint32_t i = 0; i < cluster->guest_count; i++)
		here += cluster->guests[i].host == 0;
	for (uint32_t i = 0; i < result.move_count; i++)
		left += result.moves[i].from == 0;
	if (left > here || result.blocked_count > here)
		abort();
	plan_evacuate_outlook(arena, cluster, 0, options, &result, &outlook);
	if (outlook.makespan_ms < 0 || outlook.moved_bytes < 0)
		abort();
}

static void
plan(struct arena *arena, const struct plan_cluster *cluster)
{
	static const uint64_t all = UINT64_MAX;
	const struct plan_evacuate_options soon = {
	    .deadline_ms = 60000, .may_restart = &all};
	const struct plan_evacuate_options simple = {0};

	if (cluster->host_count <= 8 && cluster->guest_count <= 32)
		balance(arena, cluster);
	if (cluster->host_count > 0 && cluster->host_count <= 4 &&
	    cluster->guest_count <= 8) {
		evacuate(arena, cluster, &simple);
		evacuate(arena, cluster, &soon);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(PLAN_READ_ARENA_MAX);
	struct buf out = BUF_INIT(1 << 20);
	struct diag_list diags;
	struct plan_cluster *cluster;

	diag_init(&diags);
	cluster =
	    plan_read(arena, "fuzz.yaml", (const char *)data, size, &diags);
	if ((cluster == NULL) != diag_any(&diags))
		abort();
	for (size_t i = 0; i < diags.count; i++)
		if (diags.items[i].line == 0 || diags.items[i].column == 0)
			abort();
	if (cluster != NULL) {
		judge(cluster);
		plan(arena, cluster);
	}
	diag_print(&diags, &out);
	buf_free(&out);
	diag_free(&diags);
	arena_free(arena);
	return 0;
}

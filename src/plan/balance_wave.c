/*
 * Waves: the moves keep their order, and each wave takes as many as may begin
 * together.  Until a wave is over its guests hold memory and disk at both ends
 * and their classmates keep off both; so what a move of the wave would leave is
 * not there for another.  Rates: the moves of a wave share the links of hosts.
 */
#include <string.h>

#include "decide/predict.h"
#include "plan/balance_priv.h"

#define WAVE_LINK 117000000 /* of a gigabit, what is left for data */

static int64_t
wave_link(const struct plan_cluster *cluster)
{
	return cluster->limits.link > 0 ? cluster->limits.link : WAVE_LINK;
}

void
balance_predict(const struct plan_cluster *cluster, uint32_t guest, int at_once,
    int64_t *out_ms, int64_t *out_downtime_ms)
{
	const struct plan_guest *g = &cluster->guests[guest];
	int64_t link = wave_link(cluster);
	struct predict_input in = {.memory = g->memory - g->overhead,
	    .disk = g->disk,
	    .bandwidth = link / at_once > 0 ? link / at_once : 1,
	    .link = link,
	    .dirty_rate = g->dirty_rate,
	    .working_set = -1,
	    .switch_ms = PREDICT_SWITCH_MS};
	struct predict_result result = {0};

	switch (g->way) {
	case PLAN_LIVE_SHARED:
	case PLAN_LIVE_COPY:
		predict_live(&in, &result);
		break;
	case PLAN_RESTART:
		predict_restart(&in, -1, -1, 0, &result);
		break;
	}
	*out_ms = result.time_ms;
	*out_downtime_ms = result.downtime_ms;
}

struct wave {
	const struct plan_cluster *cluster;
	struct score *score; /* as of the end of the wave before */
	struct plan_result *result;
	uint32_t number, begin; /* its first move */
	int *in, *out;          /* by host */
	int64_t *memory, *disk; /* by host: on its way to it */
	int64_t begin_ms;
};

static int
wave_stricter(int a, int b)
{
	return b == 0 || (a != 0 && a < b) ? a : b;
}

static bool
wave_is_within(int count, int limit)
{
	return limit == 0 || count < limit;
}

static bool
wave_takes(const struct wave *w, const struct plan_move *move, uint32_t at)
{
	const struct plan_cluster *c = w->cluster;
	const struct plan_guest *g = &c->guests[move->guest];
	const struct plan_host *from = &c->hosts[move->from];
	const struct plan_host *to = &c->hosts[move->to];

	if (!wave_is_within((int)(at - w->begin), c->limits.total) ||
	    !wave_is_within(w->out[move->from],
		wave_stricter(c->limits.per_source, from->limit_out)) ||
	    !wave_is_within(w->in[move->to],
		wave_stricter(c->limits.per_target, to->limit_in)) ||
	    w->memory[move->to] + w->score->memory[move->to] + g->memory >
		to->memory ||
	    (g->disk > 0 &&
		w->disk[move->to] + w->score->disk[move->to] + g->disk >
		    to->disk) ||
	    score_meets_class(w->score, move->guest, move->to))
		return false;
	for (uint32_t i = w->begin; i < at; i++) {
		const struct plan_move *other = &w->result->moves[i];

		if (other->guest == move->guest ||
		    (g->apart != PLAN_NONE && other->to == move->to &&
			c->guests[other->guest].apart == g->apart))
			return false;
	}
	return true;
}

/* All that began in it have arrived. */
static void
wave_end(struct wave *w, uint32_t end)
{
	int64_t longest = 0;

	for (uint32_t i = w->begin; i < end; i++) {
		struct plan_move *m = &w->result->moves[i];
		int at_once = w->out[m->from] > w->in[m->to] ? w->out[m->from]
							     : w->in[m->to];

		m->wave = w->number;
		m->begin_ms = w->begin_ms;
		balance_predict(
		    w->cluster, m->guest, at_once, &m->ms, &m->downtime_ms);
		if (m->ms > longest)
			longest = m->ms;
	}
	for (uint32_t i = w->begin; i < end; i++) {
		const struct plan_move *m = &w->result->moves[i];

		score_move(w->score, m->guest, m->to);
		w->in[m->to] = w->out[m->from] = 0;
		w->memory[m->to] = w->disk[m->to] = 0;
	}
	w->begin_ms += longest;
	w->begin = end;
	w->number++;
}

void
balance_set_waves(
    const struct plan_cluster *cluster, struct plan_result *result)
{
	struct arena *arena = arena_new(SCORE_SCRATCH_MAX);
	size_t hosts = (size_t)cluster->host_count + 1;
	struct wave w = {.cluster = cluster,
	    .score = score_new(arena, cluster),
	    .result = result,
	    .number = 1,
	    .in = arena_array(arena, hosts, sizeof(int)),
	    .out = arena_array(arena, hosts, sizeof(int)),
	    .memory = arena_array(arena, hosts, sizeof(int64_t)),
	    .disk = arena_array(arena, hosts, sizeof(int64_t))};

	for (uint32_t i = 0; i < result->move_count; i++) {
		const struct plan_move *m = &result->moves[i];

		if (i > w.begin && !wave_takes(&w, m, i))
			wave_end(&w, i);
		w.in[m->to]++;
		w.out[m->from]++;
		w.memory[m->to] += cluster->guests[m->guest].memory;
		w.disk[m->to] += cluster->guests[m->guest].disk;
	}
	wave_end(&w, result->move_count);
	result->makespan_ms = w.begin_ms;
	arena_free(arena);
}

/*
 * What moves teach: how fast links are, and by how much predictions were off.
 * A later daemon learns the same again from what is on disk.
 */
#include "act/executor_priv.h"

#include <stdlib.h>
#include <string.h>

#include "decide/predict.h"

/* Of the newest moves, so that a link that has changed is not remembered. */
#define RECOVER_RATES_MAX 200
/* A correction is built up from its first move on; what is forgotten beyond this
 * is learned again from a few. */
#define RECOVER_PREDICTIONS_MAX 5000

/* What the move has told about the link. */
static void
learn_rate(struct journey *j)
{
	const struct move *m = j->move;
	int64_t memory = j->final.memory_done, rate = j->final.memory_rate;

	/* QEMU's own rate leaves out beginning and ending. */
	if (m->strategy == MOVE_RESTART)
		rates_learn(j->ex->rates, m->to, j->plan.copied,
		    j->plan.copied_ms, j->share);
	else if (j->final_known && memory > 0 && rate > 0 &&
	    memory < INT64_MAX / 1000)
		rates_learn(j->ex->rates, m->to, memory, memory * 1000 / rate,
		    j->share);
	else if (j->final_known && j->final.memory_done >= 0)
		rates_learn(j->ex->rates, m->to,
		    j->final.memory_done + j->plan.copied, j->final.elapsed_ms,
		    j->share);
}

static int64_t
learn_least(enum move_strategy strategy)
{
	return strategy == MOVE_RESTART ? 0 : PREDICT_SWITCH_MS;
}

void
executor_learn(struct journey *j)
{
	const struct executor_plan *p = &j->plan;
	const char *source;

	learn_rate(j);
	correct_learn(&j->ex->corrections[j->move->strategy],
	    learn_least(j->move->strategy), p->predicted_ms,
	    mono_diff(clock_mono_now(), j->started_mono),
	    p->predicted_downtime_ms, executor_final_downtime(j, &source));
}

struct correction
executor_correction(const struct executor *ex, enum move_strategy strategy)
{
	return ex->corrections[strategy];
}

/* ---- after a start ---- */

/* What links did before this daemon started, from the newest results. */
static void
recover_rate(const struct store_move *row, void *arg)
{
	struct executor *ex = arg;
	json_t *result =
	    row->result != NULL ? json_loads(row->result, 0, NULL) : NULL;

	rates_remember(ex->rates, row->to,
	    json_integer_value(json_object_get(result, "link_rate")));
	json_decref(result);
}

struct lessons {
	struct lesson {
		enum move_strategy strategy;
		int64_t predicted, actual, predicted_downtime, actual_downtime;
	} * rows; /* newest first */
	size_t count;
};

static void
recover_prediction(const struct store_prediction *row, void *arg)
{
	struct lessons *l = arg;

	for (enum move_strategy s = MOVE_LIVE_SHARED; s <= MOVE_RESTART; s++) {
		if (strcmp(row->strategy, move_strategy_name(s)) != 0 ||
		    l->count >= RECOVER_PREDICTIONS_MAX)
			continue;
		l->rows[l->count++] =
		    (struct lesson){s, row->predicted_ms, row->actual_ms,
			row->predicted_downtime_ms, row->actual_downtime_ms};
	}
}

int
executor_learn_again(struct executor *ex, struct err *err)
{
	struct lessons l = {0};
	int rc;

	if (store_each_move(ex->deps.store,
		&(struct store_move_filter){.max = RECOVER_RATES_MAX},
		recover_rate, ex, err) < 0)
		return -1;
	l.rows = calloc(RECOVER_PREDICTIONS_MAX, sizeof(*l.rows));
	if (l.rows == NULL)
		abort();
	rc = store_each_prediction(ex->deps.store, RECOVER_PREDICTIONS_MAX,
	    recover_prediction, &l, err);
	while (rc == 0 && l.count > 0) {
		const struct lesson *row = &l.rows[--l.count];

		correct_learn(&ex->corrections[row->strategy],
		    learn_least(row->strategy), row->predicted, row->actual,
		    row->predicted_downtime, row->actual_downtime);
	}
	free(l.rows);
	return rc;
}

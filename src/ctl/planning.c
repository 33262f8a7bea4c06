/*
 * Plans that the client makes itself, of a file or of the daemon's snapshot.
 *
 * They are made and judged by the same code as the daemon has; only measuring the
 * time and printing are done here.  The score after a plan is that of the cluster
 * with all moves made, whoever made the plan, so that the plans of different
 * planners can be compared.
 */

#include "ctl/planning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fields.h"
#include "config/diag.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "plan/apply.h"
#include "plan/balance.h"
#include "plan/evacuate.h"
#include "plan/read.h"
#include "plan/score.h"
#include "plan/write.h"

/* ---- the cluster ---- */

struct plan_cluster *
planning_read(struct arena *arena, const char *name, const struct buf *text,
    int *out_status)
{
	struct plan_cluster *cluster;
	struct diag_list diags;

	diag_init(&diags);
	cluster = plan_read(arena, name, buf_str(text),
	    text->overflow ? text->max : text->len, &diags);
	if (cluster == NULL) {
		ctl_say_faults(&diags);
		*out_status = CTL_INVALID;
	}
	diag_free(&diags);
	return cluster;
}

/* ---- the objective ---- */

static void
add_part(json_t *list, const char *name, double weight, json_t *value)
{
	json_t *row = json_object();

	fields_text(row, "part", name);
	fields_real(row, "weight", weight);
	json_object_set_new(row, "value", value);
	json_array_append_new(list, row);
}

/* The score; its parts, if wanted, go to object[key]. */
static double
judge(const struct plan_cluster *cluster, json_t *object, const char *key)
{
	static const char *const names[PLAN_COLUMNS] = {[PLAN_CPU] = "cpu",
	    [PLAN_MEMORY] = "memory",
	    [PLAN_VCPUS] = "vcpus",
	    [PLAN_DISK] = "disk"};
	struct plan_score_parts parts = {0};
	double score = plan_score(cluster, &parts);
	json_t *list;

	if (object == NULL)
		return score;
	list = json_array();
	for (size_t i = 0; i < PLAN_COLUMNS; i++)
		add_part(list, names[i], parts.weight[i],
		    isnan(parts.deviation[i]) ? json_null()
					      : json_real(parts.deviation[i]));
	add_part(list, "conflicts", NAN, json_integer(parts.conflicts));
	add_part(list, "misplaced", NAN, json_integer(parts.misplaced));
	add_part(list, "overfull", NAN, json_integer(parts.overfull));
	add_part(list, "exposed", NAN, json_integer(parts.exposed));
	json_object_set_new(object, key, list);
	return score;
}

static void
show(struct ctl *ctl, json_t *answer,
    void (*render)(const json_t *answer, const struct style *style, bool wide,
	struct buf *out))
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	const json_t *move;
	size_t i;

	switch (ctl->args.output) {
	case ARGS_JSON:
		ctl_print_json(answer);
		break;
	case ARGS_NAME:
		json_array_foreach(json_object_get(answer, "moves"), i, move)
		{
			text_add(&out, field_text_or(move, "vm", "-"));
			buf_adds(&out, "\n");
		}
		break;
	case ARGS_TABLE:
	case ARGS_WIDE:
		render(
		    answer, &ctl->style, ctl->args.output == ARGS_WIDE, &out);
		break;
	}
	ctl_print(&out);
}

int
planning_show_score(struct ctl *ctl, const struct plan_cluster *cluster)
{
	json_t *answer = json_pack("{s:s}", "schema", "drover/v1");

	fields_real(answer, "score", judge(cluster, answer, "parts"));
	show(ctl, answer, render_score);
	json_decref(answer);
	return CTL_DONE;
}

/* ---- the plan ---- */

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct plan_balance_options
balance_options(const struct ctl *ctl, const struct plan_cluster *cluster)
{
	struct plan_balance_options options = plan_balance_defaults(cluster);

	if (ctl->args.given & ARGS_MAX)
		options.max_moves = (uint32_t)ctl->args.max;
	if (ctl->args.given & ARGS_MIN_GAIN)
		options.min_gain = ctl->args.min_gain;
	return options;
}

/* What is for people only; programs have the contract. */
static void
add_words(json_t *answer, const struct plan_cluster *cluster, uint32_t drained,
    double min_gain, const struct plan_result *result)
{
	fields_count(answer, "makespan_ms", result->makespan_ms);
	if (drained != PLAN_NONE)
		fields_text(answer, "drained", cluster->hosts[drained].name);
	else
		fields_real(answer, "min_gain", min_gain);
}

int
planning_show(struct ctl *ctl, struct arena *arena,
    const struct plan_cluster *cluster, uint32_t drained)
{
	bool parts = (ctl->args.given & ARGS_SCORE) != 0;
	struct plan_balance_options options = balance_options(ctl, cluster);
	struct plan_result result = {0};
	double begun = now_ms(), elapsed;
	json_t *answer, *judged = json_object();

	if (drained != PLAN_NONE) {
		struct plan_evacuate_options how = {0};

		plan_evacuate(arena, cluster, drained, &how, &result);
	} else {
		plan_balance(arena, cluster, &options, &result);
	}
	/* A microsecond is as fine as this can be. */
	elapsed = round((now_ms() - begun) * 1e3) / 1e3;
	result.score_before =
	    judge(cluster, parts ? judged : NULL, "parts_before");
	result.score_after = judge(plan_apply(arena, cluster, &result),
	    parts ? judged : NULL, "parts_after");
	answer = plan_write_result(cluster, &result, elapsed);
	json_object_update(answer, judged);
	if (ctl->args.output == ARGS_TABLE || ctl->args.output == ARGS_WIDE)
		add_words(answer, cluster, drained, options.min_gain, &result);
	show(ctl, answer, render_simulation);
	json_decref(judged);
	json_decref(answer);
	return result.blocked_count > 0 ? CTL_PARTLY : CTL_DONE;
}

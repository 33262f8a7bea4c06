/*
 * Planning for hosts that need not exist: a file in, a plan out, and no daemon.
 *
 * The file is read, planned for and judged by the same code as the daemon has;
 * only reading the file, measuring the time and printing are done here.  The
 * score after a plan is that of the cluster with all moves made, whoever made
 * the plan, so that the plans of different planners can be compared.
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fields.h"
#include "config/diag.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "plan/apply.h"
#include "plan/balance.h"
#include "plan/evacuate.h"
#include "plan/read.h"
#include "plan/score.h"
#include "plan/write.h"

#define PLAN_ARENA_MAX ((size_t)4 << 30)
#define FAULTS_MAX ((size_t)1 << 20)

/* ---- the file ---- */

static int
read_stream(FILE *file, struct buf *out)
{
	char part[65536];
	size_t got;

	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		if (buf_add(out, part, got) != 0)
			return 0; /* too large: the reader says so */
	return ferror(file) ? -1 : 0;
}

static int
read_text(const char *path, struct buf *out)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "r");
	int rc = file != NULL ? read_stream(file, out) : -1;

	if (rc != 0)
		ctl_say("%s: %s", path, strerror(errno));
	if (file != NULL && !standard)
		fclose(file);
	return rc;
}

static void
say_faults(const struct diag_list *diags)
{
	struct buf text = BUF_INIT(FAULTS_MAX);
	char *line, *rest = NULL;

	diag_print(diags, &text);
	for (line = text.data != NULL ? strtok_r(text.data, "\n", &rest) : NULL;
	     line != NULL; line = strtok_r(NULL, "\n", &rest))
		ctl_say("%s", line);
	buf_free(&text);
}

static struct plan_cluster *
read_cluster(struct arena *arena, const char *path, int *out_status)
{
	/* With room for more than is taken, so that too much is seen. */
	struct buf text = BUF_INIT(PLAN_READ_SIZE_MAX + 65536);
	struct plan_cluster *cluster = NULL;
	struct diag_list diags;

	diag_init(&diags);
	if (read_text(path, &text) != 0) {
		*out_status = CTL_FAILED;
	} else {
		cluster = plan_read(arena,
		    strcmp(path, "-") == 0 ? "standard input" : path,
		    buf_str(&text), text.overflow ? text.max : text.len,
		    &diags);
		if (cluster == NULL) {
			say_faults(&diags);
			*out_status = CTL_INVALID;
		}
	}
	diag_free(&diags);
	buf_free(&text);
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

static int
show_score(struct ctl *ctl, const struct plan_cluster *cluster)
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

static void
refuse_host(
    const struct plan_cluster *cluster, const char *path, const char *host)
{
	const char **names =
	    calloc((size_t)cluster->host_count + 1, sizeof(*names));
	const char *near;

	if (names == NULL)
		abort();
	for (uint32_t i = 0; i < cluster->host_count; i++)
		names[i] = cluster->hosts[i].name;
	near = diag_suggest(host, names);
	ctl_say("there is no host \"%s\" in %s%s%s%s", host, path,
	    near != NULL ? " (did you mean \"" : "", near != NULL ? near : "",
	    near != NULL ? "\"?)" : "");
	free(names);
}

static int
show_plan(struct ctl *ctl, struct arena *arena,
    const struct plan_cluster *cluster, uint32_t drained)
{
	bool parts = (ctl->args.given & ARGS_SCORE) != 0;
	struct plan_result result = {0};
	double begun = now_ms(), elapsed;
	json_t *answer, *judged = json_object();

	if (drained != PLAN_NONE) {
		struct plan_evacuate_options options = {0};

		plan_evacuate(arena, cluster, drained, &options, &result);
	} else {
		struct plan_balance_options options =
		    plan_balance_defaults(cluster);

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
	/* For people only; programs have the contract. */
	if (ctl->args.output == ARGS_TABLE || ctl->args.output == ARGS_WIDE)
		json_object_set_new(
		    answer, "makespan_ms", json_integer(result.makespan_ms));
	show(ctl, answer, render_simulation);
	json_decref(judged);
	json_decref(answer);
	return result.blocked_count > 0 ? CTL_PARTLY : CTL_DONE;
}

int
ctl_simulate(struct ctl *ctl)
{
	const char *path = ctl->args.operands[0];
	struct arena *arena = arena_new(PLAN_ARENA_MAX);
	int status = CTL_DONE;
	struct plan_cluster *cluster = read_cluster(arena, path, &status);
	uint32_t drained = PLAN_NONE;

	if (cluster != NULL && ctl->args.drain != NULL) {
		drained = plan_find_host(cluster, ctl->args.drain);
		if (drained == PLAN_NONE) {
			refuse_host(cluster, path, ctl->args.drain);
			status = CTL_FAILED;
		}
	}
	if (cluster != NULL && status == CTL_DONE)
		status =
		    (ctl->args.given &
			(ARGS_SCORE | ARGS_DRAIN | ARGS_BALANCE)) == ARGS_SCORE
		    ? show_score(ctl, cluster)
		    : show_plan(ctl, arena, cluster, drained);
	arena_free(arena);
	return status;
}

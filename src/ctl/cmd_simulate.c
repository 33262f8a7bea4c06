/*
 * Planning for hosts that need not exist: a file in, a plan out, and no daemon.
 * What is done with the file once it is there is in planning.c, or where policies
 * decide in playing.c.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/diag.h"
#include "ctl/ctl.h"
#include "ctl/planning.h"
#include "ctl/playing.h"
#include "plan/read.h"

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

static struct plan_cluster *
read_cluster(struct arena *arena, const char *path, int *out_status)
{
	/* With room for more than is taken, so that too much is seen. */
	struct buf text = BUF_INIT(PLAN_READ_SIZE_MAX + 65536);
	struct plan_cluster *cluster = NULL;

	if (read_text(path, &text) == 0)
		cluster = planning_read(arena,
		    strcmp(path, "-") == 0 ? "standard input" : path, &text,
		    out_status);
	else
		*out_status = CTL_FAILED;
	buf_free(&text);
	return cluster;
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

/* --score and nothing that asks for a plan. */
static bool
wants_score_only(const struct args *args)
{
	uint64_t plans = ARGS_DRAIN | ARGS_BALANCE | ARGS_MAX | ARGS_MIN_GAIN;

	return (args->given & ARGS_SCORE) != 0 && (args->given & plans) == 0;
}

/* With --policy. */
static int
simulate_policies(struct ctl *ctl)
{
	const char *path = ctl->args.operands[0];
	struct buf text = BUF_INIT(PLAN_READ_SIZE_MAX + 65536);
	int status = CTL_FAILED;

	if (read_text(path, &text) == 0)
		status = playing_show(ctl,
		    strcmp(path, "-") == 0 ? "standard input" : path, &text);
	buf_free(&text);
	return status;
}

int
ctl_simulate(struct ctl *ctl)
{
	const char *path = ctl->args.operands[0];
	struct plan_cluster *cluster;
	uint32_t drained = PLAN_NONE;
	int status = CTL_DONE;
	struct arena *arena;

	if ((ctl->args.given & ARGS_POLICY) != 0)
		return simulate_policies(ctl);
	arena = arena_new(PLANNING_ARENA_MAX);
	cluster = read_cluster(arena, path, &status);
	if (cluster != NULL && ctl->args.drain != NULL) {
		drained = plan_find_host(cluster, ctl->args.drain);
		if (drained == PLAN_NONE) {
			refuse_host(cluster, path, ctl->args.drain);
			status = CTL_FAILED;
		}
	}
	if (cluster != NULL && status == CTL_DONE)
		status = wants_score_only(&ctl->args)
		    ? planning_show_score(ctl, cluster)
		    : planning_show(ctl, arena, cluster, drained);
	arena_free(arena);
	return status;
}

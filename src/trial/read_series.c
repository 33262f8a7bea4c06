/*
 * The keys of a series, as a table: a row for each figure, and for each figure the
 * units in which it may be told, and of what it is one.
 */

#include <string.h>

#include "trial/trial.h"

#define NAME_BYTES 255

/* In the order of enum trial_figure. */
static const struct {
	const char *name;
	unsigned units;
	bool host, vm, flag;
} figures[TRIAL_FIGURES] = {
    {"cpu", SERIES_PERCENT | SERIES_NUMBER, true, true, false},
    {"up", SERIES_NUMBER, true, false, true},
    {"maintenance", SERIES_NUMBER, true, false, true},
    {"cordoned", SERIES_NUMBER, true, false, true},
    {"memory", SERIES_PERCENT | SERIES_BYTES, true, false, false},
    {"steal", SERIES_PERCENT, true, false, false},
    {"swap_in", SERIES_RATE, true, false, false},
    {"psi.cpu", SERIES_PERCENT, true, false, false},
    {"psi.memory", SERIES_PERCENT, true, false, false},
    {"psi.io", SERIES_PERCENT, true, false, false},
    {"dirty_rate", SERIES_RATE, false, true, false},
    {"disk.iops", SERIES_NUMBER, false, true, false},
    {"net", SERIES_RATE, false, true, false},
};

static size_t
find_figure(const char *name)
{
	size_t i = 0;

	while (i < TRIAL_FIGURES && strcmp(figures[i].name, name) != 0)
		i++;
	return i;
}

static void
check_flag_values(const struct schema_context *ctx, const struct node *node,
    const struct series *series)
{
	for (size_t i = 0; i < series->count; i++) {
		double value = series->values[i];

		/* Unknown is neither. */
		if (value == 0 || value == 1)
			continue;
		tree_fault(ctx->tree, ctx->diags, node,
		    "sample %zu of the series is neither 0 nor 1", i + 1);
		return;
	}
}

static void
read_figure(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	struct trial_series *series = object;
	size_t figure = find_figure(node->key->text), at = 0;
	struct err err = {.code = ERR_NONE};
	unsigned line, column;

	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, "a series such as \"50%+10%x3\"");
		return;
	}
	if (series_parse(ctx->arena, node->text, figures[figure].units,
		&series->figures[figure], &at, &err) != 0) {
		tree_scalar_place(ctx->tree, node, at, &line, &column);
		tree_fault_at(
		    ctx->tree, ctx->diags, node, line, column, "%s", err.msg);
		return;
	}
	if (figures[figure].flag)
		check_flag_values(ctx, node, &series->figures[figure]);
}

static void
finish_series(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct trial_series *series = object;
	size_t count = 0;

	if ((series->host != NULL) == (series->vm != NULL)) {
		tree_fault(ctx->tree, ctx->diags, map,
		    "a series is of a host or of a vm, and names that one");
		return;
	}
	for (size_t i = 0; i < TRIAL_FIGURES; i++) {
		const struct node *node = tree_get(map, figures[i].name);

		if (node == NULL)
			continue;
		count++;
		if (series->host != NULL ? figures[i].host : figures[i].vm)
			continue;
		tree_fault_key(ctx->tree, ctx->diags, node,
		    "is a figure of a %s",
		    series->host != NULL ? "vm" : "host");
	}
	if (count == 0)
		tree_fault(ctx->tree, ctx->diags, map,
		    "has no figure; write one such as cpu: \"50%%+10%%x3\"");
}

#define FIGURE(word, what)                                                     \
	{                                                                      \
		.name = word, .type = SCHEMA_CUSTOM, .read = read_figure,      \
		.meaning = what                                                \
	}

static const struct schema_key series_keys[] = {
    {.name = "host",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_series, host),
	.max = NAME_BYTES,
	.meaning = "whose figures these are"},
    {.name = "vm",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_series, vm),
	.max = NAME_BYTES,
	.meaning = "the guest whose figures these are"},
    FIGURE("cpu", "used; percentages of its processors, or cores"),
    FIGURE("up", "1: the host answers, 0: it does not"),
    FIGURE("maintenance", "1: the host is in maintenance"),
    FIGURE("cordoned", "1: the host takes no guests"),
    FIGURE("memory", "used of the host's, percentages or bytes"),
    FIGURE("steal", "percentage that its guests wait for processors"),
    FIGURE("swap_in", "rate at which it reads from swap"),
    FIGURE("psi.cpu", "percentage of pressure on processors"),
    FIGURE("psi.memory", "percentage of pressure on memory"),
    FIGURE("psi.io", "percentage of pressure on disks"),
    FIGURE("dirty_rate", "rate at which a guest writes to its memory"),
    FIGURE("disk.iops", "a guest's requests to its disks, per second"),
    FIGURE("net", "rate at which a guest sends and receives"),
    {.name = NULL},
};

const struct schema trial_series_schema = {
    .what = "a series",
    .size = sizeof(struct trial_series),
    .keys = series_keys,
    .finish = finish_series,
};

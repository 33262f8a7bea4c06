/*
 * The keys of a file of policy tests, as tables.
 *
 * Hosts and guests are those of a snapshot, with the same tables.  What a test
 * says of one of them over time has the names that expressions have, so that
 * nothing has to be looked up twice.  A file with one test may have its keys at
 * the top level; with several, each is an item of `tests`.  That is why the keys
 * of a test are a macro: both tables have them.
 */

#include <string.h>

#include "config/read.h"
#include "decide/strategy.h"
#include "trial/trial.h"

#define SECOND INT64_C(1000)
#define DAY (24 * 3600 * SECOND)
#define NAME_BYTES 255

/* ---- series ---- */

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

static const struct schema series_schema = {
    .what = "a series",
    .size = sizeof(struct trial_series),
    .keys = series_keys,
    .finish = finish_series,
};

/* ---- alerts and failures ---- */

static void
place_alert(void *object, const char *file, unsigned line)
{
	(void)file;
	(void)line;
	((struct trial_alert *)object)->until_ms = -1;
}

static void
finish_alert(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct trial_alert *alert = object;

	if (alert->until_ms >= 0 && alert->until_ms <= alert->at_ms)
		tree_fault(ctx->tree, ctx->diags, tree_get(map, "until"),
		    "is not after at");
}

static const struct schema_key alert_keys[] = {
    {.name = "at",
	.type = SCHEMA_DURATION,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial_alert, at_ms),
	.min = 0,
	.max = 365 * DAY,
	.meaning = "when it comes in, from the beginning"},
    {.name = "until",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct trial_alert, until_ms),
	.min = 1,
	.max = 365 * DAY,
	.meaning = "when it is taken back; without it, it stays"},
    {.name = "host",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial_alert, host),
	.max = NAME_BYTES,
	.meaning = "the host that it is about"},
    {.name = "name",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial_alert, name),
	.max = NAME_BYTES,
	.meaning = "event.type: the name of the alert"},
    {.name = "severity",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_alert, severity),
	.max = NAME_BYTES,
	.meaning = "event.severity"},
    {.name = "labels",
	.type = SCHEMA_PAIRS,
	.flags = SCHEMA_EMPTY,
	.offset = offsetof(struct trial_alert, labels),
	.count_offset = offsetof(struct trial_alert, label_count),
	.max = 64,
	.meaning = "event.labels"},
    {.name = NULL},
};

static const struct schema alert_schema = {
    .what = "an alert",
    .size = sizeof(struct trial_alert),
    .keys = alert_keys,
    .place = place_alert,
    .finish = finish_alert,
};

static const struct schema_key fail_keys[] = {
    {.name = "vm",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial_fail, vm),
	.max = NAME_BYTES,
	.meaning = "the guest whose moves fail"},
    {.name = "to",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_fail, to),
	.max = NAME_BYTES,
	.meaning = "only those to this host"},
    {.name = "times",
	.type = SCHEMA_INT,
	.offset = offsetof(struct trial_fail, times),
	.min = 1,
	.max = 1000,
	.meaning = "how many of them; without it, all"},
    {.name = "why",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_fail, why),
	.fallback = "the test lets it fail",
	.max = 512,
	.meaning = "the reason, as a hypervisor would give it"},
    {.name = NULL},
};

static const struct schema fail_schema = {
    .what = "a failure",
    .size = sizeof(struct trial_fail),
    .keys = fail_keys,
};

/* ---- tests ---- */

static void
check_mode(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	enum policy_mode mode;
	char quoted[TREE_QUOTE_SIZE];

	if (!trial_parse_mode(*value, &mode))
		tree_fault(ctx->tree, ctx->diags, node,
		    "unknown mode %s (known: off, observe, approve, auto)",
		    tree_quote(*value, quoted));
}

static void
place_case(void *object, const char *file, unsigned line)
{
	(void)file;
	((struct trial_case *)object)->line = line;
}

/* What is at the top level of a file with one test, and in each of `tests`. */
#define CASE_KEYS(object, where, need)                                         \
	{.name = "series",                                                     \
	    .type = SCHEMA_LIST,                                               \
	    .offset = offsetof(object, where series),                          \
	    .count_offset = offsetof(object, where series_count),              \
	    .min = 0,                                                          \
	    .max = TRIAL_GUESTS_MAX,                                           \
	    .of = &series_schema,                                              \
	    .meaning = "figures of hosts and guests over time"},               \
	    {.name = "alerts",                                                 \
		.type = SCHEMA_LIST,                                           \
		.offset = offsetof(object, where alerts),                      \
		.count_offset = offsetof(object, where alert_count),           \
		.min = 0,                                                      \
		.max = 1000,                                                   \
		.of = &alert_schema,                                           \
		.meaning = "alerts that come in"},                             \
	    {.name = "fail",                                                   \
		.type = SCHEMA_LIST,                                           \
		.offset = offsetof(object, where fails),                       \
		.count_offset = offsetof(object, where fail_count),            \
		.min = 0,                                                      \
		.max = 1000,                                                   \
		.of = &fail_schema,                                            \
		.meaning = "moves that fail"},                                 \
	{                                                                      \
		.name = "expect", .type = SCHEMA_LIST, .flags = need,          \
		.offset = offsetof(object, where expects),                     \
		.count_offset = offsetof(object, where expect_count),          \
		.min = 1, .max = TRIAL_EXPECTS_MAX,                            \
		.of = &trial_expect_schema,                                    \
		.meaning = "what should come of it, and when"                  \
	}

static const struct schema_key case_keys[] = {
    {.name = "name",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial_case, name),
	.max = NAME_BYTES,
	.meaning = "what the test shows, in words"},
    {.name = "modes",
	.type = SCHEMA_PAIRS,
	.offset = offsetof(struct trial_case, modes),
	.count_offset = offsetof(struct trial_case, mode_count),
	.max = SETTINGS_POLICIES_MAX,
	.check = check_mode,
	.meaning = "modes of policies in this test"},
    CASE_KEYS(struct trial_case, , SCHEMA_REQUIRED),
    {.name = NULL},
};

static const struct schema case_schema = {
    .what = "a test",
    .size = sizeof(struct trial_case),
    .keys = case_keys,
    .place = place_case,
};

/* ---- the file ---- */

/* "2026-01-05 22:00" or "2026-01-05T22:00:00Z" */
static bool
parse_start(const char *text, int64_t *out_ms)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	static const char *const shapes[] = {
	    "dddd-dd-dd dd:dd", "dddd-dd-ddTdd:dd:ddZ"};
	int n[6] = {0}, part = 0, day = 0;
	bool fits = false, leap;

	for (size_t s = 0; s < 2 && !fits; s++) {
		const char *shape = shapes[s];
		size_t i = 0;

		while (shape[i] != '\0' &&
		    (shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9'
				     : text[i] == shape[i]))
			i++;
		fits = shape[i] == '\0' && text[i] == '\0';
	}
	for (; fits && *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			part++;
		else
			n[part] = n[part] * 10 + (*text - '0');
	}
	leap = n[0] % 4 == 0 && (n[0] % 100 != 0 || n[0] % 400 == 0);
	if (!fits || n[0] < 1970 || n[1] < 1 || n[1] > 12 || n[2] < 1 ||
	    n[2] > days[n[1] - 1] + (n[1] == 2 && leap) || n[3] > 23 ||
	    n[4] > 59 || n[5] > 59)
		return false;
	for (int y = 1970; y < n[0]; y++)
		day += 365 + (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
	for (int m = 1; m < n[1]; m++)
		day += days[m - 1] + (m == 2 && leap);
	day += n[2] - 1;
	*out_ms =
	    day * DAY + ((n[3] * INT64_C(60) + n[4]) * 60 + n[5]) * SECOND;
	return true;
}

static void
check_start(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];
	int64_t ms;

	if (!parse_start(*value, &ms))
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is no time in UTC such as \"2026-01-05 22:00\"",
		    tree_quote(*value, quoted));
}

static void
finish_file(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	static const char *const alone[] = {
	    "series", "alerts", "fail", "expect"};
	struct trial *trial = object;

	if (!parse_start(trial->start_text, &trial->start.ms))
		return;
	if (tree_get(map, "tests") == NULL && tree_get(map, "expect") == NULL)
		tree_fault(ctx->tree, ctx->diags, map,
		    "nothing is expected: it has neither expect nor tests");
	for (size_t i = 0; tree_get(map, "tests") != NULL && i < 4; i++) {
		const struct node *node = tree_get(map, alone[i]);

		if (node != NULL)
			tree_fault_key(ctx->tree, ctx->diags, node,
			    "belongs into one of the tests, of which there is "
			    "a list");
	}
}

static const struct schema_key file_keys[] = {
    {.name = "version",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED,
	.read = read_version,
	.meaning = "the language of this file, as version: 1"},
    {.name = "policies",
	.type = SCHEMA_TEXTS,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial, policies),
	.count_offset = offsetof(struct trial, policy_count),
	.min = 1,
	.max = 100,
	.meaning = "the files of policies, as seen from this one"},
    {.name = "interval",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct trial, interval_ms),
	.fallback = "30s",
	.min = 1 * SECOND,
	.max = 1 * DAY,
	.meaning = "from one sample to the next"},
    {.name = "move_time",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct trial, move_ms),
	.fallback = "30s",
	.min = 1,
	.max = 1 * DAY,
	.meaning = "how long each move takes"},
    {.name = "start",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial, start_text),
	.fallback = "2024-01-01 00:00",
	.check = check_start,
	.meaning = "the time in UTC at which it begins"},
    {.name = "modes",
	.type = SCHEMA_PAIRS,
	.offset = offsetof(struct trial, modes),
	.count_offset = offsetof(struct trial, mode_count),
	.max = SETTINGS_POLICIES_MAX,
	.check = check_mode,
	.meaning = "modes of policies, instead of their own"},
    {.name = "limits",
	.type = SCHEMA_GROUP,
	.of = &plan_read_limits_schema,
	.offset = offsetof(struct trial, limits),
	.meaning = "how many moves at once, as in drover.yaml"},
    {.name = "hosts",
	.type = SCHEMA_LIST,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial, hosts),
	.count_offset = offsetof(struct trial, host_count),
	.min = 1,
	.max = TRIAL_HOSTS_MAX,
	.of = &plan_read_host_schema,
	.meaning = "the hosts at the beginning"},
    {.name = "vms",
	.type = SCHEMA_LIST,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial, vms),
	.count_offset = offsetof(struct trial, vm_count),
	.min = 0,
	.max = TRIAL_GUESTS_MAX,
	.of = &plan_read_vm_schema,
	.meaning = "the guests at the beginning"},
    {.name = "tests",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct trial, cases),
	.count_offset = offsetof(struct trial, case_count),
	.min = 1,
	.max = TRIAL_CASES_MAX,
	.of = &case_schema,
	.meaning = "several tests of one site"},
    CASE_KEYS(struct trial, one., 0),
    {.name = NULL},
};

const struct schema trial_schema = {
    .what = "a file of policy tests",
    .size = sizeof(struct trial),
    .keys = file_keys,
    .finish = finish_file,
};

const struct schema *const trial_schemas[] = {&trial_schema, NULL};

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
	    .of = &trial_series_schema,                                        \
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

bool
trial_parse_start(const char *text, struct wall *out)
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
	out->ms =
	    day * DAY + ((n[3] * INT64_C(60) + n[4]) * 60 + n[5]) * SECOND;
	return true;
}

static void
check_start(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];
	struct wall start;

	if (!trial_parse_start(*value, &start))
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

	if (!trial_parse_start(trial->start_text, &trial->start))
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

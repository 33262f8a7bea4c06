/*
 * `windows`: days, and times of the day, in which a policy may begin something.
 *
 * A window from 22:00 to 06:00 belongs to the day on which it begins.  Whether
 * a time zone exists is known to the host that the daemon runs on alone; here
 * only its form is checked.
 */

#include <stddef.h>
#include <string.h>

#include "config/policy_read.h"

#define DAY_MINUTES (24 * 60)

static const char *const days[] = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

static int
find_day(const char *text, size_t len)
{
	for (int i = 0; days[i] != NULL; i++)
		if (strlen(days[i]) == len && strncmp(days[i], text, len) == 0)
			return i;
	return -1;
}

/* "mon", "mon-fri", "fri-mon". */
static bool
parse_days(const char *text, unsigned *out)
{
	size_t len = strcspn(text, "-");
	int from = find_day(text, len);
	int to = text[len] == '-'
	    ? find_day(text + len + 1, strlen(text + len + 1))
	    : from;

	if (from < 0 || to < 0)
		return false;
	*out = 1U << from;
	while (from != to) {
		from = (from + 1) % 7;
		*out |= 1U << from;
	}
	return true;
}

static void
add_days(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, unsigned *all)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *near;
	unsigned some;

	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, "a day such as mon, or mon-fri");
		return;
	}
	if (!schema_check_text(ctx, key, node))
		return;
	if (!parse_days(node->text, &some)) {
		near = diag_suggest(node->text, days);
		tree_fault(ctx->tree, ctx->diags, node, "%s is no day (%s%s%s)",
		    tree_quote(node->text, quoted),
		    near != NULL ? "did you mean \"" : "",
		    near != NULL ? near
				 : "mon, tue, wed, thu, fri, sat, sun, or a "
				   "span as mon-fri",
		    near != NULL ? "\"?" : "");
		return;
	}
	if ((*all & some) != 0)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s has a day that is given twice",
		    tree_quote(node->text, quoted));
	*all |= some;
}

static void
read_days(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	struct policy_window *window = object;
	unsigned all = 0;

	if (node->kind != NODE_SEQ)
		add_days(ctx, key, node, &all);
	else if (schema_check_list(ctx, key, node))
		for (const struct node *n = node->first; n != NULL; n = n->next)
			add_days(ctx, key, n, &all);
	window->days = all;
}

static void
read_time(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *s = node->text;
	int minutes;

	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, "a time such as \"22:00\"");
		return;
	}
	if (!schema_check_text(ctx, key, node))
		return;
	minutes = strlen(s) == 5 && strspn(s, "0123456789") == 2 &&
		s[2] == ':' && strspn(s + 3, "0123456789") == 2 && s[3] <= '5'
	    ? ((s[0] - '0') * 10 + s[1] - '0') * 60 + (s[3] - '0') * 10 + s[4] -
		'0'
	    : -1;
	if (minutes < 0 || minutes > (int)key->max) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is no time of the day; write \"HH:MM\", from "
		    "\"00:00\" to \"%s\"",
		    tree_quote(s, quoted),
		    key->max == DAY_MINUTES ? "24:00" : "23:59");
		return;
	}
	memcpy((char *)object + key->offset, &minutes, sizeof(minutes));
}

static void
check_zone(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789/_+-";
	const char *s = *value;
	char quoted[TREE_QUOTE_SIZE];
	bool letter =
	    (s[0] >= 'A' && s[0] <= 'Z') || (s[0] >= 'a' && s[0] <= 'z');

	if (!letter || strlen(s) > 63 || s[strspn(s, allowed)] != '\0')
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not the name of a time zone (as Europe/Berlin or "
		    "UTC)",
		    tree_quote(s, quoted));
}

static void
place_window(void *object, const char *file, unsigned line)
{
	struct policy_window *window = object;

	(void)file;
	window->days = POLICY_ALL_DAYS;
	window->to_min = DAY_MINUTES;
	window->line = line;
}

static void
finish_window(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct policy_window *window = object;
	const struct node *to = tree_get(map, "to");

	if (window->from_min != window->to_min)
		return;
	tree_fault(ctx->tree, ctx->diags, to != NULL ? to : map,
	    "is the same as from; leave both out for whole days");
}

#define SHAPE_TIME                                                             \
	"{\"type\": \"string\", \"pattern\": \"^[0-2][0-9]:[0-5][0-9]$\"}"

static const struct schema_key window_keys[] = {
    {.name = "days",
	.type = SCHEMA_CUSTOM,
	.min = 1,
	.max = 7,
	.read_row = read_days,
	.shape = "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", "
		 "\"items\": {\"type\": \"string\"}}]}",
	.meaning = "mon, tue, ... or spans such as mon-fri; without it all"},
    {.name = "from",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct policy_window, from_min),
	.max = DAY_MINUTES - 1,
	.read_row = read_time,
	.shape = SHAPE_TIME,
	.meaning = "the time of the day at which it opens, as \"22:00\"; "
		   "without it 00:00"},
    {.name = "to",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct policy_window, to_min),
	.max = DAY_MINUTES,
	.read_row = read_time,
	.shape = SHAPE_TIME,
	.meaning = "the time at which it closes, of the next day where it is "
		   "before from; without it 24:00"},
    {.name = "time_zone",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct policy_window, time_zone),
	.check = check_zone,
	.meaning = "as Europe/Berlin; without it UTC"},
    {.name = NULL},
};

const struct schema policy_window_schema = {
    .what = "a window",
    .size = sizeof(struct policy_window),
    .keys = window_keys,
    .place = place_window,
    .finish = finish_window,
};

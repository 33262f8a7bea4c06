/*
 * What policies would do with a snapshot: moves and flags in order of time, who
 * stays and why, what each policy sees in the end, and a last line that says it
 * all.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"
#include "trial/trial.h"

#define HOSTS_SHOWN 3
#define STEP_MS 5000 /* longer ones are told */

static const struct table_column move_columns[] = {
    {"AT", true, false},
    {"ENDS", true, true},
    {"POLICY", false, false},
    {"GUEST", false, false},
    {"FROM", false, false},
    {"TO", false, false},
    {"STRATEGY", false, false},
    {"WHY", false, false},
    {"WHY THERE", false, true},
    {NULL, false, false},
};

static const struct table_column policy_columns[] = {
    {"POLICY", false, false},
    {"MODE", false, false},
    {"MOVES", true, false},
    {"STATE", false, false},
    {"WHY", false, false},
    {"FILE", false, true},
    {NULL, false, false},
};

static const char *
time_of(const json_t *object, const char *key, char out[TRIAL_TIME_SIZE])
{
	int64_t ms = field_int(object, key);

	return ms != FIELD_UNKNOWN ? trial_words_time(ms, out) : "-";
}

static void
add_move(struct table *table, const json_t *move)
{
	char text[TRIAL_TIME_SIZE];

	table_cell(table, TEXT_PLAIN, time_of(move, "at_ms", text));
	table_cell(table, TEXT_PLAIN, time_of(move, "ends_ms", text));
	table_cell(table, TEXT_PLAIN, field_text(move, "policy"));
	table_cell(table, TEXT_PLAIN, field_text(move, "vm"));
	table_cell(table, TEXT_PLAIN, field_text(move, "from"));
	table_cell(table, TEXT_PLAIN, field_text(move, "to"));
	table_cell(table, TEXT_PLAIN, field_text(move, "strategy"));
	table_cell(table, TEXT_PLAIN, field_text(move, "why"));
	table_cell(table, TEXT_PLAIN, field_text(move, "reason"));
}

/* "kvm1 is in maintenance from 1m on, by failing-disk" */
static void
add_flags(const json_t *flags, struct buf *out)
{
	char text[TRIAL_TIME_SIZE];
	const json_t *row;
	size_t i;

	json_array_foreach(flags, i, row)
	{
		const char *flag = field_text_or(row, "flag", "-");

		text_add(out, field_text_or(row, "host", "-"));
		buf_addf(out, " is %s from %s on, by ",
		    strcmp(flag, "maintenance") == 0 ? "in maintenance" : flag,
		    time_of(row, "at_ms", text));
		text_add(out, field_text_or(row, "policy", "-"));
		buf_adds(out, "\n");
	}
}

/* "db1 stays on kvm1: blocked (maintenance): no host can take it: ..." */
static void
add_blocked(const json_t *blocked, const struct style *style, struct buf *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(blocked, i, row)
	{
		text_add(out, field_text_or(row, "vm", "-"));
		buf_adds(out, " stays on ");
		text_add(out, field_text_or(row, "host", "-"));
		buf_adds(out, ": ");
		text_colour_on(out, style, TEXT_RED);
		buf_adds(out, "blocked");
		text_colour_off(out, style, TEXT_RED);
		buf_adds(out, " for ");
		text_add(out, field_text_or(row, "policy", "-"));
		if (field_text(row, "reason") != NULL) {
			buf_adds(out, ": ");
			text_add(out, field_text(row, "reason"));
		}
		buf_adds(out, "\n");
	}
}

/* ---- policies ---- */

/* "active on kvm1, kvm2 since 5m" */
static void
state_words(const json_t *policy, struct buf *out)
{
	const json_t *hosts = json_object_get(policy, "hosts"), *host;
	size_t count = json_array_size(hosts), i;
	char text[TRIAL_TIME_SIZE];

	buf_adds(out, field_text_or(policy, "state", "-"));
	json_array_foreach(hosts, i, host) if (i < HOSTS_SHOWN) buf_addf(
	    out, "%s%s", i == 0 ? " on " : ", ", json_string_value(host));
	if (count > HOSTS_SHOWN)
		buf_addf(out, " and %zu more", count - HOSTS_SHOWN);
	if (field_int(policy, "since_ms") != FIELD_UNKNOWN)
		buf_addf(out, " since %s", time_of(policy, "since_ms", text));
}

static void
add_policy(struct table *table, const json_t *policy)
{
	struct buf state = BUF_INIT(8192), place = BUF_INIT(8192);
	bool off = strcmp(field_text_or(policy, "state", ""), "off") == 0;
	char text[TEXT_SIZE];

	state_words(policy, &state);
	buf_addf(&place, "%s:%lld", field_text_or(policy, "file", "-"),
	    (long long)field_count(policy, "line"));
	table_cell(table, TEXT_PLAIN, field_text(policy, "policy"));
	table_cell(
	    table, off ? TEXT_DIM : TEXT_PLAIN, field_text(policy, "mode"));
	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(policy, "moves"), text));
	table_cell(table, TEXT_PLAIN, buf_str(&state));
	table_cell(table, TEXT_PLAIN, field_text(policy, "why"));
	table_cell(table, TEXT_PLAIN, buf_str(&place));
	buf_free(&state);
	buf_free(&place);
}

static bool
any_as_auto(const json_t *policies)
{
	const json_t *policy;
	size_t i;

	json_array_foreach(
	    policies, i, policy) if (json_is_true(json_object_get(policy,
					 "as_auto"))) return true;
	return false;
}

/* ---- the last lines ---- */

/* Guests that move more than once: mostly two policies, or two thresholds, that do
 * not go together. */
static void
add_again(const json_t *moves, struct buf *out)
{
	json_t *counts = json_object();
	const char *most = NULL, *vm;
	int64_t highest = 1, guests = 0;
	const json_t *move;
	json_t *count;
	size_t i;

	json_array_foreach(moves, i, move)
	{
		vm = field_text_or(move, "vm", "-");
		json_object_set_new(counts, vm,
		    json_integer(
			1 + json_integer_value(json_object_get(counts, vm))));
	}
	json_object_foreach(counts, vm, count)
	{
		guests += json_integer_value(count) > 1;
		if (json_integer_value(count) <= highest)
			continue;
		highest = json_integer_value(count);
		most = vm;
	}
	if (most != NULL && guests == 1)
		buf_adds(out, "one guest moves more than once: ");
	else if (most != NULL)
		buf_addf(out, "%lld guests move more than once, most often ",
		    (long long)guests);
	if (most != NULL) {
		text_add(out, most);
		buf_addf(out, ", %lld times\n", (long long)highest);
	}
	json_decref(counts);
}

static void
add_after(const json_t *answer, struct buf *out)
{
	int64_t waiting = field_int(answer, "waiting"), ends = 0;
	const json_t *move;
	size_t i;

	json_array_foreach(json_object_get(answer, "moves"), i, move)
	{
		if (field_int(move, "ends_ms") > ends)
			ends = field_int(move, "ends_ms");
	}

	if (waiting == 1)
		buf_adds(out, "; 1 guest waits in the end");
	else if (waiting > 0)
		buf_addf(
		    out, "; %lld guests wait in the end", (long long)waiting);
	else if (ends > field_int(answer, "for_ms"))
		buf_adds(out, ", and under way in the end");
	else
		buf_adds(out, "; after that nothing");
}

/* "2 moves in 1h, the last at 10m; after that nothing" */
static void
add_summary(const json_t *answer, const struct style *style, struct buf *out)
{
	const json_t *moves = json_object_get(answer, "moves"), *last;
	size_t count = json_array_size(moves);
	size_t blocked = json_array_size(json_object_get(answer, "blocked"));
	size_t flags = json_array_size(json_object_get(answer, "flags"));
	char text[TEXT_SIZE], time[TRIAL_TIME_SIZE];

	last = json_array_get(moves, count > 0 ? count - 1 : 0);
	if (count > 0) {
		buf_addf(out, "%s in %s, %s at ",
		    text_plural((int64_t)count, "move", text),
		    time_of(answer, "for_ms", time),
		    count > 1 ? "the last" : "begun");
		buf_adds(out, time_of(last, "at_ms", time));
		add_after(answer, out);
	} else if (flags > 0) {
		buf_addf(out, "no move in %s", time_of(answer, "for_ms", time));
	} else {
		buf_addf(out, "no policy does anything in %s",
		    time_of(answer, "for_ms", time));
	}
	if (blocked > 0) {
		buf_adds(out, "; ");
		text_colour_on(out, style, TEXT_RED);
		buf_addf(out, "%zu blocked", blocked);
		text_colour_off(out, style, TEXT_RED);
	}
	buf_adds(out, "\n");
}

void
render_playing(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	const json_t *moves = json_object_get(answer, "moves");
	const json_t *policies = json_object_get(answer, "policies");
	char time[TRIAL_TIME_SIZE];

	table_print_rows(move_columns, wide, moves, add_move, style, out);
	add_flags(json_object_get(answer, "flags"), out);
	add_blocked(json_object_get(answer, "blocked"), style, out);
	if (out->len > 0)
		buf_adds(out, "\n");
	if (json_array_size(policies) > 0)
		buf_addf(out, "after %s:\n", time_of(answer, "for_ms", time));
	table_print_rows(
	    policy_columns, wide, policies, add_policy, style, out);
	if (field_int(answer, "step_ms") > STEP_MS)
		buf_addf(out,
		    "times are in steps of %s, as much is to be decided\n",
		    time_of(answer, "step_ms", time));
	if (any_as_auto(policies))
		buf_adds(out,
		    "observe and approve are simulated as if they were auto\n");
	add_again(moves, out);
	add_summary(answer, style, out);
}

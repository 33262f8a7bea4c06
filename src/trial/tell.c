/*
 * The words of a report.  The name of a test is the expectation read aloud, so
 * that a list of passed tests says what the policies do; what failed is told with
 * the keys that the file has, so that it can be put right, or into the file.
 */

#include "trial/tell.h"

#include <string.h>

#include "base/fields.h"
#include "decide/strategy.h"

static void
tell_list(struct buf *out, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", names[i]);
	if (count == 0)
		buf_adds(out, "no guest");
}

/* "moved so far by POLICY: nothing" */
static void
tell_moves(const struct trial_expect *expect, struct buf *out)
{
	buf_adds(out, "moved so far");
	if (expect->vm != NULL)
		buf_addf(out, " of %s", expect->vm);
	if (expect->host != NULL)
		buf_addf(out, " off %s", expect->host);
	if (expect->policy != NULL)
		buf_addf(out, " by %s", expect->policy);
	buf_adds(out, expect->move_count == 0 ? ": nothing" : ": ");
	for (size_t i = 0; i < expect->move_count; i++) {
		const struct trial_moved *moved = &expect->moves[i];

		buf_addf(out, "%s%s%s%s", i > 0 ? ", " : "", moved->vm,
		    moved->to != NULL ? " to " : "",
		    moved->to != NULL ? moved->to : "");
	}
}

static void
tell_state(const struct trial_expect *expect, struct buf *out)
{
	char since[TRIAL_TIME_SIZE];

	buf_addf(out, "%s is %s", expect->policy,
	    trial_state_name((enum trial_state)expect->state));
	if (expect->host != NULL)
		buf_addf(out, " on %s", expect->host);
	if (expect->vm != NULL)
		buf_addf(out, " for %s", expect->vm);
	if (expect->since_ms >= 0)
		buf_addf(out, " since %s",
		    trial_words_time(expect->since_ms, since));
}

static void
tell_fate_words(const struct trial_expect *expect, struct buf *out)
{
	buf_addf(out, "%s is %s", expect->vm,
	    expect->fate == TRIAL_WOULD_MOVE
		? "one that would move"
		: trial_fate_name((enum trial_fate)expect->fate));
	if (expect->policy != NULL)
		buf_addf(out, " for %s", expect->policy);
	if (expect->to != NULL)
		buf_addf(out, ", to %s", expect->to);
	if (expect->rule != NULL)
		buf_addf(out, " by %s", expect->rule);
}

void
tell_expect(const struct trial_expect *expect, struct buf *out)
{
	char at[TRIAL_TIME_SIZE];

	buf_addf(out, "at %s ", trial_words_time(expect->at_ms, at));
	switch (expect->kind) {
	case TRIAL_EXPECT_STATE:
		tell_state(expect, out);
		break;
	case TRIAL_EXPECT_MOVES:
	case TRIAL_EXPECT_NONE:
		tell_moves(expect, out);
		break;
	case TRIAL_EXPECT_FATE:
		tell_fate_words(expect, out);
		break;
	case TRIAL_EXPECT_ON:
		for (size_t i = 0; i < expect->on_count; i++) {
			buf_addf(out, "%s%s has ", i > 0 ? "; " : "",
			    expect->on[i].host);
			tell_list(
			    out, expect->on[i].vms, expect->on[i].vm_count);
		}
		break;
	case TRIAL_EXPECT_FLAG:
		buf_addf(out, "%s has the flag %s", expect->host,
		    trial_flag_name((enum trial_flag)expect->flag));
		break;
	}
}

/* ---- as JSON ---- */

static void
tell_time(json_t *object, const char *key, int64_t ms)
{
	char text[TRIAL_TIME_SIZE];

	if (ms >= 0)
		fields_text(object, key, trial_words_time(ms, text));
}

static json_t *
tell_expected_moves(const struct trial_expect *expect)
{
	json_t *array = json_array();

	for (size_t i = 0; i < expect->move_count; i++) {
		const struct trial_moved *moved = &expect->moves[i];
		json_t *object = json_object();

		tell_time(object, "at", moved->at_ms);
		fields_text(object, "vm", moved->vm);
		fields_text(object, "from", moved->from);
		fields_text(object, "to", moved->to);
		if (moved->strategy >= 0)
			fields_text(object, "strategy",
			    strategy_name((enum strategy)moved->strategy));
		fields_text(object, "policy", moved->policy);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *
tell_expected_on(const struct trial_expect *expect)
{
	json_t *object = json_object();

	for (size_t i = 0; i < expect->on_count; i++) {
		json_t *vms = json_array();

		for (size_t k = 0; k < expect->on[i].vm_count; k++)
			json_array_append_new(
			    vms, json_string(expect->on[i].vms[k]));
		json_object_set_new(object, expect->on[i].host, vms);
	}
	return object;
}

json_t *
tell_expected(const struct trial_expect *expect)
{
	json_t *object = json_object();

	fields_text(object, "policy", expect->policy);
	fields_text(object, "host", expect->host);
	fields_text(object, "vm", expect->vm);
	switch (expect->kind) {
	case TRIAL_EXPECT_STATE:
		fields_text(object, "state",
		    trial_state_name((enum trial_state)expect->state));
		tell_time(object, "since", expect->since_ms);
		break;
	case TRIAL_EXPECT_MOVES:
		json_object_set_new(
		    object, "moves", tell_expected_moves(expect));
		break;
	case TRIAL_EXPECT_FATE:
		fields_text(object, "fate",
		    trial_fate_name((enum trial_fate)expect->fate));
		fields_text(object, "to", expect->to);
		fields_text(object, "rule", expect->rule);
		fields_text(object, "why", expect->why);
		break;
	case TRIAL_EXPECT_NONE:
		json_object_set_new(object, "moves", json_array());
		break;
	case TRIAL_EXPECT_ON:
		json_object_set_new(object, "on", tell_expected_on(expect));
		break;
	case TRIAL_EXPECT_FLAG:
		fields_text(object, "flag",
		    trial_flag_name((enum trial_flag)expect->flag));
		break;
	}
	return object;
}

/* ---- decisions ---- */

enum trial_fate
tell_fate(enum evaluate_fate fate, bool act)
{
	switch (fate) {
	case EVALUATE_START:
		return act ? TRIAL_MOVING : TRIAL_WOULD_MOVE;
	case EVALUATE_MOVING:
		return TRIAL_MOVING;
	case EVALUATE_WAIT:
		return TRIAL_WAITING;
	case EVALUATE_BLOCKED:
		return TRIAL_BLOCKED;
	case EVALUATE_ENOUGH:
		return TRIAL_ENOUGH;
	case EVALUATE_EXCEPTED:
		break;
	}
	return TRIAL_EXCEPTED;
}

json_t *
tell_item(const struct evaluate_item *item, bool act)
{
	const struct place_choice *choice = &item->choice;
	json_t *object = json_object(), *rejected = json_array();

	fields_text(object, "vm", item->vm->name);
	fields_text(
	    object, "fate", trial_fate_name(tell_fate(item->fate, act)));
	if (choice->guest_rule != PLACE_GUEST_OK)
		fields_text(
		    object, "rule", place_guest_rule_name(choice->guest_rule));
	/* Where one would go that stays is of no interest. */
	if (choice->target != NULL && item->fate != EVALUATE_ENOUGH) {
		fields_text(object, "to", choice->target->name);
		fields_text(object, "strategy",
		    strategy_name(choice->strategy.strategy));
	}
	fields_text(object, "why", item->why != NULL ? item->why : choice->why);
	for (size_t i = 0; i < choice->rejection_count; i++) {
		const struct place_rejection *no = &choice->rejections[i];
		json_t *row;

		if (no->rule == PLACE_SAME_HOST)
			continue;
		row = json_object();
		fields_text(row, "host", no->host->name);
		fields_text(row, "rule", place_rule_name(no->rule));
		fields_text(row, "why", no->why);
		json_array_append_new(rejected, row);
	}
	if (json_array_size(rejected) > 0)
		json_object_set(object, "rejected", rejected);
	json_decref(rejected);
	return object;
}

static void
tell_seen(json_t *object, const struct evaluate_decision *decision)
{
	json_t *seen = json_array();

	for (size_t i = 0; i < decision->seen_count; i++)
		if (decision->seen[i].text != NULL)
			json_array_append_new(
			    seen, json_string(decision->seen[i].text));
	if (json_array_size(seen) > 0)
		json_object_set(object, "seen", seen);
	json_decref(seen);
}

json_t *
tell_decisions(const struct evaluation *evaluation)
{
	json_t *array = json_array();

	for (size_t i = 0; i < evaluation->decision_count; i++) {
		const struct evaluate_decision *decision =
		    &evaluation->decisions[i];
		json_t *object = json_object(), *guests = json_array();

		fields_text(object, "policy", decision->policy->name);
		if (decision->host != NULL)
			fields_text(object, "host", decision->host->name);
		fields_text(object, "mode", policy_mode_name(decision->mode));
		fields_text(object, "why", decision->why);
		fields_text(object, "gate", decision->gate);
		tell_seen(object, decision);
		for (size_t k = 0; k < decision->item_count; k++)
			json_array_append_new(guests,
			    tell_item(&decision->items[k], decision->act));
		json_object_set_new(object, "guests", guests);
		json_array_append_new(array, object);
	}
	return array;
}

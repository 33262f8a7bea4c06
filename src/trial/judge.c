/*
 * Is what was expected so?  Each kind of expectation looks at what it is about,
 * says what is there in the keys of the file, and compares.  What has failed also
 * shows the decisions of that moment with every host that was rejected, because
 * the next question is always "why not".
 */

#include <fnmatch.h>
#include <string.h>

#include "base/fields.h"
#include "trial/run_priv.h"
#include "trial/tell.h"

#define NAME_MAX_BYTES 4096

static bool
judge_same(const char *wanted, const char *got)
{
	return wanted == NULL || (got != NULL && strcmp(wanted, got) == 0);
}

static const struct policy *
judge_find_policy(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->settings.policy_count; i++)
		if (strcmp(run->settings.policies[i].name, name) == 0)
			return &run->settings.policies[i];
	return NULL;
}

static const struct snap_vm *
judge_find_vm(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->world.s.vm_count; i++)
		if (strcmp(run->world.s.vms[i].name, name) == 0)
			return &run->world.s.vms[i];
	return NULL;
}

/* ---- state ---- */

static bool
judge_state(
    const struct run *run, const struct trial_expect *expect, json_t *got)
{
	const struct policy *policy = judge_find_policy(run, expect->policy);
	struct run_state state = run_state_of(run, policy,
	    expect->host != NULL
		? snapshot_find_host(&run->world.s, expect->host)
		: NULL,
	    expect->vm != NULL ? judge_find_vm(run, expect->vm) : NULL);
	char since[TRIAL_TIME_SIZE];

	fields_text(got, "state", trial_state_name(state.state));
	if (state.state != TRIAL_IDLE)
		fields_text(
		    got, "since", trial_words_time(state.since_ms, since));
	return (int)state.state == expect->state &&
	    (expect->since_ms < 0 || expect->since_ms == state.since_ms);
}

/* ---- moves ---- */

static bool
judge_counts(const struct world *world, const struct trial_expect *expect,
    const struct world_move *move)
{
	return judge_same(expect->policy, move->policy) &&
	    judge_same(expect->host, move->from) &&
	    judge_same(expect->vm, world->s.vms[move->vm].name);
}

static json_t *
judge_tell_move(const struct world *world, const struct world_move *move)
{
	char at[TRIAL_TIME_SIZE];
	json_t *object = json_object();

	fields_text(object, "at", trial_words_time(move->begun_ms, at));
	fields_text(object, "vm", world->s.vms[move->vm].name);
	fields_text(object, "from", move->from);
	fields_text(object, "to", move->to);
	fields_text(object, "strategy", strategy_name(move->strategy));
	fields_text(object, "policy", move->policy);
	fields_text(object, "failed", move->why);
	return object;
}

static bool
judge_fits(const struct world *world, const struct trial_moved *wanted,
    const struct world_move *move)
{
	return judge_same(wanted->vm, world->s.vms[move->vm].name) &&
	    judge_same(wanted->from, move->from) &&
	    judge_same(wanted->to, move->to) &&
	    judge_same(wanted->policy, move->policy) &&
	    (wanted->strategy < 0 || wanted->strategy == (int)move->strategy) &&
	    (wanted->at_ms < 0 || wanted->at_ms == move->begun_ms);
}

/*
 * The moves in order of time, those that began together in any order: of the
 * expected ones the next `count`, as many as began at that time, are looked
 * through for each of them.
 */
static bool
judge_fit_together(const struct world *world,
    const struct world_move *const *moves, const struct trial_moved *wanted,
    size_t count, bool *taken)
{
	memset(taken, 0, count);
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		while (k < count &&
		    (taken[k] || !judge_fits(world, &wanted[k], moves[i])))
			k++;
		if (k == count)
			return false;
		taken[k] = true;
	}
	return true;
}

static bool
judge_moves(
    const struct run *run, const struct trial_expect *expect, json_t *got)
{
	const struct world *world = &run->world;
	const struct world_move **moves =
	    arena_array(run->turn, world->move_count, sizeof(*moves));
	bool *taken = arena_array(run->turn, world->move_count + 1, 1);
	json_t *list = json_array();
	size_t count = 0, end;

	for (size_t i = 0; i < world->move_count; i++) {
		if (!judge_counts(world, expect, &world->moves[i]))
			continue;
		moves[count++] = &world->moves[i];
		json_array_append_new(
		    list, judge_tell_move(world, &world->moves[i]));
	}
	json_object_set_new(got, "moves", list);
	if (count != expect->move_count)
		return false;
	for (size_t i = 0; i < count; i = end) {
		for (end = i + 1;
		     end < count && moves[end]->begun_ms == moves[i]->begun_ms;)
			end++;
		if (!judge_fit_together(
			world, &moves[i], &expect->moves[i], end - i, taken))
			return false;
	}
	return true;
}

/* ---- fate ---- */

static bool
judge_like(const char *pattern, const char *text)
{
	return pattern == NULL ||
	    (text != NULL && fnmatch(pattern, text, 0) == 0);
}

/* Does this host's refusal have the rule, and the reason? */
static bool
judge_refusal(
    const struct trial_expect *expect, const struct place_rejection *no)
{
	if (no->rule == PLACE_SAME_HOST ||
	    !judge_same(expect->to, no->host->name))
		return false;
	if (judge_same(expect->rule, place_rule_name(no->rule)) &&
	    judge_like(expect->why, no->why))
		return true;
	for (size_t i = 0; i < no->refusal_count; i++)
		if (judge_same(expect->rule, no->refusals[i].rule) &&
		    judge_like(expect->why, no->refusals[i].why))
			return true;
	return false;
}

static bool
judge_item(const struct trial_expect *expect, const struct evaluate_item *item,
    bool act)
{
	const struct place_choice *choice = &item->choice;
	const char *why = item->why != NULL ? item->why : choice->why;
	const char *to = choice->target != NULL ? choice->target->name : NULL;

	if ((int)tell_fate(item->fate, act) != expect->fate)
		return false;
	if (expect->rule == NULL && judge_same(expect->to, to) &&
	    judge_like(expect->why, why))
		return true;
	if (expect->to == NULL && choice->guest_rule != PLACE_GUEST_OK &&
	    judge_same(
		expect->rule, place_guest_rule_name(choice->guest_rule)) &&
	    judge_like(expect->why, why))
		return true;
	for (size_t i = 0; i < choice->rejection_count; i++)
		if (judge_refusal(expect, &choice->rejections[i]))
			return true;
	return false;
}

static bool
judge_fate(
    const struct run *run, const struct trial_expect *expect, json_t *got)
{
	json_t *items = json_array();
	bool found = false;

	for (size_t i = 0; i < run->evaluation->decision_count; i++) {
		const struct evaluate_decision *decision =
		    &run->evaluation->decisions[i];

		if (!judge_same(expect->policy, decision->policy->name))
			continue;
		for (size_t k = 0; k < decision->item_count; k++) {
			const struct evaluate_item *item = &decision->items[k];

			if (strcmp(item->vm->name, expect->vm) != 0)
				continue;
			found =
			    found || judge_item(expect, item, decision->act);
			json_array_append_new(
			    items, tell_item(item, decision->act));
		}
	}
	if (json_array_size(items) == 0) {
		fields_text(got, "vm", expect->vm);
		fields_text(got, "fate", trial_fate_name(TRIAL_UNTOUCHED));
		found = expect->fate == TRIAL_UNTOUCHED;
	} else if (json_array_size(items) == 1) {
		json_object_update(got, json_array_get(items, 0));
	} else {
		json_object_set(got, "several", items);
	}
	json_decref(items);
	return found;
}

/* ---- places and flags ---- */

static bool
judge_on_host(const struct run *run, const struct trial_on *on, json_t *got)
{
	const struct snapshot *s = &run->world.s;
	json_t *vms = json_array();
	size_t count = 0, fitting = 0;

	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];

		if (strcmp(s->hosts[vm->host].name, on->host) != 0)
			continue;
		count++;
		json_array_append_new(vms, json_string(vm->name));
		for (size_t k = 0; k < on->vm_count; k++)
			fitting += strcmp(on->vms[k], vm->name) == 0;
	}
	json_object_set_new(got, on->host, vms);
	return count == on->vm_count && fitting == count;
}

static bool
judge_on(const struct run *run, const struct trial_expect *expect, json_t *got)
{
	json_t *places = json_object();
	bool ok = true;

	for (size_t i = 0; i < expect->on_count; i++)
		if (!judge_on_host(run, &expect->on[i], places))
			ok = false;
	json_object_set_new(got, "on", places);
	return ok;
}

static bool
judge_flag(
    const struct run *run, const struct trial_expect *expect, json_t *got)
{
	const struct snap_host *host =
	    snapshot_find_host(&run->world.s, expect->host);
	enum trial_flag flag = host->maintenance ? TRIAL_FLAG_MAINTENANCE
	    : host->cordoned                     ? TRIAL_FLAG_CORDONED
						 : TRIAL_FLAG_NONE;

	fields_text(got, "flag", trial_flag_name(flag));
	return (int)flag == expect->flag;
}

/* ---- what was seen ---- */

/* What the conditions of the policy see of this host, or guest. */
static void
judge_look(const struct run *run, const struct policy *policy,
    const struct snap_host *host, const struct snap_vm *vm, json_t *seen)
{
	struct look_cluster cluster;
	struct look look = {.s = &run->world.s,
	    .cluster = &cluster,
	    .host = host,
	    .vm = vm,
	    .now = run->world.s.taken_wall,
	    .arena = run->turn};

	look_at_cluster(&run->world.s, &cluster);
	if (vm != NULL)
		look.storage =
		    look_at_storage(&run->world.s, &run->settings, vm);
	for (size_t i = 0; i < policy->condition_count; i++) {
		const struct policy_condition *c = &policy->conditions[i];
		struct buf words = BUF_INIT(NAME_MAX_BYTES);
		size_t alert = 0;

		if ((c->subject == POLICY_SUBJECT_VM && vm == NULL) ||
		    (c->subject != POLICY_SUBJECT_CLUSTER && host == NULL))
			continue;
		do {
			look.event = host != NULL && alert < host->alert_count
			    ? &host->alerts[alert]
			    : NULL;
			buf_clear(&words);
			(void)expr_explain(
			    c->when.expr, look_up, &look, &words);
			json_array_append_new(
			    seen, json_string(buf_str(&words)));
		} while (c->subject == POLICY_SUBJECT_EVENT && host != NULL &&
		    ++alert < host->alert_count);
		buf_free(&words);
	}
}

static json_t *
judge_seen(const struct run *run, const struct trial_expect *expect)
{
	const struct snap_vm *vm =
	    expect->vm != NULL ? judge_find_vm(run, expect->vm) : NULL;
	const struct snap_host *host = expect->host != NULL
	    ? snapshot_find_host(&run->world.s, expect->host)
	    : vm != NULL ? &run->world.s.hosts[vm->host]
			 : NULL;
	json_t *seen = json_array();

	if (expect->policy != NULL)
		judge_look(run, judge_find_policy(run, expect->policy), host,
		    vm, seen);
	return seen;
}

/* ---- one expectation ---- */

static bool
judge_kind(
    const struct run *run, const struct trial_expect *expect, json_t *got)
{
	switch (expect->kind) {
	case TRIAL_EXPECT_STATE:
		return judge_state(run, expect, got);
	case TRIAL_EXPECT_MOVES:
	case TRIAL_EXPECT_NONE:
		return judge_moves(run, expect, got);
	case TRIAL_EXPECT_FATE:
		return judge_fate(run, expect, got);
	case TRIAL_EXPECT_ON:
		return judge_on(run, expect, got);
	case TRIAL_EXPECT_FLAG:
		break;
	}
	return judge_flag(run, expect, got);
}

json_t *
judge_expect(const struct run *run, const struct trial_expect *expect)
{
	json_t *test = json_object(), *got = json_object(), *seen;
	struct buf name = BUF_INIT(NAME_MAX_BYTES);
	bool ok = judge_kind(run, expect, got);

	tell_expect(expect, &name);
	json_object_set_new(test, "ok", json_boolean(ok));
	fields_text(test, "name", buf_str(&name));
	fields_text(test, "file", run->trial->file);
	json_object_set_new(test, "line", json_integer(expect->line));
	if (!ok) {
		json_object_set_new(test, "expected", tell_expected(expect));
		json_object_set(test, "got", got);
		seen = judge_seen(run, expect);
		if (json_array_size(seen) > 0)
			json_object_set(test, "seen", seen);
		json_decref(seen);
		json_object_set_new(
		    test, "decisions", tell_decisions(run->evaluation));
	}
	json_decref(got);
	buf_free(&name);
	return test;
}

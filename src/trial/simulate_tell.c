/*
 * What a policy sees in the end, and why it does nothing more: the question behind
 * each simulation in which less happens than was thought.
 *
 * What conditions see is told of one host, or guest, for each of true, unknown and
 * false, with how many more there are: the busiest one, or the fullest where the
 * condition speaks of memory, since that is most often the one that is nearest to
 * what the condition waits for.
 */

#include <math.h>
#include <string.h>

#include "base/fields.h"
#include "base/units.h"
#include "trial/run_priv.h"

#define WORDS_MAX ((size_t)64 << 10)

/* ---- what conditions see ---- */

struct sight {
	struct {
		int64_t count;
		const struct snap_host *host;
		const struct snap_vm *vm;
		double size;
	} found[3]; /* by enum expr_truth */
};

static const enum expr_truth told_order[] = {
    EXPR_TRUE, EXPR_UNKNOWN, EXPR_FALSE};

static double
sight_size(const struct policy_expr *when, const struct look *look)
{
	bool memory = strstr(when->text, "memory") != NULL;
	double size;

	if (look->vm != NULL)
		size = memory ? (double)look->vm->memory : look->vm->cpu_smooth;
	else
		size = memory ? look->host->memory_smooth
			      : look->host->cpu_smooth / look->host->cpus;
	return isnan(size) ? -1 : size;
}

static void
sight_add(struct sight *sight, const struct policy_expr *when,
    const struct run *run, struct look *look)
{
	enum expr_truth truth = expr_test(when->expr, look_up, look);
	double size = sight_size(when, look);

	/* It takes long to find out, and mostly does not matter. */
	if (truth == EXPR_UNKNOWN && look->vm != NULL &&
	    strstr(when->text, "storage") != NULL) {
		look->storage =
		    look_at_storage(&run->world.s, &run->settings, look->vm);
		truth = expr_test(when->expr, look_up, look);
		look->storage = NULL;
	}
	if (sight->found[truth].count++ > 0 && size <= sight->found[truth].size)
		return;
	sight->found[truth].host = look->host;
	sight->found[truth].vm = look->vm;
	sight->found[truth].size = size;
}

static bool
sight_concerns(const struct policy *policy, struct look *look)
{
	return policy->hosts.expr == NULL ||
	    expr_test(policy->hosts.expr, look_up, look) == EXPR_TRUE;
}

static json_t *
sight_row(const struct policy_expr *when, const char *subject,
    enum expr_truth truth, int64_t count, const struct look *look)
{
	json_t *row = json_object();
	struct buf words = BUF_INIT(WORDS_MAX);
	struct look at = *look;

	(void)expr_explain(when->expr, look_up, &at, &words);
	fields_text(row, "condition", when->text);
	fields_text(row, "subject", subject);
	fields_text(row, "truth", expr_truth_name(truth));
	fields_count(row, "count", count);
	if (look->host != NULL)
		fields_text(row, "host", look->host->name);
	if (look->vm != NULL)
		fields_text(row, "vm", look->vm->name);
	fields_text(row, "text", buf_str(&words));
	buf_free(&words);
	return row;
}

static void
sight_tell(const struct sight *sight, const struct policy_expr *when,
    const char *subject, const struct run *run, const struct look *look,
    json_t *seen)
{
	for (size_t i = 0; i < 3; i++) {
		enum expr_truth truth = told_order[i];
		struct look at = *look;

		if (sight->found[truth].count == 0)
			continue;
		at.host = sight->found[truth].host;
		at.vm = sight->found[truth].vm;
		if (at.vm != NULL)
			at.storage = look_at_storage(
			    &run->world.s, &run->settings, at.vm);
		json_array_append_new(seen,
		    sight_row(
			when, subject, truth, sight->found[truth].count, &at));
	}
}

static void
sight_hosts(const struct run *run, const struct policy *policy,
    const struct policy_condition *c, struct look *look, json_t *seen)
{
	const struct snapshot *s = &run->world.s;
	struct sight sight = {0}, others = {0};
	size_t count = 0;

	for (size_t i = 0; i < s->host_count; i++) {
		look->host = &s->hosts[i];
		if (!sight_concerns(policy, look)) {
			sight_add(&others, &policy->hosts, run, look);
			continue;
		}
		count++;
		if (c->subject == POLICY_SUBJECT_HOST)
			sight_add(&sight, &c->when, run, look);
	}
	if (count == 0) {
		sight_tell(&others, &policy->hosts, "hosts", run, look, seen);
	} else if (c->subject == POLICY_SUBJECT_HOST) {
		sight_tell(&sight, &c->when, "host", run, look, seen);
	} else {
		look->host = NULL;
		json_array_append_new(seen,
		    json_pack("{s:s, s:s, s:s, s:s}", "condition", c->when.text,
			"subject", "event", "truth", "false", "text",
			"no alert is on: a snapshot has none"));
	}
	look->host = NULL;
}

static void
sight_guests(const struct run *run, const struct policy *policy,
    const struct policy_condition *c, struct look *look, json_t *seen)
{
	const struct snapshot *s = &run->world.s;
	struct sight sight = {0};

	for (size_t i = 0; i < s->vm_count; i++) {
		look->host = &s->hosts[s->vms[i].host];
		look->vm = NULL;
		if (!sight_concerns(policy, look))
			continue;
		look->vm = &s->vms[i];
		sight_add(&sight, &c->when, run, look);
	}
	sight_tell(&sight, &c->when, "vm", run, look, seen);
	look->host = NULL;
	look->vm = NULL;
}

static json_t *
tell_seen(const struct run *run, const struct policy *policy)
{
	struct look_cluster cluster;
	struct look look = {.s = &run->world.s,
	    .cluster = &cluster,
	    .now = run->world.s.taken_wall,
	    .arena = run->turn};
	json_t *seen = json_array();

	look_at_cluster(&run->world.s, &cluster);
	for (size_t i = 0; i < policy->condition_count; i++) {
		const struct policy_condition *c = &policy->conditions[i];

		switch (c->subject) {
		case POLICY_SUBJECT_HOST:
		case POLICY_SUBJECT_EVENT:
			sight_hosts(run, policy, c, &look, seen);
			break;
		case POLICY_SUBJECT_VM:
			sight_guests(run, policy, c, &look, seen);
			break;
		case POLICY_SUBJECT_CLUSTER:
			json_array_append_new(seen,
			    sight_row(&c->when, "cluster",
				expr_test(c->when.expr, look_up, &look), 1,
				&look));
			break;
		}
	}
	return seen;
}

/* "kvm1 (and 2 more): cpu > 85% (false: cpu = 71 %)"; `only`: the truth of the rows
 * that are meant, NULL: all. */
static void
add_seen(const json_t *seen, const char *only, struct buf *out)
{
	const char *separator = "";
	const json_t *row;
	size_t i;

	json_array_foreach(seen, i, row)
	{
		const char *truth =
		    json_string_value(json_object_get(row, "truth"));
		const char *host =
		    json_string_value(json_object_get(row, "host"));
		const char *vm = json_string_value(json_object_get(row, "vm"));
		json_int_t count =
		    json_integer_value(json_object_get(row, "count"));

		if (only != NULL && strcmp(truth, only) != 0)
			continue;
		buf_adds(out, separator);
		separator = "; ";
		if (host != NULL)
			buf_adds(out, vm != NULL ? vm : host);
		if (host != NULL && count > 1)
			buf_addf(out, " (and %lld more)", (long long)count - 1);
		buf_addf(out, "%s%s", host != NULL ? ": " : "",
		    json_string_value(json_object_get(row, "text")));
	}
}

/* ---- active ---- */

struct tally {
	const struct evaluate_decision *first;
	size_t blocked, waiting, moving, excepted, enough;
	const char *gate, *wait; /* the first one of each; NULL: none */
	const struct evaluate_item *refused; /* of a balance; NULL: none */
	json_t *hosts;
};

static void
tally_add(struct tally *tally, const struct evaluate_decision *decision)
{
	if (tally->first == NULL)
		tally->first = decision;
	tally->blocked += decision->blocked;
	tally->waiting += decision->waiting;
	tally->moving += decision->moving;
	tally->excepted += decision->excepted;
	tally->enough += decision->enough;
	if (tally->gate == NULL)
		tally->gate = decision->gate;
	for (size_t i = 0; i < decision->item_count; i++) {
		const struct evaluate_item *item = &decision->items[i];

		if (item->fate == EVALUATE_WAIT && tally->wait == NULL)
			tally->wait = item->why;
		if (item->fate == EVALUATE_BLOCKED && decision->host == NULL &&
		    tally->refused == NULL)
			tally->refused = item;
	}
	if (decision->host != NULL)
		json_array_append_new(
		    tally->hosts, json_string(decision->host->name));
}

static void
add_count(struct buf *out, size_t count, const char *what)
{
	if (count > 0)
		buf_addf(
		    out, "%s%zu %s", out->len > 0 ? ", " : "", count, what);
}

static void
add_active(
    const struct policy *policy, const struct tally *tally, struct buf *out)
{
	const unsigned moves =
	    POLICY_ACTION_MOVE | POLICY_ACTION_DRAIN | POLICY_ACTION_BALANCE;
	const char *held = tally->gate != NULL ? tally->gate : tally->wait;

	add_count(out, tally->moving, "on their way");
	add_count(out, tally->waiting, "waiting");
	add_count(out, tally->blocked, "blocked");
	add_count(out, tally->excepted, "excepted");
	add_count(out, tally->enough, "stay, as others leave");
	if (held != NULL)
		buf_addf(out, "%s%s", out->len > 0 ? ": " : "", held);
	else if (tally->refused != NULL)
		buf_addf(out, ", such as %s: %s", tally->refused->vm->name,
		    tally->refused->why != NULL ? tally->refused->why
						: tally->refused->choice.why);
	if (out->len > 0)
		return;
	if ((policy->actions & POLICY_ACTION_BALANCE) != 0)
		buf_adds(out, "no possible move gains enough");
	else if ((policy->actions & moves) != 0)
		buf_adds(out, "no guest is left that it selects");
	else if ((policy->actions & POLICY_ACTION_MAINTENANCE) != 0)
		buf_adds(out, "the host is in maintenance");
	else if ((policy->actions & POLICY_ACTION_CORDON) != 0)
		buf_adds(out, "the host is cordoned");
	else
		buf_adds(out, "it moves nothing, and only tells");
}

/* ---- pending ---- */

static void
note_pending(const struct run_state *state, const char *host, int64_t *since_ms,
    json_t *hosts)
{
	const json_t *last = json_array_get(
	    hosts, json_array_size(hosts) > 0 ? json_array_size(hosts) - 1 : 0);

	if (state->state != TRIAL_PENDING)
		return;
	if (*since_ms < 0 || state->since_ms < *since_ms)
		*since_ms = state->since_ms;
	if (host != NULL &&
	    (last == NULL || strcmp(json_string_value(last), host) != 0))
		json_array_append_new(hosts, json_string(host));
}

/* -1: it is not; else since when, and on which hosts. */
static int64_t
find_pending(const struct run *run, const struct policy *policy, json_t *hosts)
{
	const struct snapshot *s = &run->world.s;
	bool guests = watch_is_of_guests(policy);
	size_t count = guests ? s->vm_count : s->host_count;
	struct run_state state;
	int64_t since = -1;

	if (watch_is_quiet(run->world.watch, policy))
		return -1;
	if ((policy->actions & POLICY_ACTION_BALANCE) != 0) {
		state = run_state_of(run, policy, NULL, NULL);
		note_pending(&state, NULL, &since, hosts);
		return since;
	}
	for (size_t i = 0; i < count; i++) {
		const struct snap_host *host =
		    guests ? &s->hosts[s->vms[i].host] : &s->hosts[i];

		state =
		    run_state_of(run, policy, host, guests ? &s->vms[i] : NULL);
		note_pending(&state, host->name, &since, hosts);
	}
	return since;
}

static void
add_pending(const struct policy *policy, const json_t *seen, struct buf *out)
{
	char text[UNITS_TEXT_SIZE];
	int64_t longest = 0;

	for (size_t i = 0; i < policy->condition_count; i++)
		if (policy->conditions[i].for_ms > longest)
			longest = policy->conditions[i].for_ms;
	units_format_duration(longest, text);
	buf_addf(out, "has to hold for %s: ", text);
	add_seen(seen, "true", out);
}

/* ---- one policy ---- */

static void
tell_state(json_t *object, const struct run *run, const struct policy *policy,
    const json_t *seen, struct buf *why)
{
	struct tally tally = {.hosts = json_array()};
	const char *state = "idle";
	int64_t since = -1;

	for (size_t i = 0; i < run->evaluation->decision_count; i++)
		if (run->evaluation->decisions[i].policy == policy)
			tally_add(&tally, &run->evaluation->decisions[i]);
	if (policy->mode == POLICY_OFF) {
		state = "off";
		buf_adds(why, "its mode is off");
	} else if (tally.first != NULL) {
		state = "active";
		since = tally.first->since.ms - run->trial->start.ms;
		add_active(policy, &tally, why);
	} else if (policy->condition_count == 0) {
		buf_addf(why, "forbids moves for which \"%s\" is true",
		    policy->forbid.text != NULL ? policy->forbid.text : "");
	} else {
		since = find_pending(run, policy, tally.hosts);
		state = since >= 0 ? "pending" : "idle";
		if (since >= 0)
			add_pending(policy, seen, why);
		else
			add_seen(seen, NULL, why);
	}
	fields_text(object, "state", state);
	fields_count(object, "since_ms", since);
	if (json_array_size(tally.hosts) > 0)
		json_object_set(object, "hosts", tally.hosts);
	json_decref(tally.hosts);
}

json_t *
simulate_tell_policy(const struct run *run, const struct policy *policy)
{
	json_t *object = json_object(), *seen = tell_seen(run, policy);
	struct buf why = BUF_INIT(WORDS_MAX);

	fields_text(object, "policy", policy->name);
	fields_text(object, "file", policy->file);
	fields_count(object, "line", policy->line);
	tell_state(object, run, policy, seen, &why);
	fields_text(object, "why", buf_str(&why));
	json_object_set_new(object, "seen", seen);
	buf_free(&why);
	return object;
}

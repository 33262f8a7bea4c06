/*
 * Decisions as things that last.  An evaluation only knows the moment; that a
 * policy has been on for this host since yesterday, that somebody approved of it,
 * and whether what it says now was said before, is known here.
 *
 * All rows of one turn are written in one transaction together with their events:
 * when a rack fails, a hundred decisions begin at once, and the disk is waited for
 * once.  What could not be written stays pending and is tried with the next turn;
 * moves do not wait for it, because an empty host is worth more than the
 * record of how it became so.
 */
#include "act/decisions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act/decisions_priv.h"
#include "act/modes.h"
#include "base/fields.h"
#include "base/log.h"
#include "base/str.h"

#define SUMMARY_MAX 256

static void
activation_free(void *value)
{
	struct activation *a = value;

	free(a->policy);
	free(a->host);
	free(a->by);
	free(a->summary);
	json_decref(a->body);
	map_free(a->starts);
	free(a);
}

/* Names hold no space. */
static struct activation *
find(const struct decisions *d, const char *policy, const char *host)
{
	struct buf key = BUF_INIT(1024);
	struct activation *a;

	buf_addf(&key, "%s%s%s", policy, host != NULL ? " " : "",
	    host != NULL ? host : "");
	a = map_get(d->map, buf_str(&key));
	buf_free(&key);
	return a;
}

static struct activation *
add(struct decisions *d, const char *policy, const char *host)
{
	struct activation *a = calloc(1, sizeof(*a));
	struct buf key = BUF_INIT(1024);

	if (a == NULL)
		abort();
	a->policy = str_dup(policy);
	a->host = str_dup(host);
	a->starts = map_new(NULL);
	buf_addf(&key, "%s%s%s", policy, host != NULL ? " " : "",
	    host != NULL ? host : "");
	map_set(d->map, buf_str(&key), a);
	buf_free(&key);
	return a;
}

struct decisions *
decisions_new(struct store *store, struct announce *announce)
{
	struct decisions *d = calloc(1, sizeof(*d));

	if (d == NULL)
		abort();
	d->store = store;
	d->announce = announce;
	d->map = map_new(activation_free);
	d->turn = 1;
	return d;
}

void
decisions_free(struct decisions *d)
{
	if (d == NULL)
		return;
	map_free(d->map);
	free(d);
}

void
decisions_configure(struct decisions *d, const struct settings *settings)
{
	d->settings = settings;
	d->pruned = (struct wall){0};
}

/* ---- taking up ---- */

static void
load_body(struct activation *a, const char *text)
{
	json_t *body = json_loads(text, 0, NULL), *item;
	size_t i;

	a->home = json_is_true(json_object_get(body, "home"));
	json_array_foreach(json_object_get(body, "items"), i, item)
	{
		const char *uuid =
		    json_string_value(json_object_get(item, "uuid"));
		const char *fate =
		    json_string_value(json_object_get(item, "fate"));

		if (uuid != NULL && fate != NULL &&
		    (strcmp(fate, evaluate_fate_name(EVALUATE_START)) == 0 ||
			strcmp(fate, evaluate_fate_name(EVALUATE_MOVING)) == 0))
			map_set(a->starts, uuid, a);
	}
	json_decref(body);
}

static void
load_one(const struct store_decision *row, void *arg)
{
	struct decisions *d = arg;
	struct activation *a;

	/* There is one of a kind; of two the newest, which comes first. */
	if (find(d, row->policy, row->host) != NULL)
		return;
	a = add(d, row->policy, row->host);
	a->id = row->id;
	a->by = str_dup(row->approved_by);
	a->at = row->at;
	a->mode = modes_parse(row->mode);
	load_body(a, row->body);
}

int
decisions_load(struct decisions *d, struct err *err)
{
	return store_each_decision(d->store,
	    &(struct store_decision_filter){
		.open_only = true, .max = DECISIONS_OPEN_MAX},
	    load_one, d, err);
}

/* ---- noting ---- */

/* Are there guests to start that were not before?  They are remembered. */
static bool
take_starts(struct activation *a, const struct evaluate_decision *decision)
{
	bool new = false;

	for (size_t i = 0; i < decision->item_count; i++) {
		const struct evaluate_item *item = &decision->items[i];
		bool starts = item->fate == EVALUATE_START;

		if ((!starts && item->fate != EVALUATE_MOVING) ||
		    map_get(a->starts, item->vm->uuid) != NULL)
			continue;
		map_set(a->starts, item->vm->uuid, a);
		new = new || starts;
	}
	return new;
}

static void
take_body(struct activation *a, const struct evaluate_decision *decision)
{
	struct buf text = BUF_INIT(SUMMARY_MAX);

	decisions_summarise(decision, &text);
	free(a->summary);
	a->summary = str_dup(buf_str(&text));
	buf_free(&text);
	json_decref(a->body);
	a->body = explain_decision(decision);
	decisions_cut(a->body, DECISIONS_BODY_MAX);
}

static struct activation *
begin(
    struct decisions *d, const char *policy, const char *host, struct wall now)
{
	struct activation *a;

	if (map_count(d->map) >= DECISIONS_OPEN_MAX) {
		if (!d->full)
			log_error("decision",
			    "%d decisions are on: no more are recorded",
			    DECISIONS_OPEN_MAX);
		d->full = true;
		return NULL;
	}
	a = add(d, policy, host);
	a->at = now;
	a->announce = true;
	return a;
}

/* The guests have left, and now they come back: that is another decision, and who
 * approved of the one did not approve of the other.  What is not noted has ended
 * when the turn is over; until then it goes by another name. */
static void
retire(struct decisions *d, const struct activation *a)
{
	struct buf key = BUF_INIT(1024);
	void *kept;

	buf_addf(&key, "%s %s", a->policy, a->host);
	kept = map_take(d->map, buf_str(&key));
	buf_addf(&key, " retired");
	map_set(d->map, buf_str(&key), kept);
	buf_free(&key);
}

void
decisions_note(struct decisions *d, const struct evaluate_decision *decision,
    struct wall now)
{
	const struct policy *policy = decision->policy;
	const char *host = decision->host != NULL ? decision->host->name : NULL;
	struct activation *a = find(d, policy->name, host);
	uint64_t print;

	if (a != NULL && a->home != decision->home) {
		retire(d, a);
		a = NULL;
	}
	if (a == NULL)
		a = begin(d, policy->name, host, now);
	if (a == NULL)
		return;
	a->noted = d->turn;
	a->home = decision->home;
	a->mode = decision->mode;
	/* Who turns a policy down and up again wants to be asked again. */
	if (a->by != NULL &&
	    (a->mode == POLICY_OBSERVE || a->mode == POLICY_OFF)) {
		free(a->by);
		a->by = NULL;
		a->withdrawn = true;
	}
	/* What only would be done may change its mind every few seconds. */
	if (take_starts(a, decision) && decision->act)
		a->announce = true;
	print = decisions_print(decision);
	if (a->known && print == a->print && !a->announce && !a->withdrawn)
		return;
	a->known = true;
	a->print = print;
	a->updated = now;
	take_body(a, decision);
}

/* ---- asking ---- */

int64_t
decisions_id(const struct decisions *d, const char *policy, const char *host)
{
	const struct activation *a = find(d, policy, host);

	return a != NULL ? a->id : 0;
}

size_t
decisions_count(const struct decisions *d, const char *policy)
{
	size_t count = 0, i = 0;
	void *value;

	while (map_next(d->map, &i, NULL, &value))
		count +=
		    strcmp(((struct activation *)value)->policy, policy) == 0;
	return count;
}

bool
decisions_approved(
    const struct decisions *d, const char *policy, const char *host)
{
	const struct activation *a = find(d, policy, host);

	return a != NULL && a->by != NULL;
}

static void
find_row(const struct store_decision *row, void *arg)
{
	char *out = arg;

	if (row->ended.ms > 0)
		wall_format(row->ended, out);
}

int
decisions_approve(
    struct decisions *d, int64_t id, const char *by, struct err *err)
{
	char ended[CLOCK_RFC3339_SIZE] = "";
	struct activation *a = NULL;
	void *value;
	size_t i = 0;

	if (store_get_decision(d->store, id, find_row, ended, err) < 0)
		return -1;
	while (a == NULL && map_next(d->map, &i, NULL, &value)) {
		if (((struct activation *)value)->id == id)
			a = value;
	}
	if (a == NULL)
		return err_set(err, ERR_CONFLICT,
		    "decision %" PRId64 " has ended%s%s: its policy does not "
		    "want this any more",
		    id, ended[0] != '\0' ? " at " : "", ended);
	if (a->mode != POLICY_APPROVE)
		return err_set(err, ERR_CONFLICT,
		    "policy %s is in mode %s: only what one in mode approve "
		    "wants can be approved (droverctl policy set-mode %s "
		    "approve)",
		    a->policy, policy_mode_name(a->mode), a->policy);
	if (a->by != NULL)
		return 0;
	if (store_approve_decision(d->store, id, by, err) < 0)
		return -1;
	a->by = str_dup(by);
	log_info("decision",
	    "policy %s, %s: decision %" PRId64 " approved by %s", a->policy,
	    a->host != NULL ? a->host : "all hosts", id, by);
	return 1;
}

json_t *
decisions_row_json(const struct store_decision *row, bool detail)
{
	bool waits = row->approved_by == NULL &&
	    strcmp(row->mode, policy_mode_name(POLICY_APPROVE)) == 0;
	json_t *object = json_object(), *body;

	fields_count(object, "id", row->id);
	fields_text(object, "policy", row->policy);
	fields_text(object, "host", row->host);
	fields_text(object, "mode", row->mode);
	fields_text(object, "state",
	    row->ended.ms > 0 ? "ended"
		: waits       ? "waiting"
			      : "on");
	fields_text(object, "summary", row->summary);
	fields_time(object, "at", row->at);
	fields_time(object, "updated", row->updated);
	fields_time(object, "ended", row->ended);
	fields_text(object, "approved_by", row->approved_by);
	if (!detail)
		return object;
	body = json_loads(row->body, 0, NULL);
	if (body != NULL)
		json_object_update_missing(object, body);
	json_decref(body);
	return object;
}

/*
 * Conditions begin and end in the transaction of the event that says so: after a
 * crash there is neither an alert without its end nor an end that nobody is told
 * of.
 *
 * Filters of receivers choose by grave and harmless, by policy and by type, and
 * the event that ends a condition is harmless, of another policy or of none, and
 * of another type.  So who is told of an end is decided by the event that is
 * ended, which is in the store.
 */
#include "notify/conditions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
#include "notify/announce.h"
#include "notify/state.h"

static void
conditions_take(const struct store_condition *row, void *arg)
{
	struct conditions_change *out = arg;

	out->type = str_dup(row->type);
	out->body = json_loads(row->body, 0, NULL);
}

void
conditions_free(struct conditions_change *change)
{
	free(change->type);
	json_decref(change->body);
	*change = (struct conditions_change){0};
}

static int
conditions_raise(struct store *store, const struct store_event *event,
    const char *key, struct err *err)
{
	const struct store_condition row = {.key = key,
	    .type = event->type,
	    .body = event->body,
	    .since = event->at};
	int gone = 0;

	if (store_put_condition(store, &row, &gone, err) != 0)
		return -1;
	if (gone > 0)
		log_warn("notify",
		    "more than %d conditions are on: the oldest (%d) are "
		    "forgotten",
		    STORE_CONDITIONS_MAX, gone);
	return 0;
}

int
conditions_apply(struct store *store, const struct store_event *event,
    const json_t *data, struct conditions_change *out, struct err *err)
{
	struct catalog_state state = catalog_state(event->type, data);
	struct conditions_change change = {.effect = state.effect};
	int rc = 0;

	if (state.effect != CATALOG_NOTHING)
		rc = store_find_condition(
		    store, state.key, conditions_take, &change, err);
	if (rc == 0 && state.effect == CATALOG_RAISES)
		rc = conditions_raise(store, event, state.key, err);
	else if (rc == 0 && change.type != NULL)
		rc = store_remove_condition(store, state.key, err);
	if (rc != 0) {
		conditions_free(&change);
		return err_prefix(err, "conditions");
	}
	*out = change;
	return 0;
}

bool
conditions_wants(const struct settings_receiver *receiver,
    const struct conditions_change *change, const struct receiver_event *event)
{
	struct receiver_event began;

	if (!state_holds(receiver->kind))
		return receiver_wants(receiver, event);
	switch (change->effect) {
	case CATALOG_NOTHING:
		return false;
	case CATALOG_RAISES:
		return receiver_wants(receiver, event);
	case CATALOG_RESOLVES:
		break;
	}
	if (change->type == NULL)
		return false;
	began =
	    catalog_event(change->type, json_object_get(change->body, "data"));
	return receiver_wants(receiver, &began);
}

static void
conditions_see(const struct store_condition *row, void *arg)
{
	(void)row;
	*(bool *)arg = true;
}

bool
conditions_would_end(struct store *store, const char *type, const json_t *data)
{
	struct catalog_state state = catalog_state(type, data);
	bool found = false;

	if (state.effect == CATALOG_RESOLVES)
		(void)store_find_condition(
		    store, state.key, conditions_see, &found, NULL);
	return found;
}

/* ---- ends that no event tells ---- */

struct conditions_end {
	char key[256]; /* of the oldest; "": there is room */
	struct wall since;
	const char *why;
};

/* Announcing it removes it, but for what no Drover would write. */
static int
conditions_end(struct store *store, struct announce *announce, const char *key,
    const struct conditions_end *end, struct err *err)
{
	char subject[300], since[CLOCK_RFC3339_SIZE];
	json_t *data;

	snprintf(subject, sizeof(subject), "condition/%s", key);
	wall_format(end->since, since);
	data = json_pack("{s:s, s:s, s:s}", "condition", key, "since", since,
	    "why", end->why);
	json_object_set_new(
	    data, "name", json_string(catalog_state(CATALOG_ENDED, data).name));
	if (announce_event(announce, CATALOG_ENDED, subject, data, err) != 0 ||
	    store_remove_condition(store, key, err) != 0)
		return -1;
	log_info("notify", "%s is taken for over: %s", key, end->why);
	return 0;
}

static void
conditions_take_oldest(const struct store_condition *row, void *arg)
{
	struct conditions_end *oldest = arg;

	snprintf(oldest->key, sizeof(oldest->key), "%s", row->key);
	oldest->since = row->since;
}

int
conditions_make_room(struct store *store, struct announce *announce,
    const struct store_event *event, const json_t *data, struct err *err)
{
	const struct catalog_state state = catalog_state(event->type, data);
	struct conditions_end oldest = {.why = "too many others are on"};
	bool known = false;

	if (state.effect != CATALOG_RAISES)
		return 0;
	if (store_find_surplus_condition(
		store, conditions_take_oldest, &oldest, err) != 0 ||
	    store_find_condition(
		store, state.key, conditions_see, &known, err) != 0)
		return err_prefix(err, "conditions");
	if (oldest.key[0] == '\0' || known)
		return 0;
	log_warn("notify",
	    "more than %d conditions are on: the oldest is not told to "
	    "receivers any more",
	    STORE_CONDITIONS_MAX);
	return conditions_end(store, announce, oldest.key, &oldest, err);
}

struct conditions_search {
	const char *name;
	bool found;
};

struct conditions_over {
	struct store *store;
	const struct settings *settings;
	struct wall now;
	struct map *ends; /* key -> struct conditions_end */
};

/* Its event's time, as the row's is that of the first. */
static struct wall
conditions_last_told(const struct store_condition *row)
{
	json_t *event = json_loads(row->body, 0, NULL);
	const char *text = json_string_value(json_object_get(event, "time"));
	struct wall at = row->since;

	if (text != NULL)
		(void)wall_parse(text, &at);
	json_decref(event);
	return at;
}

static bool
conditions_has_receiver(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->receiver_count; i++) {
		if (strcmp(settings->receivers[i].name, name) == 0)
			return true;
	}
	return false;
}

static void
conditions_match(const struct store_disabled *row, void *arg)
{
	struct conditions_search *search = arg;

	if (strcmp(row->receiver, search->name) == 0)
		search->found = true;
}

bool
conditions_is_disabled(struct store *store, const char *receiver)
{
	struct conditions_search search = {receiver, false};

	(void)store_each_disabled(store, conditions_match, &search, NULL);
	return search.found;
}

/* Why it is over: it is of a thing that Drover does not look after (any more),
 * or of a receiver that somebody has enabled.  NULL: it is not. */
static const char *
conditions_why_foreign(
    const struct conditions_over *over, const struct store_condition *row)
{
	const struct format_event event = {
	    .id = "", .type = row->type, .at = row->since, .body = row->body};
	struct state state;
	const char *why = NULL;

	if (state_read(&event, &state, NULL) != 0)
		return "it is of a Drover that was newer";
	if (state.label != NULL && strcmp(state.label, "host") == 0) {
		if (settings_find_host(over->settings, state.thing) == NULL)
			why = "the host is not configured any more";
	} else if (state.label != NULL &&
	    strcmp(state.label, "receiver") == 0) {
		if (!conditions_has_receiver(over->settings, state.thing))
			why = "the receiver is not configured any more";
		else if (!conditions_is_disabled(over->store, state.thing))
			why = "the receiver is not disabled any more";
	}
	state_clear(&state);
	return why;
}

static void
conditions_find_over(const struct store_condition *row, void *arg)
{
	struct conditions_over *over = arg;
	int64_t keep = state_keep_ms(row->key);
	const char *why = NULL;
	struct conditions_end *end;

	if (keep > 0 && conditions_last_told(row).ms + keep <= over->now.ms)
		why = "nothing was heard of it for a day";
	else
		why = conditions_why_foreign(over, row);
	if (why == NULL)
		return;
	end = calloc(1, sizeof(*end));
	if (end == NULL)
		abort();
	*end = (struct conditions_end){.since = row->since, .why = why};
	map_set(over->ends, row->key, end);
}

static int
conditions_end_all(struct store *store, struct announce *announce,
    const struct map *ends, struct err *err)
{
	const char *key;
	void *value;
	size_t i = 0;

	if (map_count(ends) == 0)
		return 0;
	if (store_begin(store, err) != 0)
		return -1;
	while (map_next(ends, &i, &key, &value)) {
		if (conditions_end(store, announce, key, value, err) != 0) {
			store_rollback(store);
			return -1;
		}
	}
	return store_commit(store, err);
}

void
conditions_forget(struct store *store, struct announce *announce,
    const struct settings *settings, struct wall now)
{
	struct conditions_over over = {store, settings, now, map_new(free)};
	struct err err;

	if (store_each_condition(store, conditions_find_over, &over, &err) !=
		0 ||
	    conditions_end_all(store, announce, over.ends, &err) != 0)
		log_error("notify", "conditions: %s", err.msg);
	else if (map_count(over.ends) > 0)
		announce_flush(announce);
	map_free(over.ends);
}

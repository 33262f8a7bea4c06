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

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
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
		    "more than %d conditions are on: the oldest (%d) are not "
		    "told to receivers of type alertmanager any more, and "
		    "their "
		    "alerts expire",
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

/* ---- what has been on for too long ---- */

struct conditions_search {
	const char *name;
	bool found;
};

struct conditions_over {
	struct store *store;
	const struct settings *settings;
	struct wall now;
	struct map *keys;
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

/* Is it of a thing that Drover does not look after (any more), or of a receiver
 * that somebody has enabled? */
static bool
conditions_is_foreign(
    const struct conditions_over *over, const struct store_condition *row)
{
	const struct format_event event = {
	    .id = "", .type = row->type, .at = row->since, .body = row->body};
	struct state state;
	bool foreign = false;

	if (state_read(&event, &state, NULL) != 0)
		return true; /* of a Drover that was newer */
	if (state.label != NULL && strcmp(state.label, "host") == 0)
		foreign =
		    settings_find_host(over->settings, state.thing) == NULL;
	else if (state.label != NULL && strcmp(state.label, "receiver") == 0)
		foreign =
		    !conditions_has_receiver(over->settings, state.thing) ||
		    !conditions_is_disabled(over->store, state.thing);
	state_clear(&state);
	return foreign;
}

static void
conditions_find_over(const struct store_condition *row, void *arg)
{
	struct conditions_over *over = arg;
	int64_t keep = state_keep_ms(row->key);

	if ((keep > 0 && conditions_last_told(row).ms + keep <= over->now.ms) ||
	    conditions_is_foreign(over, row))
		map_set(over->keys, row->key, NULL);
}

static int
conditions_remove(struct store *store, const struct map *keys, struct err *err)
{
	const char *key;
	void *value;
	size_t i = 0;

	if (map_count(keys) == 0)
		return 0;
	if (store_begin(store, err) != 0)
		return -1;
	while (map_next(keys, &i, &key, &value)) {
		if (store_remove_condition(store, key, err) != 0) {
			store_rollback(store);
			return -1;
		}
		log_info("notify",
		    "%s: nothing was heard of it for long, or it is not "
		    "configured any more: it is taken for over",
		    key);
	}
	return store_commit(store, err);
}

void
conditions_forget(
    struct store *store, const struct settings *settings, struct wall now)
{
	struct conditions_over over = {store, settings, now, map_new(NULL)};
	struct err err;

	if (store_each_condition(store, conditions_find_over, &over, &err) !=
		0 ||
	    conditions_remove(store, over.keys, &err) != 0)
		log_error("notify", "conditions: %s", err.msg);
	map_free(over.keys);
}

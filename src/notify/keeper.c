/*
 * One timer for all receivers, set to the next round of any of them.
 *
 * What is on is read from the store in each round.  So there is no second copy
 * that could differ from it, a restart goes on where the last one ended, and the
 * memory that it takes is that of one request.
 */
#include "notify/keeper_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "notify/conditions.h"
#include "notify/state.h"

#define KEEPER_LOOK_MS 60000 /* for what has been on for too long */

/* ---- rounds ---- */

static void
keeper_free_receiver(struct keeper_receiver *r)
{
	TAILQ_REMOVE(&r->keeper->receivers, r, link);
	map_free(r->told);
	free(r->name);
	free(r);
}

static void
keeper_wake(void *arg)
{
	struct keeper *k = arg;
	struct keeper_receiver *r = TAILQ_FIRST(&k->receivers), *next;
	struct mono now = clock_mono_now();
	int64_t wait = KEEPER_LOOK_MS;

	conditions_forget(k->store, k->announce, k->settings, clock_wall_now());
	for (; r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->settings == NULL) {
			if (!r->in_flight)
				keeper_free_receiver(r);
			continue;
		}
		if (!mono_before(now, r->next)) {
			r->next = mono_add(now,
			    alertmanager_holds_ms(r->settings) /
				ALERTMANAGER_MISSED);
			if (!r->in_flight)
				keeper_tell(r);
		}
		if (mono_diff(r->next, now) < wait)
			wait = mono_diff(r->next, now);
	}
	loop_timer_set(k->timer, wait);
}

static struct keeper_receiver *
keeper_find(const struct keeper *k, const char *name)
{
	struct keeper_receiver *r;

	TAILQ_FOREACH(r, &k->receivers, link)
	{
		if (strcmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}

void
keeper_configure(struct keeper *k, const struct settings *settings)
{
	struct keeper_receiver *r;

	k->settings = settings;
	TAILQ_FOREACH(r, &k->receivers, link)
	r->settings = NULL;
	for (size_t i = 0; i < settings->receiver_count; i++) {
		const struct settings_receiver *s = &settings->receivers[i];

		if (s->kind != RECEIVER_ALERTMANAGER)
			continue;
		r = keeper_find(k, s->name);
		if (r == NULL) {
			r = calloc(1, sizeof(*r));
			if (r == NULL)
				abort();
			r->keeper = k;
			r->name = str_dup(s->name);
			r->told = map_new(keeper_free_told);
			TAILQ_INSERT_TAIL(&k->receivers, r, link);
		}
		r->settings = s;
		r->next = clock_mono_now();
	}
	loop_timer_set(k->timer, 0);
}

struct keeper *
keeper_new(struct loop *loop, struct store *store, struct announce *announce,
    const struct settings *settings, struct err *err)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (k == NULL)
		abort();
	k->http = http_new(loop, err);
	if (k->http == NULL) {
		free(k);
		return NULL;
	}
	k->store = store;
	k->announce = announce;
	k->timer = loop_timer_new(loop, keeper_wake, k);
	TAILQ_INIT(&k->receivers);
	keeper_configure(k, settings);
	return k;
}

void
keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	http_free(k->http);
	while (!TAILQ_EMPTY(&k->receivers))
		keeper_free_receiver(TAILQ_FIRST(&k->receivers));
	loop_timer_free(k->timer);
	free(k);
}

/* ---- status ---- */

static void
keeper_show(const struct store_condition *row, void *arg)
{
	const struct format_event event = {
	    .id = "", .type = row->type, .at = row->since, .body = row->body};
	char since[CLOCK_RFC3339_SIZE];
	struct state state;

	if (state_read(&event, &state, NULL) != 0)
		return;
	wall_format(row->since, since);
	(void)json_array_append_new(arg,
	    json_pack("{s:s, s:s, s:s, s:s}", "key", row->key, "name",
		state.is.name, "since", since, "type", state.type));
	state_clear(&state);
}

json_t *
keeper_status(const struct keeper *k)
{
	json_t *list = json_array();

	(void)store_each_condition(k->store, keeper_show, list, NULL);
	return list;
}

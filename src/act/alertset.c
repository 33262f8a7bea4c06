/*
 * The alerts that are on.
 *
 * Two maps lead to an alert, because both halves of a pair may be told in
 * different words: a firing with a fingerprint is ended by a resolution with
 * the same labels alone.  Fingerprints are hashes of labels, so that the two
 * never really disagree; where a sender makes them do so, what came last is right.
 *
 * What was resolved is remembered for a while (struct gone), else a firing that
 * was delayed on its way would switch an alert on that nobody takes back.
 */
#include "act/alertset.h"

#include <stdlib.h>
#include <string.h>

#include "act/alert_hosts.h"
#include "base/map.h"

#define ITEM_SIZE_MAX ((size_t)1 << 20)

struct gone {
	struct wall since, ends, at;
};

struct alertset {
	const struct settings *settings;
	struct alert_hosts *hosts;
	struct map *by_identity; /* struct alertset_item, owned here */
	struct map *by_fingerprint;
	struct map *gone;                    /* by identity, struct gone */
	const struct alertset_item **sorted; /* NULL: to be made */
};

static void
free_item(void *p)
{
	struct alertset_item *item = p;

	/* It lives in its own arena. */
	arena_free(item->arena);
}

struct alertset *
alertset_new(void)
{
	struct alertset *set = calloc(1, sizeof(*set));

	if (set == NULL)
		abort();
	set->by_identity = map_new(free_item);
	set->by_fingerprint = map_new(NULL);
	set->gone = map_new(free);
	return set;
}

void
alertset_free(struct alertset *set)
{
	if (set == NULL)
		return;
	map_free(set->by_fingerprint);
	map_free(set->by_identity);
	map_free(set->gone);
	alert_hosts_free(set->hosts);
	free(set->sorted);
	free(set);
}

static void
touch(struct alertset *set)
{
	free(set->sorted);
	set->sorted = NULL;
}

/* ---- whose they are ---- */

static const char *
label_of(const struct snap_alert *alert, const char *key)
{
	for (size_t i = 0; i < alert->label_count; i++)
		if (strcmp(alert->label_keys[i], key) == 0)
			return alert->label_values[i];
	return NULL;
}

static void
find_host(const struct alertset *set, struct alertset_item *item)
{
	const struct settings_host *host = NULL;

	if (set->hosts != NULL)
		host = alert_hosts_find(set->hosts,
		    label_of(&item->alert, set->settings->alerts_host_label));
	item->host = host != NULL ? host->name : NULL;
}

void
alertset_configure(struct alertset *set, const struct settings *settings)
{
	size_t i = 0;
	void *item;

	alert_hosts_free(set->hosts);
	set->settings = settings;
	set->hosts = alert_hosts_new(settings);
	while (map_next(set->by_identity, &i, NULL, &item))
		find_host(set, item);
}

/* ---- one alert ---- */

static struct alertset_item *
find(const struct alertset *set, const struct alert_news *news)
{
	struct alertset_item *item = NULL;

	if (news->fingerprint != NULL)
		item = map_get(set->by_fingerprint, news->fingerprint);
	return item != NULL ? item : map_get(set->by_identity, news->identity);
}

static void
forget_name(struct alertset *set, struct alertset_item *item)
{
	if (item->fingerprint != NULL &&
	    map_get(set->by_fingerprint, item->fingerprint) == item)
		map_remove(set->by_fingerprint, item->fingerprint);
	item->fingerprint = NULL;
}

static void
name(struct alertset *set, struct alertset_item *item, const char *fingerprint)
{
	if (fingerprint == NULL)
		return;
	if (item->fingerprint == NULL ||
	    strcmp(item->fingerprint, fingerprint) != 0) {
		forget_name(set, item);
		/* A sender that changes it often may not fill the arena. */
		if (arena_used(item->arena) + strlen(fingerprint) + 64 >
		    ITEM_SIZE_MAX)
			return;
		item->fingerprint = arena_strdup(item->arena, fingerprint);
	}
	map_set(set->by_fingerprint, fingerprint, item);
}

static void
drop(struct alertset *set, struct alertset_item *item)
{
	touch(set);
	forget_name(set, item);
	map_take(set->by_identity, item->identity);
	free_item(item);
}

static void
copy_alert(
    struct arena *arena, const struct snap_alert *from, struct snap_alert *out)
{
	size_t n = from->label_count;

	*out = (struct snap_alert){.name = arena_strdup(arena, from->name),
	    .severity = arena_strdup(arena, from->severity),
	    .since = from->since,
	    .label_keys = arena_array(arena, n, sizeof(out->label_keys[0])),
	    .label_values = arena_array(arena, n, sizeof(out->label_values[0])),
	    .label_count = n};
	for (size_t i = 0; i < n; i++) {
		out->label_keys[i] = arena_strdup(arena, from->label_keys[i]);
		out->label_values[i] =
		    arena_strdup(arena, from->label_values[i]);
	}
}

static struct alertset_item *
add(struct alertset *set, const struct alert_news *news)
{
	struct arena *arena = arena_new(ITEM_SIZE_MAX);
	struct alertset_item *item = arena_alloc(arena, sizeof(*item)), *old;

	touch(set);
	item->arena = arena;
	item->identity = arena_strdup(arena, news->identity);
	copy_alert(arena, &news->alert, &item->alert);
	find_host(set, item);
	old = map_get(set->by_identity, item->identity);
	if (old != NULL)
		drop(set, old);
	map_set(set->by_identity, item->identity, item);
	name(set, item, news->fingerprint);
	return item;
}

static struct wall
due_of(const struct alertset *set, const struct alertset_item *item)
{
	int64_t due = item->seen.ms +
	    (set->settings != NULL ? set->settings->alerts_expire_ms : 0);

	if (due < item->keep.ms)
		due = item->keep.ms;
	if (item->ends.ms > 0 && item->ends.ms < due)
		due = item->ends.ms;
	return (struct wall){due};
}

/* ---- news ---- */

static void
forget_gone(struct alertset *set, struct wall now)
{
	const char *key;
	size_t i = 0;
	void *value;

	while (map_next(set->gone, &i, &key, &value)) {
		const struct gone *gone = value;
		int64_t age = now.ms - gone->at.ms;

		/* Negative: the clock was set back. */
		if (age >= ALERTSET_LATE_MS || age < 0)
			map_remove(set->gone, key);
	}
}

static void
remember_gone(
    struct alertset *set, const struct alert_news *news, struct wall now)
{
	struct gone *gone;

	if (map_count(set->gone) >= ALERTSET_MAX)
		forget_gone(set, now);
	if (map_count(set->gone) >= ALERTSET_MAX)
		return;
	gone = malloc(sizeof(*gone));
	if (gone == NULL)
		abort();
	*gone = (struct gone){news->alert.since, news->ends, now};
	map_set(set->gone, news->identity, gone);
}

static enum alertset_effect
resolve(struct alertset *set, const struct alert_news *news, struct wall now)
{
	struct alertset_item *item = find(set, news);

	/* An earlier one's end, that was late: this one began after it. */
	if (item != NULL && news->ends.ms > 0 &&
	    news->ends.ms <= item->alert.since.ms &&
	    news->alert.since.ms < item->alert.since.ms)
		return ALERTSET_OLD;
	remember_gone(set, news, now);
	if (item == NULL)
		return ALERTSET_NONE;
	drop(set, item);
	return ALERTSET_OFF;
}

/* Did it begin before it was resolved? */
static bool
is_late(struct alertset *set, const struct alert_news *news, struct wall now)
{
	const struct gone *gone = map_get(set->gone, news->identity);
	int64_t since = news->alert.since.ms;

	if (gone == NULL || since == 0)
		return false;
	if (now.ms - gone->at.ms >= ALERTSET_LATE_MS || now.ms < gone->at.ms)
		return false;
	return since <= gone->since.ms || since < gone->ends.ms;
}

enum alertset_effect
alertset_apply(struct alertset *set, const struct alert_news *news,
    struct wall now, const struct alertset_item **out)
{
	enum alertset_effect effect = ALERTSET_AGAIN;
	struct alertset_item *item;

	*out = NULL;
	if (!news->firing)
		return resolve(set, news, now);
	if (is_late(set, news, now))
		return ALERTSET_OLD;
	item = find(set, news);
	if (item != NULL && strcmp(item->identity, news->identity) != 0) {
		drop(set, item);
		item = NULL;
	}
	if (news->ends.ms > 0 && news->ends.ms <= now.ms) {
		if (item == NULL)
			return ALERTSET_NONE;
		drop(set, item);
		return ALERTSET_OFF;
	}
	if (item == NULL) {
		if (map_count(set->by_identity) >= ALERTSET_MAX)
			return ALERTSET_FULL;
		item = add(set, news);
		item->alert.since =
		    news->alert.since.ms > 0 ? news->alert.since : now;
		effect = ALERTSET_ON;
	} else if (news->alert.since.ms > item->alert.since.ms) {
		/* It went and came again, and nobody told us of its end. */
		item->alert.since = news->alert.since;
		touch(set);
	}
	name(set, item, news->fingerprint);
	item->ends = news->ends;
	item->seen = now;
	item->keep.ms = 0;
	map_remove(set->gone, item->identity);
	*out = item;
	return effect;
}

int
alertset_restore(struct alertset *set, const struct alert_news *news,
    struct wall seen, struct wall now)
{
	struct alertset_item *item;

	if (map_count(set->by_identity) >= ALERTSET_MAX)
		return -1;
	item = add(set, news);
	item->ends = news->ends;
	item->seen = seen;
	item->keep.ms = now.ms + ALERTSET_GRACE_MS;
	return 0;
}

/* ---- time ---- */

void
alertset_expire(struct alertset *set, struct wall now,
    void (*fn)(const struct alertset_item *item, void *arg), void *arg)
{
	size_t i = 0;
	void *item;

	forget_gone(set, now);
	while (map_next(set->by_identity, &i, NULL, &item)) {
		if (due_of(set, item).ms > now.ms)
			continue;
		fn(item, arg);
		drop(set, item);
	}
}

struct wall
alertset_next(const struct alertset *set)
{
	struct wall next = {INT64_MAX};
	size_t i = 0;
	void *item;

	while (map_next(set->by_identity, &i, NULL, &item)) {
		struct wall due = due_of(set, item);

		if (due.ms < next.ms)
			next = due;
	}
	return next;
}

static int
compare_items(const void *a, const void *b)
{
	const struct alertset_item *x = *(struct alertset_item *const *)a;
	const struct alertset_item *y = *(struct alertset_item *const *)b;
	int order = strcmp(x->alert.name, y->alert.name);

	if (order == 0 && x->alert.since.ms != y->alert.since.ms)
		return x->alert.since.ms < y->alert.since.ms ? -1 : 1;
	return order != 0 ? order : strcmp(x->identity, y->identity);
}

const struct alertset_item *const *
alertset_items(struct alertset *set, size_t *out_count)
{
	size_t i = 0, n = 0;
	void *item;

	*out_count = map_count(set->by_identity);
	if (set->sorted != NULL)
		return set->sorted;
	set->sorted = calloc(*out_count + 1, sizeof(set->sorted[0]));
	if (set->sorted == NULL)
		abort();
	while (map_next(set->by_identity, &i, NULL, &item))
		set->sorted[n++] = item;
	if (n > 0)
		qsort(set->sorted, n, sizeof(set->sorted[0]), compare_items);
	return set->sorted;
}

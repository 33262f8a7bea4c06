/*
 * A short list: only guests whose last attempts failed are in it, so it is walked
 * from end to end.
 */
#include "act/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "decide/strategy.h"

struct entry {
	struct entry *next;
	char *uuid, *from, *to, *why;
	const char *refused; /* a strategy's name, static; NULL: none */
	int failures, attempts;
	struct mono until;
};

struct history {
	struct entry *entries;
	size_t count;
	struct snap_attempt *attempts;
	struct evaluate_hold *holds;
};

static void
entry_free(struct entry *e)
{
	free(e->uuid);
	free(e->from);
	free(e->to);
	free(e->why);
	free(e);
}

struct history *
history_new(void)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	return h;
}

static void
drop(struct history *h, bool (*match)(const struct entry *, const char *),
    const char *key)
{
	struct entry **at = &h->entries, *e;

	while ((e = *at) != NULL) {
		if (!match(e, key)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		h->count--;
		entry_free(e);
	}
}

static bool
match_any(const struct entry *e, const char *key)
{
	(void)e;
	(void)key;
	return true;
}

static bool
match_guest(const struct entry *e, const char *uuid)
{
	return strcmp(e->uuid, uuid) == 0;
}

static bool
match_source(const struct entry *e, const char *from)
{
	return strcmp(e->from, from) == 0;
}

void
history_free(struct history *h)
{
	if (h == NULL)
		return;
	drop(h, match_any, NULL);
	free(h->attempts);
	free(h->holds);
	free(h);
}

void
history_forget_guest(struct history *h, const char *uuid)
{
	drop(h, match_guest, uuid);
}

void
history_forget_source(struct history *h, const char *from)
{
	drop(h, match_source, from);
}

int
history_attempts(const struct history *h, const char *uuid)
{
	int n = 0;

	for (const struct entry *e = h->entries; e != NULL; e = e->next) {
		if (match_guest(e, uuid))
			n += e->attempts;
	}
	return n;
}

static struct entry *
find_or_add(
    struct history *h, const char *uuid, const char *from, const char *to)
{
	struct entry **at = &h->entries, *e;

	for (; (e = *at) != NULL; at = &e->next) {
		if (match_guest(e, uuid) && match_source(e, from) &&
		    strcmp(e->to, to) == 0)
			return e;
	}
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		abort();
	e->uuid = str_dup(uuid);
	e->from = str_dup(from);
	e->to = str_dup(to);
	h->count++;
	*at = e;
	return e;
}

/* The list is in order of the last failures. */
static void
move_to_end(struct history *h, struct entry *e)
{
	struct entry **at = &h->entries;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	e->next = NULL;
	while (*at != NULL)
		at = &(*at)->next;
	*at = e;
}

void
history_add(struct history *h, const char *uuid, const char *from,
    const char *to, const char *why, bool hopeless, int64_t backoff_ms,
    struct mono now)
{
	int earlier = history_attempts(h, uuid);
	int64_t wait = backoff_ms;
	struct entry *e = find_or_add(h, uuid, from, to);

	for (int i = 0; i < earlier && wait < HISTORY_BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (wait > HISTORY_BACKOFF_MAX_MS)
		wait = HISTORY_BACKOFF_MAX_MS;
	free(e->why);
	e->why = str_dup(why);
	e->attempts++;
	e->failures += hopeless ? HISTORY_HOPELESS : 1;
	e->until = mono_add(now, wait);
	move_to_end(h, e);
}

void
history_refused(struct history *h, const char *uuid, const char *strategy)
{
	enum strategy known;
	struct entry *last = NULL;

	for (struct entry *e = h->entries; e != NULL; e = e->next) {
		if (match_guest(e, uuid))
			last = e;
	}
	if (last != NULL && strategy_parse(strategy, &known))
		last->refused = strategy_name(known);
}

void
history_defer(
    struct history *h, const char *uuid, int64_t backoff_ms, struct mono now)
{
	struct entry *e = find_or_add(h, uuid, "", "");

	free(e->why);
	e->why = str_dup("deferred");
	e->until = mono_add(now, backoff_ms);
}

void
history_moved(struct history *h, const char *uuid, struct mono now)
{
	struct entry *e;

	history_forget_guest(h, uuid);
	e = find_or_add(h, uuid, "", "");
	free(e->why);
	e->why = str_dup("it has just moved");
	e->until = mono_add(now, HISTORY_SETTLE_MS);
}

/* Entries that only say "it has just moved" end by themselves. */
static bool
match_settled(const struct entry *e, const char *key)
{
	(void)key;
	return e->failures == 0;
}

static void
drop_settled(struct history *h, struct mono now)
{
	for (const struct entry *e = h->entries; e != NULL; e = e->next) {
		if (e->failures == 0 && mono_before(now, e->until))
			return;
	}
	drop(h, match_settled, NULL);
}

const struct snap_attempt *
history_snapshot(struct history *h, size_t *out_count)
{
	size_t n = 0;

	free(h->attempts);
	h->attempts = calloc(h->count + 1, sizeof(*h->attempts));
	if (h->attempts == NULL)
		abort();
	for (const struct entry *e = h->entries; e != NULL; e = e->next) {
		if (e->failures == 0)
			continue;
		h->attempts[n++] = (struct snap_attempt){.uuid = e->uuid,
		    .to = e->to,
		    .failures = e->failures,
		    .why = e->why,
		    .refused = e->refused};
	}
	*out_count = n;
	return h->attempts;
}

const struct evaluate_hold *
history_holds(struct history *h, struct mono now, size_t *out_count)
{
	size_t n = 0;

	drop_settled(h, now);
	free(h->holds);
	h->holds = calloc(h->count + 1, sizeof(*h->holds));
	if (h->holds == NULL)
		abort();
	for (const struct entry *e = h->entries; e != NULL; e = e->next) {
		if (mono_before(now, e->until))
			h->holds[n++] = (struct evaluate_hold){
			    .uuid = e->uuid, .until = e->until};
	}
	*out_count = n;
	return h->holds;
}

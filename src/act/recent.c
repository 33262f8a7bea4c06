/*
 * An array in order of time; what is too old leaves at its front.  A move that
 * failed is taken out: nothing was changed by it, and the next attempt is the
 * matter of on_failure, not of a cooldown.
 */
#include "act/recent.h"

#include <stdlib.h>
#include <string.h>

struct recent_move {
	int64_t id;
	char *policy, *uuid, *from, *to;
	struct wall started, ended;
};

struct recent {
	struct recent_move *moves;
	size_t count, cap;
	struct evaluate_recent *list;
	size_t list_cap;
	struct wall since; /* while it is loaded: what is older is left out */
};

static char *
recent_strdup(const char *s)
{
	char *copy = strdup(s);

	if (copy == NULL)
		abort();
	return copy;
}

static void
recent_clear(struct recent_move *move)
{
	free(move->policy);
	free(move->uuid);
	free(move->from);
	free(move->to);
}

struct recent *
recent_new(void)
{
	struct recent *recent = calloc(1, sizeof(*recent));

	if (recent == NULL)
		abort();
	return recent;
}

void
recent_free(struct recent *recent)
{
	if (recent == NULL)
		return;
	for (size_t i = 0; i < recent->count; i++)
		recent_clear(&recent->moves[i]);
	free(recent->moves);
	free(recent->list);
	free(recent);
}

static void
recent_drop(struct recent *recent, size_t index)
{
	recent_clear(&recent->moves[index]);
	recent->count--;
	memmove(&recent->moves[index], &recent->moves[index + 1],
	    (recent->count - index) * sizeof(recent->moves[0]));
}

static struct recent_move *
recent_add(struct recent *recent)
{
	if (recent->count == RECENT_MAX)
		recent_drop(recent, 0);
	if (recent->count == recent->cap) {
		recent->cap = 2 * recent->cap + 32;
		recent->moves = realloc(
		    recent->moves, recent->cap * sizeof(recent->moves[0]));
		if (recent->moves == NULL)
			abort();
	}
	return &recent->moves[recent->count++];
}

static void
recent_read(const struct store_move *row, void *arg)
{
	struct recent *recent = arg;
	bool open = row->outcome == NULL;

	if (row->policy == NULL ||
	    (!open && strcmp(row->outcome, "completed") != 0) ||
	    row->started.ms < recent->since.ms)
		return;
	*recent_add(recent) = (struct recent_move){.id = row->id,
	    .policy = recent_strdup(row->policy),
	    .uuid = recent_strdup(row->uuid),
	    .from = recent_strdup(row->from),
	    .to = recent_strdup(row->to),
	    .started = row->started,
	    .ended = row->ended};
}

static int
recent_compare(const void *a, const void *b)
{
	const struct recent_move *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int
recent_load(struct recent *recent, struct store *store, struct wall now,
    struct err *err)
{
	const struct store_move_filter filter = {.max = RECENT_MAX};

	recent->since.ms = now.ms - RECENT_MS;
	if (store_each_move(store, &filter, recent_read, recent, err) < 0)
		return -1;
	/* They came newest first. */
	if (recent->count > 1)
		qsort(recent->moves, recent->count, sizeof(recent->moves[0]),
		    recent_compare);
	return 0;
}

void
recent_started(struct recent *recent, int64_t move, const char *policy,
    const char *uuid, const char *from, const char *to, struct wall now)
{
	*recent_add(recent) = (struct recent_move){.id = move,
	    .policy = recent_strdup(policy),
	    .uuid = recent_strdup(uuid),
	    .from = recent_strdup(from),
	    .to = recent_strdup(to),
	    .started = now};
}

void
recent_ended(struct recent *recent, int64_t move, bool made, struct wall now)
{
	for (size_t i = recent->count; i > 0; i--) {
		if (recent->moves[i - 1].id != move)
			continue;
		if (made)
			recent->moves[i - 1].ended = now;
		else
			recent_drop(recent, i - 1);
		return;
	}
}

const struct evaluate_recent *
recent_list(struct recent *recent, struct wall now, size_t *out_count)
{
	while (recent->count > 0 &&
	    now.ms - recent->moves[0].started.ms > RECENT_MS)
		recent_drop(recent, 0);
	if (recent->list_cap < recent->count) {
		recent->list_cap = recent->cap;
		free(recent->list);
		recent->list =
		    calloc(recent->list_cap, sizeof(recent->list[0]));
		if (recent->list == NULL)
			abort();
	}
	for (size_t i = 0; i < recent->count; i++) {
		const struct recent_move *m = &recent->moves[i];

		recent->list[i] = (struct evaluate_recent){
		    m->policy, m->uuid, m->from, m->to, m->started, m->ended};
	}
	*out_count = recent->count;
	return recent->list;
}

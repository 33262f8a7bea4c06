/*
 * Two maps of "uuid host" and one timer.  A busy guest leaves its map when it is
 * asked for again: if it is still busy, the answer puts it back; if it or its
 * host is gone, nothing does.  A guest that has been migrated away stays in its
 * map with the number of looks that are left, so that the last answer does
 * not begin it all anew.
 */
#include "act/busy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define KEY_SIZE (HV_UUID_SIZE + 256)

struct busy {
	struct map *held;
	struct map *left; /* key -> struct looks */
	struct loop_timer *timer;
	struct link *(*link)(const char *host, void *arg);
	void *arg;
	bool armed;
};

struct looks {
	int remain;
};

static char mark[1];

static void
arm(struct busy *busy)
{
	if (!busy->armed)
		loop_timer_set(busy->timer, BUSY_MS);
	busy->armed = true;
}

static void
look_again(struct busy *busy, const char *key)
{
	const char *space = strchr(key, ' ');
	struct link *link = busy->link(space + 1, busy->arg);
	char uuid[HV_UUID_SIZE];

	(void)snprintf(uuid, sizeof(uuid), "%.*s", (int)(space - key), key);
	if (link != NULL)
		link_reread(link, uuid);
}

static void
on_time(void *arg)
{
	struct busy *busy = arg;
	struct map *held = busy->held;
	const char *key;
	void *value;
	size_t i = 0;

	busy->armed = false;
	busy->held = map_new(NULL);
	while (map_next(held, &i, &key, &value))
		look_again(busy, key);
	map_free(held);
	i = 0;
	while (map_next(busy->left, &i, &key, &value)) {
		struct looks *looks = value;

		if (looks->remain == 0)
			continue;
		if (--looks->remain > 0)
			arm(busy);
		look_again(busy, key);
	}
}

struct busy *
busy_new(struct loop *loop, struct link *(*link)(const char *host, void *arg),
    void *arg)
{
	struct busy *busy = calloc(1, sizeof(*busy));

	if (busy == NULL)
		abort();
	busy->held = map_new(NULL);
	busy->left = map_new(free);
	busy->timer = loop_timer_new(loop, on_time, busy);
	busy->link = link;
	busy->arg = arg;
	return busy;
}

void
busy_free(struct busy *busy)
{
	if (busy == NULL)
		return;
	loop_timer_free(busy->timer);
	map_free(busy->held);
	map_free(busy->left);
	free(busy);
}

static void
note_left(struct busy *busy, const char *key)
{
	struct looks *looks;

	if (map_get(busy->left, key) != NULL)
		return;
	looks = malloc(sizeof(*looks));
	if (looks == NULL)
		abort();
	looks->remain = BUSY_TRIES;
	map_set(busy->left, key, looks);
	arm(busy);
}

void
busy_note(
    struct busy *busy, const char *host, const struct facts_domain *domain)
{
	char key[KEY_SIZE];

	(void)snprintf(key, sizeof(key), "%s %s", domain->uuid, host);
	if (domain->job == DOMAIN_JOB_ACTIVE) {
		map_set(busy->held, key, mark);
		arm(busy);
	} else {
		(void)map_remove(busy->held, key);
	}
	if (domain->state == DOMAIN_SHUTOFF &&
	    domain->reason == DOMAIN_REASON_MIGRATED)
		note_left(busy, key);
	else
		(void)map_remove(busy->left, key);
}

void
busy_forget(struct busy *busy, const char *host, const char *uuid)
{
	char key[KEY_SIZE];

	(void)snprintf(key, sizeof(key), "%s %s", uuid, host);
	(void)map_remove(busy->held, key);
	(void)map_remove(busy->left, key);
}

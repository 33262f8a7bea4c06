#ifndef DROVER_ACT_LEFTOVERS_H
#define DROVER_ACT_LEFTOVERS_H

#include <jansson.h>
#include <stdbool.h>

#include "hv/link.h"
#include "model/snapshot.h"
#include "record/store.h"
#include "run/loop.h"

/*
 * The images that guests leave at their old host when their disks are copied:
 * kept for a while (storage.keep_source), then removed.  What is not in the
 * store's table is never removed, and nothing that a guest of the host has as a
 * disk, or below one.  Loop thread only.
 */

#define LEFTOVERS_IN_USE_MS 3600000 /* looked at again after a refusal */
#define LEFTOVERS_AGAIN_MS 60000    /* ... and after anything else */

struct leftovers;

struct leftovers_deps {
	struct loop *loop;
	struct store *store;
	/* NULL: no such host is configured (any more). */
	struct link *(*link)(const char *host, void *arg);
	/* A move of this guest is under way: its images are left alone. */
	bool (*is_moving)(const char *uuid, void *arg);
	void *arg;
};

struct leftovers *leftovers_new(
    const struct leftovers_deps *deps, struct err *err);
/* After the workers have ended, since their answers look for it. */
void leftovers_free(struct leftovers *leftovers); /* NULL allowed */
/* Nothing is removed before this is called once. */
void leftovers_begin(struct leftovers *leftovers);

/* The two changes, for a transaction of the caller's; leftovers_changed() after
 * it has ended, well or not.  `row->pool` "" means that no active pool had the
 * image; it is looked for when it is due. */
int leftovers_keep(
    struct leftovers *leftovers, struct store_leftover *row, struct err *err);
/* It is going to be replaced by the guest's return.  Succeeds when it is none. */
int leftovers_release(struct leftovers *leftovers, const char *host,
    const char *pool, const char *volume, struct err *err);
void leftovers_changed(struct leftovers *leftovers);

/* The host can be reached again: what is due there is tried. */
void leftovers_host_news(struct leftovers *leftovers, const char *host);

/* One of this guest's images is being removed in this moment: no move of it may
 * begin that would write to the same place. */
bool leftovers_is_removing(const struct leftovers *leftovers, const char *uuid);
/* An image of this guest, kept there. */
bool leftovers_has(const struct leftovers *leftovers, const char *host,
    const char *pool, const char *volume, const char *uuid);
/* For snapshot_set_leftovers(); valid until something changes. */
const struct snap_leftover *leftovers_snapshot(
    const struct leftovers *leftovers, size_t *out_count);
/* [{id, move, vm, uuid, host, pool, volume, path, since, until, note}]; host
 * NULL: of all.  New reference. */
json_t *leftovers_json(const struct leftovers *leftovers, const char *host);

#endif

#ifndef DROVER_ACT_DRAINS_PRIV_H
#define DROVER_ACT_DRAINS_PRIV_H

#include "act/drains.h"
#include "base/map.h"

/* Shared by drains*.c only. */

/* A guest that is blocked only because a host was lost a moment ago waits this
 * long for it to come back before the drain is called blocked. */
#define DRAINS_RETURN_MS 10000

/* A host for which no policy decides anything is looked at again after this. */
#define DRAINS_SETTLE_MS 2000

/* Guests that the event at its end lists. */
#define DRAINS_SUMMARY_MAX 1000
/* ... and for how many, in guests times hosts, it says what each host has against
 * the guest; the first one's is always there. */
#define DRAINS_REASONS_MAX 1000

enum drain_fate {
	DRAIN_GUEST_MOVED,
	DRAIN_GUEST_MOVING,
	DRAIN_GUEST_WAITING,
	DRAIN_GUEST_BLOCKED,
	DRAIN_GUEST_EXCEPTED,
	DRAIN_GUEST_GONE, /* it was shut down or moved by others */
};

struct drain_guest {
	char *uuid, *name, *to, *why;
	enum drain_fate fate;
	int attempts;
	json_t *rejected; /* [{host, rule, why}]; NULL */
	json_t *move;     /* the last that ended; NULL */
	bool seen;        /* in the last evaluation */
};

struct drain {
	struct drain *next;
	int64_t id;
	char *host, *only_to, *reason, *by;
	enum store_drain_state state;
	struct wall started, ended;
	int parallel;
	bool force_off, include_stopped, return_home;
	struct wall deadline;
	struct evaluate_hint *hints; /* of its plan */
	size_t hint_count;
	bool unrouted;      /* it wants a plan */
	struct map *guests; /* uuid -> struct drain_guest */
	int moved, failed, blocked;
	int in_flight, active; /* moves; those that do not just wait */
	int64_t bytes;
	int arriving;        /* moves to the host that are under way */
	struct mono arrived; /* when the last of them ended; ms 0: none */
	int lagging;         /* have moved, and are still listed here */
	bool may_return;     /* a host that could take one is not up */
	bool held;           /* one waits for its next attempt */
	bool unseen;         /* nobody knows what is on the host now */
	bool unattended;     /* no policy evacuates the host */
	struct mono progressed;
};

struct drains {
	struct store *store;
	struct announce *announce;
	struct executor *executor;
	struct drain *open;
	struct evaluate_drain *options;
};

/* drains.c */
struct drain *drains_find(const struct drains *drains, const char *host);
int drains_write(struct drains *drains, struct drain *drain,
    enum store_drain_state state, const char *event, struct err *err);
/* Ends or blocks a drain; an ended one is gone after it.  When that cannot be
 * written it stays as it is and the next evaluation tries again. */
void drains_settle(
    struct drains *drains, struct drain *drain, enum store_drain_state state);
/* The entry of a guest; a new one when there is none. */
struct drain_guest *drains_guest(
    struct drain *drain, const char *uuid, const char *name);
/* *at is freed and becomes a copy; NULL allowed. */

/* drains_route.c */
void drains_forget_route(struct drain *drain);

/* drains_show.c */
char *drains_dump_guests(struct drains *drains, const struct drain *drain);
json_t *drains_event_data(struct drains *drains, const struct drain *drain);

#endif

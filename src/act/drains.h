#ifndef DROVER_ACT_DRAINS_H
#define DROVER_ACT_DRAINS_H

#include <jansson.h>
#include <stdint.h>

#include "act/executor.h"
#include "decide/evaluate.h"
#include "decide/route.h"
#include "notify/announce.h"
#include "record/store.h"

/*
 * The book of evacuations: one drain per host in maintenance, from the flag to
 * "empty" or "blocked".  It decides nothing; it is told what was decided and what
 * came out, knows when a drain is over, announces that, and can tell the whole
 * story as JSON (control/backend.h "drain").  Loop thread only.
 *
 * A blocked drain is not given up: when something changes and guests can move
 * again, it runs again.
 */

/* A drain in which nothing moves and every guest waits for a host that does not
 * answer is reported as blocked after this. */
#define DRAINS_STALL_MS 60000

struct drains;

struct drains *drains_new(
    struct store *store, struct announce *announce, struct executor *executor);
void drains_free(struct drains *drains);

/* Takes up what was running when the last daemon ended. */
int drains_load(struct drains *drains, struct err *err);

struct drains_options {
	int parallel;        /* -1: none */
	const char *only_to; /* NULL */
	const char *reason;  /* NULL */
	const char *by;
	bool force_off, include_stopped;
	bool return_home;     /* its guests come back when it is over */
	struct wall deadline; /* ms 0: none */
};
/* Starts one, or joins the one that is open for this host (options are taken
 * over).  Returns its id, or -1. */
int64_t drains_start(struct drains *drains, const char *host,
    const struct drains_options *options, struct err *err);
/* The flag was cleared: what is open ends as cancelled. */
void drains_cancel(struct drains *drains, const char *host);

/* 0: none is open for this host. */
int64_t drains_open_id(const struct drains *drains, const char *host);

/* Options of the open drains, for the evaluation; valid until the next change. */
const struct evaluate_drain *drains_options(
    struct drains *drains, size_t *out_count);

/* A drain that is new, that has other options, whose move has failed, or that is
 * blocked wants a plan (route.h): the host of one, NULL when there is none.  It is
 * asked for once. */
const char *drains_unrouted(struct drains *drains);
/* The plan is what the drain's guests are moved by from now on.  Copied. */
void drains_set_route(
    struct drains *drains, const char *host, const struct route *route);

/* After each evaluation: how the host's guests stand. */
void drains_update(struct drains *drains,
    const struct evaluate_decision *decision, struct mono now);
/* Open drains of hosts that no policy evacuates are blocked by that. */
void drains_unattended(struct drains *drains,
    const struct evaluation *evaluation, struct mono now);
void drains_move_ended(
    struct drains *drains, const struct executor_report *report);

/* When a stalled drain should be looked at again; INT64_MAX: never. */
struct mono drains_wake(const struct drains *drains);

json_t *drains_show(
    struct drains *drains, int64_t id, bool with_vms, struct err *err);
/* Newest first. */
json_t *drains_list(
    struct drains *drains, int max, bool open_only, struct err *err);

#endif

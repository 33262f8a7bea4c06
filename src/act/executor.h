#ifndef DROVER_ACT_EXECUTOR_H
#define DROVER_ACT_EXECUTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "act/move.h"
#include "hv/link.h"
#include "notify/announce.h"
#include "record/store.h"
#include "run/loop.h"

/*
 * Carries moves out: takes what the pure machine (move.h) lists, does it through
 * the hosts' links, feeds results back, writes the journal, follows progress and
 * announces results.  Loop thread only.
 */

struct executor;
struct executor_report;

struct executor_deps {
	struct loop *loop;
	struct store *store;
	struct announce *announce;
	/* NULL: no such host is configured (any more). */
	struct link *(*link)(const char *host, void *arg);
	/* A move has ended, durably; the executor has forgotten it already. */
	void (*ended)(const struct executor_report *report, void *arg);
	void *arg;
};

/* A move to be started.  Strings are copied. */
struct executor_request {
	const char *uuid, *name, *from, *to;
	const char *dest_uri, *migrate_uri;
	const char *strategy;
	const char *policy; /* NULL: an operator's own */
	const char *rule, *why;
	int64_t drain_id; /* 0: none */
	int attempt;      /* from 1 */
	int64_t memory;   /* bytes it reserves at the target */
	bool strict, persistent, autostart;
	enum domain_reason reason_before;
	int64_t max_downtime_ms, bandwidth, timeout_ms;
};

/* A move that is under way, for looking at. */
struct executor_report {
	int64_t id, drain_id;
	const struct move *move;
	const char *strategy, *policy, *rule, *why;
	int attempt;
	int64_t memory;
	struct wall started;
	int64_t elapsed_ms;
	bool job_known;
	struct hv_job job;
	bool idle;   /* see move_is_idle() */
	int percent; /* never goes back; 0 to 100 */
	bool converging;
	bool final_known; /* once completed */
	struct hv_job final;
};

struct executor *executor_new(const struct executor_deps *deps);
/* From now on answers are dropped and nothing is written: moves in flight go on
 * without us, and a later daemon takes them up again. */
void executor_close(struct executor *executor);
/* After the workers have ended, since their answers look for it. */
void executor_free(struct executor *executor);

/* Reads the journal and takes up what is open there. */
int executor_recover(struct executor *executor, struct err *err);

/* Returns the id of the move, or -1: nothing was started. */
int64_t executor_start(struct executor *executor,
    const struct executor_request *request, struct err *err);
int executor_abort(struct executor *executor, int64_t id, struct err *err);

/* News that may let a waiting move go on, and figures of running ones. */
void executor_host_news(struct executor *executor, const char *host);
void executor_hv_event(
    struct executor *executor, const char *host, const struct hv_event *event);

/* In order of their ids. */
void executor_each(struct executor *executor,
    void (*fn)(const struct executor_report *report, void *arg), void *arg);
size_t executor_count(const struct executor *executor);
/* True when found; *out is valid until the next call of anything. */
bool executor_find(
    struct executor *executor, int64_t id, struct executor_report *out);
bool executor_find_guest(
    struct executor *executor, const char *uuid, struct executor_report *out);

/* JSON as in control/backend.h "move", for one in flight and for a row. */
json_t *executor_report_json(const struct executor_report *report);
json_t *executor_row_json(const struct store_move *row);

#endif

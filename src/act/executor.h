#ifndef DROVER_ACT_EXECUTOR_H
#define DROVER_ACT_EXECUTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "act/correct.h"
#include "act/leftovers.h"
#include "act/move.h"
#include "decide/converge.h"
#include "decide/strategy.h"
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
struct journey;

struct executor_deps {
	struct loop *loop;
	struct store *store;
	struct announce *announce;
	struct leftovers *leftovers;
	/* NULL: no such host is configured (any more). */
	struct link *(*link)(const char *host, void *arg);
	/* A move has ended, durably; the executor has forgotten it already. */
	void (*ended)(const struct executor_report *report, void *arg);
	void *arg;
};

/* An image that is to go along. */
struct executor_disk {
	const struct strategy_disk *disk;
	/* Where it is at the source; NULL: in no active pool. */
	const char *source_pool, *source_volume;
	bool replace; /* the target may have an old copy of ours */
};

/* A move to be started.  All is copied. */
struct executor_request {
	const char *uuid, *name, *from, *to;
	const char *dest_uri, *migrate_uri;
	enum move_strategy strategy;
	const char *policy; /* NULL: an operator's own */
	const char *rule, *why;
	int64_t drain_id; /* 0: none */
	int64_t decision; /* that it carries out; 0: none */
	int attempt;      /* from 1 */
	int64_t memory;   /* bytes it reserves at the target */
	bool strict, persistent, autostart;
	enum domain_reason reason_before;
	int64_t max_downtime_ms, timeout_ms;
	int64_t bandwidth; /* bytes/s at most; 0: its share of the links */
	const struct executor_disk *disks;
	size_t disk_count;
	const char *const *ejects;
	size_t eject_count;
	bool incremental, unsafe_ok;
	/* restart */
	bool was_running; /* it is now */
	bool agent;       /* it has the channel of a guest agent */
	int64_t shutdown_ms, repeat_ms;
	bool force_off;
	/* live: what may be done when it does not end by itself */
	struct converge_policy converge;
	int64_t predicted_ms, predicted_downtime_ms; /* -1: unknown */
	int64_t keep_source_ms; /* how long the source's images are kept */
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
	int64_t bytes;                 /* that went over, of memory and disks */
	const struct journey *journey; /* the rest, for executor_json.c */
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

/* What all moves of one host may take of its link together: bytes/s, 0: all.
 * Divided anew whenever a move begins or ends. */
void executor_set_bandwidth(struct executor *executor, int64_t bandwidth);
/* Bytes/s that moves to this host got of late; 0: none has told yet. */
int64_t executor_link_rate(const struct executor *executor, const char *to);
/* By how much predictions were off of late. */
struct correction executor_correction(
    const struct executor *executor, enum move_strategy strategy);

/* In order of their ids. */
void executor_each(struct executor *executor,
    void (*fn)(const struct executor_report *report, void *arg), void *arg);
size_t executor_count(const struct executor *executor);
/* True when found; *out is valid until the next call of anything. */
bool executor_find(
    struct executor *executor, int64_t id, struct executor_report *out);
bool executor_find_guest(
    struct executor *executor, const char *uuid, struct executor_report *out);

/*
 * JSON as in control/backend.h "move", for one in flight and for a row.  Beside
 * what names it (id, vm, uuid, from, to, strategy, handover, attempt, state,
 * drain, policy, rule, why, note, remark (what a person should know of its end),
 * outcome, started, duration_ms, error...):
 *
 * disks: [{target, path, volume, dest_path, capacity, allocation}]  copied ones
 * step: the step that is out, or was last, of a restart or a copy of disks
 * predicted_ms, predicted_downtime_ms   where there was a prediction
 * progress: {percent, phase, rate, remaining, eta_ms, copied_bytes, asks (how
 *   often it was asked to shut down), dirty_rate, iteration,
 *   expected_downtime_ms, downtime_limit_ms, converging, paused}
 * result: {total_ms, downtime_ms, downtime_source ("qemu", "measured"), bytes,
 *   memory_bytes, disk_bytes, iterations, job_ms, kept_until, predicted_ms,
 *   predicted_downtime_ms, prediction_error_percent}
 *
 * prediction_error_percent is of the time: 25 when it took a quarter longer than
 * was foretold, -20 when it was done a fifth sooner.
 */
json_t *executor_report_json(const struct executor_report *report);
json_t *executor_row_json(const struct store_move *row);

#endif

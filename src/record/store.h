#ifndef DROVER_RECORD_STORE_H
#define DROVER_RECORD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

/*
 * What must survive a crash, in one SQLite file (state_dir/drover.db; WAL,
 * synchronous=FULL: when a call returns 0 it is on disk).  Loop thread only.
 *
 * Strings in rows that are read are valid during the callback, which may use
 * the store.  A change outside of store_begin/commit is a transaction of its
 * own; between them, all or nothing.
 *
 * A lock (state_dir/lock, OFD lock) keeps a second daemon off the same state.
 */

struct store;

struct store *store_open(const char *state_dir, struct err *err);
void store_close(struct store *store);

int store_begin(struct store *store, struct err *err);
/* Rolls back on failure. */
int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);
/*
 * After a failed change a transaction is doomed: all further changes are
 * refused and the commit fails.  A refusal that is an answer (ERR_NOT_FOUND of
 * an update, ERR_LIMIT) does not doom it.  Whatever failed, the store can be
 * used again once the transaction has ended.
 */
bool store_in_transaction(const struct store *store);

/* ---- flags of hosts ---- */

struct store_flag {
	const char *host;
	bool maintenance; /* drained */
	bool cordoned;
	const char *source; /* "operator", "file", "api" */
	const char *by;     /* "uid 0", "/run/.../kvm1" */
	const char *reason; /* NULL: none */
	struct wall since;
};
/* Neither maintenance nor cordoned removes the row. */
int store_put_flag(
    struct store *store, const struct store_flag *flag, struct err *err);
int store_each_flag(struct store *store,
    void (*fn)(const struct store_flag *flag, void *arg), void *arg,
    struct err *err);

/* ---- drains: one evacuation of one host ---- */

#define STORE_DRAINS_MAX 10000 /* ended ones beyond this are forgotten */

enum store_drain_state {
	STORE_DRAIN_RUNNING,
	STORE_DRAIN_DONE,
	STORE_DRAIN_BLOCKED,
	STORE_DRAIN_CANCELLED
};
struct store_drain {
	int64_t id; /* given by store_add_drain */
	const char *host;
	enum store_drain_state state;
	struct wall started, ended; /* ended.ms 0: not yet */
	int parallel;               /* -1: none */
	const char *only_to;        /* NULL */
	const char *reason;         /* NULL */
	bool force_off, include_stopped, return_home;
	struct wall deadline; /* ms 0: none */
	const char *by;
	int moved, failed, blocked;
	const char *detail; /* JSON of what is blocked and why; NULL */
};
int store_add_drain(
    struct store *store, struct store_drain *drain, struct err *err);
int store_update_drain(
    struct store *store, const struct store_drain *drain, struct err *err);
int store_get_drain(struct store *store, int64_t id,
    void (*fn)(const struct store_drain *drain, void *arg), void *arg,
    struct err *err); /* ERR_NOT_FOUND */
/* Newest first, at most `max` (0: all). */
int store_each_drain(struct store *store, int max,
    void (*fn)(const struct store_drain *drain, void *arg), void *arg,
    struct err *err);

/* ---- moves and their journal ---- */

#define STORE_MOVES_MAX                                                        \
	50000 /* ended ones beyond this are forgotten,
				 * their journals with them */

struct store_move {
	int64_t id;
	int64_t drain_id; /* 0: not part of a drain */
	const char *uuid, *name, *from, *to;
	const char *strategy; /* "live-shared" */
	const char *policy;   /* NULL: an operator's own move */
	const char *rule;     /* file:line, or "operator" */
	const char *why;
	int attempt;         /* from 1 */
	const char *state;   /* of the machine, its own word */
	const char *context; /* JSON: what the machine needs to go on;
				 * NULL: nothing */
	const char *outcome; /* NULL while under way; "completed",
				 * "failed", "rolled-back", "aborted" */
	const char *error;   /* NULL */
	const char *result;  /* JSON figures; NULL */
	struct wall started, ended;
};
int store_add_move(
    struct store *store, struct store_move *move, struct err *err);
int store_update_move(
    struct store *store, const struct store_move *move, struct err *err);
int store_get_move(struct store *store, int64_t id,
    void (*fn)(const struct store_move *move, void *arg), void *arg,
    struct err *err); /* ERR_NOT_FOUND */
struct store_move_filter {
	bool open_only;
	const char *uuid;
	int64_t drain_id;
	int max;
}; /* max 0: all */
/* Newest first. */
int store_each_move(struct store *store, const struct store_move_filter *filter,
    void (*fn)(const struct store_move *move, void *arg), void *arg,
    struct err *err);

/* Each guest that a move brought elsewhere, and when the last one did; of the
 * moves that are remembered.  By UUID. */
int store_each_last_move(struct store *store,
    void (*fn)(const char *uuid, struct wall ended, void *arg), void *arg,
    struct err *err);

/* Moves that have ended, ever, also those that are forgotten; and what they
 * sent.  By strategy and outcome. */
struct store_total {
	const char *strategy, *outcome;
	int64_t moves, bytes;
};
int store_each_total(struct store *store,
    void (*fn)(const struct store_total *total, void *arg), void *arg,
    struct err *err);

/* Intents before, results after each irreversible call. */
struct store_journal {
	int64_t move_id;
	struct wall at;
	const char *kind; /* "intent" | "result" | "note" */
	const char *step; /* "perform", "undefine-source" */
	const char *detail;
}; /* NULL */
int store_add_journal(
    struct store *store, const struct store_journal *entry, struct err *err);
int store_each_journal(struct store *store, int64_t move_id,
    void (*fn)(const struct store_journal *entry, void *arg), void *arg,
    struct err *err);

/* ---- decisions: from when a policy's conditions hold until they do not ---- */

#define STORE_DECISIONS_MAX 10000 /* ended ones beyond are forgotten */

struct store_decision {
	int64_t id;                     /* given by store_add_decision */
	struct wall at, updated, ended; /* ended.ms 0: it is on */
	const char *policy;
	const char *host; /* NULL: it is about all hosts together */
	const char *mode; /* of policy_mode_name() */
	const char *summary;
	const char *body;        /* JSON: decide/evaluate.h, "decision" */
	const char *approved_by; /* NULL: nobody (yet) */
};
int store_add_decision(
    struct store *store, struct store_decision *row, struct err *err);
/* updated, mode, summary and body.  ERR_NOT_FOUND, as the next two. */
int store_update_decision(
    struct store *store, const struct store_decision *row, struct err *err);
int store_end_decision(
    struct store *store, int64_t id, struct wall ended, struct err *err);
/* by NULL: takes it back. */
int store_approve_decision(
    struct store *store, int64_t id, const char *by, struct err *err);
int store_get_decision(struct store *store, int64_t id,
    void (*fn)(const struct store_decision *row, void *arg), void *arg,
    struct err *err); /* ERR_NOT_FOUND */
struct store_decision_filter {
	const char *policy, *host; /* NULL: any */
	bool open_only;
	bool brief; /* without their bodies: these are "{}" */
	int max;    /* 0: all */
};
/* Newest first. */
int store_each_decision(struct store *store,
    const struct store_decision_filter *filter,
    void (*fn)(const struct store_decision *row, void *arg), void *arg,
    struct err *err);
/* Forgets those that ended before. */
int store_prune_decisions(
    struct store *store, struct wall before, struct err *err);

/* ---- modes of policies, where an operator set another than their file's ---- */

#define STORE_MODES_MAX 1000

struct store_mode {
	const char *policy, *mode; /* of policy_mode_name() */
	const char *by;
	struct wall since;
};
/* Replaces the one before; mode NULL: removes it.  ERR_LIMIT. */
int store_put_mode(
    struct store *store, const struct store_mode *row, struct err *err);
/* By policy. */
int store_each_mode(struct store *store,
    void (*fn)(const struct store_mode *row, void *arg), void *arg,
    struct err *err);

/* ---- labels that operators gave to guests ---- */

#define STORE_LABELS_MAX 200000 /* of all guests */

/* Replaces the one before; value NULL: removes it.  ERR_LIMIT. */
int store_put_label(struct store *store, const char *uuid, const char *key,
    const char *value, struct err *err);
/* By UUID and key. */
int store_each_label(struct store *store,
    void (*fn)(const char *uuid, const char *key, const char *value, void *arg),
    void *arg, struct err *err);

/* ---- guests that want to go back to where they came from ---- */

struct store_home {
	const char *uuid, *name;
	const char *host;     /* its home */
	const char *was, *at; /* its last move was from there to there */
	const char *policy;
	struct wall since;
};
/* Replaces the one before. */
int store_put_home(
    struct store *store, const struct store_home *row, struct err *err);
/* Succeeds when there is none. */
int store_remove_home(struct store *store, const char *uuid, struct err *err);
/* By UUID. */
int store_each_home(struct store *store,
    void (*fn)(const struct store_home *row, void *arg), void *arg,
    struct err *err);

/* ---- images that guests left behind ---- */

struct store_leftover {
	int64_t id; /* given by store_add_leftover */
	int64_t move_id;
	const char *host, *uuid, *name; /* where; the guest's */
	const char *pool, *volume, *path;
	struct wall since, due; /* to be removed, not before */
};
int store_add_leftover(
    struct store *store, struct store_leftover *row, struct err *err);
int store_defer_leftover(
    struct store *store, int64_t id, struct wall due, struct err *err);
/* Succeeds when there is none. */
int store_remove_leftover(struct store *store, int64_t id, struct err *err);
/* By due time. */
int store_each_leftover(struct store *store,
    void (*fn)(const struct store_leftover *row, void *arg), void *arg,
    struct err *err);

/* ---- markers that are, or may be, in pools ---- */

struct store_marker {
	const char *host, *pool, *volume;
	struct wall since;
};
/* Before the volume is made; forgotten when it has been seen to be gone. */
int store_put_marker(
    struct store *store, const struct store_marker *row, struct err *err);
int store_remove_marker(struct store *store, const char *host, const char *pool,
    const char *volume, struct err *err);
int store_each_marker(struct store *store,
    void (*fn)(const struct store_marker *row, void *arg), void *arg,
    struct err *err);

/* ---- alerts that are on ---- */

struct store_alert {
	const char *labels; /* all of them as JSON, sorted: the key */
	const char *fingerprint;
	struct wall since, ends, seen; /* ends: ms 0: not told */
};
int store_put_alert(
    struct store *store, const struct store_alert *row, struct err *err);
/* Those with these labels, or with this fingerprint (NULL: none has it).
 * Succeeds when there is none. */
int store_remove_alert(struct store *store, const char *labels,
    const char *fingerprint, struct err *err);
int store_each_alert(struct store *store,
    void (*fn)(const struct store_alert *row, void *arg), void *arg,
    struct err *err);

/* ---- conditions: what is wrong now ---- */

#define STORE_CONDITIONS_MAX 1000

struct store_condition {
	const char *key;   /* of catalog_state(): "host-lost/kvm3" */
	const char *type;  /* of the event that told last: "drover.host.lost" */
	const char *body;  /* the event, JSON */
	struct wall since; /* of the first that told */
};
/* One that is on stays on since it began; its type and body are replaced.  When
 * there are too many the oldest go; *out_gone (may be NULL): how many. */
int store_put_condition(struct store *store, const struct store_condition *row,
    int *out_gone, struct err *err);
/* Calls fn if there is one. */
int store_find_condition(struct store *store, const char *key,
    void (*fn)(const struct store_condition *row, void *arg), void *arg,
    struct err *err);
/* Calls fn with the oldest when there are as many as there may be. */
int store_find_surplus_condition(struct store *store,
    void (*fn)(const struct store_condition *row, void *arg), void *arg,
    struct err *err);
/* Succeeds when there is none. */
int store_remove_condition(
    struct store *store, const char *key, struct err *err);
/* Oldest first. */
int store_each_condition(struct store *store,
    void (*fn)(const struct store_condition *row, void *arg), void *arg,
    struct err *err);

/* ---- how predictions came out ---- */

struct store_prediction {
	int64_t move_id;
	const char *strategy;
	int64_t predicted_ms, predicted_downtime_ms; /* -1: none was made */
	int64_t actual_ms, actual_downtime_ms;       /* -1: not known */
	struct wall at;
};
int store_add_prediction(
    struct store *store, const struct store_prediction *row, struct err *err);
/* Newest first, at most `max`. */
int store_each_prediction(struct store *store, int max,
    void (*fn)(const struct store_prediction *row, void *arg), void *arg,
    struct err *err);

/* ---- events and the outbox ---- */

#define STORE_EVENTS_MAX                                                       \
	20000                   /* older ones are forgotten, with their dead
				 * letters, unless a delivery is pending */
#define STORE_OUTBOX_MAX 200000 /* pending rows, all receivers */

struct store_event {
	int64_t seq;    /* given by store_add_event */
	const char *id; /* CloudEvents id: a UUID */
	const char *type;
	struct wall at;
	const char *body; /* the whole CloudEvent, JSON */
};
int store_add_event(
    struct store *store, struct store_event *event, struct err *err);
/* Those with seq > after, oldest first, at most max. */
int store_each_event(struct store *store, int64_t after, int max,
    void (*fn)(const struct store_event *event, void *arg), void *arg,
    struct err *err);
int64_t store_last_event(struct store *store);

enum store_delivery { STORE_PENDING, STORE_DELIVERED, STORE_DEAD };
struct store_outbox {
	int64_t id;
	int64_t event_seq;
	const char *receiver;
	int attempts;
	struct wall next;                   /* not before */
	const char *event_id, *type, *body; /* filled when read */
	struct wall created;
	const char *group; /* collected with others until `next`; NULL: not */
	int64_t batch;     /* sent in one request with these; 0: not so far */
};
/* ERR_LIMIT: STORE_OUTBOX_MAX is reached; see store_evict_outbox. */
int store_add_outbox(struct store *store, int64_t event_seq,
    const char *receiver, struct wall now, struct err *err);
/* The same of a group (NULL: of none), not before `next`; its id. */
int64_t store_queue_outbox(
    struct store *store, const struct store_outbox *row, struct err *err);

/* Pending rows of this receiver that begin a request and are due at `now`,
 * those that were due first before others, so that one that is refused again
 * and again does not stand in the way.  Of a batch it is the first alone. */
int store_each_due(struct store *store, const char *receiver, struct wall now,
    int max, void (*fn)(const struct store_outbox *row, void *arg), void *arg,
    struct err *err);
/* All pending rows of this receiver, due or not, in the order of their ids. */
int store_each_oldest(struct store *store, const char *receiver, int max,
    void (*fn)(const struct store_outbox *row, void *arg), void *arg,
    struct err *err);
/* Its pending rows' ids and when they were created, the oldest first. */
int store_each_by_age(struct store *store, const char *receiver, int max,
    void (*fn)(int64_t id, struct wall created, void *arg), void *arg,
    struct err *err);
/* When this receiver's next one is that is due later than `after`. */
bool store_receiver_due(struct store *store, const char *receiver,
    struct wall after, struct wall *out);

/* When the rows of this group that were not sent yet are due; false: there are
 * none. */
bool store_group_due(struct store *store, const char *receiver,
    const char *group, struct wall *out);
/* Makes one batch of pending rows of the receiver that are in none, oldest
 * first, at most `max`: those of the group, due or not, or (NULL) those of no
 * group that are due at `now`.  Its number is that of its first row, `first`:
 * the others come after it. */
int store_form_batch(struct store *store, const char *receiver,
    const char *group, int64_t first, struct wall now, int max,
    struct err *err);
/* Out of its batch again, due at `next`. */
int store_leave_batch(
    struct store *store, int64_t id, struct wall next, struct err *err);
/* Its pending rows, in the order of their ids. */
int store_each_in_batch(struct store *store, int64_t batch,
    void (*fn)(const struct store_outbox *row, void *arg), void *arg,
    struct err *err);

/* ERR_NOT_FOUND: the row is gone.  A pending verdict about a row that ended
 * meanwhile (given up, dropped) changes nothing. */
struct store_verdict {
	enum store_delivery state;
	int attempts, code;
	struct wall next;   /* while pending */
	struct wall at;     /* when it ended, otherwise */
	const char *answer; /* NULL: none */
	const char *why;    /* a dead letter is one; NULL */
};
/* Attempts never become fewer.  Dead with code 0 is what was not sent: it leaves
 * its batch, and code and answer stay those of its last attempt. */
int store_judge_outbox(struct store *store, int64_t id,
    const struct store_verdict *verdict, struct err *err);
/* The same without at and why. */
int store_mark_outbox(struct store *store, int64_t id,
    enum store_delivery state, int attempts, struct wall next, int code,
    const char *answer, struct err *err);
/* Rows that wait for another attempt are due at `now`. */
int store_hurry_outbox(struct store *store, const char *receiver,
    struct wall now, struct err *err);

/*
 * Room for new rows: makes up to STORE_EVICT_MAX pending rows of the receiver
 * with most of them dead letters, those that are not results (RESULT_TYPES in
 * outbox_evict.c) before those that are, the oldest first.  Tells whose and how
 * many.
 */
#define STORE_EVICT_MAX 1000
struct store_evicted {
	char receiver[64];
	int count;
	int64_t first_seq, last_seq;
}; /* of their events */
int store_evict_outbox(
    struct store *store, struct store_evicted *out, struct err *err);
/* The same for one receiver, at most `max` (up to STORE_EVICT_MAX). */
int store_evict_receiver(struct store *store, const char *receiver, int max,
    struct wall now, struct store_evicted *out, struct err *err);
struct store_outbox_count {
	int64_t pending, dead;
	struct wall oldest;
}; /* pending one; ms 0: none */
int store_count_outbox(struct store *store, const char *receiver,
    struct store_outbox_count *out, struct err *err);
/* Pending rows of this receiver; cheap, because it is kept count of. */
int store_count_pending(
    struct store *store, const char *receiver, int64_t *out, struct err *err);
/* Every receiver with pending rows, configured or not, most rows first. */
int store_each_backlog(struct store *store,
    void (*fn)(const char *receiver, int64_t pending, void *arg), void *arg,
    struct err *err);

/* ---- the log of attempts ---- */

#define STORE_ATTEMPTS_MAX 200 /* of each receiver; a few more in between */
#define STORE_ANSWER_MAX 512   /* bytes of an answer that are kept in it */

struct store_attempt {
	int64_t outbox_id; /* the request's first row */
	const char *receiver;
	struct wall at;
	int64_t took_ms;
	int events;         /* in the request */
	int code;           /* 0: no answer */
	const char *error;  /* NULL: none */
	const char *answer; /* cut; NULL: none */
};
int store_add_attempt(
    struct store *store, const struct store_attempt *row, struct err *err);

/* ---- receivers that said that they are gone ---- */

struct store_disabled {
	const char *receiver;
	const char *url_hash; /* of the URL that said so */
	struct wall since;
	const char *why;
};
/* Replaces the one before. */
int store_put_disabled(
    struct store *store, const struct store_disabled *row, struct err *err);
/* Succeeds when there is none. */
int store_remove_disabled(
    struct store *store, const char *receiver, struct err *err);
/* By receiver. */
int store_each_disabled(struct store *store,
    void (*fn)(const struct store_disabled *row, void *arg), void *arg,
    struct err *err);

/* ---- deliveries, as operators see and handle them (deliveries.c) ---- */

struct store_delivery_row {
	int64_t id, event_seq;
	const char *receiver;
	enum store_delivery state;
	int attempts, code;        /* code 0: no answer (yet) */
	struct wall created, next; /* next: while pending */
	struct wall ended;         /* ms 0: not known */
	int64_t batch;             /* went with others of it; 0: alone */
	bool grouped;              /* is collected, to go with others */
	const char *why, *answer;  /* NULL */
	const char *error;         /* of the last attempt; NULL: none */
	const char *webhook_id; /* of the request that it was or will be in */
	const char *type, *body;
};
struct store_delivery_filter {
	const char *receiver; /* NULL: of all */
	int state;            /* enum store_delivery; -1: any */
	int64_t before;       /* of smaller ids only; 0: any */
	int max;              /* 0: all */
};
/* Newest first. */
int store_each_delivery(struct store *store,
    const struct store_delivery_filter *filter,
    void (*fn)(const struct store_delivery_row *row, void *arg), void *arg,
    struct err *err);
int store_get_delivery(struct store *store, int64_t id,
    void (*fn)(const struct store_delivery_row *row, void *arg), void *arg,
    struct err *err); /* ERR_NOT_FOUND */

/* One request that was made, and what came of it. */
struct store_attempt_row {
	int64_t id, outbox_id; /* of a batch: its first */
	const char *receiver;
	struct wall at;
	int64_t took_ms;
	int events, code;           /* code 0: no answer */
	const char *error, *answer; /* NULL */
};
/* Newest first: those of a receiver (NULL: of all), and those in which a
 * delivery took part, alone or in a batch. */
int store_each_attempt(struct store *store, const char *receiver,
    int64_t before, int max,
    void (*fn)(const struct store_attempt_row *row, void *arg), void *arg,
    struct err *err);
int store_each_attempt_at(struct store *store, int64_t delivery, int max,
    void (*fn)(const struct store_attempt_row *row, void *arg), void *arg,
    struct err *err);

/* Every receiver that has pending or dead rows, configured or not; by name. */
struct store_receiver_count {
	const char *receiver;
	int64_t pending, dead;
	int64_t oldest_id, last_dead_id; /* 0: none */
	struct wall oldest;              /* pending one; ms 0: none */
};
int store_each_receiver(struct store *store,
    void (*fn)(const struct store_receiver_count *row, void *arg), void *arg,
    struct err *err);

/* Dead or delivered becomes pending and due, with no attempts and its age from
 * now, and what went with it in one request, too.  ERR_NOT_FOUND, ERR_CONFLICT
 * (it is pending), ERR_LIMIT. */
int store_replay_delivery(
    struct store *store, int64_t id, struct wall now, struct err *err);
/* The oldest dead ones of a receiver, at most `max` of them and not more than
 * may be pending. */
int store_replay_dead(struct store *store, const char *receiver, int64_t max,
    struct wall now, int64_t *out_count, struct err *err);
/* Pending becomes dead because of `why`; dead is deleted.  ERR_NOT_FOUND,
 * ERR_CONFLICT (it is delivered). */
int store_drop_delivery(struct store *store, int64_t id, const char *why,
    struct wall now, struct err *err);
/* The oldest of a receiver, at most `max`. */
int store_drop_pending(struct store *store, const char *receiver, int64_t max,
    const char *why, struct wall now, int64_t *out_count, struct err *err);
int store_drop_dead(struct store *store, const char *receiver, int64_t max,
    int64_t *out_count, struct err *err);

#endif

#ifndef DROVER_ACT_EXECUTOR_PRIV_H
#define DROVER_ACT_EXECUTOR_PRIV_H

#include "act/executor.h"
#include "act/rates.h"

/* Shared by executor*.c only. */

#define EXECUTOR_POLL_MS 250
#define EXECUTOR_FINISH_RETRY_MS 2000

/* What the machine does not need to know of a move, but a later daemon does; in
 * the journal beside the machine's own. */
struct executor_plan {
	bool agent; /* the guest has an agent's channel */
	struct converge_policy converge;
	int64_t bandwidth; /* bytes/s that it may take at most; 0: all */
	int64_t predicted_ms, predicted_downtime_ms; /* -1: unknown */
	int64_t keep_source_ms;
	int64_t decision; /* that it carries out; 0: none */
	/* Pool and volume of each copied disk at the source, in the order of
	 * move->disks; "" where none has it. */
	struct executor_source {
		char *pool, *volume;
	} * sources;
	size_t source_count;
	/* What came out of it so far. */
	int64_t copied;         /* bytes of images that were not holes */
	int64_t copied_ms;      /* that it took */
	struct wall off_at;     /* the guest was last seen to stop; 0: not */
	struct wall on_at;      /* ... and to run at the target; 0: not */
	int64_t downtime_limit; /* as set now, ms; 0: the default */
	bool postcopy_begun, suspended;
};

/* Images on their way.  All of it is read and written by a worker and by the
 * loop thread at the same time, with __atomic only. */
struct executor_copy {
	int64_t limit;       /* bytes/s; 0: all */
	int64_t before;      /* bytes of the images that are done */
	int64_t done, total; /* of the one that is copied now */
	bool cancel;
};

struct journey {
	struct journey *next;
	struct executor *ex;
	int64_t id, drain_id;
	struct move *move;
	struct executor_plan plan;
	char *policy, *rule, *why;
	char *dest_uri, *migrate_uri;
	int attempt;
	struct wall started;
	struct mono started_mono;
	struct loop_timer *timer; /* the machine's */
	struct loop_timer *poll;  /* of figures */
	bool poll_out;            /* a poll has not come back */

	/* One round of asking both hosts. */
	uint64_t round;
	int sides_out;
	struct reconcile_side source, target;

	/* Figures. */
	bool job_known, final_known;
	struct hv_job job, final;
	struct executor_copy *copy; /* in the call that is out; NULL: none is */
	int percent;
	bool converging;
	int64_t rate; /* bytes/s, smoothed; 0: unknown */
	int64_t moved_seen;
	struct mono moved_seen_at; /* ms 0: never */

	/* Driving it. */
	struct converge converge;
	const bool *postcopy_refused; /* atomic, in the call that is out */
	bool suspend_pending;         /* the journal has it, libvirt has not */
	bool acting;                  /* such a call is out */
	int64_t share;                /* bytes/s of the link; 0: all */
	int64_t share_applied;        /* ... that libvirt knows of */
	bool ended;                   /* outcome known, not yet durable */
	struct wall ended_at;
};

struct executor {
	struct executor_deps deps;
	struct journey *journeys; /* in order of ids */
	size_t count;
	int64_t link_bandwidth; /* bytes/s per host; 0: all */
	struct rates *rates;
	struct correction corrections[MOVE_RESTART + 1];
	bool closed;
};

/* executor_learn.c: from one that has completed, and from those on disk */
void executor_learn(struct journey *j);
int executor_learn_again(struct executor *ex, struct err *err);

/* executor.c */
void executor_feed(struct journey *j, const struct move_event *event);
struct journey *executor_by_id(struct executor *ex, int64_t id);
void executor_forget(struct journey *j);

/*
 * executor_call.c: one call to one host, the first member of an item that owns
 * copies of all that it needs.  It knows its journey by number, because that
 * may have ended when the answer comes.
 */
typedef void (*executor_work_fn)(
    const struct hv_ops *ops, struct hv_conn *conn, void *item);
typedef void (*executor_done_fn)(void *item, const struct err *transport);

struct executor_call {
	struct executor *ex;
	int64_t id;
	char uuid[HV_UUID_SIZE];
	struct err err; /* of the call itself */
	executor_done_fn done;
};

/* Calloc'ed, with the call filled in. */
void *executor_call_new(struct journey *j, size_t size);
/* NULL: it has ended. */
struct journey *executor_call_journey(const struct executor_call *call);
/* The error of the transport, else of the call, else NULL. */
const struct err *executor_call_error(
    const struct executor_call *call, const struct err *transport);
/* Answers never come from within the call that asks.  The item is done's.  What
 * may block for long has to be `long`: it gets a connection of its own. */
void executor_call_send(struct journey *j, const char *host, bool is_long,
    void *item, executor_work_fn work, executor_done_fn done);
/* What a host says of a guest now. */
void executor_look(const struct hv_ops *ops, struct hv_conn *conn,
    const char *uuid, struct reconcile_side *side, struct err *err);
/* Looks once more: ERR_CONFLICT when it is not as expected, where something is
 * expected. */
int executor_look_again(const struct hv_ops *ops, struct hv_conn *conn,
    const char *uuid, const struct reconcile_side *expect, struct err *err);

/* executor_calls.c: live migrations, both hosts' word, repairs */
void executor_perform(struct journey *j);
void executor_abort_job(struct journey *j);
void executor_observe(struct journey *j);
void executor_repair(struct journey *j, const struct move_action *action);
void executor_collect(struct journey *j);

/* executor_steps.c: the steps of a restart and of copying disks */
void executor_step(struct journey *j, const struct move_action *action);
void executor_cancel(struct journey *j);

/* executor_drive.c: figures of what runs, and what they lead to */
void executor_poll(struct journey *j);
void executor_suspend(struct journey *j);
void executor_divide(struct executor *ex); /* shares of the links */

/* executor_progress.c */
void executor_progress(struct journey *j);
const char *executor_phase(const struct journey *j);
/* QEMU counts a disk's whole size, also where there is nothing to be sent: of
 * the disks' part of a live move's figures, what data there is. */
int64_t executor_disk_data(const struct journey *j, int64_t told);
/* It has arrived, so its disks have, also what went over since the last look. */
void executor_copied_all(struct journey *j);
/* Bytes that went over so far. */
int64_t executor_moved(const struct journey *j);
int64_t executor_remaining(const struct journey *j); /* bytes; -1 unknown */
int64_t executor_eta(const struct journey *j);       /* ms; -1 unknown */
/* The guest was seen to stop, or to run; told by events or by looks. */
void executor_saw_off(struct journey *j);
void executor_saw_on(struct journey *j);
/* ms; -1: not measured */
int64_t executor_downtime(const struct journey *j);

/* executor_plan.c */
void executor_plan_take(
    struct journey *j, const struct executor_request *request);
json_t *executor_plan_save(const struct executor_plan *plan);
void executor_plan_load(struct executor_plan *plan, const json_t *json);
void executor_plan_clear(struct executor_plan *plan);

/* executor_record.c: what goes to the disk and to the receivers */
int executor_write_start(
    struct journey *j, const struct move_action *action, struct err *err);
int executor_write_journal(
    struct journey *j, const struct move_action *action, struct err *err);
/* An entry of the executor's own, no step of the machine. */
int executor_write_note(
    struct journey *j, const char *step, const char *text, struct err *err);
int executor_write_end(struct journey *j, struct err *err);

/* executor_json.c */
json_t *executor_result_json(const struct journey *j, int64_t total_ms);
/* ms, and how it is known; -1: unknown */
int64_t executor_final_downtime(
    const struct journey *j, const char **out_source);
void executor_add_error(json_t *o, const char *error);
void executor_fill_report(const struct journey *j, struct executor_report *out);

#endif

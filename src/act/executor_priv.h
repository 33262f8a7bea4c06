#ifndef DROVER_ACT_EXECUTOR_PRIV_H
#define DROVER_ACT_EXECUTOR_PRIV_H

#include "act/executor.h"

/* Shared by executor*.c only. */

#define EXECUTOR_POLL_MS 250
#define EXECUTOR_FINISH_RETRY_MS 2000

struct journey {
	struct journey *next;
	struct executor *ex;
	int64_t id, drain_id;
	struct move *move;
	char *strategy, *policy, *rule, *why;
	char *dest_uri, *migrate_uri;
	int attempt;
	struct wall started;
	struct mono started_mono;
	struct loop_timer *timer; /* the machine's */
	struct loop_timer *poll;  /* of the job's figures */
	bool poll_out;            /* a poll has not come back */

	/* One round of asking both hosts. */
	uint64_t round;
	int sides_out;
	struct reconcile_side source, target;

	bool job_known, final_known;
	struct hv_job job, final;
	int percent;
	bool converging;
	bool ended; /* outcome known, not yet durable */
};

struct executor {
	struct executor_deps deps;
	struct journey *journeys; /* in order of ids */
	size_t count;
	bool closed;
};

/* executor.c */
void executor_feed(struct journey *j, const struct move_event *event);
struct journey *executor_by_id(struct executor *ex, int64_t id);
void executor_forget(struct journey *j);

/* executor_calls.c: what goes to the hosts */
void executor_perform(struct journey *j);
void executor_abort_job(struct journey *j);
void executor_observe(struct journey *j);
void executor_repair(struct journey *j, const struct move_action *action);
void executor_collect(struct journey *j);
void executor_poll(struct journey *j);

/* executor_record.c: what goes to the disk and to the receivers */
int executor_write_start(
    struct journey *j, const struct move_action *action, struct err *err);
int executor_write_journal(
    struct journey *j, const struct move_action *action, struct err *err);
int executor_write_end(struct journey *j, struct err *err);
void executor_fill_report(const struct journey *j, struct executor_report *out);

#endif

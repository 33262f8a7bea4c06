#ifndef DROVER_TESTS_SIM_H
#define DROVER_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "act/move.h"

/*
 * One guest's move in a model world: two hosts with a libvirt daemon and a QEMU
 * each, their network, and a Drover that is the real pure machine (act/move.h)
 * in a stand-in for its executor.  Time is virtual, everything is ordered by
 * (time, number), so a run is determined by its variant and its faults.
 *
 * model_*.c is the world, drover.c the executor, check_sim.c goes through the
 * scenarios.
 */

enum { SIM_SOURCE, SIM_TARGET };

struct variant {
	const char *name;
	bool strict; /* else fast, under QEMU's image lock */
	bool persistent;
};

#define SIM_FAULTS(X)                                                          \
	X(SOURCE_DAEMON_KILLED, "source-daemon-killed")                        \
	X(TARGET_DAEMON_KILLED, "target-daemon-killed")                        \
	X(SOURCE_DAEMON_FROZEN, "source-daemon-frozen")                        \
	X(TARGET_DAEMON_FROZEN, "target-daemon-frozen")                        \
	X(SOURCE_DAEMON_STALLED, "source-daemon-stalled")                      \
	X(TARGET_DAEMON_STALLED, "target-daemon-stalled")                      \
	X(SOURCE_QEMU_KILLED, "source-qemu-killed")                            \
	X(TARGET_QEMU_KILLED, "target-qemu-killed")                            \
	X(MIGRATION_LINK_CUT, "migration-link-cut")                            \
	X(SOURCE_LINK_CUT, "source-link-cut")                                  \
	X(TARGET_LINK_CUT, "target-link-cut")                                  \
	X(SOURCE_SLOW, "source-slow")                                          \
	X(TARGET_SLOW, "target-slow")                                          \
	X(GUEST_SHUT_DOWN, "guest-shut-down")                                  \
	X(GUEST_DESTROYED, "guest-destroyed")                                  \
	X(DROVER_KILLED, "drover-killed")                                      \
	X(JOURNAL_FULL, "journal-full")                                        \
	X(ABORT, "abort")

#define SIM_ENUM(id, name) FAULT_##id,
enum fault_kind { SIM_FAULTS(SIM_ENUM) FAULT_KINDS };

struct fault {
	int step;
	enum fault_kind kind;
};
#define SIM_FAULTS_MAX 3

/* Of the source: begin, perform, perform-done, confirm; of the target: prepared,
 * finish. */
enum phase {
	PHASE_NONE,
	PHASE_BEGIN,
	PHASE_PREPARED,
	PHASE_PERFORM,
	PHASE_PERFORM_DONE,
	PHASE_FINISH,
	PHASE_CONFIRM
};

enum msg_kind {
	MSG_LOOK,
	MSG_OP,
	MSG_PERFORM,
	MSG_ABORT,
	MSG_COLLECT,
	MSG_PREPARE,
	MSG_FINISH,
	MSG_CANCEL
};

struct msg {
	enum msg_kind kind;
	int call;
};
#define SIM_INBOX 16
#define SIM_CALLS 512 /* a ring: no answer comes that late */

struct host {
	enum { DAEMON_UP, DAEMON_DOWN, DAEMON_FROZEN } daemon;
	unsigned life; /* of the daemon */
	bool present, defined, autostart, job;
	enum domain_state state;
	enum domain_reason reason;
	enum phase phase;
	bool qemu, cpus, complete;   /* its process, and what is in it */
	int memory;                  /* which moment of the guest it holds */
	bool peer;                   /* connected to the other daemon */
	bool peer_lost;              /* which it learns when it thaws */
	struct msg inbox[SIM_INBOX]; /* while frozen */
	int inbox_count;
	int perform_call; /* who waits for the migration */
	int64_t frozen_at;
	enum domain_reason death; /* that it has not noticed yet */
	int64_t died_at, looked_at;
	bool cut; /* from Drover */
	int64_t cut_at;
	int64_t latency_ms;
	bool link; /* Drover's connection */
	unsigned link_life;
};

struct call {
	int host;
	enum msg_kind kind;
	bool repair; /* a look before an op */
	uint64_t round;
	bool out;
	unsigned drover_life;
	enum reconcile_verdict op;
	struct reconcile_side expect;
};

struct sim;
typedef void (*sim_fn)(struct sim *sim, int a, int b);

struct pending {
	int64_t at;
	unsigned seq;
	sim_fn fn;
	int a, b;
};
#define SIM_PENDING 1024

/* Connections notice after this that the other end does not answer. */
#define SIM_KEEPALIVE_MS 30000

struct drover {
	bool alive;
	unsigned life;
	struct move *move;
	json_t *journal; /* what is on disk; NULL: nothing */
	bool ended;      /* and that is on disk */
	enum move_outcome outcome;
	int journal_failures; /* to come */
	unsigned timer;       /* the one that counts */
	struct move_actions actions;
	size_t next_action;
	bool acting;
	struct move_event queue[16];
	int queue_count;
	uint64_t round;
	int sides_out;
	struct reconcile_side sides[2];
	struct call calls[SIM_CALLS];
	int next_call;
	struct err errs[16]; /* of queued events */
	int err_next;
};

struct sim {
	const struct variant *variant;
	int64_t now;
	unsigned seq;
	struct pending pending[SIM_PENDING]; /* a heap */
	size_t pending_count;
	int steps;
	struct fault faults[SIM_FAULTS_MAX];
	int fault_count, fault_next;
	struct host hosts[2];
	bool cut; /* between the hosts */
	int64_t cut_at;
	int moment;       /* of the guest, as its disk has it */
	bool guest_ended; /* by its own or somebody's wish */
	bool own_fault;   /* libvirt itself ran an old copy */
	struct drover drover;
	bool verbose;
	char violation[256];
};

/* model.c: time, faults, the guest */
#define sim_source(sim) (&(sim)->hosts[SIM_SOURCE])
#define sim_target(sim) (&(sim)->hosts[SIM_TARGET])
void sim_init(struct sim *sim, const struct variant *variant,
    const struct fault *faults, int count);
void sim_clear(struct sim *sim);
/* Runs the next step; false: nothing will ever happen again. */
bool sim_step(struct sim *sim);
void sim_after(struct sim *sim, int64_t ms, sim_fn fn, int a, int b);
void sim_violate(struct sim *sim, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sim_trace(const struct sim *sim, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t sim_hash(const struct sim *sim);
const char *sim_fault_name(enum fault_kind kind);
/* False when the image lock forbids it. */
bool sim_start_cpus(struct sim *sim, int host, bool by_drover);
void sim_stop_cpus(struct sim *sim, int host);

/* model_daemon.c: libvirt */
void daemon_deliver(struct sim *sim, int host, int kind_and_call);
#define SIM_MSG(kind, call) ((int)(kind) << 16 | ((call)&0xffff))
void daemon_kill(struct sim *sim, int host);
void daemon_freeze(struct sim *sim, int host, int64_t ms);
void daemon_qemu_died(struct sim *sim, int host, enum domain_reason reason);
void daemon_lose_peer(struct sim *sim, int host, int unused);
void daemon_keepalive(struct sim *sim, int unused, int unused_too);
/* No QEMU any more: off with this reason, or gone if not defined. */
void daemon_set_off(struct sim *sim, int host, enum domain_reason reason);

/* model_migrate.c: peer-to-peer migration */
enum err_code migrate_begin(struct sim *sim, int call);
enum err_code migrate_abort(struct sim *sim);
void migrate_prepare(struct sim *sim);
void migrate_finish(struct sim *sim);
void migrate_cancel(struct sim *sim);
/* The source's daemon learns that it failed. */
void migrate_failed(struct sim *sim, enum err_code code);
void migrate_thawed(struct sim *sim, int host);
void migrate_recover(struct sim *sim, int host);
void migrate_source_died(struct sim *sim, enum domain_reason reason);
void migrate_target_died(struct sim *sim, enum domain_reason reason);

/* drover.c */
void drover_begin(struct sim *sim);
void drover_kill(struct sim *sim);
void drover_abort(struct sim *sim);
void drover_reply(struct sim *sim, int call, enum err_code code);
void drover_reply_side(
    struct sim *sim, int call, const struct reconcile_side *side);
/* Its connection to this host breaks now; it comes back when it can. */
void drover_lose_link(struct sim *sim, int host);
void drover_keepalive(struct sim *sim, int host, int unused);
void drover_reconnect(struct sim *sim, int host, int unused);
void drover_clear(struct sim *sim);

#endif

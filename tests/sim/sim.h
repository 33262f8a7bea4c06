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
 * model*.c is the world, drover*.c the executor, check_sim.c goes through the
 * scenarios, and judge.c says what must hold at their ends.
 */

enum { SIM_SOURCE, SIM_TARGET };

struct variant {
	const char *name;
	enum move_strategy strategy;
	bool strict; /* else fast, under QEMU's image lock */
	bool persistent;
	bool local; /* its disk is copied, else it is one for both hosts */
	bool off;   /* it is shut down, and stays so */
	bool force; /* it ignores all requests, and may be cut off */
	int thin;   /* of the pairs of faults only each n-th, see check_sim.c */
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
	X(ABORT, "abort")                                                      \
	X(CONVERGE_PAUSE, "converge-pause")                                    \
	X(GIVE_UP, "give-up")                                                  \
	X(GUEST_DEAF, "guest-ignores-shutdown")                                \
	X(GUEST_SLOW, "guest-shuts-down-late")                                 \
	X(GUEST_REBOOTS, "guest-reboots-instead")                              \
	X(OWNER_STARTS, "owner-starts-at-source")                              \
	X(POOL_FULL, "target-pool-full")                                       \
	X(FOREIGN_EMPTY, "empty-volume-of-others")                             \
	X(FOREIGN_IMAGE, "image-of-others")                                    \
	X(FOREIGN_GUEST, "guest-of-others-at-target")                          \
	X(REFUSED_START, "target-refuses-a-start")                             \
	X(SOURCE_REBOOTS, "source-host-reboots")

#define SIM_ENUM(id, name) FAULT_##id,
enum fault_kind { SIM_FAULTS(SIM_ENUM) FAULT_KINDS };

struct fault {
	int step;
	enum fault_kind kind;
};
#define SIM_FAULTS_MAX 3

/* Of the source: begin, perform, perform-done, confirm; of the target: prepared,
 * finish.  And of a guest that is started, or for whose merge a QEMU runs. */
enum phase {
	PHASE_NONE,
	PHASE_BEGIN,
	PHASE_PREPARED,
	PHASE_PERFORM,
	PHASE_PERFORM_DONE,
	PHASE_FINISH,
	PHASE_CONFIRM,
	PHASE_START,
	PHASE_MERGE
};

enum msg_kind {
	MSG_LOOK,
	MSG_OP,
	MSG_PERFORM,
	MSG_ABORT,
	MSG_COLLECT,
	MSG_STEP,
	MSG_EXPORT,
	MSG_SUSPEND,
	/* from daemon to daemon */
	MSG_PREPARE,
	MSG_FINISH,
	MSG_CANCEL
};

struct msg {
	enum msg_kind kind;
	int call;
};
#define SIM_INBOX 64
#define SIM_CALLS 512 /* a ring: no answer comes that late */

/* An image: which moment of the guest's disk it holds. */
struct image {
	bool there;
	bool ours;    /* made by Drover, at the target */
	bool empty;   /* nothing was ever written to it */
	bool torn;    /* half a copy */
	bool merging; /* has parts of its layer: good only below it */
	int moment;
	int base_moment; /* of a layer: of what is below */
};

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
	struct image base, layer;
	bool on_layer;     /* its definition names the layer */
	bool carried;      /* what is kept of it beside disk and definition */
	unsigned boot;     /* of the guest */
	bool foreign;      /* its definition is somebody else's */
	bool foreign_seen; /* by Drover, before it has sent its own */
	bool rebooted;     /* the host: autostart is due */
	int64_t owner_started_at;
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
	/* steps */
	bool is_step, is_copy;
	enum move_step step;
	bool replace, only_empty, has_base, has_layer, layered;
	bool cancelled;
	int copied_moment;
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
	struct err errs[16];            /* of queued events */
	int64_t sent_at;                /* of the last step */
	bool leaves_base, leaves_layer; /* noted at the end, to be removed */
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
	bool diverged;    /* its owner, or a crash, has made two truths */
	struct image shared;
	bool deaf, slow, reboots, full; /* guest, and the target's pool */
	bool refuse;                    /* the next start at the target */
	int64_t asked_at;               /* first */
	int asked;                      /* requests that it may still obey */
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

/* model_disk.c: images, and the guest that writes to them */
struct image *disk_top(struct sim *sim, int host);
/* The guest there has written. */
void disk_write(struct sim *sim, int host);
/* What a guest that is started there finds is what it has written last. */
bool disk_is_newest(struct sim *sim, int host);
bool disk_is_whole(struct sim *sim, int host);
/* A new QEMU boots it; false: it does not come up. */
bool disk_boot(struct sim *sim, int host, bool by_drover);
void disk_owner_starts(struct sim *sim);
/* By its owner, when Drover had decided already. */
bool disk_was_used_since(const struct sim *sim, const struct host *host);
void disk_add_foreign(struct sim *sim, bool empty);
void disk_add_foreign_guest(struct sim *sim);
/* Its host has booted. */
void disk_autostart(struct sim *sim, int host);
/* It was asked to shut down. */
void disk_ask_guest(struct sim *sim, int host);

/* model_steps.c: what a daemon is asked to do for a restart */
void steps_begin(struct sim *sim, int host, int call);
void steps_suspend(struct sim *sim, int call);

/* model_daemon.c: libvirt */
void daemon_deliver(struct sim *sim, int host, int kind_and_call);
#define SIM_MSG(kind, call) ((int)(kind) << 16 | ((call)&0xffff))
void daemon_kill(struct sim *sim, int host);
void daemon_freeze(struct sim *sim, int host, int64_t ms);
void daemon_qemu_died(struct sim *sim, int host, enum domain_reason reason);
void daemon_lose_peer(struct sim *sim, int host, int unused);
void daemon_keepalive(struct sim *sim, int unused, int unused_too);
/* May this daemon take its step now?  If it is frozen, it does later. */
bool daemon_may_step(struct sim *sim, int host, sim_fn step, int a, int life);
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
void drover_tell(struct sim *sim, enum move_event_kind kind);
void drover_tell_code(
    struct sim *sim, enum move_event_kind kind, enum err_code code);
int drover_new_call(struct sim *sim, int host, enum msg_kind kind);
void drover_send_call(struct sim *sim, int call);
void drover_answered(struct sim *sim, int call, int code);

/* drover_steps.c */
void drover_step(struct sim *sim, const struct move_action *action);
void drover_cancel(struct sim *sim);
/* A step's call has come back; false: it goes on with another one. */
bool drover_step_answered(struct sim *sim, int call, enum err_code code);
void drover_start_copy(struct sim *sim, int call);

/* judge.c */
bool judge_applies(const struct variant *variant, enum fault_kind kind);
void judge_end(struct sim *sim);

#endif

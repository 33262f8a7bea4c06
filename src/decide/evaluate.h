#ifndef DROVER_DECIDE_EVALUATE_H
#define DROVER_DECIDE_EVALUATE_H

#include <jansson.h>

#include "decide/pace.h"
#include "decide/watch.h"

/*
 * The policies applied to a snapshot: what should happen now.  Pure and
 * deterministic.  One decision for each policy and each host where its conditions
 * are on; in it every active guest that the policy selects with what becomes of it,
 * and where the policy or the drain includes them those that are shut off.
 *
 * A guest obeys one policy, the first that selects it: those that empty a host
 * before all others, then by priority, then in the order of files and lines.
 * Policies that do not act (observe, approve without
 * approval) are evaluated after all others as if they acted, and take nothing from
 * them.
 */

enum evaluate_fate {
	EVALUATE_START,    /* move it now */
	EVALUATE_MOVING,   /* a move of it is under way */
	EVALUATE_WAIT,     /* it has a target; a limit or a backoff holds
				 * it, or an answer is awaited */
	EVALUATE_BLOCKED,  /* no target; the reason is in choice.why */
	EVALUATE_EXCEPTED, /* the policy leaves it alone */
	EVALUATE_ENOUGH,   /* others leave, which is enough */
};

const char *evaluate_fate_name(enum evaluate_fate fate); /* "start" */

struct evaluate_item {
	const struct snap_vm *vm;
	enum evaluate_fate fate;
	struct place_choice choice;
	const char *why; /* of moving, waiting or being excepted; NULL:
				 * see choice.why */
	bool held;       /* waiting for its next attempt */
	bool room;       /* not of the host: it makes room elsewhere */
	/* How it is moved: the decision's policy, with what one of its strategy
	 * rules says.  NULL: see the decision. */
	const struct policy *with;
};

/* One condition of the policy, and what it sees. */
struct evaluate_seen {
	enum policy_subject subject;
	enum watch_phase phase;
	const char *text; /* "cpu > 80% (true: cpu = 91 %)" */
	struct wall since;
};

struct evaluate_decision {
	const struct snap_host *host; /* NULL: all hosts together (balance) */
	bool home; /* guests that left the host because of it come back */
	const struct policy *policy;
	enum policy_mode mode; /* as it is now */
	bool act;              /* starts are to be carried out */
	bool approved;         /* mode approve, and somebody did */
	const char *why;       /* "policy maintenance (10-maintenance.yaml:9):
				 * host.maintenance is true since ..." */
	const char *gate;      /* why nothing may be begun now; NULL */
	struct wall since;     /* it is on */
	struct evaluate_seen *seen;
	size_t seen_count;
	/* Those that make room, then the host's, in the order of the plan and of
	 * the policy. */
	struct evaluate_item *items;
	size_t item_count;
	size_t starts, moving, waiting, blocked, excepted, enough;
};

/*
 * What the plan of a drain wants of one guest (route.h).  It is a wish: where the
 * guest cannot go there (place_check()) it goes where the ladder says.
 */
struct evaluate_hint {
	const char *uuid;
	const char *to;
	size_t order; /* of the drain's moves, from 0 */
	struct mono
	    not_before; /* while others of the drain move; ms 0: at once */
	bool restart;   /* rather than live, to be in time */
	/* A guest of another host that makes room: why, in words ("makes room on
	 * kvm2 for db1").  It goes there or nowhere.  NULL: a guest of the host. */
	const char *room;
};

/* Per host in a drain, from outside: the operator's options. */
struct evaluate_drain {
	const char *host;
	int parallel;                    /* --parallel; -1: none */
	const char *only_to;             /* NULL: any */
	bool include_stopped, force_off; /* beside the policy's */
	bool return_home;                /* the same */
	struct wall deadline;            /* ms 0: none */
	const struct evaluate_hint *hints;
	size_t hint_count;
};

/* A guest that must not be tried before a time (backoff). */
struct evaluate_hold {
	const char *uuid;
	struct mono until;
};

/* A move that a policy made, or makes. */
struct evaluate_recent {
	const char *policy, *uuid, *from, *to;
	struct wall started, ended; /* ended.ms 0: under way */
};

/*
 * A guest that wants to go back to the host that it was moved away from
 * (act/homes.h keeps them).  It goes once that host takes guests again, and the
 * conditions of the policy are off for as long as their `for`, at least
 * EVALUATE_HOME_HOLD_MS.
 */
#define EVALUATE_HOME_HOLD_MS (60 * 1000)
#define EVALUATE_HOME_GONE_MS (60 * 1000) /* not seen: it is gone */
#define EVALUATE_HOME_MAX_MS ((int64_t)7 * 24 * 3600 * 1000)

struct evaluate_home {
	const char *uuid, *name;
	const char *host;     /* its home */
	const char *was, *at; /* its last move was from there to there */
	const char *policy;   /* that moved it */
	struct wall since;    /* it left its home */
	/* Since when it was EVALUATE_HOME_FREE, or _MISSING, in each evaluation; ms
	 * 0: it was not in the last one. */
	struct mono off_since, missing_since;
	struct mono doubt_until; /* a move has just ended: before this, hosts
				  * may still list it where it was */
};
enum evaluate_home_state {
	EVALUATE_HOME_WAITS,   /* something keeps it away */
	EVALUATE_HOME_FREE,    /* nothing does; it is in a decision */
	EVALUATE_HOME_MISSING, /* not seen */
	EVALUATE_HOME_BACK,    /* it is there: no more to do */
	EVALUATE_HOME_OVER,    /* given up */
};
struct evaluate_homing {
	enum evaluate_home_state state;
	const char *why;
};

struct evaluate_input {
	const struct settings *settings;
	const struct snapshot *snapshot;
	const struct evaluate_drain *drains;
	size_t drain_count;
	const struct evaluate_hold *holds;
	size_t hold_count;
	struct mono now;
	/* What conditions remember, as of a watch_look() at this snapshot.  NULL:
	 * nothing; a condition is on when it holds and has no `for`. */
	const struct watch *watch;
	const enum policy_mode *modes;        /* see policy_mode_now() */
	const struct evaluate_recent *recent; /* of the last week */
	size_t recent_count;
	const struct evaluate_home *homes;
	size_t home_count;
	/* Did somebody approve of what the policy wants to do with this host?
	 * NULL: nobody. */
	bool (*approved)(const char *policy, const char *host, void *arg);
	void *arg;
};

struct evaluation {
	struct evaluate_decision *decisions; /* by host name */
	size_t decision_count;
	struct evaluate_homing *homings; /* one for each of input->homes */
	/* When something changes by time alone: a hold ends, a condition comes
	 * on; INT64_MAX: none. */
	struct mono wake;
};

/* The policy takes all guests of a host away, as a drain does: it has no
 * select.vm, .max and .until, and no conditions about guests. */
bool evaluate_empties(const struct policy *policy);

/* The decision that takes all guests of the host away; of several, the first that
 * acts.  NULL: none does. */
const struct evaluate_decision *evaluate_find_drain(
    const struct evaluation *evaluation, const char *host);

/* What waits counts as planned: its target's memory is taken for the guests
 * that follow, so that one that will not fit is blocked at once and not in the
 * end. */
struct evaluation *evaluate(
    struct arena *arena, const struct evaluate_input *input);

/*
 * `plan drain HOST`: as if the host were put into maintenance now.  All guests
 * are placed one after the other; `waves` honour the limits: the moves of wave
 * n start when those of n-1 have ended.
 */
struct plan_step {
	struct evaluate_item item;
	int wave; /* from 1; 0: none */
};
struct plan {
	const struct snap_host *host;
	const struct policy *policy; /* NULL: no policy would act */
	struct plan_step *steps;
	size_t step_count;
	size_t movable, blocked;
	int waves;
};
struct plan *plan_drain(struct arena *arena, const struct evaluate_input *input,
    const struct snap_host *host);

/* Do the policy's conditions hold for the host, whatever `for` says: "true",
 * "false", "unknown".  Those of guests: for any of its guests. */
const char *evaluate_holds(const struct settings *settings,
    const struct snapshot *s, const struct look_cluster *cluster,
    const struct policy *policy, const struct snap_host *host);

/*
 * As JSON (explain.c); unknown: the key is absent:
 * decision: {host (absent: all), home (true or absent), policy, file, line, mode, approved (true or
 *         absent), actions: [word], since, why, gate, seen: [{condition, phase,
 *         text, since}], items: [item]}
 * plan: {host, policy, waves, movable, blocked, steps: [item]}
 * item: choice, fate, wave
 * choice: {vm, uuid, from, why, rejected: [{host, rule, why, strategies:
 *         [refusal] with rule "strategy"}], and with a target: to, how,
 *         strategies: [refusal] of the other strategies there}
 * refusal: {strategy, rule, why, wait (true or absent)}
 * how: strategy, storage, handover (of a live move), predicted_ms,
 *      predicted_downtime_ms (both absent when unknown or without an end),
 *      forced_downtime_ms (does not converge: the pause that would end it),
 *      converge: [rung] that will help it then, so that there is an end,
 *      disk_bytes, disks: [{target, path, format, pool, volume, dest_path,
 *      backing, capacity, allocation, replace}] that go along, ejects: [target],
 *      caution (why libvirt may still refuse)
 */
json_t *explain_refusals(const struct strategy_refusal *refusals, size_t count);
json_t *explain_rejections(const struct place_choice *choice);
void explain_strategy(json_t *object, const struct strategy_result *how);
json_t *explain_choice(const struct place_choice *choice);
json_t *explain_decision(const struct evaluate_decision *decision);
json_t *explain_plan(const struct plan *plan);

/*
 * `explain VM [--to HOST]`: one guest, every host and every strategy, as the
 * policy that would empty its host has it (or else an operator):
 * {choice's keys but rejected, state, policy, file, line, mode, fate (wait or
 * blocked, without a target), rule (of the guest itself, when it
 * cannot move at all), hosts: [{host, ok, chosen (true or absent), rule, why,
 * wait (what holds for any strategy; absent when ok), strategies: [{strategy, ok,
 * rule, why, wait (when not ok), and how's keys (when ok)}]}]}.  Its own host is
 * left out; with only_to, all others.
 */
json_t *explain_vm(struct arena *arena, const struct evaluate_input *input,
    const struct snap_vm *vm, const char *only_to);

#endif

#ifndef DROVER_CONFIG_POLICY_H
#define DROVER_CONFIG_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct expr;

/*
 * A policy (drover-policy(7)): when conditions hold, for a host, for a guest or
 * for all hosts together, something is done about it; mostly, guests are moved.
 */

enum policy_mode { POLICY_OFF, POLICY_OBSERVE, POLICY_APPROVE, POLICY_AUTO };
enum policy_order {
	POLICY_ORDER_MEMORY_ASC,
	POLICY_ORDER_MEMORY_DESC,
	POLICY_ORDER_NAME,
	POLICY_ORDER_BUSIEST,  /* most CPU first */
	POLICY_ORDER_CHEAPEST, /* least to send first: memory and local disks */
};

/* An expression, and what is shown of it. */
struct policy_expr {
	const struct expr *expr; /* NULL: the key is absent */
	const char *text;        /* on one line */
	unsigned line, column;   /* where it begins */
};

/* What a condition speaks about; the scopes that its expression knows. */
enum policy_subject {
	POLICY_SUBJECT_HOST,    /* host, cluster */
	POLICY_SUBJECT_VM,      /* vm, host, cluster: of one guest */
	POLICY_SUBJECT_CLUSTER, /* cluster */
	POLICY_SUBJECT_EVENT,   /* event, host: an alert that is on */
};

/* `when`, or one of its `any` or `all`. */
struct policy_condition {
	enum policy_subject subject;
	struct policy_expr when;
	/* Once it held for `for_ms`, it is on until this holds; absent: until
	 * `when` is not true any more.  Scopes as `when`. */
	struct policy_expr until;
	int64_t for_ms; /* 0: at once */
};

/* actions; where none is named `move`, and none where `forbid` is given */
enum policy_action {
	POLICY_ACTION_MOVE = 1 << 0,  /* guests that are selected */
	POLICY_ACTION_DRAIN = 1 << 1, /* the same, and the host is no target for
				       * anybody meanwhile */
	POLICY_ACTION_BALANCE = 1
	    << 2, /* what evens out the load of the hosts */
	POLICY_ACTION_CORDON = 1 << 3, /* set the flag of the host */
	POLICY_ACTION_MAINTENANCE = 1 << 4,
	POLICY_ACTION_NOTIFY = 1 << 5, /* tell, and nothing else */
};

/* select.except: { name: licensed, vm: EXPR } */
struct policy_exception {
	const char *name;
	struct policy_expr vm; /* vm, host */
};

/* strategy: first match wins. */
enum policy_use {
	POLICY_USE_DEFAULT, /* with.strategies, in its order */
	POLICY_USE_LIVE_SHARED,
	POLICY_USE_LIVE_COPY,
	POLICY_USE_RESTART,
	POLICY_USE_SKIP, /* the guest stays */
};
struct policy;
struct policy_strategy {
	struct policy_expr when; /* `if`: vm, host; absent: always */
	enum policy_use use;
	/* The policy with this rule's own `with` over its; never NULL. */
	const struct policy *with;
	unsigned line;
};

/* windows: when it may begin something; outside, it observes. */
#define POLICY_ALL_DAYS 0x7fU
struct policy_window {
	unsigned days;           /* bits, Monday is the lowest */
	int from_min, to_min;    /* of the day, 0 to 1440; to before from: until
				 * that time of the next day */
	const char *time_zone;   /* "Europe/Berlin"; NULL: UTC */
	const struct zone *zone; /* its rules; NULL: UTC */
	unsigned line;
};
enum policy_handover {
	POLICY_HANDOVER_DEFAULT,
	POLICY_HANDOVER_FAST,
	POLICY_HANDOVER_STRICT
};

/* with.strategies, in the order of preference; as enum strategy */
#define POLICY_STRATEGIES_MAX 3

struct policy {
	const char *name;
	const char *description; /* "" when absent */
	enum policy_mode mode;
	int priority; /* larger goes first; default 0 */

	/* hosts: which ones it is about (host); absent: all */
	struct policy_expr hosts;

	/* when: one condition, or { any: [ ... ] } or { all: [ ... ] } */
	const struct policy_condition *conditions;
	size_t condition_count;
	bool all; /* of them must be on; else any */

	unsigned actions; /* of enum policy_action, or-ed */

	/* select: { vm: EXPR, except: [ ... ], order:, max:, until: } */
	struct policy_expr select_vm; /* vm, host */
	const char *const *except;    /* patterns on names */
	size_t except_count;
	const struct policy_exception
	    *exceptions; /* those with an expression */
	size_t exception_count;
	enum policy_order order; /* default: largest memory first */
	int select_max; /* guests of one host at once; 0: as limits allow */
	/* No more guests leave once this is true of the host as it will be when
	 * those that are on their way have left (host). */
	struct policy_expr select_until;

	/* strategy; none: POLICY_USE_DEFAULT */
	const struct policy_strategy *rules;
	size_t rule_count;

	/* target: { require: EXPR, prefer: [ EXPR ], spread_by: LABEL }; vm, host,
	 * target.  Of those that meet the requirement, the host that fulfils
	 * the first wish that not all fulfil. */
	struct policy_expr target_require;
	const struct policy_expr *target_prefer;
	size_t target_prefer_count;
	const char *spread_by; /* a label of hosts; NULL */

	/* gain: how much less busy (cpu_after) than the host now is a target must
	 * be, as a fraction; of a balance, the least fall of the score by a
	 * move, as a fraction of it.  0: any. */
	double gain;
	int64_t cooldown_guest_ms, cooldown_host_ms; /* since a move; 0: none */
	/* throttle: { moves: N, per: DURATION }; 0: none */
	int throttle_moves;
	int64_t throttle_ms;

	const struct policy_window *windows; /* none: always */
	size_t window_count;

	bool return_home; /* afterwards: guests go back when it is over */

	/* forbid: no policy makes a move for which it is true (vm, host, target),
	 * while the conditions hold (without any: always). */
	struct policy_expr forbid;

	const char *const *notify; /* names of receivers; none: all that want
				    * the event */
	size_t notify_count;

	/* limits: each -1 when absent (then drover.yaml's) */
	int limit_total, limit_per_source, limit_per_target;

	/* with: handover, max_downtime, timeout */
	enum policy_handover handover;
	int64_t max_downtime_ms; /* 0: QEMU's default (300 ms) */
	int64_t timeout_ms;      /* of one attempt; default 30 min */

	/* select: include_stopped: shut-off guests that are defined go too */
	bool include_stopped;

	/* with: strategies: default live-shared, live-copy, restart */
	int strategies[POLICY_STRATEGIES_MAX];
	size_t strategy_count;
	int64_t bandwidth; /* bytes/s of one move; 0: its share of the link */
	/* with: converge: [ downtime, throttle, post-copy, pause ]: rungs of
	 * enum converge_rung; default downtime and throttle */
	unsigned converge;
	int64_t downtime_step_max_ms; /* with.converge_downtime: the limit may
				       * rise to this; default max_downtime,
				       * else 2 s; never less than it */
	int64_t pause_max_ms; /* with.max_pause: the longest pause that is
			       * begun on purpose; default 30 s */
	/* with: shutdown: { timeout: 3m, repeat: 30s, force: false } */
	int64_t shutdown_ms, shutdown_repeat_ms;
	bool force_off;

	/* on_failure: { retries:, backoff: } */
	int retries;        /* further attempts; default 3 */
	int64_t backoff_ms; /* before the 2nd; doubles; default
					 * 5 s */

	const char *file;
	unsigned line, column; /* of the policy */
	unsigned when_line; /* of its first condition; of forbid, without one */
};

/*
 * placement: what is true of guests wherever they are moved, by whatever policy
 * or operator; a file of policies may hold some.  A hard rule rejects a target, a
 * soft one makes it less liked.
 */
enum placement_kind {
	PLACEMENT_APART,    /* guests with one value of the label: different
			     * hosts */
	PLACEMENT_TOGETHER, /* ... : the same host, or none is there yet */
	PLACEMENT_HOSTS,    /* only hosts for which `hosts` is true */
	PLACEMENT_SPREAD,   /* evenly over the values of a label of hosts */
};
struct placement {
	const char *name;
	enum placement_kind kind;
	struct policy_expr vms;   /* vm: whom it is about; absent: all */
	const char *label;        /* of guests; of hosts with SPREAD */
	struct policy_expr hosts; /* target, vm; of PLACEMENT_HOSTS */
	bool hard;                /* default true; SPREAD is always soft */
	const char *file;
	unsigned line;
};

/* What holds for a move that no policy asked for: everything that has a default
 * gets it, the rest is 0 or, where that is its word for absent, -1. */
void policy_set_defaults(struct policy *policy);

struct settings;
/* The mode of one of the settings' policies: as set while the daemon ran (`modes`,
 * parallel to settings->policies; NULL: none was), or the file's. */
enum policy_mode policy_mode_now(const struct settings *settings,
    const enum policy_mode *modes, const struct policy *policy);

/* The words of the language: "auto", "largest-first", "strict". */
const char *policy_mode_name(enum policy_mode mode);
const char *policy_subject_name(enum policy_subject subject); /* "host" */
const char *policy_use_name(enum policy_use use);
const char *policy_order_name(enum policy_order order);
const char *policy_handover_name(enum policy_handover handover);

#endif

#ifndef DROVER_CONFIG_POLICY_H
#define DROVER_CONFIG_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct expr;

/*
 * A policy, first form (drover-policy(7)): when an expression holds for a host,
 * its guests are moved to other hosts.
 */

enum policy_mode { POLICY_OFF, POLICY_OBSERVE, POLICY_AUTO };
enum policy_order {
	POLICY_ORDER_MEMORY_ASC,
	POLICY_ORDER_MEMORY_DESC,
	POLICY_ORDER_NAME
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

	/* when: { host: EXPR } */
	const struct expr *when_host;
	const char *when_host_text;

	/* select: { except: [ name globs ], order: } */
	const char *const *except;
	size_t except_count;
	enum policy_order order; /* default: largest memory first */

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
	unsigned line;      /* of the policy */
	unsigned when_line; /* of its when.host */
};

/* What holds for a move that no policy asked for: everything that has a default
 * gets it, the rest is 0 or, where that is its word for absent, -1. */
void policy_set_defaults(struct policy *policy);

/* The words of the language: "auto", "largest-first", "strict". */
const char *policy_mode_name(enum policy_mode mode);
const char *policy_order_name(enum policy_order order);
const char *policy_handover_name(enum policy_handover handover);

#endif

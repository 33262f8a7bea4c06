#ifndef DROVER_PLAN_CLUSTER_H
#define DROVER_PLAN_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the planner plans for: hosts and guests as plain arrays that refer to one
 * another by index, so that twenty thousand guests fit into the caches and one
 * move changes a few numbers.  Bytes, cores' worth of load and milliseconds.
 * Pure; built by plan_read (a snapshot file) or from a struct snapshot.
 */

#define PLAN_NONE UINT32_MAX

/* How a guest goes; as enum strategy of decide/. */
enum plan_way { PLAN_LIVE_SHARED, PLAN_LIVE_COPY, PLAN_RESTART };

struct plan_host {
	const char *name;
	double cpus;     /* cores */
	double cpu_used; /* cores' worth of all that runs there; NAN unknown */
	int64_t memory;  /* bytes that guests may have: total less reserve */
	int64_t disk; /* bytes of local storage for guests; -1 none, unknown */
	bool accepts; /* false: in maintenance, cordoned or down */
	bool up;      /* false: nothing can be moved off it either */
	int limit_in, limit_out; /* moves at once; 0: the cluster's */
	uint32_t group;          /* of its spread label (a rack); PLAN_NONE */
};

struct plan_guest {
	const char *name, *uuid;
	uint32_t host; /* where it is */
	double cpu;    /* cores' worth of load; NAN unknown */
	int vcpus;
	int64_t memory;   /* bytes that it takes at a host; 0: it is off */
	int64_t overhead; /* of these, QEMU's own, which do not go along */
	int64_t disk;     /* bytes of local disks, which go along; 0: shared */
	int64_t dirty_rate; /* bytes/s; -1 unknown */
	bool runs;
	bool stays; /* pinned, excepted: is part of the load only */
	enum plan_way way;
	/* Guests of one class are kept on different hosts (hard); PLAN_NONE. */
	uint32_t apart;
	/* Hosts that it may be on: bits by host index, or NULL for all. */
	const uint64_t *allowed;
};

struct plan_limits {
	int total, per_source, per_target; /* moves at once; 0: no limit */
	int64_t link; /* bytes/s of a host's link, shared by its moves; 0: a
		       * gigabit is taken */
};

struct plan_cluster {
	struct plan_host *hosts;
	uint32_t host_count;
	struct plan_guest *guests;
	uint32_t guest_count;
	uint32_t apart_count; /* classes are numbered below this */
	struct plan_limits limits;
};

struct plan_move {
	uint32_t guest, from, to; /* indexes */
	enum plan_way way;
	uint32_t wave;           /* from 1; moves of a wave begin together */
	bool parking;            /* makes room; the guest moves once more */
	int64_t begin_ms;        /* predicted, from the beginning of the plan */
	int64_t ms, downtime_ms; /* predicted; -1 unknown */
	double score;            /* of the cluster after it */
	const char *reason;      /* in the result's arena */
};

struct plan_blocked {
	uint32_t guest;
	const char *reason; /* each host and what it lacks, grouped */
};

/* Everything in it lives in the arena that was given to the planner. */
struct plan_result {
	struct plan_move *moves; /* each is feasible when its turn comes */
	uint32_t move_count;
	struct plan_blocked *blocked;
	uint32_t blocked_count;
	double score_before, score_after;
	int64_t makespan_ms;
};

#endif

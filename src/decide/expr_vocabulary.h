#ifndef DROVER_DECIDE_EXPR_VOCABULARY_H
#define DROVER_DECIDE_EXPR_VOCABULARY_H

#include "decide/expr_value.h"

/*
 * The names that expressions know, for each kind of thing that they speak
 * about.  The manual's list (drover-policy(7), EXPRESSIONS) is compared with
 * these tables by the tests.
 */

enum expr_scope {
	EXPR_SCOPE_HOST,    /* a host that a policy looks at; of a guest, its
			       own */
	EXPR_SCOPE_VM,      /* a guest */
	EXPR_SCOPE_TARGET,  /* a host that a guest may go to */
	EXPR_SCOPE_CLUSTER, /* all hosts */
	EXPR_SCOPE_EVENT    /* what came in as an alert */
};
#define EXPR_SCOPE_COUNT 5

struct expr_name {
	const char *name;
	enum expr_type type;
	bool labels; /* stands for labels.ANYTHING, strings */
	const char *meaning;
	/* All that a string can be, ends with NULL; else NULL. */
	const char *const *words;
};

struct expr_vocabulary {
	const char *prefix; /* "host": host.cpu is its cpu */
	const struct expr_name *names;
	size_t count;
};

const struct expr_vocabulary *expr_vocabulary_of(enum expr_scope scope);

/* The indexes of names, that lookups are asked with. */
enum expr_host_name {
	EXPR_HOST_NAME,
	EXPR_HOST_UP,
	EXPR_HOST_MAINTENANCE,
	EXPR_HOST_CORDONED,
	EXPR_HOST_CPU,
	EXPR_HOST_STEAL,
	EXPR_HOST_MEMORY,
	EXPR_HOST_MEMORY_FREE,
	EXPR_HOST_SWAP_IN,
	EXPR_HOST_PSI_CPU,
	EXPR_HOST_PSI_MEMORY,
	EXPR_HOST_PSI_IO,
	EXPR_HOST_VMS,
	EXPR_HOST_POOLS,
	EXPR_HOST_ALERTS,
	EXPR_HOST_LABELS,
	EXPR_HOST_COUNT
};

/* A target has the names of a host, and then these. */
enum expr_target_name {
	EXPR_TARGET_CPU_AFTER = EXPR_HOST_COUNT,
	EXPR_TARGET_MEMORY_AFTER,
	EXPR_TARGET_MEMORY_FREE_AFTER,
	EXPR_TARGET_VMS_AFTER,
	EXPR_TARGET_COUNT
};

enum expr_vm_name {
	EXPR_VM_NAME,
	EXPR_VM_STATE,
	EXPR_VM_CPU,
	EXPR_VM_MEMORY,
	EXPR_VM_VCPUS,
	EXPR_VM_DIRTY_RATE,
	EXPR_VM_STORAGE,
	EXPR_VM_DISK_ALLOCATED,
	EXPR_VM_DISK_IOPS,
	EXPR_VM_NET,
	EXPR_VM_HOSTDEV_COUNT,
	EXPR_VM_AGE,
	EXPR_VM_LAST_MOVED,
	EXPR_VM_LABELS,
	EXPR_VM_COUNT
};

enum expr_cluster_name {
	EXPR_CLUSTER_CPU_STDDEV,
	EXPR_CLUSTER_IMBALANCE,
	EXPR_CLUSTER_HOSTS_UP,
	EXPR_CLUSTER_COUNT
};

enum expr_event_name {
	EXPR_EVENT_TYPE,
	EXPR_EVENT_SEVERITY,
	EXPR_EVENT_LABELS,
	EXPR_EVENT_COUNT
};

#endif

/*
 * One row for each name.  A name without a row does not exist, and a lookup
 * that cannot tell a value says unknown, so that a name may stand here before
 * every hypervisor can answer it.
 */
#include "decide/expr_vocabulary.h"

/* The words of facts_state_name(). */
static const char *const states[] = {"no state", "running", "blocked", "paused",
    "in shutdown", "shut off", "crashed", "pmsuspended", NULL};

static const char *const storages[] = {
    "shared", "local", "mixed", "diskless", NULL};

/* clang-format off */
#define HOST_NAMES \
	[EXPR_HOST_NAME] = {.name = "name", .type = EXPR_STRING, \
	    .meaning = "its name"}, \
	[EXPR_HOST_UP] = {.name = "up", .type = EXPR_BOOL, \
	    .meaning = "it answers"}, \
	[EXPR_HOST_MAINTENANCE] = {.name = "maintenance", .type = EXPR_BOOL, \
	    .meaning = "it is in maintenance"}, \
	[EXPR_HOST_CORDONED] = {.name = "cordoned", .type = EXPR_BOOL, \
	    .meaning = "it takes no guests"}, \
	[EXPR_HOST_CPU] = {.name = "cpu", .type = EXPR_PERCENT, \
	    .meaning = "of its processor time, what is used"}, \
	[EXPR_HOST_STEAL] = {.name = "steal", .type = EXPR_PERCENT, \
	    .meaning = "of the time that its guests could run, what they " \
	    "waited for a processor"}, \
	[EXPR_HOST_MEMORY] = {.name = "memory", .type = EXPR_PERCENT, \
	    .meaning = "of its memory, what is used"}, \
	[EXPR_HOST_MEMORY_FREE] = {.name = "memory.free", .type = EXPR_BYTES, \
	    .meaning = "of its memory, what is free"}, \
	[EXPR_HOST_SWAP_IN] = {.name = "swap_in", .type = EXPR_RATE, \
	    .meaning = "what it reads back from swap"}, \
	[EXPR_HOST_PSI_CPU] = {.name = "psi.cpu", .type = EXPR_PERCENT, \
	    .meaning = "time in which something waited for a processor"}, \
	[EXPR_HOST_PSI_MEMORY] = {.name = "psi.memory", \
	    .type = EXPR_PERCENT, \
	    .meaning = "time in which something waited for memory"}, \
	[EXPR_HOST_PSI_IO] = {.name = "psi.io", .type = EXPR_PERCENT, \
	    .meaning = "time in which something waited for a disk"}, \
	[EXPR_HOST_VMS] = {.name = "vms", .type = EXPR_NUMBER, \
	    .meaning = "guests that run on it"}, \
	[EXPR_HOST_POOLS] = {.name = "pools", .type = EXPR_LIST, \
	    .meaning = "the names of its active storage pools"}, \
	[EXPR_HOST_ALERTS] = {.name = "alerts", .type = EXPR_LIST, \
	    .meaning = "the names of alerts that are on for it"}, \
	[EXPR_HOST_LABELS] = {.name = "labels", .type = EXPR_STRING, \
	    .labels = true, .meaning = "labels.NAME is one of its labels"}
/* clang-format on */

static const struct expr_name host_names[] = {HOST_NAMES};

static const struct expr_name target_names[] = {HOST_NAMES,
    [EXPR_TARGET_CPU_AFTER] = {.name = "cpu_after",
	.type = EXPR_PERCENT,
	.meaning = "cpu, once the guest has arrived"},
    [EXPR_TARGET_MEMORY_AFTER] = {.name = "memory_after",
	.type = EXPR_PERCENT,
	.meaning = "memory, once the guest has arrived"},
    [EXPR_TARGET_MEMORY_FREE_AFTER] = {.name = "memory.free_after",
	.type = EXPR_BYTES,
	.meaning = "memory.free, once the guest has arrived"},
    [EXPR_TARGET_VMS_AFTER] = {.name = "vms_after",
	.type = EXPR_NUMBER,
	.meaning = "vms, once the guest has arrived"}};

static const struct expr_name vm_names[] = {
    [EXPR_VM_NAME] = {.name = "name",
	.type = EXPR_STRING,
	.meaning = "its name"},
    [EXPR_VM_STATE] = {.name = "state",
	.type = EXPR_STRING,
	.meaning = "running, paused, shut off, ...",
	.words = states},
    [EXPR_VM_CPU] = {.name = "cpu",
	.type = EXPR_PERCENT,
	.meaning = "of the time of its virtual processors, what is used"},
    [EXPR_VM_MEMORY] = {.name = "memory",
	.type = EXPR_BYTES,
	.meaning = "the memory that it has"},
    [EXPR_VM_VCPUS] = {.name = "vcpus",
	.type = EXPR_NUMBER,
	.meaning = "its virtual processors"},
    [EXPR_VM_DIRTY_RATE] = {.name = "dirty_rate",
	.type = EXPR_RATE,
	.meaning = "how fast it writes to its memory"},
    [EXPR_VM_STORAGE] = {.name = "storage",
	.type = EXPR_STRING,
	.meaning = "shared, local, mixed or diskless",
	.words = storages},
    [EXPR_VM_DISK_ALLOCATED] = {.name = "disk.allocated",
	.type = EXPR_BYTES,
	.meaning = "what its disks take up"},
    [EXPR_VM_DISK_IOPS] = {.name = "disk.iops",
	.type = EXPR_NUMBER,
	.meaning = "requests to its disks per second"},
    [EXPR_VM_NET] = {.name = "net",
	.type = EXPR_RATE,
	.meaning = "what it sends and receives"},
    [EXPR_VM_HOSTDEV_COUNT] = {.name = "hostdev.count",
	.type = EXPR_NUMBER,
	.meaning = "devices of its host that it has"},
    [EXPR_VM_AGE] = {.name = "age",
	.type = EXPR_DURATION,
	.meaning = "how long it has been known"},
    [EXPR_VM_LAST_MOVED] = {.name = "last_moved",
	.type = EXPR_DURATION,
	.meaning = "how long ago it was moved last; its age if never"},
    [EXPR_VM_LABELS] = {.name = "labels",
	.type = EXPR_STRING,
	.labels = true,
	.meaning = "labels.NAME is one of its labels"},
};

static const struct expr_name cluster_names[] = {
    [EXPR_CLUSTER_CPU_STDDEV] = {.name = "cpu_stddev",
	.type = EXPR_PERCENT,
	.meaning = "the standard deviation of cpu between hosts"},
    [EXPR_CLUSTER_IMBALANCE] = {.name = "imbalance",
	.type = EXPR_NUMBER,
	.meaning = "the score that balancing makes smaller; 0 is even"},
    [EXPR_CLUSTER_HOSTS_UP] = {.name = "hosts_up",
	.type = EXPR_NUMBER,
	.meaning = "hosts that answer"},
};

static const struct expr_name event_names[] = {
    [EXPR_EVENT_TYPE] = {.name = "type",
	.type = EXPR_STRING,
	.meaning = "the name of the alert"},
    [EXPR_EVENT_SEVERITY] = {.name = "severity",
	.type = EXPR_STRING,
	.meaning = "its severity"},
    [EXPR_EVENT_LABELS] = {.name = "labels",
	.type = EXPR_STRING,
	.labels = true,
	.meaning = "labels.NAME is one of its labels"},
};

static const struct expr_vocabulary vocabularies[EXPR_SCOPE_COUNT] = {
    [EXPR_SCOPE_HOST] = {"host", host_names, EXPR_HOST_COUNT},
    [EXPR_SCOPE_VM] = {"vm", vm_names, EXPR_VM_COUNT},
    [EXPR_SCOPE_TARGET] = {"target", target_names, EXPR_TARGET_COUNT},
    [EXPR_SCOPE_CLUSTER] = {"cluster", cluster_names, EXPR_CLUSTER_COUNT},
    [EXPR_SCOPE_EVENT] = {"event", event_names, EXPR_EVENT_COUNT},
};

const struct expr_vocabulary *
expr_vocabulary_of(enum expr_scope scope)
{
	return &vocabularies[scope];
}

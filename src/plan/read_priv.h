#ifndef DROVER_PLAN_READ_PRIV_H
#define DROVER_PLAN_READ_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "config/schema.h"
#include "config/settings.h"
#include "plan/read.h"

/*
 * A snapshot's file as it is written, between plan/read_schema.c, which knows
 * its keys, plan/read.c, which makes a cluster of it, and trial/, where time
 * passes for it.  -1 and NAN: the key is absent.
 */

enum read_storage {
	READ_STORAGE_UNKNOWN,
	READ_STORAGE_SHARED,
	READ_STORAGE_LOCAL,
	READ_STORAGE_MIXED,
	READ_STORAGE_DISKLESS
};

struct read_host {
	const char *name;
	double cpus, cpu_used;
	int64_t memory, reserve_memory, disk;
	bool maintenance, cordoned, up;
	const struct settings_label *labels; /* sorted by key */
	size_t label_count;
	int outbound, inbound;
};

struct read_vm {
	const char *name, *uuid; /* uuid may be NULL in the file */
	const char *host;
	int state;
	int vcpus;
	int64_t memory, dirty_rate, disk_allocated;
	double cpu_used;
	int storage; /* enum read_storage */
	bool pinned;
	const struct settings_label *labels;
	size_t label_count;
};

struct read_snapshot {
	struct read_host *hosts;
	size_t host_count;
	struct read_vm *vms;
	size_t vm_count;
	struct settings_limits limits;
	const char *apart; /* NULL: none */
};

/*
 * Reads a snapshot as plan_read() does: every fault is in `diags` when it returns
 * false, and then *out is left alone.  Hosts are sorted by name, guests by UUID,
 * which each has.  What is read lives in `arena`, of which it takes at most
 * PLAN_READ_SNAPSHOT_MAX; nothing refers to `text` or `file` afterwards.
 */
#define PLAN_READ_SNAPSHOT_MAX(len) (2 * PLAN_READ_ARENA_MAX + (len))
bool plan_read_snapshot(struct arena *arena, const char *file, const char *text,
    size_t len, struct diag_list *diags, struct read_snapshot *out);

/* Fills in UUIDs and brings both into that order; guests of one UUID are next to
 * each other then. */
void plan_read_sort(struct read_host *hosts, size_t host_count,
    struct read_vm *vms, size_t vm_count);

extern const struct schema plan_read_schema;
/* Its parts, which the files of policy tests have as well.  Whoever reads hosts
 * has a map of their names as the context's `user`. */
extern const struct schema plan_read_host_schema;      /* struct read_host */
extern const struct schema plan_read_vm_schema;        /* struct read_vm */
extern const struct schema plan_read_limits_schema;    /* settings_limits */
extern const struct schema *const plan_read_schemas[]; /* ends with NULL */

/* The value of the key "schema": is it one that this program knows? */
void plan_read_check_version(
    const struct schema_context *ctx, const struct node *node, void *object);

#endif

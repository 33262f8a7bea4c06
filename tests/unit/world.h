#ifndef DROVER_TESTS_WORLD_H
#define DROVER_TESTS_WORLD_H

#include "config/settings.h"
#include "model/snapshot.h"

/*
 * A small site for tests of decisions: hosts kvm1, kvm2, ... (64 GiB each, 60
 * free, 1 kept free, 16 CPUs, 4 used, known for long, bridge br0, network default, pools as
 * given) and guests, as a snapshot that the test then changes.  All hosts
 * accept every CPU.  Guests have one disk under /srv/images, which is shared.
 */

#define GIB ((int64_t)1 << 30)
#define WORLD_MAX 64

struct world {
	struct arena *arena;
	struct settings settings;
	struct snapshot s;
	const char *shared_paths[1];
};

void world_init(struct world *world, size_t hosts);
void world_clear(struct world *world);

/* Running, on hosts[host]; the UUID is made from the number of guests. */
struct snap_vm *world_add_vm(
    struct world *world, size_t host, const char *name, int64_t memory);
void world_add_move(
    struct world *world, const struct snap_vm *vm, const char *to);
void world_add_attempt(struct world *world, const struct snap_vm *vm,
    const char *to, int failures, const char *why);

/* A policy "maintenance" of this expression, mode auto, other keys as their
 * defaults; to be changed by the test. */
struct policy *world_add_policy(struct world *world, const char *when);

#endif

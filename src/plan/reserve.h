#ifndef DROVER_PLAN_RESERVE_H
#define DROVER_PLAN_RESERVE_H

#include "base/arena.h"
#include "plan/cluster.h"

/*
 * What the hosts have left while a plan is made: memory, disk and who is where.
 * A guest on its way counts at both ends from reserve_begin() to reserve_end().
 * Pure; lives in the arena, refers to the cluster.
 */

/* What a host lacks for a guest; bits. */
enum reserve_lack {
	RESERVE_DOWN = 1,   /* the target is down */
	RESERVE_CLOSED = 2, /* takes in nobody, or is the one being emptied */
	RESERVE_FORBIDDEN = 4, /* the guest may not be there */
	RESERVE_APART = 8,     /* one of its class is there or coming */
	RESERVE_DISK = 16,
	RESERVE_MEMORY = 32,
};

/* These stay whoever else moves. */
#define RESERVE_FIRM (RESERVE_DOWN | RESERVE_CLOSED | RESERVE_FORBIDDEN)

struct reserve {
	const struct plan_cluster *cluster;
	uint32_t emptied;       /* the host that takes in nobody; PLAN_NONE */
	int64_t *memory, *disk; /* bytes taken, by host */
	double *cpu;            /* cores' worth of load, by host; NAN unknown */
	uint32_t *at, *going;   /* by guest; going: PLAN_NONE while it rests */
	uint32_t *class_first;  /* class c: members [first[c], first[c + 1]) */
	uint32_t *class_members;
};

struct reserve *reserve_new(
    struct arena *arena, const struct plan_cluster *cluster, uint32_t emptied);

/* 0: it may go there now.  Where it is already it may not go (CLOSED). */
unsigned reserve_lacks(
    const struct reserve *reserve, uint32_t guest, uint32_t host);

/* Takes room at `to`; the guest must rest.  Nothing is checked. */
void reserve_begin(struct reserve *reserve, uint32_t guest, uint32_t to);
/* It has arrived: its room at the source is free. */
void reserve_end(struct reserve *reserve, uint32_t guest);
/* Both at once; also to take a move back. */
void reserve_move(struct reserve *reserve, uint32_t guest, uint32_t to);

/* One of the guest's class that is at `host` or on the way there, PLAN_NONE if
 * there is none. */
uint32_t reserve_twin(
    const struct reserve *reserve, uint32_t guest, uint32_t host);

/* How full a host would be with the guest: the larger part of memory and load,
 * 0 to 1 and above.  A load that is not known counts as full. */
double reserve_fill(
    const struct reserve *reserve, uint32_t guest, uint32_t host);

#endif

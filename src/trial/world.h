#ifndef DROVER_TRIAL_WORLD_H
#define DROVER_TRIAL_WORLD_H

#include "act/history.h"
#include "decide/evaluate.h"
#include "model/snapshot.h"
#include "trial/trial.h"

/*
 * The site of a test at one moment, as a snapshot that decisions can be made of,
 * and the moves that change it.  Everything that the file does not speak about is
 * as it should be: hosts are alike, have all networks and pools, and accept every
 * guest.
 */

/* How long a move takes of which nothing can be foretold. */
#define WORLD_MOVE_MS (30 * 1000)

/* What the clocks show when a test begins. */
#define WORLD_BEGIN_MS ((int64_t)24 * 3600 * 1000)
/* How long guests have been known by then. */
#define WORLD_AGE_MS ((int64_t)24 * 3600 * 1000)

struct world_move {
	size_t vm; /* index in snapshot.vms */
	const char *from, *to;
	const char *policy;
	int64_t backoff_ms; /* of the policy, should it fail */
	enum strategy strategy;
	int64_t begun_ms, ends_ms;
	bool ended, failed;
	const char *why; /* of a failure */
	bool together;   /* of a decision about all hosts together (balance) */
	/* What the policy saw, and why this guest goes there. */
	const char *seen, *reason;
};

/* That a policy has put a host into maintenance, or cordoned it. */
struct world_flag {
	const char *host, *policy;
	enum trial_flag flag;
	int64_t at_ms;
};

/* What the guests of a host come to. */
struct world_sum {
	double cpu; /* of a host that is told about: to be added to that */
	bool cpu_told;
	int64_t memory, memory_began; /* bytes; of those that began there */
	int64_t local; /* bytes of their disks on local storage */
};

/* NULL: not told. */
struct world_series {
	const struct series *figures[TRIAL_FIGURES];
};

struct world {
	struct arena *arena;
	const struct trial *trial;
	const struct trial_case *c;
	int64_t now_ms; /* from the beginning of the test */
	struct snapshot s;
	struct history *history;
	struct watch *watch;
	struct world_series *host_series, *vm_series;
	struct snap_alert *alerts; /* as in c->alerts */
	struct snap_alert **on;    /* per host: those that are on */
	size_t *homes;             /* per guest: the host where it began */
	struct world_sum *sums;    /* per host, as of now */
	struct world_flag *flags;  /* in order of time */
	size_t flag_count;
	const char *down_why; /* of a host that does not answer */
	bool *flagged_cordoned,
	    *flagged_maintenance;       /* per host, by policies */
	int *failed;                    /* per entry of c->fails: how often */
	struct world_move *moves;       /* in order of time */
	struct evaluate_recent *recent; /* room for them; see below */
	size_t move_count, move_room;
};

void world_init(struct world *world, struct arena *arena,
    const struct trial *trial, const struct trial_case *c);
void world_clear(struct world *world);

/* Ends the moves that are due, and sets all figures to those of that time, which
 * is never before the last one. */
void world_set_time(struct world *world, int64_t now_ms);

/* The guest of the item is on its way from now on. */
void world_begin_move(struct world *world,
    const struct evaluate_decision *decision, const struct evaluate_item *item);

/* Moves that succeed or are under way, for an evaluation; until the next change. */
const struct evaluate_recent *world_recent(
    struct world *world, size_t *out_count);

/* A policy sets the flag of a host; false: it has it already. */
bool world_set_flag(struct world *world, const struct snap_host *host,
    enum trial_flag flag, const struct policy *policy);

/* When something happens next by itself (a sample, an alert, the end of a move), after
 * now. */
int64_t world_next(const struct world *world);

static inline struct mono
world_mono(int64_t ms)
{
	return (struct mono){WORLD_BEGIN_MS + ms};
}

static inline int64_t
world_since(struct mono t)
{
	return t.ms - WORLD_BEGIN_MS;
}

#endif

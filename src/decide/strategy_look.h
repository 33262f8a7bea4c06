#ifndef DROVER_DECIDE_STRATEGY_LOOK_H
#define DROVER_DECIDE_STRATEGY_LOOK_H

#include "decide/strategy.h"

/*
 * What the files of strategies share; nobody else includes this.
 */

struct strategy_look {
	struct arena *arena;
	const struct settings *settings;
	const struct snapshot *s;
	const struct snap_host *source, *target;
	const struct snap_vm *vm;
	const struct strategy_wish *wish;
	const struct storage_result *storage;
	int64_t (*disk_taken)(const char *host, const char *pool, void *arg);
	void *arg;
};

/* One strategy's try: what it would do, filled in by its rules. */
struct strategy_try {
	const struct strategy_look *look;
	enum strategy strategy;
	struct strategy_result plan;
	bool wait; /* set by a rule that refuses: it may pass by itself */
};

struct strategy_rule {
	const char *name;
	/* NULL: passes; else why not, in words. */
	const char *(*check)(struct strategy_try *try);
};

/* Ends with a NULL name. */
extern const struct strategy_rule strategy_live_shared_rules[];
extern const struct strategy_rule strategy_live_copy_rules[];
extern const struct strategy_rule strategy_restart_rules[];

/* Rules that several strategies have (strategy_live.c). */
const char *strategy_check_metadata(struct strategy_try *try);
const char *strategy_check_media(struct strategy_try *try);
const char *strategy_check_running(struct strategy_try *try);
const char *strategy_check_pins(struct strategy_try *try);
const char *strategy_check_reachable(struct strategy_try *try);
const char *strategy_check_cpu(struct strategy_try *try);
const char *strategy_check_abi_known(struct strategy_try *try);
const char *strategy_check_cache(struct strategy_try *try);
const char *strategy_check_refused(struct strategy_try *try);
const char *strategy_check_sampled(struct strategy_try *try);

/* Rules about the images that go along (strategy_disks.c). */
const char *strategy_check_path(struct strategy_try *try);
const char *strategy_check_kinds(struct strategy_try *try);
const char *strategy_check_surveyed(struct strategy_try *try);
const char *strategy_check_chains(struct strategy_try *try);
const char *strategy_check_pool(struct strategy_try *try);
const char *strategy_check_volume(struct strategy_try *try);
const char *strategy_check_room(struct strategy_try *try);

/* A disk of its own, not a medium, that is not shared with all below it: the
 * index in storage->disks. */
bool strategy_is_local(const struct storage_result *storage, size_t i);

/* Fills plan->predicted of an otherwise complete plan (strategy_predict.c). */
void strategy_predict(
    const struct strategy_look *look, struct strategy_result *plan);

#endif

#ifndef DROVER_ACT_PILOT_H
#define DROVER_ACT_PILOT_H

#include "act/decisions.h"
#include "act/alerts.h"
#include "act/drains.h"
#include "act/executor.h"
#include "act/flags.h"
#include "act/marker.h"
#include "act/modes.h"
#include "config/settings.h"
#include "hv/link.h"
#include "model/inventory.h"

/*
 * Turns what is known into what is done: whenever something has changed it takes a
 * snapshot, evaluates the policies and starts the moves that may start.  Changes
 * are coalesced: however many come in one turn of the loop, it evaluates once.
 * Also asks hosts whether they could run the guests of the others.  Loop thread
 * only.
 */

struct pilot;

struct pilot_deps {
	struct loop *loop;
	struct inventory *inventory;
	struct executor *executor;
	struct drains *drains;
	struct flags *flags;
	struct decisions *decisions; /* NULL: no record */
	struct modes *modes;         /* NULL: as the policies say */
	struct marker *marker;       /* NULL: no proofs by markers */
	struct leftovers *leftovers; /* NULL: none are kept */
	struct alerts *alerts;       /* NULL: none are taken */
	struct link *(*link)(const char *host, void *arg);
	void *arg;
};

struct pilot *pilot_new(const struct pilot_deps *deps);
/* Before the workers are freed. */
void pilot_close(struct pilot *p);
void pilot_free(struct pilot *pilot);
/* Not owned; must stay until replaced. */
void pilot_configure(struct pilot *pilot, const struct settings *settings);

/* What moves policies made before the daemon was started, and which guests want to
 * go home. */
int pilot_load(struct pilot *pilot, struct store *store, struct err *err);

/* Nothing is started before this is called once. */
void pilot_begin(struct pilot *pilot);
void pilot_changed(struct pilot *pilot);
/* A guest of the host was read, or is gone.  Looks at once where a move, a drain or
 * a decision may wait for it, else as for a load: with many hosts such news
 * come all the time, and a turn looks at everything.  Where a turn takes long it
 * is taken for all that changed since the last one, and the loop has as much time
 * for others as for turns. */
void pilot_guest_changed(struct pilot *pilot, const char *host);
/* A host's load has been read: conditions are looked at, within PILOT_SAMPLED_MS,
 * since with many hosts that is all the time. */
#define PILOT_SAMPLED_MS 1000
void pilot_sampled(struct pilot *pilot);
/* Evaluates at once, for one who waits for the answer. */
void pilot_turn(struct pilot *pilot);
void pilot_move_ended(
    struct pilot *pilot, const struct executor_report *report);

/* See act/homes.h: of one guest (NULL: it does not want to go home), and all that
 * want to go home to a host. */
json_t *pilot_home(const struct pilot *pilot, const char *uuid);
json_t *pilot_homes(const struct pilot *pilot, const char *host);

/* Asks again now for what failed before (an operator drains again). */
void pilot_retry(struct pilot *pilot, const char *host);

/* Somebody asks about this guest: what a survey can tell of it comes next. */
void pilot_wonder(struct pilot *pilot, const char *uuid);

/* Makes the plan of the open drain of this host (decide/route.h) and gives it to
 * the drain.  Returns route_json(); NULL when the host was never seen. */
json_t *pilot_route(struct pilot *pilot, const char *host);

/* What everything is seen as now, with moves in flight.  free: snapshot_free. */
struct snapshot *pilot_snapshot(struct pilot *pilot);
/* The rest of what an evaluation needs. */
void pilot_fill_input(struct pilot *pilot, const struct snapshot *snapshot,
    struct evaluate_input *out);

/* What an operator says of his own move of a guest. */
struct pilot_wish {
	const char *only_to;          /* NULL: the best host */
	const enum strategy *only_by; /* NULL: what is noticed least */
	bool dry_run;
	bool force; /* also what a policy forbids */
};
/*
 * An operator's own move of one guest.  *choice is filled in the arena also when
 * nothing was started.  Returns the move's id, 0 for a dry run, -1 with the reason
 * in err.
 */
int64_t pilot_move_guest(struct pilot *pilot, struct arena *arena,
    const struct snapshot *snapshot, const struct snap_vm *vm,
    const struct pilot_wish *by, struct place_choice *choice, struct err *err);

#endif

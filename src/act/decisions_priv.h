#ifndef DROVER_ACT_DECISIONS_PRIV_H
#define DROVER_ACT_DECISIONS_PRIV_H

#include "act/decisions.h"
#include "base/buf.h"
#include "base/map.h"

/* Between decisions*.c and their test. */

struct activation {
	int64_t id; /* 0: not written yet */
	char *policy, *host, *by;
	enum policy_mode mode;
	bool home;  /* about guests that come back; see evaluate_decision */
	bool known; /* print is that of what is written or pending */
	uint64_t print;
	uint64_t noted; /* the turn */
	struct wall at, updated;
	json_t *body; /* to be written; NULL: nothing is */
	char *summary;
	bool announce;
	bool withdrawn;     /* the approval is to be taken back */
	struct map *starts; /* UUIDs of guests that it moves, or moved */
};

struct decisions {
	struct store *store;
	struct announce *announce;
	const struct settings *settings;
	struct map *map; /* "policy" or "policy host" -> activation */
	uint64_t turn;
	struct wall pruned;
	bool failing, full; /* said so */
};

/* decisions_body.c: what is written of a decision. */

/* Of all that makes it another decision to a person; figures in reasons do not,
 * nor does the order of its guests. */
uint64_t decisions_print(const struct evaluate_decision *decision);

/* "3 start, 1 moving, 2 wait, 1 blocked" */
void decisions_summarise(
    const struct evaluate_decision *decision, struct buf *out);

/*
 * Makes the object's text no longer than `max` bytes: first hosts that were
 * rejected go, but for three of each guest, then guests from the end on; how many
 * is said (rejected_left_out, items_left_out).
 */
void decisions_cut(json_t *object, size_t max);

#endif

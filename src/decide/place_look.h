#ifndef DROVER_DECIDE_PLACE_LOOK_H
#define DROVER_DECIDE_PLACE_LOOK_H

#include "decide/place.h"

/*
 * What the files of placing share (place.c, place_guest.c, place_filter.c);
 * nobody else includes this.
 */

struct place_look {
	struct arena *arena;
	const struct settings *settings;
	const struct snapshot *s;
	struct place_ledger *ledger;
	const struct place_request *request;
	const struct snap_host *source;
	/* Per host: the guest there that has this one's name or UUID. */
	const struct snap_vm **taken;
};

/* PLACE_GUEST_OK, or why the guest stays whatever the hosts say; *out_wait when
 * it will pass by itself. */
enum place_guest_rule place_check_guest(
    const struct place_look *look, bool *out_wait, const char **out_why);

/* One host's answer. */
struct place_verdict {
	enum place_rule rule; /* PLACE_OK, or the first that fails */
	const char *why;
	bool wait;   /* that is all, and it may pass by itself */
	size_t rank; /* of the strategy that it then would be; see
		       * strategy_result.  SIZE_MAX: not known */
	struct strategy_result strategy; /* if it came to that */
};

void place_check_host(const struct place_look *look,
    const struct snap_host *host, struct place_verdict *out);

/* NULL, or why nothing may be begun at this host. */
const char *place_words_claim(
    struct arena *arena, const struct snap_host *host);

/* Memory that is free there for another guest, after what is reserved; the
 * figures must be known. */
int64_t place_memory_left(
    const struct place_look *look, const struct snap_host *host);

#endif

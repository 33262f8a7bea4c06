#ifndef DROVER_DECIDE_PLACE_LOOK_H
#define DROVER_DECIDE_PLACE_LOOK_H

#include "decide/place.h"
#include "decide/placement.h"

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
	const struct placement_view *placement; /* NULL: no rule is about it */
};

/* place_taken.c: fills look->taken. */
void place_find_taken(struct place_look *look);
/* Why nobody moves it anywhere: it runs at another host as well.  NULL: it does
 * not. */
const char *place_words_twice(const struct place_look *look, bool *out_wait);

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

/* A host that could take it, as the ladder compares it. */
struct place_candidate {
	const struct snap_host *host;
	struct place_verdict verdict;
	int failures;              /* 1 */
	size_t rank;               /* 2: of its strategy, in the wish */
	bool planned;              /* 3 */
	const struct guard *guard; /* NULL: no policy's wishes */
	unsigned wishes;           /* 4: that it leaves open, first highest */
	int spread;                /* 5: moves to hosts of its kind */
	bool tight;                /* 6 */
	int memory_percent;        /* 6: in use after the move */
	int broken;                /* 7: soft rules of placement */
	const char *broken_why;    /* the first of them */
	struct placement_crowd crowds[PLACEMENT_CROWDS_MAX]; /* 8 */
	size_t crowd_count;
	int inbound, inbound_limit;  /* 9 */
	int load_band, load_percent; /* 10 */
	int64_t free_permille;       /* 11 */
};

/* place_wishes.c: steps 7 and 8. */
void place_weigh_wishes(
    const struct place_look *look, struct place_candidate *candidate);
int place_compare_broken(
    const struct place_candidate *a, const struct place_candidate *b);
const char *place_words_broken(struct arena *arena,
    const struct place_candidate *better, const struct place_candidate *other);
int place_compare_crowds(
    const struct place_candidate *a, const struct place_candidate *b);
const char *place_words_crowds(struct arena *arena,
    const struct place_candidate *better, const struct place_candidate *other);

/* NULL, or why nothing may be begun at this host. */
const char *place_words_claim(
    struct arena *arena, const struct snap_host *host);

/* Memory that is free there for another guest, after what is reserved; the
 * figures must be known. */
int64_t place_memory_left(
    const struct place_look *look, const struct snap_host *host);

#endif

#ifndef DROVER_TESTS_FAKE_HV_H
#define DROVER_TESTS_FAKE_HV_H

#include <stdbool.h>

#include "hv/hv.h"

/*
 * One host that does what a test tells it.  Each kind of call can be held:
 * calls then wait inside until they are let go.  Every change of the host has
 * a number, and what a read returns carries the number that was current when
 * the read began (as a domain's `name`, and as a listing's `hostname`).  All
 * functions may be called from any thread.
 */
enum fake_call {
	FAKE_OPEN,
	FAKE_LIST,
	FAKE_DOMAIN,
	FAKE_LOAD,
	FAKE_STATS,
	FAKE_JOB,
	FAKE_MIGRATE,
	FAKE_CLAIM,
	FAKE_UNCLAIM,
	FAKE_SURVEY,
	FAKE_PREPARE,
	FAKE_REMOVE,
	FAKE_NAMES,
	FAKE_HAS_FILE,
	FAKE_CALLS
};

extern const struct hv_ops fake_hv;
/* Its `stats`, which it does not have unless a test wants it to. */
int fake_stats(
    struct hv_conn *conn, bool disks, struct facts_load *out, struct err *err);

void fake_reset(void);
void fake_hold(enum fake_call call);
void fake_let_go(enum fake_call call);
/* The next `count` calls fail. */
void fake_fail(
    enum fake_call call, int count, enum err_code code, const char *message);
void fake_change(void);
void fake_remove_domain(void);

/* Emits on the main connection that is open, on the caller's thread. */
void fake_emit(enum hv_event_kind kind, const char *uuid);
/* The main connection breaks: it tells so, and is not alive any more. */
void fake_break(const char *why);
/* Idle connections break without telling. */
void fake_break_idle(void);

/* The guest that survey number n (from 0) was of, with a '+' behind it when its
 * memory was sampled; NULL: there were not so many.  It finds one image with
 * this path, allocation and rate. */
const char *fake_surveyed(int n);
void fake_set_survey(const char *path, int64_t allocation, int64_t dirty_rate);

/* Every host has the files that begin with this, and no others. */
void fake_set_files(const char *prefix);

/* The folder (1 to 9; 0: none) that the one pool of this host is: hosts with the
 * same one share it.  With `stale` a host goes on seeing it as it read it last,
 * until it writes to it: so do network file systems. */
void fake_set_folder(int host, int folder);
void fake_set_stale(bool stale);
int fake_volumes(void); /* that are there, in all folders */

/* Marks are kept per host: its URI ends in its number, 1 to 9.  An empty owner is
 * none. */
struct hv_mark fake_mark(int host);
void fake_set_mark(int host, const char *owner, int64_t beat);

int fake_begun(enum fake_call call);  /* calls so far */
int fake_inside(enum fake_call call); /* in this moment */
int fake_most_inside(enum fake_call call);
int fake_opened(void); /* connections, successfully */
int fake_closed(void);
/* A connection was used after it was closed, or by two at once. */
int fake_misused(void);

#endif

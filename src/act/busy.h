#ifndef DROVER_ACT_BUSY_H
#define DROVER_ACT_BUSY_H

#include "hv/link.h"
#include "model/facts.h"

/*
 * Guests whose next change libvirt will not tell: one that a job holds (a
 * backup, a migration that has just arrived) is looked at again every BUSY_MS
 * until the job is over; one that has just been migrated away by others is looked
 * at BUSY_TRIES times more, since its definition goes without an event.  Loop
 * thread only.
 */
#define BUSY_MS 250
#define BUSY_TRIES 4

struct busy;

struct busy *busy_new(struct loop *loop,
    struct link *(*link)(const char *host, void *arg), void *arg);
void busy_free(struct busy *busy); /* NULL allowed */

/* What was just read of a guest. */
void busy_note(
    struct busy *busy, const char *host, const struct facts_domain *domain);
/* It is no longer there. */
void busy_forget(struct busy *busy, const char *host, const char *uuid);

#endif

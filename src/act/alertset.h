#ifndef DROVER_ACT_ALERTSET_H
#define DROVER_ACT_ALERTSET_H

#include "act/alert_read.h"
#include "config/settings.h"

/*
 * Which alerts are on, as told by news that may come twice, late, or in another
 * order than they happened.  Pure: time is given.
 *
 * An alert is known by its fingerprint, else by its labels.  It goes when it is
 * resolved, when its end has passed, and when it was not repeated for
 * `expire_ms`: then whoever told of it is gone, or has forgotten it.
 *
 * News are old, and change nothing, when they are of a resolution that ended
 * before the alert that is on began, or of a firing that began before a
 * resolution which came less than ALERTSET_LATE_MS ago (as long as Alertmanager
 * tries to deliver; later, the same beginning means that it went on).
 */

#define ALERTSET_MAX 10000
#define ALERTSET_LATE_MS 300000
/* What was on when the daemon ended stays at least so long after its start, so
 * that those who repeat it get round to it. */
#define ALERTSET_GRACE_MS 900000

struct alertset;

struct alertset_item {
	char *identity, *fingerprint; /* fingerprint NULL: none was told */
	struct snap_alert alert;
	struct wall ends;    /* ms 0: not told */
	struct wall seen;    /* last told of */
	struct wall keep;    /* not before this, unless it is resolved */
	const char *host;    /* as the settings name it; NULL: fits none */
	struct arena *arena; /* of all that */
};

enum alertset_effect {
	ALERTSET_ON,    /* it was not before */
	ALERTSET_AGAIN, /* still on */
	ALERTSET_OFF,   /* it was on before */
	ALERTSET_NONE,  /* a resolution of what was not on; past its end */
	ALERTSET_OLD,   /* old news */
	ALERTSET_FULL,  /* ALERTSET_MAX are on */
};

struct alertset *alertset_new(void);
void alertset_free(struct alertset *set); /* NULL allowed */

/* Hosts are found anew for all.  The settings must stay until replaced. */
void alertset_configure(struct alertset *set, const struct settings *settings);

/* *out: what is on (ON, AGAIN), until the next change; else NULL. */
enum alertset_effect alertset_apply(struct alertset *set,
    const struct alert_news *news, struct wall now,
    const struct alertset_item **out);

/* One that was on before a restart.  Returns -1 when it is none, or too many. */
int alertset_restore(struct alertset *set, const struct alert_news *news,
    struct wall seen, struct wall now);

/* Drops those whose time has come, and tells of each before that. */
void alertset_expire(struct alertset *set, struct wall now,
    void (*fn)(const struct alertset_item *item, void *arg), void *arg);
/* When the next one's time comes; INT64_MAX: none is on. */
struct wall alertset_next(const struct alertset *set);

/* By name, beginning and labels.  Valid until the next change. */
const struct alertset_item *const *alertset_items(
    struct alertset *set, size_t *out_count);

#endif

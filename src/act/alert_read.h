#ifndef DROVER_ACT_ALERT_READ_H
#define DROVER_ACT_ALERT_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/snapshot.h"

/*
 * What Alertmanager posts to a webhook (its version 4; prometheus.io,
 * "Configuration", webhook_config), as a list of alerts.  Keys that are not
 * needed here are passed over: the format is somebody else's and grows.
 */

#define ALERT_BODY_MAX ((size_t)1 << 20)
#define ALERT_DEPTH_MAX 16
#define ALERT_LABELS_MAX 64
#define ALERT_LABELS_SIZE_MAX 4096 /* bytes of all labels of one alert */
#define ALERT_TEXT_MAX 255         /* of a name, a severity, a fingerprint */

struct alert_news {
	bool firing;             /* else resolved */
	const char *fingerprint; /* NULL: none was told */
	const char *identity; /* all labels as one JSON text, sorted by key: the
			       * same for the same alert */
	struct snap_alert alert; /* name "" without a label alertname; since
				  * ms 0: not told */
	struct wall ends;        /* ms 0: not told */
};

struct alert_batch {
	struct alert_news *items;
	size_t count;
};

/*
 * The batch lives in the arena.  NULL: ERR_INVALID says what is wrong and where
 * ("alerts[3].startsAt: ..."); nothing of the body is to be used then.
 */
struct alert_batch *alert_read(
    struct arena *arena, const char *body, size_t len, struct err *err);

/* The labels of an identity, as alert_read() would have them, with name and
 * severity.  Returns -1 when it is none. */
int alert_read_labels(
    struct arena *arena, const char *identity, struct snap_alert *out);

#endif

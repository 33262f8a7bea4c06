#ifndef DROVER_CTL_STREAM_H
#define DROVER_CTL_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Server-sent events (HTML Living Standard 9.2), from bytes that come in any
 * pieces. */

#define STREAM_EVENT_MAX ((size_t)4 * 1024 * 1024)

struct stream {
	struct buf line, data;
	char id[64]; /* of the last that was passed on; "" none */
	char pending_id[64];
	bool (*fn)(const char *id, const char *data, void *arg);
	void *arg;
};

/* fn is called with each whole event; false stops. */
void stream_init(struct stream *stream,
    bool (*fn)(const char *id, const char *data, void *arg), void *arg);
void stream_free(struct stream *stream);
/* Forgets an event that is half there (the connection was lost). */
void stream_reset(struct stream *stream);
/* False: fn said stop, or an event is larger than STREAM_EVENT_MAX. */
bool stream_feed(struct stream *stream, const char *bytes, size_t len);

#endif

#ifndef DROVER_CONTROL_SSE_H
#define DROVER_CONTROL_SSE_H

#include <event2/http.h>

#include "control/backend.h"
#include "run/loop.h"

/*
 * Followers of the event stream (server-sent events, HTML Living Standard 9.2).
 * A follower is a place in the stored events and at most SSE_CHUNK_MAX bytes
 * that are on their way to it: one that reads slowly gets everything later and
 * holds no memory meanwhile.  Loop thread only.
 */

#define SSE_CHUNK_MAX (128 * 1024) /* plus the event that passes it */
#define SSE_BATCH 100              /* events read from the store at once */
#define SSE_HEARTBEAT_MS 15000

struct sse;

struct sse *sse_new(struct loop *loop, const struct control_backend *backend,
    int followers_max);
/* Call it after the connections are gone (evhttp_free). */
void sse_free(struct sse *sse); /* NULL allowed */

/* Answers `request` with events of seq > after, for as long as it stays.
 * -1 with ERR_LIMIT: there are too many; the request is not answered. */
int sse_follow(struct sse *sse, struct evhttp_request *request, int64_t after,
    struct err *err);

/* There is something new in the store. */
void sse_wake(struct sse *sse);

int sse_count(const struct sse *sse);

#endif

#ifndef DROVER_CONTROL_LATER_H
#define DROVER_CONTROL_LATER_H

#include <event2/http.h>

#include "control/backend.h"

/*
 * Requests whose answer takes a while: each is held until its answer is there,
 * or until the client has left.  Loop thread only.
 */

struct later;

/* Sends the answer, or with answer NULL why there is none.  The answer is the
 * caller's. */
typedef void later_send_fn(
    struct evhttp_request *request, json_t *answer, const struct err *err);

struct later *later_new(int max, later_send_fn *send);
/* After the HTTP server is freed; later_done must not be called any more. */
void later_free(struct later *later);

/* Returns what later_done wants as `arg`, or NULL: ERR_LIMIT. */
void *later_hold(
    struct later *later, struct evhttp_request *request, struct err *err);
/* A control_done_fn: the answer is taken. */
void later_done(json_t *answer, const struct err *err, void *arg);
/* There will be no answer; the request is the caller's again. */
void later_let_go(void *arg);

#endif

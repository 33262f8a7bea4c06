#ifndef DROVER_CONTROL_ROUTES_H
#define DROVER_CONTROL_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "control/backend.h"

/*
 * Requests to calls of the backend, by one table.  Nothing here knows evhttp or
 * sockets: a request is a method, a path and a body; a reply is a status and a
 * JSON object.  Loop thread only (the backend's rule).
 */

#define ROUTES_NAME_MAX 255  /* bytes of a host's or guest's name */
#define ROUTES_TEXT_MAX 1024 /* bytes of a reason */
#define ROUTES_LIST_MAX 1000 /* rows that one list may ask for */
#define ROUTES_LIST_DEFAULT 100
#define ROUTES_METRICS_MAX (1 << 20)
#define ROUTES_ALERTS "/v1/alerts" /* its body is the caller's own format */

struct routes_request {
	const char *method;
	const char *path;  /* as received: percent-encoded */
	const char *query; /* what follows '?'; NULL: nothing */
	const char *body;
	size_t body_len;
	const char *last_event_id; /* header; NULL: none */
	struct control_peer peer;
};

struct routes_reply {
	int status;        /* of HTTP */
	json_t *body;      /* the caller's; NULL when following, or text */
	char *text;        /* instead of JSON; the caller's (free()) */
	const char *allow; /* the method that fits, with 405 */
	bool follow;       /* answer with a stream of events */
	int64_t after;     /* ... with seq > after */
	struct routes_test *test; /* answer when it is there; the caller's */
};

/* A test that is to be begun (control_backend.receiver_test); free() it. */
struct routes_test {
	char name[ROUTES_NAME_MAX + 1];
	char event[ROUTES_NAME_MAX + 1]; /* "": any */
};

/* Always fills *reply. */
void routes_dispatch(const struct control_backend *backend,
    const struct routes_request *request, struct routes_reply *reply);

/* What an answer that came later, or err, is for a reply; answer is not taken. */
void routes_finish(
    json_t *answer, const struct err *err, struct routes_reply *reply);

/* {"schema": ..., "error": {...}}; `details` (array or NULL) is taken. */
json_t *routes_error(const char *code, const char *message, json_t *details);

#endif

#ifndef DROVER_CTL_HTTP_H
#define DROVER_CTL_HTTP_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Questions to the daemon, over its unix socket. */

#define HTTP_ANSWER_MAX ((size_t)256 * 1024 * 1024)
#define HTTP_TIMEOUT_MS 30000 /* of one question */

enum http_outcome {
	HTTP_DONE,        /* 2xx */
	HTTP_REFUSED,     /* the daemon answered with an error */
	HTTP_GONE,        /* no daemon, or it went away */
	HTTP_DENIED,      /* not permitted to use the socket */
	HTTP_INTERRUPTED, /* the stop flag was set */
};

struct http_reply {
	enum http_outcome outcome;
	long status;    /* of HTTP; 0: none */
	json_t *body;   /* NULL: none */
	struct err err; /* when not done */
};

struct http;

/* `stop` (may be NULL) ends a question within a second once it is not 0. */
struct http *http_new(
    const char *socket_path, const volatile sig_atomic_t *stop);
void http_free(struct http *http);
const char *http_socket(const struct http *http);
/* How long an answer may take; HTTP_TIMEOUT_MS unless set. */
void http_set_timeout(struct http *http, int64_t ms);

/* `body` is not taken; NULL: none.  Free the reply with http_reply_free(). */
void http_ask(struct http *http, const char *method, const char *path,
    const json_t *body, struct http_reply *out);
void http_reply_free(struct http_reply *reply);

/* A GET whose answer does not end: fn gets the bytes as they come and returns
 * false to stop (HTTP_INTERRUPTED).  `header` ("Last-Event-ID: 5") or NULL. */
void http_stream(struct http *http, const char *path, const char *header,
    bool (*fn)(const char *data, size_t len, void *arg), void *arg,
    struct http_reply *out);

#endif

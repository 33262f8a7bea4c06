#ifndef DROVER_NOTIFY_HTTP_H
#define DROVER_NOTIFY_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "run/loop.h"

/*
 * HTTP POST on the loop, by curl's multi interface.  Loop thread only.  http
 * and https alone, no redirects, connections are reused, names are resolved
 * without blocking the loop.  No text that comes from here holds the URL or a
 * part of it.
 */

#define HTTP_HEADERS_MAX 8

struct http;
struct http_request;

struct http_answer {
	int code;              /* 0: none came */
	int64_t retry_after_s; /* 0: at once, or not said */
	const char *text;      /* what was kept of the body, made printable
				 * ASCII; valid during the callback */
	const char *error;     /* why the exchange broke; NULL: it did not */
};

struct http_post {
	const char *url;
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value"; NULL ends */
	const void *body;                      /* copied */
	size_t len;
	int64_t timeout_ms; /* of the whole exchange */
	size_t answer_max;  /* the rest of the body is not read */

	/* The final status line and headers are here.  Must not call http_*. */
	void (*on_status)(int code, void *arg);
	/* Always the last call; the request is gone after it. */
	void (*on_done)(const struct http_answer *answer, void *arg);
	void *arg;
};

struct http *http_new(struct loop *loop, struct err *err);
/* Breaks what is in flight off, without a call of on_done. */
void http_free(struct http *http); /* NULL allowed */

struct http_request *http_post(
    struct http *http, const struct http_post *post, struct err *err);

#endif

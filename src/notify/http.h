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

/* How to get there; all NULL or 0: as curl does by itself. */
struct http_transport {
	const char *unix_socket;
	const char *proxy;   /* NULL: none, whatever the environment says */
	const char *ca_file; /* PEM, in place of the system's */
	const char *cert_file, *key_file; /* the client's, PEM */
	const char *server_name; /* of the certificate, if not the URL's */
	int64_t connect_timeout_ms;
};

struct http_post {
	const char *url;
	const struct http_transport *transport; /* NULL: see there; read
						 * during the call alone */
	const char *method;                     /* NULL: POST */
	const char *const *more_headers;        /* after the others */
	size_t more_count;
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

#ifndef DROVER_NOTIFY_HTTP_H
#define DROVER_NOTIFY_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "run/loop.h"

/*
 * HTTP requests on the loop, by curl's multi interface.  Loop thread only.
 * http and https alone, HTTP/1.1, no redirects; TLS is at least 1.2 and its
 * certificates are always verified.  Connections are reused, names are resolved
 * without blocking the loop, and neither a request nor the end waits for a
 * name server.  No text that comes from here holds the URL or a part of it,
 * a header, or what curl says about them.
 *
 * Whatever the other side does, a request ends within its timeout and holds
 * no more than answer_max of the body and HTTP_ANSWER_HEADERS_MAX of headers.
 */

#define HTTP_HEADERS_MAX 8
#define HTTP_ANSWER_HEADERS_MAX (64 * 1024) /* bytes, 1xx answers included */

struct http;
struct http_request;

struct http_answer {
	int code;              /* 0: none came */
	int64_t retry_after_s; /* 0: at once, or not said */
	const char *text;      /* what was kept of the body, made printable
				* ASCII; valid during the callback */
	const char *error;     /* why the exchange broke; NULL: it did not */
};

/*
 * How to get there; all NULL or 0: by TCP, straight, with the system's
 * certificates.  The environment (http_proxy, no_proxy, ...) plays no part.
 *
 * With server_name the TLS handshake asks for that name and the certificate
 * must be for it; where one connects to and the Host header are the URL's.
 * An HTTP proxy is asked for a tunnel to https URLs, and is verified by the
 * system's certificates when it is an https proxy.  A proxy that wants a login
 * (407) is no answer: code is 0.
 */
struct http_transport {
	const char *unix_socket; /* not together with proxy */
	const char *proxy;       /* NULL: none, whatever the environment says */
	const char *ca_file;     /* PEM, in place of the system's */
	const char *cert_file, *key_file; /* the client's, PEM; without
					   * key_file cert_file holds both; a
					   * key under a password is refused */
	const char *server_name;    /* of the certificate, if not the URL's */
	int64_t connect_timeout_ms; /* names, connecting and TLS; 0: as the
				     * whole */
};

struct http_post {
	const char *url;
	const struct http_transport *transport; /* NULL: see there; read
						 * during the call alone */
	const char *method;                     /* POST or PUT; NULL: POST */
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

/*
 * NULL: it was not begun.  ERR_INVALID for what can never be sent: a header
 * that is none, holds a line break or another control character, or would
 * change how the body is framed; a URL that is not http or https; another
 * method.
 */
struct http_request *http_post(
    struct http *http, const struct http_post *post, struct err *err);

#endif

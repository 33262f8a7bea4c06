#ifndef DROVER_NOTIFY_HTTP_PRIVATE_H
#define DROVER_NOTIFY_HTTP_PRIVATE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "notify/http.h"

/*
 * What the files of HTTP share.  Loop thread only.
 */

struct http_request {
	LIST_ENTRY(http_request) link;
	struct http *http;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	void (*on_status)(int code, void *arg);
	void (*on_done)(const struct http_answer *answer, void *arg);
	void *arg;
	bool asks_proxy;     /* plain HTTP by an HTTP proxy, which answers */
	int code;            /* of the final answer; 0: not yet */
	size_t header_bytes; /* of all its headers, also of 1xx answers */
	const char *why;     /* we broke it off; constant; NULL */
	char *text;
	size_t len, max;
	char detail[CURL_ERROR_SIZE]; /* curl's own words, never told */
};

/* ---- http_setup.c ---- */

/* Everything that `post` asks of curl, but the callbacks.  What it refuses
 * (ERR_INVALID) it says without quoting it. */
int http_setup_request(struct http_request *request,
    const struct http_post *post, struct err *err);

/* ---- http_error.c ---- */

#define HTTP_ERROR_SIZE 128

/* Why the exchange broke, in words that hold no name, address or path. */
void http_error_explain(const struct http_request *request, CURLcode result,
    char out[HTTP_ERROR_SIZE]);

#endif

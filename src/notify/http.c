/*
 * curl's multi interface on libevent.
 *
 * curl says which sockets it waits for (http_watch) and when it wants to be
 * called at the latest (http_set_timer); libevent calls back into
 * curl_multi_socket_action().  Finished exchanges are collected after each
 * such call and never inside curl's own callbacks, since those must not call
 * back into curl.
 *
 * A receiver's URL often is its secret (chat services), and curl's messages
 * quote host names and paths.  So errors are told by curl's constant texts and
 * errno alone, and what a receiver answers is for the record, not for logs:
 * an error page likes to repeat the path it was asked for.
 *
 * Should a name server hang, ending a request must not wait for the resolver's
 * thread: CURLOPT_QUICK_EXIT leaves it behind.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "notify/http.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

#define HTTP_IDLE_CONNECTIONS 64L

struct http_request {
	LIST_ENTRY(http_request) link;
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	void (*on_status)(int code, void *arg);
	void (*on_done)(const struct http_answer *answer, void *arg);
	void *arg;
	int code; /* of the final answer; 0: not yet */
	char *text;
	size_t len, max;
};

struct http {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	LIST_HEAD(, http_request) requests;
};

static void
http_free_request(struct http_request *r)
{
	LIST_REMOVE(r, link);
	curl_multi_remove_handle(r->http->multi, r->easy);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	free(r->text);
	free(r);
}

static const char *
http_explain(CURLcode result, long os_error, char out[128])
{
	if (result == CURLE_OK)
		return NULL;
	if (os_error != 0)
		snprintf(out, 128, "%s (%s)", curl_easy_strerror(result),
		    strerror((int)os_error));
	else
		snprintf(out, 128, "%s", curl_easy_strerror(result));
	return out;
}

static void
http_finish(struct http_request *r, CURLcode result)
{
	struct http_answer answer = {.code = r->code};
	curl_off_t after = 0;
	long os_error = 0;
	char why[128];

	curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &after);
	curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_error);
	answer.retry_after_s = after > 0 ? after : 0;
	/* We stopped reading ourselves, or the answer was complete enough. */
	if (result == CURLE_WRITE_ERROR && r->code != 0)
		result = CURLE_OK;
	answer.error = http_explain(result, os_error, why);
	answer.text = r->text;
	r->on_done(&answer, r->arg);
	http_free_request(r);
}

static void
http_collect(struct http *http)
{
	struct http_request *r = NULL;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &r);
		http_finish(r, msg->data.result);
	}
}

static void
http_on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct http *http = arg;
	int action = 0, running;

	if ((what & EV_READ) != 0)
		action |= CURL_CSELECT_IN;
	if ((what & EV_WRITE) != 0)
		action |= CURL_CSELECT_OUT;
	curl_multi_socket_action(http->multi, fd, action, &running);
	http_collect(http);
}

static void
http_on_timer(void *arg)
{
	struct http *http = arg;
	int running;

	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	http_collect(http);
}

static int
http_set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct http *http = arg;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_clear(http->timer);
	else
		loop_timer_set(http->timer, timeout_ms);
	return 0;
}

static int
http_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *old)
{
	struct http *http = arg;
	struct event *event = old;
	short kind = EV_PERSIST;

	(void)easy;
	if (event != NULL)
		event_free(event);
	curl_multi_assign(http->multi, fd, NULL);
	if (what == CURL_POLL_REMOVE)
		return 0;
	if ((what & CURL_POLL_IN) != 0)
		kind |= EV_READ;
	if ((what & CURL_POLL_OUT) != 0)
		kind |= EV_WRITE;
	event =
	    event_new(loop_base(http->loop), fd, kind, http_on_socket, http);
	if (event == NULL || event_add(event, NULL) != 0) {
		if (event != NULL)
			event_free(event);
		return -1;
	}
	curl_multi_assign(http->multi, fd, event);
	return 0;
}

static size_t
http_on_header(char *line, size_t size, size_t count, void *arg)
{
	struct http_request *r = arg;
	long code = 0;

	(void)size;
	/* An empty line ends a header; 1xx answers have one of their own. */
	if (count > 2 || line[count - 1] != '\n' || r->code != 0)
		return count;
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &code);
	if (code >= 200) {
		r->code = (int)code;
		r->on_status(r->code, r->arg);
	}
	return count;
}

static size_t
http_on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_request *r = arg;
	size_t n = count < r->max - r->len ? count : r->max - r->len;

	(void)size;
	for (size_t i = 0; i < n; i++) {
		char c = data[i];

		r->text[r->len++] = c >= ' ' && c <= '~' ? c
		    : c == '\n' || c == '\t'             ? ' '
							 : '?';
	}
	r->text[r->len] = '\0';
	return n == count ? count : 0;
}

static int
http_configure(struct http_request *r, const struct http_post *post)
{
	CURL *e = r->easy;
	CURLcode rc = CURLE_OK;

#define SET(option, value)                                                     \
	do {                                                                   \
		if (rc == CURLE_OK)                                            \
			rc = curl_easy_setopt(e, (option), (value));           \
	} while (0)
	SET(CURLOPT_PRIVATE, r);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_USERAGENT, "Drover/" PACKAGE_VERSION);
	SET(CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)post->timeout_ms);
	SET(CURLOPT_URL, post->url);
	SET(CURLOPT_HTTPHEADER, r->headers);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->len);
	SET(CURLOPT_COPYPOSTFIELDS, post->body);
	SET(CURLOPT_HEADERFUNCTION, http_on_header);
	SET(CURLOPT_HEADERDATA, r);
	SET(CURLOPT_WRITEFUNCTION, http_on_body);
	SET(CURLOPT_WRITEDATA, r);
#undef SET
	return rc == CURLE_OK ? 0 : -1;
}

static int
http_add_headers(struct http_request *r, const struct http_post *post)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0;
	     list != NULL && i < HTTP_HEADERS_MAX && post->headers[i] != NULL;
	     i++) {
		r->headers = list;
		list = curl_slist_append(list, post->headers[i]);
	}
	if (list == NULL)
		return -1;
	r->headers = list;
	return 0;
}

struct http_request *
http_post(struct http *http, const struct http_post *post, struct err *err)
{
	struct http_request *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		err_set(err, ERR_IO, "memory is short");
		return NULL;
	}
	r->http = http;
	r->on_status = post->on_status;
	r->on_done = post->on_done;
	r->arg = post->arg;
	r->max = post->answer_max;
	LIST_INSERT_HEAD(&http->requests, r, link);
	r->text = calloc(1, r->max + 1);
	r->easy = curl_easy_init();
	if (r->text == NULL || r->easy == NULL ||
	    http_add_headers(r, post) != 0 || http_configure(r, post) != 0 ||
	    curl_multi_add_handle(http->multi, r->easy) != CURLM_OK) {
		err_set(err, ERR_IO,
		    "the request could not be made: memory "
		    "is short, or its URL is none");
		http_free_request(r);
		return NULL;
	}
	return r;
}

struct http *
http_new(struct loop *loop, struct err *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		free(http);
		err_set(err, ERR_IO, "libcurl could not be started");
		return NULL;
	}
	LIST_INIT(&http->requests);
	http->loop = loop;
	http->timer = loop_timer_new(loop, http_on_timer, http);
	http->multi = curl_multi_init();
	if (http->multi == NULL ||
	    curl_multi_setopt(
		http->multi, CURLMOPT_SOCKETFUNCTION, http_watch) != CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) !=
		CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION,
		http_set_timer) != CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) !=
		CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS,
		HTTP_IDLE_CONNECTIONS) != CURLM_OK) {
		http_free(http);
		err_set(err, ERR_IO, "libcurl could not be set up");
		return NULL;
	}
	return http;
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	while (!LIST_EMPTY(&http->requests))
		http_free_request(LIST_FIRST(&http->requests));
	curl_multi_cleanup(http->multi);
	loop_timer_free(http->timer);
	curl_global_cleanup();
	free(http);
}

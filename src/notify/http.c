/*
 * curl's multi interface on libevent.
 *
 * curl says which sockets it waits for (http_watch) and when it wants to be
 * called at the latest (http_set_timer); libevent calls back into
 * curl_multi_socket_action().  Finished exchanges are collected after each
 * such call and never inside curl's own callbacks, since those must not call
 * back into curl.
 *
 * The other side may be broken or hostile.  Time is bounded by curl's
 * timeouts, the body by answer_max, after which we stop reading, and the
 * headers are counted here: curl bounds one line, but as many 1xx answers as
 * one likes may come before the final one.
 *
 * What a receiver answers is for the record, not for logs: an error page likes
 * to repeat the path it was asked for.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "notify/http_private.h"

#include <event2/event.h>
#include <stdlib.h>

#define HTTP_IDLE_CONNECTIONS 64L

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
	curl_slist_free_all(r->connect_to);
	free(r->text);
	free(r);
}

static void
http_finish(struct http_request *r, CURLcode result)
{
	struct http_answer answer = {.code = r->code, .text = r->text};
	char error[HTTP_ERROR_SIZE];
	curl_off_t after = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &after);
	answer.retry_after_s = after > 0 ? after : 0;
	/* We stopped reading ourselves, or the answer was complete enough. */
	if (result == CURLE_WRITE_ERROR && r->code != 0)
		result = CURLE_OK;
	if (r->code == 0 && r->why != NULL) {
		answer.error = r->why;
	} else if (result != CURLE_OK) {
		http_error_explain(r, result, error);
		answer.error = error;
	} else if (r->code == 0) {
		answer.error = "what it sent is no whole answer";
	}
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
	r->header_bytes += count;
	if (r->header_bytes > HTTP_ANSWER_HEADERS_MAX) {
		r->why = "the headers of its answer have no end";
		return 0;
	}
	/* An empty line ends a header; 1xx answers have one of their own. */
	if (count > 2 || line[count - 1] != '\n' || r->code != 0)
		return count;
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &code);
	if (code == 407 && r->asks_proxy) {
		r->why = "the proxy asks for a login: HTTP 407";
	} else if (code >= 200) {
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
http_listen(struct http_request *r, struct err *err)
{
	CURL *e = r->easy;

	if (curl_easy_setopt(e, CURLOPT_PRIVATE, r) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->detail) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, http_on_header) ==
		CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HEADERDATA, r) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, http_on_body) ==
		CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_WRITEDATA, r) == CURLE_OK &&
	    curl_multi_add_handle(r->http->multi, e) == CURLM_OK)
		return 0;
	return err_set(err, ERR_IO, "the request could not be made");
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
	if (r->text == NULL || r->easy == NULL) {
		err_set(err, ERR_IO, "memory is short");
		http_free_request(r);
		return NULL;
	}
	if (http_setup_request(r, post, err) != 0 || http_listen(r, err) != 0) {
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

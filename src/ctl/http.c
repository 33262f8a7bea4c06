/*
 * libcurl speaks HTTP over the unix socket; what this file adds is telling
 * apart the ways in which there is no answer, because what a person should do
 * differs: start the daemon, name the right socket, or join a group.  curl says
 * only that it could not connect, so the socket is tried once more by hand to
 * learn why.
 */

#include "ctl/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "ctl/field.h"

struct http {
	CURL *curl;
	char *socket_path;
	int64_t timeout_ms;
	const volatile sig_atomic_t *stop;
};

struct sink {
	CURL *curl;
	struct buf text;
	bool (*fn)(const char *data, size_t len, void *arg);
	void *arg;
};

struct http *
http_new(const char *socket_path, const volatile sig_atomic_t *stop)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		abort();
	http->curl = curl_easy_init();
	http->socket_path = strdup(socket_path);
	http->stop = stop;
	http->timeout_ms = HTTP_TIMEOUT_MS;
	if (http->curl == NULL || http->socket_path == NULL)
		abort();
	return http;
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	curl_easy_cleanup(http->curl);
	curl_global_cleanup();
	free(http->socket_path);
	free(http);
}

const char *
http_socket(const struct http *http)
{
	return http->socket_path;
}

void
http_set_timeout(struct http *http, int64_t ms)
{
	http->timeout_ms = ms;
}

static size_t
on_data(char *data, size_t size, size_t count, void *arg)
{
	struct sink *sink = arg;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(sink->curl, CURLINFO_RESPONSE_CODE, &status);
	if (sink->fn != NULL && status == 200)
		return sink->fn(data, len, sink->arg) ? len : 0;
	return buf_add(&sink->text, data, len) == 0 ? len : 0;
}

static int
on_progress(void *arg, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	const struct http *http = arg;

	(void)down_total;
	(void)down;
	(void)up_total;
	(void)up;
	return http->stop != NULL && *http->stop != 0;
}

/* Why can nobody connect?  Returns the errno of a connection, 0 if it works. */
static int
try_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, result;

	if (strlen(path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	result =
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0
	    ? 0
	    : errno;
	close(fd);
	return result;
}

static void
explain_denied(const char *path, struct http_reply *out)
{
	const struct group *group = NULL;
	struct stat st;

	out->outcome = HTTP_DENIED;
	if (stat(path, &st) == 0 && (st.st_mode & S_IWGRP) && st.st_gid != 0)
		group = getgrgid(st.st_gid);
	err_set(&out->err, ERR_REFUSED,
	    "not permitted to use %s: become root, "
	    "or a member of group %s (usermod -aG %s USER, then log in again)",
	    path, group != NULL ? group->gr_name : "drover",
	    group != NULL ? group->gr_name : "drover");
}

static void
explain_gone(const struct http *http, struct http_reply *out)
{
	const char *path = http->socket_path;
	int cause = try_socket(path);

	out->outcome = HTTP_GONE;
	switch (cause) {
	case EACCES:
	case EPERM:
		explain_denied(path, out);
		break;
	case ENOENT:
	case ENOTDIR:
		err_set(&out->err, ERR_UNREACHABLE,
		    "is droverd running? There "
		    "is no socket %s (start it with systemctl start droverd, "
		    "or name its socket with -s or DROVER_SOCKET)",
		    path);
		break;
	case ECONNREFUSED:
		err_set(&out->err, ERR_UNREACHABLE,
		    "is droverd running? "
		    "Nobody answers at %s (start it with systemctl start "
		    "droverd, or name its socket with -s or DROVER_SOCKET)",
		    path);
		break;
	default:
		err_set(&out->err, ERR_UNREACHABLE, "no answer at %s: %s", path,
		    cause != 0 ? strerror(cause) : "the connection broke");
		break;
	}
}

/* The daemon's own words about an error, when it has any. */
static void
explain_refused(struct http_reply *out)
{
	static const enum err_code codes[] = {ERR_INVALID, ERR_NOT_FOUND,
	    ERR_CONFLICT, ERR_LIMIT, ERR_IO, ERR_UNREACHABLE, ERR_TIMEOUT,
	    ERR_ABORTED, ERR_REFUSED};
	const json_t *error = json_object_get(out->body, "error");
	const char *name = field_text_or(error, "code", "");
	const char *message = field_text(error, "message");
	enum err_code code = ERR_INTERNAL;

	out->outcome = out->status == 403 ? HTTP_DENIED : HTTP_REFUSED;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(err_code_name(codes[i]), name) == 0)
			code = codes[i];
	if (message != NULL)
		err_set(&out->err, code, "%s", message);
	else
		err_set(&out->err, code,
		    "droverd answered with status %ld and "
		    "no reason",
		    out->status);
}

static void
understand(struct http *http, CURLcode result, struct sink *sink,
    struct http_reply *out)
{
	json_error_t where;

	if (http->stop != NULL && *http->stop != 0 && result != CURLE_OK) {
		out->outcome = HTTP_INTERRUPTED;
		return;
	}
	if (result == CURLE_OPERATION_TIMEDOUT) {
		out->outcome = HTTP_GONE;
		err_set(&out->err, ERR_TIMEOUT, "droverd at %s does not answer",
		    http->socket_path);
		return;
	}
	if (result == CURLE_WRITE_ERROR && sink->fn == NULL) {
		out->outcome = HTTP_REFUSED;
		err_set(&out->err, ERR_LIMIT, "the answer is too large");
		return;
	}
	if (result == CURLE_WRITE_ERROR) {
		out->outcome = HTTP_INTERRUPTED;
		return;
	}
	if (result != CURLE_OK) {
		explain_gone(http, out);
		return;
	}
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &out->status);
	if (sink->fn != NULL && out->status == 200) {
		explain_gone(http, out); /* it does not end by itself */
		return;
	}
	out->body = json_loadb(buf_str(&sink->text), sink->text.len, 0, &where);
	if (out->status < 200 || out->status > 299) {
		explain_refused(out);
	} else if (out->body == NULL) {
		out->outcome = HTTP_REFUSED;
		err_set(&out->err, ERR_INTERNAL,
		    "what answers at %s is not "
		    "droverd: %s",
		    http->socket_path, where.text);
	}
}

static void
prepare(struct http *http, const char *path, struct sink *sink, struct buf *url)
{
	CURL *curl = http->curl;

	/* The host's name is not looked up; it fills the Host header. */
	buf_addf(url, "http://drover%s", path);
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, http->socket_path);
	curl_easy_setopt(curl, CURLOPT_URL, buf_str(url));
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
}

void
http_ask(struct http *http, const char *method, const char *path,
    const json_t *body, struct http_reply *out)
{
	struct sink sink = {
	    .curl = http->curl, .text = BUF_INIT(HTTP_ANSWER_MAX)};
	struct buf url = BUF_INIT(16384);
	struct curl_slist *headers = NULL;
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;

	memset(out, 0, sizeof(*out));
	prepare(http, path, &sink, &url);
	curl_easy_setopt(
	    http->curl, CURLOPT_TIMEOUT_MS, (long)http->timeout_ms);
	if (strcmp(method, "POST") == 0) {
		headers = curl_slist_append(
		    headers, "Content-Type: application/json");
		curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(
		    http->curl, CURLOPT_POSTFIELDS, text != NULL ? text : "");
	}
	understand(http, curl_easy_perform(http->curl), &sink, out);
	curl_slist_free_all(headers);
	buf_free(&sink.text);
	buf_free(&url);
	free(text);
}

void
http_stream(struct http *http, const char *path, const char *header,
    bool (*fn)(const char *data, size_t len, void *arg), void *arg,
    struct http_reply *out)
{
	struct sink sink = {.curl = http->curl,
	    .fn = fn,
	    .arg = arg,
	    .text = BUF_INIT(1024 * 1024)};
	struct buf url = BUF_INIT(16384);
	struct curl_slist *headers = NULL;

	memset(out, 0, sizeof(*out));
	prepare(http, path, &sink, &url);
	/* A daemon that says nothing for three heartbeats is gone. */
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, 45L);
	if (header != NULL)
		headers = curl_slist_append(headers, header);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
	understand(http, curl_easy_perform(http->curl), &sink, out);
	curl_slist_free_all(headers);
	buf_free(&sink.text);
	buf_free(&url);
}

void
http_reply_free(struct http_reply *reply)
{
	json_decref(reply->body);
	reply->body = NULL;
}

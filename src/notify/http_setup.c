/*
 * What a request asks of curl.
 *
 * Values come from files that people write and from events, whose names are
 * text of strangers.  One line break in a header would be a second header, or
 * a second request: lines are checked here, once for all, and what is wrong
 * with one is said without quoting it.
 *
 * curl looks at the environment, at the system's certificates and at the
 * terminal (a key's password) when it is told nothing.  A daemon must not
 * depend on any of that by accident, so what is not configured is said
 * explicitly to be none.
 *
 * curl has no option for "the certificate has another name than the URL's
 * host", since for it the URL's host is the name.  So the URL gets the
 * certificate's name, CURLOPT_CONNECT_TO leads to the real host, and the Host
 * header is set to what the URL said.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "notify/http_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

#define HTTP_BUFFER_SIZE 4096L
#define HTTP_UPLOAD_SIZE 16384L
#define HTTP_CA_CACHE_S 600L /* a changed file is seen after this */

#define SET(option, value)                                                     \
	do {                                                                   \
		if (rc == CURLE_OK)                                            \
			rc = curl_easy_setopt(r->easy, (option), (value));     \
	} while (0)

/* ---- what is refused ---- */

static int
http_setup_check_method(const char *method, struct err *err)
{
	if (method == NULL || strcmp(method, "POST") == 0 ||
	    strcmp(method, "PUT") == 0)
		return 0;
	return err_set(err, ERR_INVALID, "the method is neither POST nor PUT");
}

/* The length of the header's name; 0: it is none. */
static size_t
http_setup_name_len(const char *line)
{
	size_t len = strspn(line,
	    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return line[len] == ':' ? len : 0;
}

static bool
http_setup_has_control(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return true;
	}
	return false;
}

static int
http_setup_check_header(const char *line, struct err *err)
{
	/* How long a message is, and what becomes of the connection, is for
	 * curl alone to say. */
	static const char *const ours[] = {"Connection", "Content-Length",
	    "Expect", "TE", "Trailer", "Transfer-Encoding", "Upgrade"};
	size_t len = http_setup_name_len(line);

	if (len == 0 || len > 128)
		return err_set(err, ERR_INVALID,
		    "a header is no \"Name: value\", or its name has "
		    "characters that names must not have");
	if (http_setup_has_control(line))
		return err_set(err, ERR_INVALID,
		    "header %.*s holds a line break or another control "
		    "character",
		    (int)len, line);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strlen(ours[i]) == len &&
		    strncasecmp(line, ours[i], len) == 0)
			return err_set(err, ERR_INVALID,
			    "header %s cannot be set: it follows from the "
			    "request",
			    ours[i]);
	}
	return 0;
}

/* ---- headers ---- */

static int
http_setup_append(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more == NULL)
		return -1;
	*list = more;
	return 0;
}

static int
http_setup_add_header(struct http_request *r, const char *line, struct err *err)
{
	size_t len = http_setup_name_len(line);
	char name[128 + 2];

	if (http_setup_check_header(line, err) != 0)
		return -1;
	/* For curl "Name:" means not to send it, and "Name;" no value. */
	if (line[len + 1 + strspn(line + len + 1, " \t")] == '\0') {
		snprintf(name, sizeof(name), "%.*s;", (int)len, line);
		line = name;
	}
	if (http_setup_append(&r->headers, line) != 0)
		return err_set(err, ERR_IO, "memory is short");
	return 0;
}

static int
http_setup_headers(
    struct http_request *r, const struct http_post *post, struct err *err)
{
	if (http_setup_append(&r->headers, "Expect:") != 0)
		return err_set(err, ERR_IO, "memory is short");
	for (size_t i = 0; i < HTTP_HEADERS_MAX && post->headers[i] != NULL;
	     i++) {
		if (http_setup_add_header(r, post->headers[i], err) != 0)
			return -1;
	}
	for (size_t i = 0; i < post->more_count; i++) {
		if (http_setup_add_header(r, post->more_headers[i], err) != 0)
			return -1;
	}
	return 0;
}

static bool
http_setup_has_header(const struct http_request *r, const char *name)
{
	size_t len = strlen(name);

	for (const struct curl_slist *h = r->headers; h != NULL; h = h->next) {
		if (strncasecmp(h->data, name, len) == 0 && h->data[len] == ':')
			return true;
	}
	return false;
}

/* ---- the URL ---- */

struct http_url {
	CURLU *handle;
	char *scheme, *host, *port, *named; /* named: port as the URL has it */
	char *text;
};

static void
http_setup_free_url(struct http_url *u)
{
	curl_free(u->scheme);
	curl_free(u->host);
	curl_free(u->port);
	curl_free(u->named);
	curl_free(u->text);
	curl_url_cleanup(u->handle);
}

static int
http_setup_read_url(struct http_url *u, const char *text, struct err *err)
{
	unsigned flags = 0;

#ifdef CURLU_PUNYCODE
	flags |= CURLU_PUNYCODE;
#endif
	u->handle = curl_url();
	if (u->handle == NULL)
		return err_set(err, ERR_IO, "memory is short");
	if (http_setup_has_control(text) ||
	    curl_url_set(u->handle, CURLUPART_URL, text, 0) != CURLUE_OK ||
	    curl_url_get(u->handle, CURLUPART_SCHEME, &u->scheme, 0) !=
		CURLUE_OK ||
	    (strcmp(u->scheme, "http") != 0 &&
		strcmp(u->scheme, "https") != 0) ||
	    curl_url_get(u->handle, CURLUPART_HOST, &u->host, flags) !=
		CURLUE_OK ||
	    curl_url_get(u->handle, CURLUPART_PORT, &u->port,
		CURLU_DEFAULT_PORT) != CURLUE_OK)
		return err_set(err, ERR_INVALID,
		    "its URL is none of http or https that can be read");
	curl_url_get(
	    u->handle, CURLUPART_PORT, &u->named, CURLU_NO_DEFAULT_PORT);
	return 0;
}

/* Another name for TLS; the way and the Host header stay. */
static int
http_setup_rename(struct http_request *r, struct http_url *u,
    const struct http_transport *t, struct err *err)
{
	size_t size = strlen(u->host) + strlen(u->port) + 16;
	char *line = malloc(size);
	int rc = 0;

	if (line == NULL)
		return err_set(err, ERR_IO, "memory is short");
	if (!http_setup_has_header(r, "Host")) {
		snprintf(line, size, "Host: %s%s%s", u->host,
		    u->named != NULL ? ":" : "",
		    u->named != NULL ? u->named : "");
		rc = http_setup_append(&r->headers, line);
	}
	snprintf(line, size, "::%s:%s", u->host, u->port);
	if (rc == 0)
		rc = http_setup_append(&r->connect_to, line);
	free(line);
	if (rc != 0)
		return err_set(err, ERR_IO, "memory is short");
	if (http_setup_has_control(t->server_name) ||
	    curl_url_set(u->handle, CURLUPART_HOST, t->server_name, 0) !=
		CURLUE_OK ||
	    curl_url_get(u->handle, CURLUPART_URL, &u->text, 0) != CURLUE_OK)
		return err_set(
		    err, ERR_INVALID, "server_name is no name of a host");
	return 0;
}

static int
http_setup_url(
    struct http_request *r, const struct http_post *post, struct err *err)
{
	const struct http_transport *t = post->transport;
	struct http_url u = {0};
	int rc = http_setup_read_url(&u, post->url, err);

	if (rc == 0 && t != NULL && t->server_name != NULL &&
	    strcmp(u.scheme, "https") == 0)
		rc = http_setup_rename(r, &u, t, err);
	if (rc == 0 && t != NULL && t->proxy != NULL)
		r->asks_proxy = strcmp(u.scheme, "http") == 0 &&
		    strncasecmp(t->proxy, "socks", 5) != 0;
	if (rc == 0 &&
	    curl_easy_setopt(r->easy, CURLOPT_URL,
		u.text != NULL ? u.text : post->url) != CURLE_OK)
		rc = err_set(err, ERR_IO, "memory is short");
	http_setup_free_url(&u);
	return rc;
}

/* ---- the way there ---- */

static CURLcode
http_setup_route(struct http_request *r, const struct http_transport *t)
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_CONNECT_TO, r->connect_to);
	if (t->unix_socket != NULL)
		SET(CURLOPT_UNIX_SOCKET_PATH, t->unix_socket);
	/* An empty string is an answer, NULL would ask the environment. */
	SET(CURLOPT_PROXY, t->proxy != NULL ? t->proxy : "");
	SET(CURLOPT_NOPROXY, t->proxy != NULL ? "" : "*");
	SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 60L);
	SET(CURLOPT_TCP_KEEPINTVL, 15L);
	return rc;
}

static CURLcode
http_setup_tls(struct http_request *r, const struct http_transport *t)
{
	CURLcode rc = CURLE_OK;
	char *system = NULL;

	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* A folder of certificates would be trusted beside the file; and with
	 * a folder curl keeps none of them in memory, but reads the system's
	 * file for each connection: 23 ms of the loop in place of 2. */
	curl_easy_getinfo(r->easy, CURLINFO_CAINFO, &system);
	if (t->ca_file != NULL)
		SET(CURLOPT_CAINFO, t->ca_file);
	if (t->ca_file != NULL || (system != NULL && access(system, R_OK) == 0))
		SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CA_CACHE_TIMEOUT, HTTP_CA_CACHE_S);
	if (t->cert_file != NULL) {
		SET(CURLOPT_SSLCERT, t->cert_file);
		SET(CURLOPT_SSLKEY,
		    t->key_file != NULL ? t->key_file : t->cert_file);
		/* Else OpenSSL asks the terminal for it. */
		SET(CURLOPT_KEYPASSWD, "");
	}
	return rc;
}

static CURLcode
http_setup_exchange(struct http_request *r, const struct http_post *post)
{
	CURLcode rc = CURLE_OK;
	int64_t connect =
	    post->transport != NULL ? post->transport->connect_timeout_ms : 0;

	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* An end must not wait for the thread that asks a name server. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_BUFFERSIZE, HTTP_BUFFER_SIZE);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, HTTP_UPLOAD_SIZE);
	SET(CURLOPT_USERAGENT, "Drover/" PACKAGE_VERSION);
	SET(CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(connect > 0 ? connect : post->timeout_ms));
	SET(CURLOPT_HTTPHEADER, r->headers);
	SET(CURLOPT_POST, 1L);
	if (post->method != NULL)
		SET(CURLOPT_CUSTOMREQUEST, post->method);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->len);
	/* NULL would make curl read from standard input. */
	SET(CURLOPT_COPYPOSTFIELDS, post->len > 0 ? post->body : "");
	return rc;
}

int
http_setup_request(
    struct http_request *r, const struct http_post *post, struct err *err)
{
	static const struct http_transport straight = {0};
	const struct http_transport *t =
	    post->transport != NULL ? post->transport : &straight;
	struct sockaddr_un longest;
	CURLcode rc;

	if (http_setup_check_method(post->method, err) != 0 ||
	    http_setup_headers(r, post, err) != 0 ||
	    http_setup_url(r, post, err) != 0)
		return -1;
	if (t->unix_socket != NULL && t->proxy != NULL)
		return err_set(err, ERR_INVALID,
		    "unix_socket and proxy exclude each other");
	if (t->unix_socket != NULL &&
	    strlen(t->unix_socket) >= sizeof(longest.sun_path))
		return err_set(err, ERR_INVALID,
		    "unix_socket is longer than the path of a socket can be "
		    "(%zu bytes)",
		    sizeof(longest.sun_path) - 1);
	rc = http_setup_exchange(r, post);
	if (rc == CURLE_OK)
		rc = http_setup_route(r, t);
	if (rc == CURLE_OK)
		rc = http_setup_tls(r, t);
	if (rc != CURLE_OK)
		return err_set(err, ERR_IO, "the request could not be made: %s",
		    curl_easy_strerror(rc));
	return 0;
}

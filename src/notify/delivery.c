/*
 * One request on its way: built, signed, sent, judged, let go.
 *
 * It holds the rows of the outbox that it is for: one, or a batch that was
 * settled before.  Their texts are let go once the request is made, since curl
 * has its copy; a row's id and age are kept for the verdict.
 *
 * A batch that the receiver's format cannot put into one request (it would be
 * too large, or one event in it is beyond it) is halved until it can, so that
 * one event does not take the others with it.
 *
 * A receiver's URL may be its secret and is never told, nor is what it
 * answers; both may be looked up, by those who may read the files.
 */
#include "notify/deliver_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "notify/hide.h"

#define DELIVERY_LINES_MAX 128
#define DELIVERY_LINE_MAX 8192

_Static_assert(SECRET_HEADERS_SIZE < DELIVERY_LINE_MAX, "the longest fits");

struct delivery *
delivery_new(struct receiver *r)
{
	struct delivery *v = calloc(1, sizeof(*v));

	if (v == NULL)
		abort();
	v->receiver = r;
	LIST_INSERT_HEAD(&r->deliveries, v, link);
	r->count++;
	return v;
}

static char *
delivery_copy(const char *text)
{
	char *copy = strdup(text != NULL ? text : "");

	if (copy == NULL)
		abort();
	return copy;
}

void
delivery_add_row(struct delivery *v, const struct store_outbox *row)
{
	struct delivery_row *rows =
	    realloc(v->rows, (v->count + 1) * sizeof(*rows));

	if (rows == NULL)
		abort();
	v->rows = rows;
	rows[v->count++] = (struct delivery_row){.id = row->id,
	    .created = row->created,
	    .event_id = delivery_copy(row->event_id),
	    .type = delivery_copy(row->type),
	    .body = delivery_copy(row->body)};
	if (v->attempts < row->attempts)
		v->attempts = row->attempts;
}

static void
delivery_cut_rows(struct delivery *v, size_t count)
{
	while (v->count > count) {
		struct delivery_row *row = &v->rows[--v->count];

		free(row->event_id);
		free(row->type);
		free(row->body);
	}
}

void
delivery_drop_rows(struct delivery *v)
{
	delivery_cut_rows(v, 0);
}

void
delivery_free(struct delivery *v)
{
	LIST_REMOVE(v, link);
	v->receiver->count--;
	delivery_drop_rows(v);
	free(v->rows);
	free(v->group);
	free(v->answer);
	free(v->why);
	free(v);
}

/* ---- the request ---- */

struct delivery_lines {
	char *lines[DELIVERY_LINES_MAX];
	size_t count;
};

static void
delivery_add_line(
    struct delivery_lines *out, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 3;
	char *line, *end;

	if (out->count == DELIVERY_LINES_MAX || size > DELIVERY_LINE_MAX)
		return;
	line = malloc(size);
	if (line == NULL)
		abort();
	end = stpcpy(line, name);
	if (name[0] != '\0')
		end = stpcpy(end, ": ");
	stpcpy(end, value);
	out->lines[out->count++] = line;
}

static void
delivery_free_lines(struct delivery_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		explicit_bzero(lines->lines[i], strlen(lines->lines[i]));
		free(lines->lines[i]);
	}
}

static int
delivery_make_lines(struct deliver *d, const struct settings_receiver *s,
    const struct secret_set *secrets, const struct format_request *request,
    const char *id, struct delivery_lines *out, struct err *err)
{
	struct secret_headers signs = {.count = 0};
	bool has_id = false;

	if (d->ops->sign(s, secrets, id, clock_wall_now().ms / 1000,
		request->body, request->len, &signs, err) != 0)
		return -1;
	delivery_add_line(out, "Content-Type",
	    request->content_type != NULL ? request->content_type
					  : "application/json");
	for (size_t i = 0; i < signs.count; i++) {
		const char *line = secret_header(&signs, i);

		delivery_add_line(out, "", line);
		has_id |= strncasecmp(line, "webhook-id:", 11) == 0;
	}
	/* Also unsigned, or signed otherwise, it is what tells copies. */
	if (!has_id)
		delivery_add_line(out, "webhook-id", id);
	for (size_t i = 0; i < request->header_count; i++)
		delivery_add_line(out, "", request->headers[i]);
	for (size_t i = 0; i < s->header_count; i++)
		delivery_add_line(out, s->headers[i].key, s->headers[i].value);
	explicit_bzero(&signs, sizeof(signs));
	return 0;
}

static enum delivery_sent
delivery_post(struct deliver *d, const struct settings_receiver *s,
    const struct secret_set *secrets, const struct format_request *request,
    const char *id, struct http_post *post, struct err *err)
{
	const struct http_transport transport = {
	    .unix_socket = s->unix_socket,
	    .proxy = s->proxy,
	    .ca_file = s->ca_file,
	    .cert_file = s->cert_file,
	    .key_file = s->key_file,
	    .server_name = s->server_name,
	    .connect_timeout_ms = s->connect_timeout_ms,
	};
	const char *path = request->path != NULL ? request->path : "";
	size_t size = strlen(secrets->url) + strlen(path) + 1;
	struct delivery_lines lines = {.count = 0};
	cleanup_free char *url = malloc(size);
	enum delivery_sent sent = DELIVERY_NOT_NOW;
	struct err why = {0};
	int rc;

	if (url == NULL)
		abort();
	snprintf(url, size, "%s%s", secrets->url, path);
	rc = delivery_make_lines(d, s, secrets, request, id, &lines, err);
	for (size_t i = 0; i < lines.count && i < HTTP_HEADERS_MAX; i++)
		post->headers[i] = lines.lines[i];
	if (lines.count > HTTP_HEADERS_MAX) {
		post->more_headers =
		    (const char *const *)&lines.lines[HTTP_HEADERS_MAX];
		post->more_count = lines.count - HTTP_HEADERS_MAX;
	}
	post->url = url;
	post->transport = &transport;
	post->method = request->method;
	post->body = request->body;
	post->len = request->len;
	post->timeout_ms = s->timeout_ms;
	post->answer_max = DELIVER_ANSWER_MAX;
	if (rc == 0 && http_post(d->http, post, &why) == NULL) {
		/* URL and headers of the configuration were looked at. */
		sent =
		    why.code == ERR_INVALID ? DELIVERY_NEVER : DELIVERY_NOT_NOW;
		err_set(err, why.code, "%s", why.msg);
	} else if (rc == 0) {
		sent = DELIVERY_SENT;
	}
	delivery_free_lines(&lines);
	explicit_bzero(url, size);
	return sent;
}

enum delivery_sent
delivery_send(struct deliver *d, const struct settings_receiver *s,
    const struct secret_set *secrets, const struct format_event *events,
    size_t count, struct http_post *post, struct err *err)
{
	const struct format_secrets known = {
	    .token = secrets->token, .template = secrets->template};
	struct settings_receiver there = *s; /* also where url_file says it */
	struct format_request request = {0};
	enum delivery_sent sent;
	int rc;

	there.url = secrets->url;
	rc = d->ops->format(
	    &there, &known, events, count, clock_wall_now(), &request, err);
	if (rc > 0)
		return DELIVERY_NOTHING;
	if (rc < 0)
		return DELIVERY_NEVER;
	sent = delivery_post(d, s, secrets, &request, events[0].id, post, err);
	format_free(&request);
	return sent;
}

/* ---- of rows ---- */

/* At the status line: from here on a crash must not send it again. */
static void
delivery_on_status(int code, void *arg)
{
	struct delivery *v = arg;

	if (code < 200 || code >= 300)
		return;
	verdict_decide(v, code, 0, NULL);
	deliver_kick(v->receiver->deliver);
}

/* Before it is cut and stored: later its secrets may be other ones. */
static char *
delivery_keep_answer(const struct receiver *r, const char *text)
{
	static const struct settings_receiver gone = {.header_count = 0};
	struct hide *hide =
	    hide_known(r->settings != NULL ? r->settings : &gone,
		r->secrets.url, r->secrets.token);
	char *kept = hide_text(hide, text);

	hide_free(hide);
	return kept;
}

static void
delivery_on_done(const struct http_answer *answer, void *arg)
{
	struct delivery *v = arg;
	struct deliver *d = v->receiver->deliver;

	v->in_flight = false;
	if (!v->decided)
		verdict_decide(
		    v, answer->code, answer->retry_after_s, answer->error);
	if (!v->recorded && answer->text[0] != '\0')
		v->answer = delivery_keep_answer(v->receiver, answer->text);
	if (v->recorded)
		delivery_free(v);
	deliver_kick(d);
}

/* The second half goes another time. */
static int
delivery_halve(struct delivery *v, struct err *err)
{
	struct store *store = v->receiver->deliver->store;
	struct wall now = clock_wall_now();
	size_t half = v->count / 2;
	int rc = store_begin(store, err);

	if (rc != 0)
		return -1;
	for (size_t i = half; i < v->count && rc == 0; i++)
		rc = store_leave_batch(store, v->rows[i].id, now, err);
	if (rc == 0)
		rc = store_commit(store, err);
	else
		store_rollback(store);
	if (rc == 0)
		delivery_cut_rows(v, half);
	return rc;
}

static enum delivery_sent
delivery_try(struct delivery *v, struct err *err)
{
	struct receiver *r = v->receiver;
	struct format_event *events = calloc(v->count, sizeof(*events));
	struct http_post post = {
	    .on_status = delivery_on_status,
	    .on_done = delivery_on_done,
	    .arg = v,
	};
	enum delivery_sent sent;

	if (events == NULL)
		abort();
	for (size_t i = 0; i < v->count; i++)
		events[i] = (struct format_event){.id = v->rows[i].event_id,
		    .type = v->rows[i].type,
		    .at = v->rows[i].created,
		    .body = v->rows[i].body};
	v->at = clock_wall_now();
	v->started = clock_mono_now();
	memcpy(v->url_hash, r->url_hash, sizeof(v->url_hash));
	sent = delivery_send(
	    r->deliver, r->settings, &r->secrets, events, v->count, &post, err);
	free(events);
	return sent;
}

int
delivery_start(struct delivery *v, struct err *err)
{
	enum delivery_sent sent = delivery_try(v, err);

	while (sent == DELIVERY_NEVER && v->count > 1) {
		if (delivery_halve(v, err) != 0)
			return -1;
		sent = delivery_try(v, err);
	}
	switch (sent) {
	case DELIVERY_SENT:
		v->sent = v->in_flight = true;
		break;
	case DELIVERY_NOTHING:
		verdict_decide_unsent(v, NULL);
		break;
	case DELIVERY_NEVER:
		verdict_decide_unsent(v, err->msg);
		break;
	case DELIVERY_NOT_NOW:
		return -1;
	}
	for (size_t i = 0; i < v->count; i++) {
		free(v->rows[i].body);
		v->rows[i].body = NULL;
	}
	return 0;
}

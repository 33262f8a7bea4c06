/*
 * The table of formats, and what they share.
 *
 * What a service takes is known here before it is sent: a message that is too
 * large would be refused, and never arrive.  So a formatter builds its body,
 * looks at the size, and leaves out guests or lines until it fits; what is left
 * out is counted in the message.  Titles, texts and fields have limits of their
 * own that always fit together.
 */
#include "notify/format_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define FORMAT_BODY_MAX (64 << 20)
#define FORMAT_HEADERS_MAX 32
#define FORMAT_HEADER_MAX 8192

/* By kind. */
static format_fn *const formats[RECEIVER_KIND_COUNT] = {
    [RECEIVER_CLOUDEVENTS] = format_cloudevents,
    [RECEIVER_SLACK] = format_slack,
    [RECEIVER_MATTERMOST] = format_mattermost,
    [RECEIVER_DISCORD] = format_discord,
    [RECEIVER_TEAMS] = format_teams,
    [RECEIVER_GOOGLECHAT] = format_googlechat,
    [RECEIVER_NTFY] = format_ntfy,
    [RECEIVER_GOTIFY] = format_gotify,
    [RECEIVER_ALERTMANAGER] = format_alertmanager,
    [RECEIVER_PAGERDUTY] = format_pagerduty,
    [RECEIVER_CUSTOM] = format_custom,
};

int
format_events(const struct settings_receiver *receiver,
    const struct format_secrets *secrets, const struct format_event *events,
    size_t count, struct wall now, struct format_request *out, struct err *err)
{
	const struct format_input in = {.receiver = receiver,
	    .secrets = secrets,
	    .events = events,
	    .count = count,
	    .now = now};
	format_fn *format = (size_t)receiver->kind < RECEIVER_KIND_COUNT
	    ? formats[receiver->kind]
	    : NULL;
	struct format_request request = {.method = "POST"};
	int rc;

	if (format == NULL)
		return err_set(err, ERR_INVALID,
		    "receiver %s: there is no format for type %s",
		    receiver->name, receiver->type);
	rc = format(&in, &request, err);
	/* One event alone is sent whatever its size. */
	if (rc == 0 && count > 1 &&
	    request.len > receiver_kinds[receiver->kind].body_max)
		rc = err_set(err, ERR_LIMIT,
		    "the request for %zu events has %zu bytes, and %zu is the "
		    "limit",
		    count, request.len,
		    receiver_kinds[receiver->kind].body_max);
	if (rc == 0) {
		if (request.content_type == NULL)
			format_set_type(&request, "application/json");
		*out = request;
		return 0;
	}
	format_free(&request);
	return rc > 0 ? rc : err_prefix(err, "receiver %s", receiver->name);
}

void
format_free(struct format_request *request)
{
	for (size_t i = 0; i < request->header_count; i++)
		free(request->headers[i]);
	free(request->headers);
	free(request->body);
	free(request->content_type);
	free(request->path);
	*request = (struct format_request){0};
}

/* ---- the parts of a request ---- */

void
format_set_type(struct format_request *out, const char *type)
{
	str_replace(&out->content_type, type);
}

int
format_add_header(struct format_request *out, const char *name,
    const char *value, struct err *err)
{
	struct buf line = BUF_INIT(FORMAT_HEADER_MAX);
	char **more;

	for (const char *p = value; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7e)
			return err_set(err, ERR_INTERNAL,
			    "the header %s has a character that none may have",
			    name);
	}
	(void)buf_addf(&line, "%s: %s", name, value);
	if (line.overflow || out->header_count == FORMAT_HEADERS_MAX) {
		buf_free(&line);
		return err_set(err, ERR_LIMIT,
		    "the header %s is too long, or one too many", name);
	}
	more = realloc(
	    out->headers, (out->header_count + 1) * sizeof(*out->headers));
	if (more == NULL)
		abort();
	out->headers = more;
	out->headers[out->header_count++] = buf_steal(&line);
	return 0;
}

int
format_set_body(struct format_request *out, struct buf *body, struct err *err)
{
	size_t len = body->len;
	char *text;

	if (body->data == NULL)
		(void)buf_adds(body, "");
	text = buf_steal(body);
	if (text == NULL)
		return err_set(err, ERR_LIMIT, "the body would be too large");
	out->body = text;
	out->len = len;
	return 0;
}

int
format_set_json(struct format_request *out, json_t *root, struct err *err)
{
	char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	if (text == NULL)
		return err_set(err, ERR_IO, "memory is short");
	out->body = text;
	out->len = strlen(text);
	return 0;
}

/* ---- messages ---- */

size_t
format_items(const struct message *m)
{
	return m->row_count + m->line_count;
}

const char *
format_left_out(const struct message *m, size_t shown)
{
	size_t all = format_items(m) + m->rows_left_out + m->lines_left_out;

	if (shown >= all)
		return NULL;
	return arena_printf(m->arena, "and %zu more", all - shown);
}

int
format_build(const struct format_input *in, format_build_fn *build, size_t max,
    struct format_request *out, struct err *err)
{
	struct message *m = message_new(in->events, in->count, err);
	size_t items;
	int rc;

	if (m == NULL)
		return -1;
	items = format_items(m);
	while ((rc = format_set_json(out, build(m, items), err)) == 0 &&
	    out->len > max && items > 0) {
		size_t fit = items * max / out->len;

		items = fit < items ? fit : items - 1;
		free(out->body);
		out->body = NULL;
	}
	message_free(m);
	if (rc == 0 && out->len > max)
		rc = err_set(err, ERR_LIMIT,
		    "the message has %zu bytes, and %zu is the limit", out->len,
		    max);
	return rc;
}

const char *
format_escape(const struct message *m, const char *text,
    enum text_markup markup, enum text_unit unit, size_t max)
{
	struct buf buf = BUF_INIT(FORMAT_BODY_MAX);
	const char *escaped;

	text_escape(&buf, text, markup, unit, max);
	escaped = arena_strdup(m->arena, buf_str(&buf));
	buf_free(&buf);
	return escaped;
}

json_t *
format_string(
    const char *text, enum text_markup markup, enum text_unit unit, size_t max)
{
	struct buf buf = BUF_INIT(FORMAT_BODY_MAX);
	json_t *string;

	text_escape(&buf, text, markup, unit, max);
	string = json_string(buf_str(&buf));
	buf_free(&buf);
	return string;
}

const char *
format_title(const struct message *m)
{
	static const char *const signs[] = {[RECEIVER_INFO] = "",
	    [RECEIVER_WARNING] = "\xe2\x9a\xa0 ",
	    [RECEIVER_ERROR] = "\xe2\x9d\x8c "};

	return arena_printf(m->arena, "%s%s", signs[m->severity], m->title);
}

int
format_color(const struct message *m)
{
	switch (m->severity) {
	case RECEIVER_INFO:
		return 0x2e7d32;
	case RECEIVER_WARNING:
		return 0xf9a825;
	case RECEIVER_ERROR:
		return 0xc62828;
	}
	return 0;
}

/* ---- without markup ---- */

/* A figure ("12.3 s") or a reason that the text says already is not said again. */
static bool
format_is_worth_a_line(const struct message *m, size_t i)
{
	const char *value = m->fields[i].value;

	return m->text == NULL || strchr(value, ' ') == NULL ||
	    strstr(m->text, value) == NULL;
}

void
format_plain(
    const struct message *m, enum text_unit unit, size_t max, struct buf *out)
{
	struct text_lines lines = text_lines_new(unit, max);
	char more[TEXT_MORE_MAX];

	if (m->text != NULL)
		(void)text_lines_add(&lines,
		    format_escape(m, m->text, TEXT_PLAIN, unit, max / 2));
	for (size_t i = 0; i < m->field_count; i++) {
		if (format_is_worth_a_line(m, i))
			(void)text_lines_add(&lines,
			    arena_printf(m->arena, "%s: %s", m->fields[i].name,
				m->fields[i].value));
	}
	/* What has been left out up to here is not one of a list. */
	lines.left_out = 0;
	for (size_t i = 0; i < m->row_count; i++)
		(void)text_lines_add(&lines, message_row_line(m, &m->rows[i]));
	for (size_t i = 0; i < m->line_count; i++)
		(void)text_lines_add(&lines, m->lines[i]);
	text_lines_skip(&lines, m->rows_left_out + m->lines_left_out);
	if (lines.buf.len == 0)
		(void)text_lines_add(&lines, m->title);
	(void)buf_adds(out, buf_str(&lines.buf));
	if (text_lines_more(&lines, more) != NULL)
		(void)buf_adds(out, more);
	else if (out->len > 0)
		out->data[--out->len] = '\0';
	buf_free(&lines.buf);
}

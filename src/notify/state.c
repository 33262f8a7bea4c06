/*
 * Conditions and their labels.
 *
 * Monitoring tells alerts apart by their labels, all of them: a resolve with one
 * label more, or with another severity, resolves nothing.  The event that
 * resolves knows little of the one that raised (a host that is back does not
 * say why it was gone), so what is in the key has to do, and the severity is
 * one of the kind of condition.  Whatever else is worth knowing is text.
 *
 * Most conditions end with an event.  A guest whose move failed may be helped by
 * hand, or be gone, which nobody tells: that is news for a day.
 */
#include "notify/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "notify/message.h"
#include "notify/text.h"

#define STATE_DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define STATE_SUMMARY_MAX 1024
#define STATE_PATH_MAX 4096
#define STATE_TEST "test"

struct state_kind {
	const char *kind;  /* the key up to its "/" */
	const char *label; /* of what comes after; NULL: nothing does */
	enum receiver_severity severity;
	int64_t keep_ms;
};

static const struct state_kind state_kinds[] = {
    {"move-failed", "uuid", RECEIVER_ERROR, STATE_DAY_MS},
    {"drain-blocked", "host", RECEIVER_ERROR, 0},
    {"host-lost", "host", RECEIVER_ERROR, 0},
    {"host-claimed", "host", RECEIVER_WARNING, 0},
    {"config-rejected", NULL, RECEIVER_ERROR, 0},
    {"receiver-disabled", "receiver", RECEIVER_ERROR, 0},
    {STATE_TEST, NULL, RECEIVER_INFO, 0},
};

/* Nothing is wrong, but who tries a receiver out wants to see something. */
static const struct catalog_state state_of_test = {
    .effect = CATALOG_RAISES, .key = STATE_TEST, .name = "DroverTest"};

static const struct state_kind *
state_find_kind(const char *key)
{
	static const struct state_kind other = {
	    "", "thing", RECEIVER_WARNING, 0};
	size_t n = strcspn(key, "/");

	for (size_t i = 0; i < sizeof(state_kinds) / sizeof(state_kinds[0]);
	     i++) {
		const struct state_kind *kind = &state_kinds[i];

		if (strlen(kind->kind) == n && strncmp(kind->kind, key, n) == 0)
			return kind;
	}
	return &other;
}

int64_t
state_keep_ms(const char *key)
{
	return state_find_kind(key)->keep_ms;
}

bool
state_holds(enum receiver_kind kind)
{
	return kind == RECEIVER_ALERTMANAGER || kind == RECEIVER_PAGERDUTY;
}

/* ---- reading ---- */

static int
state_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The site of "/drover/SITE", in which what no URI may hold is encoded. */
static void
state_read_site(const char *source, char *out, size_t size)
{
	static const char prefix[] = "/drover/";
	struct buf text = BUF_INIT(4096);

	if (source == NULL)
		source = "";
	if (strncmp(source, prefix, strlen(prefix)) == 0)
		source += strlen(prefix);
	for (; *source != '\0'; source++) {
		char c = *source;

		if (c == '%' && state_hex(source[1]) >= 0 &&
		    state_hex(source[2]) >= 0) {
			c = (char)(state_hex(source[1]) * 16 +
			    state_hex(source[2]));
			source += 2;
		}
		(void)buf_add(&text, c != '\0' ? &c : "?", 1);
	}
	(void)err_copy_line(out, size, buf_str(&text));
	buf_free(&text);
}

int
state_read(const struct format_event *event, struct state *out, struct err *err)
{
	const struct state_kind *kind;
	struct state state = {0};
	const char *thing;

	state.event = json_loads(event->body, 0, NULL);
	if (!json_is_object(state.event)) {
		state_clear(&state);
		return err_set(err, ERR_INVALID,
		    "what is recorded of event %.64s is not JSON", event->id);
	}
	state.data = json_object_get(state.event, "data");
	state.guest = json_string_value(json_object_get(state.data, "guest"));
	state.type = event->type;
	if (strncmp(state.type, "drover.", 7) == 0)
		state.type += 7;
	state.is = strcmp(state.type, STATE_TEST) == 0
	    ? state_of_test
	    : catalog_state(state.type, state.data);
	if (state.is.effect == CATALOG_NOTHING) {
		state_clear(&state);
		return 1;
	}
	kind = state_find_kind(state.is.key);
	thing = strchr(state.is.key, '/');
	thing = thing != NULL ? thing + 1 : "";
	if (err_copy_line(state.thing, sizeof(state.thing), thing) > 0)
		state.label = kind->label != NULL ? kind->label : "thing";
	state.severity = kind->severity;
	state_read_site(
	    json_string_value(json_object_get(state.event, "source")),
	    state.site, sizeof(state.site));
	*out = state;
	return 0;
}

void
state_clear(struct state *state)
{
	json_decref(state->event);
	*state = (struct state){0};
}

/* ---- text ---- */

/* What comes after the headline: a sentence, the figures, one line per guest or
 * fault. */
static char *
state_write_text(struct message *m)
{
	struct text_lines lines = text_lines_new(TEXT_BYTES, STATE_TEXT_MAX);
	char more[TEXT_MORE_MAX];
	const char **table, *rest;
	char *text;
	struct buf line = BUF_INIT(STATE_TEXT_MAX);

	if (m->text != NULL)
		(void)text_lines_add(&lines, m->text);
	for (size_t i = 0; i < m->field_count; i++) {
		buf_clear(&line);
		(void)buf_addf(
		    &line, "%s: %s", m->fields[i].name, m->fields[i].value);
		(void)text_lines_add(&lines, buf_str(&line));
	}
	table = m->row_count > 0 ? message_table(m, m->row_count) : NULL;
	for (size_t i = 0; table != NULL && i <= m->row_count; i++)
		(void)text_lines_add(&lines, table[i]);
	for (size_t i = 0; i < m->line_count; i++)
		(void)text_lines_add(&lines, m->lines[i]);
	text_lines_skip(&lines, m->rows_left_out + m->lines_left_out);
	buf_clear(&line);
	(void)buf_adds(&line, buf_str(&lines.buf));
	rest = text_lines_more(&lines, more);
	if (rest != NULL)
		(void)buf_adds(&line, rest);
	buf_free(&lines.buf);
	text = buf_steal(&line);
	if (text != NULL && rest == NULL && text[0] != '\0')
		text[strlen(text) - 1] = '\0'; /* the last line's end */
	return text;
}

int
state_describe(const struct format_event *event, char **out_summary,
    char **out_text, struct err *err)
{
	struct message *m = message_new(event, 1, err);
	struct buf cut = BUF_INIT((size_t)4 * STATE_SUMMARY_MAX + 1);
	char *summary, *text;

	if (m == NULL)
		return -1;
	text_escape(
	    &cut, m->title, TEXT_PLAIN, TEXT_CHARACTERS, STATE_SUMMARY_MAX);
	summary = buf_steal(&cut);
	text = state_write_text(m);
	if (text != NULL && text[0] == '\0' && summary != NULL) {
		free(text);
		text = strdup(summary);
	}
	message_free(m);
	if (summary == NULL || text == NULL) {
		free(summary);
		free(text);
		return err_set(err, ERR_IO, "memory is short");
	}
	*out_summary = summary;
	*out_text = text;
	return 0;
}

char *
state_path(const char *url, const char *path)
{
	struct buf buf = BUF_INIT(STATE_PATH_MAX);
	size_t len, n = strlen(path);

	if (url != NULL && strchr(url, '?') != NULL)
		return NULL;
	len = url != NULL ? strlen(url) : 0;
	if (len >= n && strcmp(url + len - n, path) == 0)
		return NULL;
	/* A slash at the end of the URL is the one that the path begins with. */
	(void)buf_adds(&buf, len > 0 && url[len - 1] == '/' ? path + 1 : path);
	return buf_steal(&buf);
}

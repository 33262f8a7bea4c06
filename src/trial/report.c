/*
 * The Test Anything Protocol, which every runner of tests can read.  What failed
 * has a block of YAML with what was expected, what there was instead, and the
 * decisions of that moment; with -v, comments before the tests tell what was
 * decided when.
 *
 * Names come from files and from people, so that a '#' in them, which would begin
 * a directive, and line breaks are not passed on as they are.
 */

#include "trial/report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *
report_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* As a description; '\' and '#' are escaped as TAP 14 has it. */
static void
report_add_words(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '#')
			buf_adds(out, "\\");
		buf_add(out, (unsigned char)*text < 0x20 ? " " : text, 1);
	}
}

/* ---- YAML ---- */

static bool
report_is_plain(const char *text)
{
	static const char *const words[] = {
	    "true", "false", "null", "yes", "no", "on", "off", "y", "n"};
	size_t len = strspn(text, LETTERS "0123456789-_.");

	if (text[0] == '\0' || strchr(LETTERS, text[0]) == NULL ||
	    text[len] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], text) == 0)
			return false;
	return true;
}

static void
report_add_scalar(struct buf *out, const json_t *value)
{
	char *text;

	if (json_is_string(value) &&
	    report_is_plain(json_string_value(value))) {
		buf_adds(out, json_string_value(value));
		return;
	}
	/* JSON's scalars are YAML's. */
	text = json_dumps(value, JSON_ENCODE_ANY);
	buf_adds(out, text != NULL ? text : "null");
	free(text);
}

static void
report_add_indent(struct buf *out, int indent)
{
	for (int i = 0; i < indent; i++)
		buf_adds(out, " ");
}

static void report_add_object(
    struct buf *out, const json_t *object, int indent, bool in_line);

static void
report_add_items(struct buf *out, const json_t *array, int indent)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		report_add_indent(out, indent);
		buf_adds(out, "- ");
		if (json_is_object(item) && json_object_size(item) > 0) {
			report_add_object(out, item, indent + 2, true);
		} else {
			report_add_scalar(out, item);
			buf_adds(out, "\n");
		}
	}
}

/* `in_line`: the first key stands where we are. */
static void
report_add_object(
    struct buf *out, const json_t *object, int indent, bool in_line)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		json_t *name = json_string(key);

		if (!in_line)
			report_add_indent(out, indent);
		in_line = false;
		report_add_scalar(out, name);
		json_decref(name);
		buf_adds(out, ":");
		if (json_is_object(value) && json_object_size(value) > 0) {
			buf_adds(out, "\n");
			report_add_object(out, value, indent + 2, false);
		} else if (json_is_array(value) && json_array_size(value) > 0) {
			buf_adds(out, "\n");
			report_add_items(out, value, indent + 2);
		} else {
			buf_adds(out, " ");
			report_add_scalar(out, value);
			buf_adds(out, "\n");
		}
	}
}

/* ---- comments ---- */

static void
report_add_comment(struct buf *out, int indent, const char *text)
{
	buf_adds(out, "#");
	report_add_indent(out, indent);
	for (; *text != '\0'; text++)
		buf_add(out, (unsigned char)*text < 0x20 ? " " : text, 1);
	buf_adds(out, "\n");
}

static void
report_add_guest(struct buf *out, struct buf *line, const json_t *guest)
{
	const char *to = report_text(guest, "to");
	const json_t *no;
	size_t i;

	buf_clear(line);
	buf_addf(line, "%s: %s%s%s%s%s%s: %s", report_text(guest, "vm"),
	    report_text(guest, "fate"), to[0] != '\0' ? " to " : "", to,
	    to[0] != '\0' ? " (" : "", report_text(guest, "strategy"),
	    to[0] != '\0' ? ")" : "", report_text(guest, "why"));
	report_add_comment(out, 5, buf_str(line));
	json_array_foreach(json_object_get(guest, "rejected"), i, no)
	{
		buf_clear(line);
		buf_addf(line, "not %s: %s: %s", report_text(no, "host"),
		    report_text(no, "rule"), report_text(no, "why"));
		report_add_comment(out, 7, buf_str(line));
	}
}

static void
report_add_trace(struct buf *out, const json_t *trace)
{
	struct buf line = BUF_INIT((size_t)1 << 20);
	const json_t *entry, *decision, *guest;
	size_t i, k, g;

	json_array_foreach(trace, i, entry)
	{
		const json_t *decisions = json_object_get(entry, "decisions");

		buf_clear(&line);
		buf_addf(&line, "at %s%s", report_text(entry, "at"),
		    json_array_size(decisions) == 0 ? ": nothing to be done"
						    : ":");
		report_add_comment(out, 1, buf_str(&line));
		json_array_foreach(decisions, k, decision)
		{
			report_add_comment(
			    out, 3, report_text(decision, "why"));
			json_array_foreach(json_object_get(decision, "guests"),
			    g, guest) report_add_guest(out, &line, guest);
		}
	}
	buf_free(&line);
}

/* ---- test points ---- */

void
report_begin(struct report *report, struct buf *out)
{
	*report = (struct report){.out = out};
	buf_adds(out, "TAP version 14\n");
}

static void
report_add_diagnostics(struct buf *out, const json_t *test)
{
	static const char *const keys[] = {
	    "expected", "got", "seen", "decisions"};
	json_t *block = json_object();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(test, keys[i]);

		if (value != NULL)
			json_object_set(block, keys[i], value);
	}
	buf_adds(out, "  ---\n");
	report_add_object(out, block, 2, false);
	buf_adds(out, "  ...\n");
	json_decref(block);
}

void
report_case(struct report *report, const char *file, const json_t *result)
{
	const char *name = report_text(result, "name");
	struct buf *out = report->out;
	const json_t *test;
	size_t i;

	if (json_object_get(result, "trace") != NULL) {
		report_add_comment(out, 1, file);
		if (name[0] != '\0')
			report_add_comment(out, 1, name);
		report_add_trace(out, json_object_get(result, "trace"));
	}
	json_array_foreach(json_object_get(result, "tests"), i, test)
	{
		bool ok = json_is_true(json_object_get(test, "ok"));

		report->count++;
		report->failed += !ok;
		buf_addf(out, "%s %zu - ", ok ? "ok" : "not ok", report->count);
		report_add_words(out, file);
		buf_addf(out, ":%lld: ",
		    (long long)json_integer_value(
			json_object_get(test, "line")));
		report_add_words(out, name);
		buf_adds(out, name[0] != '\0' ? ": " : "");
		report_add_words(out, report_text(test, "name"));
		buf_adds(out, "\n");
		if (!ok)
			report_add_diagnostics(out, test);
	}
}

void
report_bad_file(struct report *report, const char *file, const char *faults)
{
	struct buf *out = report->out;

	report->count++;
	report->failed++;
	buf_addf(out, "not ok %zu - ", report->count);
	report_add_words(out, file);
	buf_adds(out, " can be tested\n  ---\n  faults:\n");
	while (*faults != '\0') {
		size_t len = strcspn(faults, "\n");
		json_t *line = json_stringn(faults, len);

		buf_adds(out, "    - ");
		report_add_scalar(out, line);
		buf_adds(out, "\n");
		json_decref(line);
		faults += len + (faults[len] == '\n');
	}
	buf_adds(out, "  ...\n");
}

void
report_end(struct report *report)
{
	buf_addf(report->out, "1..%zu\n", report->count);
	if (report->failed > 0)
		buf_addf(report->out, "# %zu of %zu failed\n", report->failed,
		    report->count);
	else
		buf_addf(report->out, "# %zu passed\n", report->count);
}

/*
 * Policies: one row each, and one with its conditions, the hosts for which they
 * hold, and what it decided last.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
    {"POLICY", false, false},
    {"MODE", false, false},
    {"PRIORITY", true, false},
    {"HOLDS FOR", false, false},
    {"DECISIONS", true, false},
    {"FILE", false, false},
    {"DESCRIPTION", false, true},
    {NULL, false, false},
};

/* "auto", or "observe (file: auto)" where an operator said otherwise. */
static void
mode_words(const json_t *policy, char *out, size_t size)
{
	bool said = field_text(policy, "mode_by") != NULL;

	snprintf(out, size, "%s%s%s%s", field_text_or(policy, "mode", "-"),
	    said ? " (file: " : "",
	    said ? field_text_or(policy, "file_mode", "-") : "",
	    said ? ")" : "");
}

static void
place_words(const json_t *policy, struct buf *out)
{
	buf_addf(out, "%s:%lld", field_text_or(policy, "file", "-"),
	    (long long)field_count(policy, "line"));
}

static void
add_row(struct table *table, const json_t *policy)
{
	const json_t *holds = json_object_get(policy, "holds_for"), *host;
	const char *mode = field_text_or(policy, "mode", "");
	struct buf hosts = BUF_INIT(1 << 20), place = BUF_INIT(8192);
	char text[128];
	size_t i;

	json_array_foreach(holds, i, host)
	    buf_addf(&hosts, "%s%s", i > 0 ? ", " : "",
		json_is_string(host) ? json_string_value(host) : "-");
	place_words(policy, &place);
	table_cell(table, TEXT_PLAIN, field_text(policy, "policy"));
	mode_words(policy, text, sizeof(text));
	table_cell(
	    table, strcmp(mode, "off") == 0 ? TEXT_DIM : TEXT_PLAIN, text);
	table_cell(table, TEXT_PLAIN,
	    text_number(field_int(policy, "priority"), text));
	table_cell(table, TEXT_PLAIN, hosts.len > 0 ? buf_str(&hosts) : "none");
	table_cell(table, TEXT_PLAIN,
	    text_number(field_int(policy, "decisions"), text));
	table_cell(table, TEXT_PLAIN, buf_str(&place));
	table_cell(table, TEXT_PLAIN, field_text(policy, "description"));
	buf_free(&hosts);
	buf_free(&place);
}

void
render_policies(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(columns, wide, json_object_get(answer, "policies"),
	    add_row, style, out);
}

/* "host: cpu > 80%, for 5m, until cpu < 60%" */
static void
add_conditions(const json_t *policy, struct buf *out)
{
	const json_t *list = json_object_get(policy, "conditions"), *one;
	char key[32] = "when", text[TEXT_SIZE];
	size_t i;

	if (field_text(policy, "match") != NULL)
		snprintf(
		    key, sizeof(key), "when %s", field_text(policy, "match"));
	json_array_foreach(list, i, one)
	{
		struct buf line = BUF_INIT(32768);

		buf_addf(&line, "%s: %s", field_text_or(one, "subject", "-"),
		    field_text_or(one, "when", "-"));
		if (field_int(one, "for_ms") != FIELD_UNKNOWN)
			buf_addf(&line, ", for %s",
			    text_duration(field_int(one, "for_ms"), text));
		if (field_text(one, "until") != NULL)
			buf_addf(&line, ", until %s", field_text(one, "until"));
		render_field(i == 0 ? key : "", buf_str(&line), out);
		buf_free(&line);
	}
	if (json_array_size(list) == 0)
		render_field("when", "always", out);
}

static void
add_hosts(const json_t *policy, struct buf *out)
{
	static const char *const answers[] = {"true", "unknown", "false"};
	const json_t *hosts = json_object_get(policy, "hosts"), *host;
	bool any = false;
	size_t i;

	for (size_t a = 0; a < sizeof(answers) / sizeof(answers[0]); a++) {
		struct buf line = BUF_INIT(1 << 20);

		json_array_foreach(hosts, i, host)
		{
			if (strcmp(field_text_or(host, "holds", "unknown"),
				answers[a]) != 0)
				continue;
			buf_addf(&line, "%s%s", line.len > 0 ? ", " : "",
			    field_text_or(host, "host", "-"));
		}
		if (line.len > 0) {
			struct buf words = BUF_INIT(1 << 20);

			buf_addf(&words, "%s: %s", answers[a], buf_str(&line));
			render_field(any ? "" : "holds", buf_str(&words), out);
			buf_free(&words);
			any = true;
		}
		buf_free(&line);
	}
}

void
render_policy(
    const json_t *policy, const struct style *style, bool wide, struct buf *out)
{
	const json_t *decision = json_object_get(policy, "decision");
	struct buf place = BUF_INIT(8192);
	char mode[128], text[TEXT_SIZE];

	render_field("policy", field_text(policy, "policy"), out);
	if (field_text(policy, "description") != NULL)
		render_field("about", field_text(policy, "description"), out);
	place_words(policy, &place);
	render_field("file", buf_str(&place), out);
	mode_words(policy, mode, sizeof(mode));
	render_field("mode", mode, out);
	if (field_text(policy, "mode_by") != NULL) {
		snprintf(mode, sizeof(mode), "%s, %s",
		    field_text(policy, "mode_by"),
		    text_time(field_text(policy, "mode_since"), text));
		render_field("set by", mode, out);
	}
	render_field(
	    "priority", text_number(field_int(policy, "priority"), text), out);
	add_conditions(policy, out);
	add_hosts(policy, out);
	buf_free(&place);
	buf_adds(out, "\n");
	if (decision != NULL)
		render_decision(decision, style, wide, out);
	else
		buf_adds(out, "It has decided nothing yet.\n");
}

void
render_mode_change(const json_t *policy, struct buf *out)
{
	char mode[128];

	text_add(out, field_text_or(policy, "policy", "-"));
	if (field_text(policy, "mode") != NULL) {
		mode_words(policy, mode, sizeof(mode));
		buf_addf(out, ": mode %s\n", mode);
	} else {
		buf_adds(out,
		    ": not in the configuration; nothing is set any more\n");
	}
}

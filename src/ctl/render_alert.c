/* Alerts: one row each, of all hosts and of one. */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
    {"HOST", false, false},
    {"ALERT", false, false},
    {"SEVERITY", false, false},
    {"SINCE", false, false},
    {"REPEATED", false, true},
    {"LABELS", false, true},
    {NULL, false, false},
};

/* What stands in columns of its own is left out. */
static void
labels_words(const json_t *labels, struct buf *out)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)labels, key, value)
	{
		if (strcmp(key, "alertname") == 0 ||
		    strcmp(key, "severity") == 0 || !json_is_string(value))
			continue;
		buf_addf(out, "%s%s=%s", out->len > 0 ? "," : "", key,
		    json_string_value(value));
	}
}

static enum text_colour
severity_colour(const char *severity)
{
	if (severity != NULL && strcmp(severity, "critical") == 0)
		return TEXT_RED;
	if (severity != NULL && strcmp(severity, "warning") == 0)
		return TEXT_YELLOW;
	return TEXT_PLAIN;
}

static void
add_cells(struct table *table, const json_t *alert)
{
	const char *severity = field_text(alert, "severity");
	char text[TEXT_SIZE];

	table_cell(table, TEXT_PLAIN, field_text_or(alert, "name", "-"));
	table_cell(table, severity_colour(severity),
	    severity != NULL ? severity : "-");
	table_cell(
	    table, TEXT_PLAIN, text_time(field_text(alert, "since"), text));
}

static void
add_labels(struct table *table, const json_t *alert)
{
	struct buf labels = BUF_INIT(16384);

	labels_words(json_object_get(alert, "labels"), &labels);
	table_cell(table, TEXT_PLAIN, buf_str(&labels));
	buf_free(&labels);
}

static void
add_row(struct table *table, const json_t *alert)
{
	const char *host = field_text(alert, "host");
	char text[TEXT_SIZE];

	table_cell(table, host != NULL ? TEXT_PLAIN : TEXT_YELLOW,
	    host != NULL ? host : "(none)");
	add_cells(table, alert);
	table_cell(
	    table, TEXT_PLAIN, text_time(field_text(alert, "seen"), text));
	add_labels(table, alert);
}

void
render_alerts(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(columns, wide, json_object_get(answer, "alerts"),
	    add_row, style, out);
}

static void
add_row_of_host(struct table *table, const json_t *alert)
{
	add_cells(table, alert);
	add_labels(table, alert);
}

void
render_host_alerts(
    const json_t *alerts, const struct style *style, struct buf *out)
{
	static const struct table_column of_host[] = {
	    {"ALERT", false, false},
	    {"SEVERITY", false, false},
	    {"SINCE", false, false},
	    {"LABELS", false, false},
	    {NULL, false, false},
	};

	if (json_array_size(alerts) == 0)
		return;
	buf_adds(out, "\n");
	table_print_rows(of_host, false, alerts, add_row_of_host, style, out);
}

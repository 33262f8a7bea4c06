/* Hosts: one row each, and one host with its guests. */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
    {"HOST", false, false},
    {"STATE", false, false},
    {"GUESTS", true, false},
    {"CPUS", true, false},
    {"USED", true, false},
    {"MEMORY", true, false},
    {"FREE", true, false},
    {"IN", true, false},
    {"OUT", true, false},
    {"RESERVED", true, true},
    {"OFF", true, true},
    {"SINCE", false, true},
    {"URI", false, true},
    {"LABELS", false, true},
    {"REASON", false, false},
    {NULL, false, false},
};

static void
state_words(const json_t *host, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", field_text_or(host, "state", "-"),
	    field_bool(host, "maintenance") ? ", maintenance" : "",
	    field_bool(host, "cordoned") && !field_bool(host, "maintenance")
		? ", cordoned"
		: "");
}

static enum text_colour
state_colour(const json_t *host)
{
	const char *state = field_text_or(host, "state", "");

	if (strcmp(state, "up") != 0)
		return TEXT_RED;
	if (field_bool(host, "maintenance") || field_bool(host, "cordoned"))
		return TEXT_YELLOW;
	return TEXT_PLAIN;
}

static void
labels_words(const json_t *labels, struct buf *out)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)labels, key, value)
	    buf_addf(out, "%s%s=%s", out->len > 0 ? "," : "", key,
		json_is_string(value) ? json_string_value(value) : "");
}

static void
number_cell(struct table *table, const json_t *object, const char *key)
{
	char text[TEXT_SIZE];

	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(object, key), text));
}

static void
bytes_cell(struct table *table, const json_t *object, const char *key)
{
	char text[TEXT_SIZE];

	table_cell(table, TEXT_PLAIN, text_bytes(field_int(object, key), text));
}

static const char *
why_words(const json_t *host)
{
	const char *by = field_text(host, "claimed_by");

	if (by == NULL)
		by = field_text(host, "reason");
	return field_text_or(host, "down_reason", by);
}

static void
add_row(struct table *table, const json_t *host)
{
	struct buf labels = BUF_INIT(4096);
	char text[128];

	table_cell(table, TEXT_PLAIN, field_text(host, "name"));
	state_words(host, text, sizeof(text));
	table_cell(table, state_colour(host), text);
	number_cell(table, host, "vms");
	number_cell(table, host, "cpus");
	table_cell(table, TEXT_PLAIN, render_cores(host, text));
	bytes_cell(table, host, "memory");
	bytes_cell(table, host, "memory_free");
	number_cell(table, host, "moves_in");
	number_cell(table, host, "moves_out");
	bytes_cell(table, host, "memory_reserved_by_moves");
	number_cell(table, host, "vms_inactive");
	table_cell(
	    table, TEXT_PLAIN, text_time(field_text(host, "since"), text));
	table_cell(table, TEXT_PLAIN, field_text(host, "uri"));
	labels_words(json_object_get(host, "labels"), &labels);
	table_cell(table, TEXT_PLAIN, buf_str(&labels));
	table_cell(table, TEXT_PLAIN, why_words(host));
	buf_free(&labels);
}

void
render_hosts(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(columns, wide, json_object_get(answer, "hosts"),
	    add_row, style, out);
}

static void
add_drain(const json_t *drain, const struct style *style, struct buf *out)
{
	struct buf text = BUF_INIT(1024);

	if (drain == NULL)
		return;
	render_drain_summary(drain, style, &text);
	buf_adds(out, "drain      ");
	buf_adds(out, buf_str(&text));
	buf_free(&text);
}

/* "default (active), isolated" of an array of objects or of names. */
static void
add_list(const char *key, const json_t *list, struct buf *out)
{
	struct buf text = BUF_INIT(8192);
	const json_t *one;
	size_t i;

	if (!json_is_array(list))
		return;
	json_array_foreach(list, i, one)
	{
		const json_t *active = json_object_get(one, "active");

		buf_addf(&text, "%s%s%s", i > 0 ? ", " : "",
		    json_is_string(one) ? json_string_value(one)
					: field_text_or(one, "name", "-"),
		    json_is_false(active) ? " (inactive)" : "");
	}
	render_field(key, buf_str(&text), out);
	buf_free(&text);
}

/* Images of guests that have left. */
static void
add_kept(const json_t *kept, const struct style *style, struct buf *out)
{
	static const struct table_column kept_columns[] = {
	    {"KEPT FOR", false, false},
	    {"POOL", false, false},
	    {"VOLUME", false, false},
	    {"SINCE", false, false},
	    {"REMOVED AT", false, false},
	    {"MOVE", true, false},
	    {"NOTE", false, false},
	    {NULL, false, false},
	};
	struct table *table;
	const json_t *one;
	char text[TEXT_SIZE];
	size_t i;

	if (json_array_size(kept) == 0)
		return;
	table = table_new(kept_columns, false);
	json_array_foreach(kept, i, one)
	{
		table_cell(table, TEXT_PLAIN, field_text(one, "vm"));
		table_cell(table, TEXT_PLAIN, field_text(one, "pool"));
		table_cell(table, TEXT_PLAIN,
		    field_text_or(one, "volume", field_text(one, "path")));
		table_cell(table, TEXT_PLAIN,
		    text_time(field_text(one, "since"), text));
		table_cell(table, TEXT_PLAIN,
		    text_time(field_text(one, "until"), text));
		number_cell(table, one, "move");
		table_cell(table, TEXT_PLAIN, field_text(one, "note"));
	}
	buf_adds(out, "\n");
	table_print(table, style, out);
	table_free(table);
}

void
render_home(const json_t *home, struct buf *out)
{
	struct buf line = BUF_INIT(16384);

	if (home == NULL)
		return;
	buf_addf(&line, "wants to go home to %s: %s",
	    field_text_or(home, "host", "-"), field_text_or(home, "why", "-"));
	render_field("home", buf_str(&line), out);
	buf_free(&line);
}

/* Guests that want to come back. */
static void
add_homes(const json_t *homes, const struct style *style, struct buf *out)
{
	static const struct table_column home_columns[] = {
	    {"WANTS TO GO HOME", false, false},
	    {"IS AT", false, false},
	    {"POLICY", false, false},
	    {"LEFT", false, false},
	    {"WHY NOT YET", false, false},
	    {NULL, false, false},
	};
	struct table *table;
	const json_t *one;
	char text[TEXT_SIZE];
	size_t i;

	if (json_array_size(homes) == 0)
		return;
	table = table_new(home_columns, false);
	json_array_foreach(homes, i, one)
	{
		table_cell(table, TEXT_PLAIN, field_text(one, "vm"));
		table_cell(table, TEXT_PLAIN, field_text(one, "at"));
		table_cell(table, TEXT_PLAIN, field_text(one, "policy"));
		table_cell(table, TEXT_PLAIN,
		    text_time(field_text(one, "since"), text));
		table_cell(table, TEXT_PLAIN, field_text(one, "why"));
	}
	buf_adds(out, "\n");
	table_print(table, style, out);
	table_free(table);
}

/* Smoothed, as policies see it. */
static void
add_load(const json_t *host, struct buf *out)
{
	int64_t cpus = field_int(host, "cpus");
	struct buf line = BUF_INIT(1024);

	if (cpus > 0)
		render_part(host, "cpu_smooth", 1 / (double)cpus, "cpu", &line);
	render_part(host, "memory_smooth", 1, "memory", &line);
	render_part(host, "steal", 1, "steal", &line);
	render_part(host, "psi_cpu", 1, "pressure on cpu", &line);
	render_part(host, "psi_memory", 1, "on memory", &line);
	render_part(host, "psi_io", 1, "on disks", &line);
	if (line.len > 0)
		render_field("load", buf_str(&line), out);
	buf_free(&line);
}

void
render_host(
    const json_t *host, const struct style *style, bool wide, struct buf *out)
{
	struct buf labels = BUF_INIT(4096);
	struct buf line = BUF_INIT(1024);
	char text[128], more[TEXT_SIZE];
	json_t *guests = json_object_get(host, "guests");

	render_field("host", field_text(host, "name"), out);
	render_field("uri", field_text(host, "uri"), out);
	state_words(host, text, sizeof(text));
	buf_adds(&line, text);
	if (why_words(host) != NULL)
		buf_addf(&line, " (%s)", why_words(host));
	render_field("state", buf_str(&line), out);
	if (field_text(host, "since") != NULL)
		render_field(
		    "since", text_time(field_text(host, "since"), text), out);
	buf_clear(&line);
	buf_addf(&line, "%s, %s used",
	    text_number(field_int(host, "cpus"), more),
	    render_cores(host, text));
	render_field("cpus", buf_str(&line), out);
	buf_clear(&line);
	buf_addf(&line, "%s, %s free",
	    text_bytes(field_int(host, "memory"), text),
	    text_bytes(field_int(host, "memory_free"), more));
	buf_addf(&line, ", %s kept free",
	    text_bytes(field_int(host, "reserve_memory"), text));
	if (field_count(host, "memory_reserved_by_moves") > 0)
		buf_addf(&line, ", %s promised to moves",
		    text_bytes(
			field_int(host, "memory_reserved_by_moves"), text));
	render_field("memory", buf_str(&line), out);
	add_load(host, out);
	buf_clear(&line);
	buf_addf(&line, "%s in, %s out",
	    text_number(field_int(host, "moves_in"), text),
	    text_number(field_int(host, "moves_out"), more));
	render_field("moves", buf_str(&line), out);
	labels_words(json_object_get(host, "labels"), &labels);
	if (labels.len > 0)
		render_field("labels", buf_str(&labels), out);
	add_list("pools", json_object_get(host, "pools"), out);
	add_list("networks", json_object_get(host, "networks"), out);
	add_list("interfaces", json_object_get(host, "interfaces"), out);
	add_drain(json_object_get(host, "drain"), style, out);
	render_host_alerts(json_object_get(host, "alerts"), style, out);
	if (json_array_size(guests) > 0) {
		json_t *answer = json_pack("{s:O}", "vms", guests);

		buf_adds(out, "\n");
		render_vms(answer, style, wide, out);
		json_decref(answer);
	}
	add_homes(json_object_get(host, "homes"), style, out);
	add_kept(json_object_get(host, "kept"), style, out);
	buf_free(&labels);
	buf_free(&line);
}

/* Guests: one row each, and one guest with what ties it to its host. */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
    {"GUEST", false, false},
    {"HOST", false, false},
    {"STATE", false, false},
    {"VCPUS", true, false},
    {"USED", true, false},
    {"MEMORY", true, false},
    {"AUTOSTART", false, true},
    {"PERSISTENT", false, true},
    {"LABELS", false, true},
    {"UUID", false, true},
    {NULL, false, false},
};

static void
state_words(const json_t *vm, char *out, size_t size)
{
	const char *reason = field_text(vm, "reason");

	snprintf(out, size, "%s%s%s%s%s", field_text_or(vm, "state", "-"),
	    reason != NULL ? " (" : "", reason != NULL ? reason : "",
	    reason != NULL ? ")" : "",
	    field_bool(vm, "moving") ? ", moving" : "");
}

static enum text_colour
state_colour(const json_t *vm)
{
	const char *state = field_text_or(vm, "state", "");

	if (field_bool(vm, "moving"))
		return TEXT_YELLOW;
	if (strcmp(state, "crashed") == 0)
		return TEXT_RED;
	return strcmp(state, "running") == 0 ? TEXT_PLAIN : TEXT_DIM;
}

static const char *
yes_or_no(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_boolean(value))
		return "-";
	return json_is_true(value) ? "yes" : "no";
}

const char *
render_cores(const json_t *object, char out[TEXT_SIZE])
{
	const json_t *value = json_object_get(object, "cpu_used");

	if (json_is_number(value))
		snprintf(out, TEXT_SIZE, "%.1f", json_number_value(value));
	else
		strcpy(out, "-");
	return out;
}

/* "app=web tier=front" */
static void
add_label_words(const json_t *vm, struct buf *out)
{
	json_t *labels = json_object_get(vm, "labels"), *value;
	const char *key;

	json_object_foreach(labels, key, value)
	    buf_addf(out, "%s%s=%s", out->len > 0 ? " " : "", key,
		json_is_string(value) ? json_string_value(value) : "-");
}

void
render_labels(const json_t *vm, struct buf *out)
{
	struct buf labels = BUF_INIT(65536);

	add_label_words(vm, &labels);
	text_add(out, field_text_or(vm, "name", "-"));
	buf_adds(out, ": ");
	text_add(out, labels.len > 0 ? buf_str(&labels) : "no labels");
	buf_adds(out, "\n");
	buf_free(&labels);
}

void
render_part(const json_t *object, const char *key, double factor,
    const char *of, struct buf *line)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		return;
	buf_addf(line, "%s%.0f %% %s", line->len > 0 ? ", " : "",
	    json_number_value(value) * factor * 100, of);
}

/* What it uses, smoothed, as policies see it. */
static void
add_load(const json_t *vm, struct buf *out)
{
	const json_t *iops = json_object_get(vm, "disk_iops");
	const json_t *net = json_object_get(vm, "net_rate");
	int64_t vcpus = field_int(vm, "vcpus");
	struct buf line = BUF_INIT(1024);
	char text[TEXT_SIZE];

	if (vcpus > 0)
		render_part(vm, "cpu_smooth", 1 / (double)vcpus, "cpu", &line);
	if (json_is_number(iops))
		buf_addf(&line, "%s%.0f requests/s to disks",
		    line.len > 0 ? ", " : "", json_number_value(iops));
	if (json_is_number(net))
		buf_addf(&line, "%s%s of network", line.len > 0 ? ", " : "",
		    text_rate((int64_t)json_number_value(net), text));
	if (line.len > 0)
		render_field("load", buf_str(&line), out);
	buf_free(&line);
}

static void
add_row(struct table *table, const json_t *vm)
{
	struct buf labels = BUF_INIT(65536);
	char text[TEXT_SIZE];

	table_cell(table, TEXT_PLAIN, field_text(vm, "name"));
	table_cell(table, TEXT_PLAIN, field_text(vm, "host"));
	state_words(vm, text, sizeof(text));
	table_cell(table, state_colour(vm), text);
	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(vm, "vcpus"), text));
	table_cell(table, TEXT_PLAIN, render_cores(vm, text));
	table_cell(
	    table, TEXT_PLAIN, text_bytes(field_int(vm, "memory"), text));
	table_cell(table, TEXT_PLAIN, yes_or_no(vm, "autostart"));
	table_cell(table, TEXT_PLAIN, yes_or_no(vm, "persistent"));
	add_label_words(vm, &labels);
	table_cell(table, TEXT_PLAIN, labels.len > 0 ? buf_str(&labels) : "-");
	buf_free(&labels);
	table_cell(table, TEXT_PLAIN, field_text(vm, "uuid"));
}

void
render_vms(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(
	    columns, wide, json_object_get(answer, "vms"), add_row, style, out);
}

static void
add_disks(const json_t *disks, struct buf *out)
{
	const json_t *disk;
	size_t i;

	json_array_foreach(disks, i, disk)
	{
		struct buf text = BUF_INIT(8192);

		buf_addf(&text, "%s %s", field_text_or(disk, "target", "-"),
		    field_text_or(disk, "source", "(empty)"));
		if (field_text(disk, "format") != NULL)
			buf_addf(&text, " %s", field_text(disk, "format"));
		if (field_text(disk, "cache") != NULL)
			buf_addf(&text, " cache=%s", field_text(disk, "cache"));
		if (field_bool(disk, "readonly"))
			buf_adds(&text, " readonly");
		render_field(i == 0 ? "disks" : "", buf_str(&text), out);
		buf_free(&text);
	}
}

static void
add_texts(const char *key, const json_t *list, struct buf *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		char text[512];

		if (json_is_string(one))
			snprintf(
			    text, sizeof(text), "%s", json_string_value(one));
		else
			snprintf(text, sizeof(text), "%s %s",
			    field_text_or(one, "kind", "-"),
			    field_text_or(one, "source", ""));
		render_field(i == 0 ? key : "", text, out);
	}
}

void
render_vm(
    const json_t *vm, const struct style *style, bool wide, struct buf *out)
{
	char text[256], cores[TEXT_SIZE], figure[TEXT_SIZE];
	struct buf labels = BUF_INIT(65536);

	(void)style;
	(void)wide;
	render_field("guest", field_text(vm, "name"), out);
	render_field("uuid", field_text(vm, "uuid"), out);
	render_field("host", field_text(vm, "host"), out);
	state_words(vm, text, sizeof(text));
	render_field("state", text, out);
	snprintf(text, sizeof(text), "%s, %s used",
	    text_number(field_int(vm, "vcpus"), figure),
	    render_cores(vm, cores));
	render_field("vcpus", text, out);
	render_field("memory", text_bytes(field_int(vm, "memory"), cores), out);
	add_load(vm, out);
	render_field("autostart", yes_or_no(vm, "autostart"), out);
	render_field("persistent", yes_or_no(vm, "persistent"), out);
	add_label_words(vm, &labels);
	if (labels.len > 0)
		render_field("labels", buf_str(&labels), out);
	buf_free(&labels);
	if (field_text(vm, "last_moved") != NULL)
		render_field("last moved",
		    text_time(field_text(vm, "last_moved"), figure), out);
	render_home(json_object_get(vm, "home"), out);
	if (field_text(vm, "machine") != NULL) {
		snprintf(text, sizeof(text), "%s %s",
		    field_text_or(vm, "arch", "-"), field_text(vm, "machine"));
		render_field("machine", text, out);
		render_field("emulator", field_text(vm, "emulator"), out);
	}
	add_disks(json_object_get(vm, "disks"), out);
	add_texts("nics", json_object_get(vm, "nics"), out);
	add_texts("pinned by", json_object_get(vm, "pins"), out);
}

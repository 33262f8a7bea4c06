/*
 * What events there are, for who writes a receiver or a template.  No daemon is
 * asked: it is all in the program.
 */

#include <stdio.h>
#include <string.h>

#include "config/diag.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"
#include "notify/catalog.h"

#define TYPES_MAX 64

static const struct table_column type_columns[] = {
    {"TYPE", false, false},
    {"SEVERITY", false, false},
    {"MEANING", false, false},
    {NULL, false, false},
};

static void
add_type_row(struct table *table, const json_t *row)
{
	table_cell(table, TEXT_PLAIN, field_text(row, "type"));
	table_cell(table, TEXT_PLAIN, field_text(row, "severity"));
	table_cell(table, TEXT_PLAIN, field_text(row, "meaning"));
}

int
ctl_event_types(struct ctl *ctl)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	json_t *rows = json_array(), *answer;

	for (const struct catalog_type *t = catalog_types; t->type != NULL; t++)
		json_array_append_new(rows,
		    json_pack("{s:s, s:s, s:s}", "type", t->type, "severity",
			catalog_severity_word(t->type, NULL), "meaning",
			t->meaning));
	answer = json_pack("{s:s, s:o}", "schema", "drover/v1", "types", rows);
	switch (ctl->args.output) {
	case ARGS_JSON:
		ctl_print_json(answer);
		break;
	case ARGS_NAME:
		for (const struct catalog_type *t = catalog_types;
		     t->type != NULL; t++)
			buf_addf(&out, "%s\n", t->type);
		break;
	case ARGS_TABLE:
	case ARGS_WIDE:
		table_print_rows(
		    type_columns, false, rows, add_type_row, &ctl->style, &out);
		break;
	}
	ctl_print(&out);
	json_decref(answer);
	return CTL_DONE;
}

static int
refuse_type(const char *type)
{
	const char *names[TYPES_MAX] = {NULL}, *nearest;

	for (size_t i = 0; i < TYPES_MAX - 1 && catalog_types[i].type != NULL;
	     i++)
		names[i] = catalog_types[i].type;
	nearest = diag_suggest(type, names);
	ctl_say("there are no events of type \"%.60s\"%s%s%s; droverctl event "
		"types lists them",
	    type, nearest != NULL ? " (did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "");
	return CTL_USAGE;
}

int
ctl_event_schema(struct ctl *ctl)
{
	const struct args *args = &ctl->args;
	json_t *out;

	if (args->operand_count == 0) {
		out = json_object();
		for (const struct catalog_type *t = catalog_types;
		     t->type != NULL; t++)
			json_object_set_new(
			    out, t->type, catalog_schema(t->type));
	} else {
		out = catalog_schema(args->operands[0]);
		if (out == NULL)
			return refuse_type(args->operands[0]);
	}
	ctl_print_json(out);
	json_decref(out);
	return CTL_DONE;
}

int
ctl_event_sample(struct ctl *ctl)
{
	const struct args *args = &ctl->args;
	json_t *sample;

	if (args->operand_count > 0) {
		sample = catalog_sample(args->operands[0]);
		if (sample == NULL)
			return refuse_type(args->operands[0]);
		ctl_print_json(sample);
		json_decref(sample);
		return CTL_DONE;
	}
	for (const struct catalog_type *t = catalog_types; t->type != NULL;
	     t++) {
		sample = catalog_sample(t->type);
		json_dumpf(sample, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(sample);
	}
	return CTL_DONE;
}

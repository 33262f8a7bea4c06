/*
 * Policies as files, without a daemon: are they right, and what may an editor
 * know of them.  With --config the names of receivers and the labels of hosts
 * are those of that configuration; without it they are taken as they are.
 */

#include <stdlib.h>
#include <string.h>

#include "config/schema_json.h"
#include "ctl/ctl.h"
#include "ctl/policy_files.h"

#define TEXT_MAX (4 << 20)

struct check {
	struct diag_list faults, lints;
	struct settings *settings; /* NULL: faults */
};

static json_t *
diags_json(const struct diag_list *list)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct diag *d = &list->items[i];
		json_t *row =
		    json_pack("{s:s, s:s}", "file", d->file, "text", d->text);

		if (d->line > 0) {
			json_object_set_new(row, "line", json_integer(d->line));
			json_object_set_new(
			    row, "column", json_integer(d->column));
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

/* Does a lint stand in this policy: behind its first line, and before that of
 * the next one of its file? */
static bool
has_lint(const struct check *check, const struct policy *policy)
{
	const struct settings *s = check->settings;
	unsigned end = ~0U;

	for (size_t i = 0; i < s->policy_count; i++)
		if (strcmp(s->policies[i].file, policy->file) == 0 &&
		    s->policies[i].line > policy->line &&
		    s->policies[i].line < end)
			end = s->policies[i].line;
	for (size_t i = 0; i < check->lints.count; i++) {
		const struct diag *d = &check->lints.items[i];

		if (strcmp(d->file, policy->file) == 0 &&
		    d->line >= policy->line && d->line < end)
			return true;
	}
	return false;
}

static void
print_json(const struct check *check)
{
	const struct settings *s = check->settings;
	json_t *rows = json_array(), *out;

	for (size_t i = 0; s != NULL && i < s->policy_count; i++) {
		const struct policy *p = &s->policies[i];

		json_array_append_new(rows,
		    json_pack("{s:s, s:s, s:i, s:s, s:b}", "policy", p->name,
			"file", p->file, "line", (int)p->line, "mode",
			policy_mode_name(p->mode), "ok",
			(int)!has_lint(check, p)));
	}
	out = json_pack("{s:s, s:b, s:o, s:o, s:o}", "schema", "drover/v1",
	    "valid", (int)(s != NULL), "errors", diags_json(&check->faults),
	    "warnings", diags_json(&check->lints), "policies", rows);
	ctl_print_json(out);
	json_decref(out);
}

static void
print_names(const struct check *check, struct buf *out)
{
	const struct settings *s = check->settings;

	for (size_t i = 0; s != NULL && i < s->policy_count; i++)
		buf_addf(out, "%s\n", s->policies[i].name);
}

/* The order in which they act is that of settings: by priority. */
static void
print_table(const struct check *check, struct buf *out)
{
	const struct settings *s = check->settings;
	size_t lints = check->lints.count + check->lints.dropped;

	diag_print(&check->lints, out);
	for (size_t i = 0; i < s->policy_count; i++) {
		const struct policy *p = &s->policies[i];

		if (!has_lint(check, p))
			buf_addf(out, "%s:%u: %s: ok, mode %s\n", p->file,
			    p->line, p->name, policy_mode_name(p->mode));
	}
	buf_addf(out, "%zu polic%s", s->policy_count,
	    s->policy_count == 1 ? "y" : "ies");
	if (s->placement_count > 0)
		buf_addf(out, ", %zu placement rule%s", s->placement_count,
		    s->placement_count == 1 ? "" : "s");
	buf_addf(out, ", %zu warning%s\n", lints, lints == 1 ? "" : "s");
}

static void
print_faults(const struct diag_list *faults)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	diag_print(faults, &text);
	fputs(buf_str(&text), stderr);
	buf_free(&text);
}

static void
load(const struct args *args, struct check *check)
{
	struct policy_files *files = calloc(1, sizeof(*files));

	if (files == NULL)
		abort();
	if (args->config != NULL)
		policy_files_add_config(files, args->config, &check->faults);
	for (int i = 0; i < args->operand_count; i++)
		policy_files_add(files, args->operands[i], SETTINGS_POLICIES,
		    &check->faults);
	if (args->config == NULL)
		check->settings = settings_parse_policies(
		    files->files, files->count, &check->faults, &check->lints);
	else if (!diag_any(&check->faults))
		check->settings = settings_parse_linted(files->files,
		    files->count, "/", &check->faults, &check->lints);
	if (diag_any(&check->faults)) {
		settings_free(check->settings);
		check->settings = NULL;
	}
	policy_files_clear(files);
	free(files);
}

int
ctl_policy_check(struct ctl *ctl)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct check check = {.settings = NULL};
	int status = CTL_DONE;

	diag_init(&check.faults);
	diag_init(&check.lints);
	load(&ctl->args, &check);
	if (check.settings == NULL ||
	    ((ctl->args.given & ARGS_STRICT) != 0 && diag_any(&check.lints)))
		status = CTL_INVALID;
	if (ctl->args.output == ARGS_JSON)
		print_json(&check);
	else if (check.settings == NULL)
		print_faults(&check.faults);
	else if (ctl->args.output == ARGS_NAME)
		print_names(&check, &out);
	else
		print_table(&check, &out);
	ctl_print(&out);
	settings_free(check.settings);
	diag_free(&check.faults);
	diag_free(&check.lints);
	return status;
}

int
ctl_policy_schema(struct ctl *ctl)
{
	json_t *schema = schema_json_policies();

	(void)ctl;
	ctl_print_json(schema);
	json_decref(schema);
	return CTL_DONE;
}

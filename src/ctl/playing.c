/*
 * Policies on a snapshot: from files to what trial/simulate.c needs, and from its
 * answer to standard output.  The files are those of `policy check`, without a
 * drover.yaml: which receivers there are does not matter to what moves.
 */

#include "ctl/playing.h"

#include <stdlib.h>
#include <string.h>

#include "config/zones.h"
#include "ctl/field.h"
#include "ctl/policy_files.h"
#include "ctl/render.h"
#include "trial/simulate.h"

static struct settings *
read_policies(const struct args *args, struct diag_list *diags)
{
	struct policy_files *files = calloc(1, sizeof(*files));
	struct settings *settings = NULL;

	if (files == NULL)
		abort();
	for (int i = 0; i < args->policy_count; i++)
		policy_files_add(
		    files, args->policies[i], SETTINGS_POLICIES, diags);
	if (!diag_any(diags))
		settings = settings_parse_policies(
		    files->files, files->count, diags, NULL);
	if (settings != NULL)
		zones_fill(settings, ZONES_FOLDER, diags);
	policy_files_clear(files);
	free(files);
	return settings;
}

static void
show_names(const json_t *answer, struct buf *out)
{
	const json_t *move;
	size_t i;

	json_array_foreach(json_object_get(answer, "moves"), i, move)
	{
		text_add(out, field_text_or(move, "vm", "-"));
		buf_adds(out, "\n");
	}
}

static void
show(struct ctl *ctl, json_t *answer)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);

	switch (ctl->args.output) {
	case ARGS_JSON:
		json_object_set_new(answer, "schema", json_string("drover/v1"));
		ctl_print_json(answer);
		break;
	case ARGS_NAME:
		show_names(answer, &out);
		break;
	case ARGS_TABLE:
	case ARGS_WIDE:
		render_playing(
		    answer, &ctl->style, ctl->args.output == ARGS_WIDE, &out);
		break;
	}
	ctl_print(&out);
}

/* What is not simulated at all rather than for hours. */
static bool
is_too_large(const char *name, const struct read_snapshot *site)
{
	if ((int64_t)site->host_count * (int64_t)site->vm_count <=
	    SIMULATE_SIZE_MAX)
		return false;
	ctl_say("%s: %zu hosts with %zu guests are too many for --policy: "
		"their product is more than %d million; take some of the hosts "
		"with their guests",
	    name, site->host_count, site->vm_count,
	    (int)(SIMULATE_SIZE_MAX / 1000000));
	return true;
}

static int
play(struct ctl *ctl, const char *name, const struct read_snapshot *site,
    const struct settings *settings)
{
	const struct args *args = &ctl->args;
	/* Whole seconds, as all that is shown. */
	struct wall now = {clock_wall_now().ms / 1000 * 1000};
	struct simulate_options options = {
	    .start = (args->given & ARGS_AT) != 0 ? args->at : now,
	    .for_ms =
		(args->given & ARGS_FOR) != 0 ? args->for_ms : SIMULATE_FOR_MS,
	    .file = name,
	};
	json_t *answer = trial_simulate(site, settings, &options);
	size_t blocked = json_array_size(json_object_get(answer, "blocked"));

	show(ctl, answer);
	json_decref(answer);
	return blocked > 0 ? CTL_PARTLY : CTL_DONE;
}

int
playing_show(struct ctl *ctl, const char *name, const struct buf *text)
{
	size_t len = text->overflow ? text->max : text->len;
	struct arena *arena = arena_new(PLAN_READ_SNAPSHOT_MAX(len));
	struct read_snapshot site;
	struct settings *settings;
	struct diag_list diags;
	int status = CTL_INVALID;

	diag_init(&diags);
	settings = read_policies(&ctl->args, &diags);
	if (plan_read_snapshot(
		arena, name, buf_str(text), len, &diags, &site) &&
	    settings != NULL && !diag_any(&diags))
		status = is_too_large(name, &site)
		    ? CTL_FAILED
		    : play(ctl, name, &site, settings);
	else
		ctl_say_faults(&diags);
	settings_free(settings);
	diag_free(&diags);
	arena_free(arena);
	return status;
}

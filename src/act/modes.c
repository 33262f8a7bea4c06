/*
 * Modes that operators set.  They are kept apart from the configuration, which is
 * immutable and often not in the operator's hand (it comes from a repository): to
 * stop a policy at night nobody should have to edit a file and reload.  So the
 * file's mode stays visible beside the one that was set, and can be gone back to.
 *
 * What was said of a policy that a reload took away is kept: it may come back,
 * and must not come back acting.
 */
#include "act/modes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
#include "config/diag.h"

struct modes {
	struct store *store;
	struct announce *announce;
	struct map *map;         /* policy -> struct store_mode, own strings */
	enum policy_mode *array; /* what modes_of() gave out */
};

static const enum policy_mode all_modes[] = {
    POLICY_OFF, POLICY_OBSERVE, POLICY_APPROVE, POLICY_AUTO};
#define MODES_COUNT (sizeof(all_modes) / sizeof(all_modes[0]))

static void
mode_free(void *value)
{
	struct store_mode *mode = value;

	free((char *)(uintptr_t)mode->policy);
	free((char *)(uintptr_t)mode->mode);
	free((char *)(uintptr_t)mode->by);
	free(mode);
}

static void
mode_keep(const struct store_mode *row, void *arg)
{
	struct modes *modes = arg;
	struct store_mode *mode = malloc(sizeof(*mode));

	if (mode == NULL)
		abort();
	*mode = (struct store_mode){.policy = str_dup(row->policy),
	    .mode = str_dup(row->mode),
	    .by = str_dup(row->by),
	    .since = row->since};
	map_set(modes->map, row->policy, mode);
}

struct modes *
modes_new(struct store *store, struct announce *announce)
{
	struct modes *modes = calloc(1, sizeof(*modes));

	if (modes == NULL)
		abort();
	modes->store = store;
	modes->announce = announce;
	modes->map = map_new(mode_free);
	return modes;
}

void
modes_free(struct modes *modes)
{
	if (modes == NULL)
		return;
	map_free(modes->map);
	free(modes->array);
	free(modes);
}

int
modes_load(struct modes *modes, struct err *err)
{
	return store_each_mode(modes->store, mode_keep, modes, err);
}

const struct store_mode *
modes_find(const struct modes *modes, const char *policy)
{
	return map_get(modes->map, policy);
}

enum policy_mode
modes_parse(const char *word)
{
	for (size_t i = 0; i < MODES_COUNT; i++) {
		if (strcmp(policy_mode_name(all_modes[i]), word) == 0)
			return all_modes[i];
	}
	return POLICY_OBSERVE;
}

enum policy_mode
modes_get(const struct modes *modes, const struct policy *policy)
{
	const struct store_mode *said = modes_find(modes, policy->name);

	return said != NULL ? modes_parse(said->mode) : policy->mode;
}

const enum policy_mode *
modes_of(struct modes *modes, const struct settings *settings)
{
	free(modes->array);
	modes->array =
	    calloc(settings->policy_count + 1, sizeof(modes->array[0]));
	if (modes->array == NULL)
		abort();
	for (size_t i = 0; i < settings->policy_count; i++)
		modes->array[i] = modes_get(modes, &settings->policies[i]);
	return modes->array;
}

static const struct policy *
find_policy(const struct settings *settings, const char *name, struct err *err)
{
	const char **names =
	    calloc(settings->policy_count + 1, sizeof(names[0]));
	const struct policy *found = NULL;
	const char *nearest;

	if (names == NULL)
		abort();
	for (size_t i = 0; i < settings->policy_count; i++) {
		names[i] = settings->policies[i].name;
		if (strcmp(names[i], name) == 0)
			found = &settings->policies[i];
	}
	nearest = found == NULL ? diag_suggest(name, names) : NULL;
	free(names);
	if (found == NULL)
		(void)err_set(err, ERR_NOT_FOUND,
		    "there is no policy \"%s\"%s%s%s", name,
		    nearest != NULL ? " (did you mean \"" : "",
		    nearest != NULL ? nearest : "",
		    nearest != NULL ? "\"?)" : "");
	return found;
}

int
modes_check_policy(
    const struct settings *settings, const char *policy, struct err *err)
{
	return find_policy(settings, policy, err) != NULL ? 0 : -1;
}

static int
check_word(const char *word, struct err *err)
{
	const char *words[MODES_COUNT + 2] = {MODES_DEFAULT};
	const char *nearest;

	for (size_t i = 0; i < MODES_COUNT; i++)
		words[i + 1] = policy_mode_name(all_modes[i]);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0)
			return 0;
	}
	nearest = diag_suggest(word, words);
	return err_set(err, ERR_INVALID,
	    "\"%.40s\" is not a mode: off, observe, approve, auto or default "
	    "is wanted%s%s%s",
	    word, nearest != NULL ? " (did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "");
}

/* The row and its event; the copy in memory is changed by the caller. */
static int
write_mode(struct modes *modes, const struct store_mode *row,
    const struct policy *policy, const char *before, const char *now,
    struct err *err)
{
	char subject[160];

	if (store_begin(modes->store, err) < 0)
		return -1;
	(void)snprintf(subject, sizeof(subject), "policy/%s", row->policy);
	if (store_put_mode(modes->store, row, err) < 0 ||
	    (policy != NULL && strcmp(before, now) != 0 &&
		announce_event(modes->announce, "policy.mode", subject,
		    json_pack("{s:s, s:s, s:s, s:s, s:s}", "policy",
			row->policy, "mode", now, "before", before, "file_mode",
			policy_mode_name(policy->mode), "by", row->by),
		    err) < 0)) {
		store_rollback(modes->store);
		announce_forget(modes->announce);
		return -1;
	}
	if (store_commit(modes->store, err) < 0) {
		announce_forget(modes->announce);
		return -1;
	}
	return 0;
}

int
modes_set(struct modes *modes, const struct settings *settings,
    const char *name, const char *mode, const char *by, struct err *err)
{
	bool back = strcmp(mode, MODES_DEFAULT) == 0;
	const struct policy *policy;
	const char *before = "", *now = "";
	struct err why = {0};

	if (check_word(mode, err) < 0)
		return -1;
	policy = find_policy(settings, name, &why);
	/* What was said of one that is gone can be taken back. */
	if (policy == NULL && !(back && modes_find(modes, name) != NULL))
		return err_set(err, why.code, "%s", why.msg);
	if (back && modes_find(modes, name) == NULL)
		return 0;
	if (policy != NULL) {
		before = policy_mode_name(modes_get(modes, policy));
		now = back ? policy_mode_name(policy->mode) : mode;
	}
	if (write_mode(modes,
		&(struct store_mode){.policy = name,
		    .mode = back ? NULL : mode,
		    .by = by,
		    .since = clock_wall_now()},
		policy, before, now, err) < 0)
		return err_prefix(err, "%s: the mode is unchanged", name);
	if (back)
		(void)map_remove(modes->map, name);
	else
		mode_keep(&(struct store_mode){.policy = name,
			      .mode = mode,
			      .by = by,
			      .since = clock_wall_now()},
		    modes);
	announce_flush(modes->announce);
	if (strcmp(before, now) == 0)
		return 0;
	log_info("policy", "%s: mode %s, was %s, by %s", name, now, before, by);
	return 1;
}

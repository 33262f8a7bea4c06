#ifndef DROVER_ACT_MODES_H
#define DROVER_ACT_MODES_H

#include "config/settings.h"
#include "notify/announce.h"
#include "record/store.h"

/*
 * The modes of policies as they are now: those of their files, but for policies of
 * which an operator said otherwise (droverctl policy set-mode).  What he said is
 * durable, survives reloads, and holds for a policy by its name.  Loop thread only.
 */

#define MODES_DEFAULT "default" /* the word for the file's */

struct modes;

struct modes *modes_new(struct store *store, struct announce *announce);
void modes_free(struct modes *modes); /* NULL allowed */
int modes_load(struct modes *modes, struct err *err);

/* A word that this version does not know (a later one wrote it) is observe: no
 * leave to act. */
enum policy_mode modes_parse(const char *word);
enum policy_mode modes_get(
    const struct modes *modes, const struct policy *policy);
/* One for each of settings->policies, in their order; valid until the next call
 * or change. */
const enum policy_mode *modes_of(
    struct modes *modes, const struct settings *settings);
/* What an operator said; NULL: nothing, the file's mode holds. */
const struct store_mode *modes_find(
    const struct modes *modes, const char *policy);

/* -1, ERR_NOT_FOUND with the name that may have been meant, for a policy that is
 * not there. */
int modes_check_policy(
    const struct settings *settings, const char *policy, struct err *err);

/*
 * `mode` is a word of policy_mode_name(), or MODES_DEFAULT.  Returns 1 when the
 * policy has another mode now (with its event), 0 when it had that one already (it
 * is kept even so when the file says otherwise later), -1: ERR_NOT_FOUND for a
 * policy that is not there, ERR_INVALID for the word.
 */
int modes_set(struct modes *modes, const struct settings *settings,
    const char *policy, const char *mode, const char *by, struct err *err);

#endif

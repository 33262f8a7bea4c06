#ifndef DROVER_NOTIFY_HIDE_H
#define DROVER_NOTIFY_HIDE_H

#include "config/receiver.h"

/*
 * Takes out of a receiver's answers what is secret of it: its URL with what
 * looks like a key in it and its login, its token, its headers' values.  An
 * answer may have been cut, so the beginning of a secret at its end goes too.
 */

struct hide;

/* Reads the files of secrets.  NULL: a receiver that nothing is known of. */
struct hide *hide_new(const struct settings_receiver *receiver);
void hide_free(struct hide *hide); /* NULL allowed; wipes */

/* The same for secrets that are at hand; pure. */
struct hide *hide_known(const struct settings_receiver *receiver,
    const char *url, const char *token);
/* ... and nothing else; each may be NULL. */
struct hide *hide_of(const char *url, const char *token);
void hide_add(struct hide *hide, const char *secret);

#define HIDE_SIGN "[secret]"
/* A copy as one line of valid UTF-8, in which each secret is HIDE_SIGN; free()
 * it. */
char *hide_text(const struct hide *hide, const char *text);

#endif

#ifndef DROVER_BASE_LABEL_H
#define DROVER_BASE_LABEL_H

#include <stddef.h>

#include "base/err.h"

/*
 * Labels: words that people give to hosts and guests, as app=web.  Pure.
 *
 * A key is letters, digits, '.', '_', '-' and '/', at most LABEL_KEY_MAX bytes
 * and not ending in '-' (that removes one, in droverctl); a value is not empty, at
 * most LABEL_VALUE_MAX bytes, without control characters.
 */

#define LABEL_KEY_MAX 63
#define LABEL_VALUE_MAX 255
#define LABELS_MAX 64 /* of one host or guest */

int label_check_key(const char *key, struct err *err);
int label_check_value(const char *value, struct err *err);

/* Labels sorted by key; the strings are somebody else's. */
struct label_list {
	const char *keys[LABELS_MAX], *values[LABELS_MAX];
	size_t count;
};
/* Unless there is one of that key, or no room. */
void label_add(struct label_list *list, const char *key, const char *value);

#endif

/*
 * The form of labels, for all who take them: configuration, the metadata of
 * guests, and the control interface.  Keys are restricted to what an expression
 * and a command line can name without quotes.
 */
#include "base/label.h"

#include <string.h>

#define LABEL_LETTERS                                                          \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"

int
label_check_key(const char *key, struct err *err)
{
	size_t len = strlen(key);

	if (len == 0 || len > LABEL_KEY_MAX ||
	    key[strspn(key, LABEL_LETTERS)] != '\0' || key[len - 1] == '-')
		return err_set(err, ERR_INVALID,
		    "\"%.80s\" is not the name of a label (letters, digits, "
		    "\".\", \"_\", \"/\" and, but for the end, \"-\"; at most "
		    "%d)",
		    key, LABEL_KEY_MAX);
	return 0;
}

int
label_check_value(const char *value, struct err *err)
{
	if (value[0] == '\0')
		return err_set(
		    err, ERR_INVALID, "the value of a label is not empty");
	if (strlen(value) > LABEL_VALUE_MAX)
		return err_set(err, ERR_INVALID,
		    "the value of a label has at most %d bytes",
		    LABEL_VALUE_MAX);
	for (const char *p = value; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, ERR_INVALID,
			    "the value of a label holds no control "
			    "characters");
	}
	return 0;
}

void
label_add(struct label_list *list, const char *key, const char *value)
{
	size_t at = list->count;

	if (at == LABELS_MAX)
		return;
	for (size_t i = 0; i < list->count; i++) {
		int order = strcmp(list->keys[i], key);

		if (order == 0)
			return;
		if (order > 0) {
			at = i;
			break;
		}
	}
	memmove(&list->keys[at + 1], &list->keys[at],
	    (list->count - at) * sizeof(list->keys[0]));
	memmove(&list->values[at + 1], &list->values[at],
	    (list->count - at) * sizeof(list->values[0]));
	list->keys[at] = key;
	list->values[at] = value;
	list->count++;
}

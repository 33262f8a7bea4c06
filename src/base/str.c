/*
 * Copies of strings.  Where a name or a reason cannot even be copied there is
 * nothing left to do in good order, so these do not fail.
 */
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

char *
str_dup(const char *s)
{
	char *copy = s != NULL ? strdup(s) : NULL;

	if (s != NULL && copy == NULL)
		abort();
	return copy;
}

void
str_replace(char **at, const char *s)
{
	char *copy = str_dup(s);

	free(*at);
	*at = copy;
}

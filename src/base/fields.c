/*
 * What a host sent need not be UTF-8; jansson refuses such a text, which then is
 * as good as unknown.
 */
#include "base/fields.h"

#include <math.h>
#include <stddef.h>

void
fields_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(object, key, json_string(text));
}

void
fields_count(json_t *object, const char *key, int64_t number)
{
	if (number >= 0)
		json_object_set_new(object, key, json_integer(number));
}

void
fields_real(json_t *object, const char *key, double number)
{
	if (!isnan(number))
		json_object_set_new(object, key, json_real(number));
}

void
fields_time(json_t *object, const char *key, struct wall t)
{
	char text[CLOCK_RFC3339_SIZE];

	if (t.ms == 0)
		return;
	wall_format(t, text);
	json_object_set_new(object, key, json_string(text));
}

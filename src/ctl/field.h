#ifndef DROVER_CTL_FIELD_H
#define DROVER_CTL_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Members of the daemon's answers.  An absent member is unknown, and the caller
 * says what stands for that; a member of another type than expected counts as
 * absent, since the daemon may be newer than the client.
 */

#define FIELD_UNKNOWN INT64_MIN

static inline const char *
field_text_or(const json_t *object, const char *key, const char *missing)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : missing;
}

/* NULL: unknown. */
static inline const char *
field_text(const json_t *object, const char *key)
{
	return field_text_or(object, key, NULL);
}

/* FIELD_UNKNOWN: unknown. */
static inline int64_t
field_int(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value))
		return json_integer_value(value);
	if (json_is_real(value) && json_real_value(value) > -9e18 &&
	    json_real_value(value) < 9e18)
		return (int64_t)json_real_value(value);
	return FIELD_UNKNOWN;
}

static inline int64_t
field_count(const json_t *object, const char *key)
{
	int64_t value = field_int(object, key);

	return value == FIELD_UNKNOWN ? 0 : value;
}

static inline bool
field_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

#endif

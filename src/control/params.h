#ifndef DROVER_CONTROL_PARAMS_H
#define DROVER_CONTROL_PARAMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Arguments of a request, checked: unknown keys, keys given twice, wrong types
 * and values out of range are refused with what would be right.
 */

#define PARAMS_MAX 8          /* keys that one route knows */
#define PARAMS_VALUE_MAX 1024 /* bytes of one value in a query */

/* PARAM_PAIRS: an object of texts and nulls, in a body only. */
enum param_type { PARAM_TEXT, PARAM_NUMBER, PARAM_BOOL, PARAM_PAIRS };

/* A list ends after PARAMS_MAX or with a NULL name. */
struct param {
	const char *name;
	enum param_type type;
	int64_t min, max; /* of a number; bytes of a text; pairs */
};

/*
 * Both return an object with what was given (absent keys stay absent), or NULL
 * with ERR_INVALID.  Each refuses arguments in the other's place.
 */
json_t *params_from_body(const struct param *params, const char *query,
    const char *body, size_t body_len, struct err *err);
json_t *params_from_query(const struct param *params, const char *query,
    size_t body_len, struct err *err);

/* Undoes percent-encoding.  False: malformed, no room, or a NUL in it. */
bool params_decode(const char *text, size_t len, char *out, size_t size);

#endif

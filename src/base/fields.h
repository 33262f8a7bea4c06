#ifndef DROVER_BASE_FIELDS_H
#define DROVER_BASE_FIELDS_H

#include <jansson.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * Puts members into a JSON object, and leaves out what is unknown: in all JSON of
 * Drover an absent key means "unknown", so that no program takes a missing figure
 * for a zero.
 */
void fields_text(
    json_t *object, const char *key, const char *text); /* not NULL, not "" */
void fields_count(
    json_t *object, const char *key, int64_t number); /* not negative */
void fields_real(json_t *object, const char *key, double number); /* not NAN */
void fields_time(
    json_t *object, const char *key, struct wall t); /* not 0; RFC 3339 */

#endif

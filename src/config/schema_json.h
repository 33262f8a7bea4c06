#ifndef DROVER_CONFIG_SCHEMA_JSON_H
#define DROVER_CONFIG_SCHEMA_JSON_H

#include <jansson.h>

#include "config/schema.h"

/*
 * A table as a JSON Schema (draft 7), for editors: which keys there are, what
 * they mean, which words and ranges they take.  It is looser than the reader:
 * what several keys are together and what stands in expressions is checked by
 * `droverctl policy check` alone.  The caller owns the result.
 */
json_t *schema_json(const struct schema *schema, const char *title);

/* That of a file of policies. */
json_t *schema_json_policies(void);

#endif

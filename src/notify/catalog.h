#ifndef DROVER_NOTIFY_CATALOG_H
#define DROVER_NOTIFY_CATALOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/receiver.h"

/*
 * Every type of event that there is: how grave it is, what its data holds, and
 * a sample.  Pure.
 */

struct catalog_type {
	const char *type;    /* without "drover." */
	const char *meaning; /* one line */
	enum receiver_severity
	    severity; /* unless catalog_severity says other */
};

/* In the order of the manual; ends with type NULL. */
extern const struct catalog_type catalog_types[];

const struct catalog_type *catalog_find(const char *type); /* NULL: none */
enum receiver_severity catalog_severity(const char *type, const json_t *data);
/* The gravest that one of this type may be. */
enum receiver_severity catalog_severity_most(const char *type);
/* "info", "warning", "error": the extension attribute `severity`. */
const char *catalog_severity_word(const char *type, const json_t *data);

/* What receivers choose by; points into `type` and `data`. */
struct receiver_event catalog_event(const char *type, const json_t *data);

/* A complete CloudEvent of that type, as droverd would send it, the same each
 * time.  NULL: no such type.  The caller's reference. */
json_t *catalog_sample(const char *type);

/* The JSON Schema (draft 2020-12) of a type's `data`; the caller's. */
json_t *catalog_schema(const char *type);

/*
 * Is it, envelope and data, as the catalogue says?  Stricter than the schemas,
 * which let receivers ignore what they do not know: a member that is not in the
 * catalogue is a fault, too.  For tests, on each event that is announced.
 */
int catalog_validate(const json_t *event, struct err *err);

/* Ends the condition that its data names: announced where no other event does
 * (conditions.h). */
#define CATALOG_ENDED RECEIVER_QUIET_TYPE

/* What an event means for the state of a thing: alerts are raised and
 * resolved by it. */
enum catalog_effect { CATALOG_NOTHING, CATALOG_RAISES, CATALOG_RESOLVES };
struct catalog_state {
	enum catalog_effect effect;
	char key[256];    /* of the thing: "host-lost/kvm3" */
	const char *name; /* of the alert: "DroverHostLost"; constant */
};
struct catalog_state catalog_state(const char *type, const json_t *data);

#endif

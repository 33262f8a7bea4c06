#ifndef DROVER_DECIDE_EXPR_VALUE_H
#define DROVER_DECIDE_EXPR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * What an expression computes with.  A value that is all zero is unknown.
 */

enum expr_type {
	EXPR_BOOL,
	EXPR_NUMBER,
	EXPR_PERCENT,  /* a fraction: 80 % is 0.8 */
	EXPR_BYTES,    /* exact up to 2^53, 8 PiB */
	EXPR_RATE,     /* bytes per second */
	EXPR_DURATION, /* milliseconds */
	EXPR_STRING,
	EXPR_LIST
};

/* A list, of a policy file (with its name) or of an object (name NULL).  Its
 * items are strings, or else numbers of one unit. */
struct expr_list {
	const char *name;
	enum expr_type type; /* of its items */
	size_t count;
	const char *const *strings;
	const double *numbers;
};

struct expr_value {
	enum expr_type type;
	bool known;
	union {
		bool truth;
		double number; /* EXPR_NUMBER to EXPR_DURATION */
		const char *string;
		const struct expr_list *list;
	};
	int64_t for_ms; /* how long it has been so, for expr_explain(); 0: not
			   said */
};

static inline struct expr_value
expr_value_unknown(void)
{
	return (struct expr_value){.known = false};
}

static inline struct expr_value
expr_value_bool(bool truth)
{
	return (struct expr_value){
	    .type = EXPR_BOOL, .known = true, .truth = truth};
}

/* Of any type from EXPR_NUMBER to EXPR_DURATION. */
static inline struct expr_value
expr_value_number(enum expr_type type, double number)
{
	return (struct expr_value){
	    .type = type, .known = true, .number = number};
}

/* NULL is unknown. */
static inline struct expr_value
expr_value_string(const char *string)
{
	return (struct expr_value){
	    .type = EXPR_STRING, .known = string != NULL, .string = string};
}

static inline struct expr_value
expr_value_list(const struct expr_list *list)
{
	return (struct expr_value){
	    .type = EXPR_LIST, .known = list != NULL, .list = list};
}

static inline bool
expr_type_is_numeric(enum expr_type type)
{
	return type >= EXPR_NUMBER && type <= EXPR_DURATION;
}

/* With its article: "a percentage". */
const char *expr_type_name(enum expr_type type);

/* For people, with its unit: 91 %, 2.0 GiB, 5 m 00 s, "running", unknown.  A
 * list shows its first few items. */
void expr_value_print(const struct expr_value *value, struct buf *out);

#endif

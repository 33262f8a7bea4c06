#ifndef DROVER_HV_EXPLAIN_TABLE_H
#define DROVER_HV_EXPLAIN_TABLE_H

#include <stddef.h>

#include "hv/explain.h"

/* The rows of explain.c; private to it. */

#define EXPLAIN_NEEDLES 3

struct explain_row {
	const char *needles[EXPLAIN_NEEDLES]; /* all must occur; NULL: none */
	struct hv_explanation says;
};

extern const struct explain_row explain_rows[];
extern const size_t explain_row_count;

#endif

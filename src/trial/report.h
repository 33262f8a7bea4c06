#ifndef DROVER_TRIAL_REPORT_H
#define DROVER_TRIAL_REPORT_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Results as the Test Anything Protocol, version 14: one test point for each
 * expectation, numbered through all files.  Pure.
 */

struct report {
	struct buf *out;
	size_t count, failed;
};

void report_begin(struct report *report, struct buf *out);

/* What trial_run() gave for one test of the file. */
void report_case(struct report *report, const char *file, const json_t *result);

/* A file that is no file of tests; `faults` has a line for each. */
void report_bad_file(
    struct report *report, const char *file, const char *faults);

void report_end(struct report *report);

#endif

#ifndef DROVER_SELFTEST_H
#define DROVER_SELFTEST_H

#include <stdbool.h>

/*
 * droverd -t and -T.  Prints to standard output what was found, faults to standard
 * error.  With `connect` each host is opened and asked, all at the same time, at
 * most SELFTEST_HOST_MS each.  Returns the exit status: 0 good, 6 the configuration
 * is at fault, 1 a host cannot be used.
 */
#define SELFTEST_HOST_MS 15000

int selftest_run(const char *config_path, bool connect);

#endif

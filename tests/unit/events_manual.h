#ifndef DROVER_TESTS_EVENTS_MANUAL_H
#define DROVER_TESTS_EVENTS_MANUAL_H

#include "base/buf.h"

/* The part of drover-events(7) that is made from the catalogue: a subsection for
 * each type. */
void events_manual(struct buf *out);

#endif

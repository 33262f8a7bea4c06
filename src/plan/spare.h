#ifndef DROVER_PLAN_SPARE_H
#define DROVER_PLAN_SPARE_H

#include <stdint.h>

#include "plan/score.h"

/*
 * N+1: whether the guests that run on a host would find memory on the others if
 * the host were lost.  Of memory only, as a guest that restarts elsewhere needs
 * shared disks anyway.  Errs on the safe side: a host may be counted as exposed
 * although some clever packing existed.  Pure.
 */

/* Hosts that are exposed; stops counting above `enough`.  Adds to *work about
 * how many numbers it looked at. */
uint32_t spare_count(struct score *score, uint32_t enough, uint64_t *work);

/* The same, were the guest on that host. */
uint32_t spare_count_after(struct score *score, uint32_t guest, uint32_t to,
    uint32_t enough, uint64_t *work);

/* What the host adds to score->roomy. */
int64_t spare_roomy(const struct score *score, uint32_t host);

#endif

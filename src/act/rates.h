#ifndef DROVER_ACT_RATES_H
#define DROVER_ACT_RATES_H

#include <stdint.h>

/*
 * How fast the links between hosts are, learned from moves that have ended: per
 * target, smoothed.  Pure.
 */

#define RATES_HOSTS_MAX 4096
/* What is smaller or quicker says more about beginning and ending. */
#define RATES_BYTES_MIN (32 << 20)
#define RATES_MS_MIN 200

struct rates;

struct rates *rates_new(void);
void rates_free(struct rates *rates); /* NULL allowed */
/* `limit`: bytes/s that it was held to, 0: to nothing; one that came near to it
 * says nothing about the link. */
void rates_learn(struct rates *rates, const char *to, int64_t bytes, int64_t ms,
    int64_t limit);
/* What an earlier daemon knew; kept where nothing is known yet. */
void rates_remember(struct rates *rates, const char *to, int64_t rate);
int64_t rates_of(const struct rates *rates, const char *to); /* 0: unknown */

#endif

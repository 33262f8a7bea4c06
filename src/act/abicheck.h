#ifndef DROVER_ACT_ABICHECK_H
#define DROVER_ACT_ABICHECK_H

#include "hv/link.h"
#include "model/inventory.h"

/*
 * Asks each host, ahead of need, whether it could run the guests of the others
 * (CPU and machine type), and puts the answers into the inventory.  Each question
 * is out at most once; a host that could not answer is asked again later.
 */

#define ABICHECK_RETRY_MS 5000

struct abicheck;

struct abicheck *abicheck_new(struct loop *loop, struct inventory *inventory,
    struct link *(*link)(const char *host, void *arg), void *link_arg,
    void (*answered)(void *arg), void *arg);
/* Answers that are on their way find nobody and are dropped. */
void abicheck_free(struct abicheck *abicheck);

/* Asks what is open. */
void abicheck_run(struct abicheck *abicheck);

#endif

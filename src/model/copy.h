#ifndef DROVER_MODEL_COPY_H
#define DROVER_MODEL_COPY_H

#include "model/snapshot.h"

/*
 * Deep copies into an arena (private to model/): everything that the struct
 * points to, so that the source may be freed.
 */

void copy_vm(
    struct arena *arena, const struct snap_vm *from, struct snap_vm *to);
void copy_host(
    struct arena *arena, const struct snap_host *from, struct snap_host *to);
/* Of struct snap_proof, for qsort() and bsearch() (snapshot.c). */
int snapshot_compare_proofs(const void *a, const void *b);
const char **copy_strings(
    struct arena *arena, const char *const *from, size_t count);

#endif

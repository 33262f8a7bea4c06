#ifndef DROVER_BASE_CLEANUP_H
#define DROVER_BASE_CLEANUP_H

#include <stdlib.h>

/* `cleanup(fn)` calls fn(&variable) when the variable leaves its scope. */
#define cleanup(fn) __attribute__((cleanup(fn)))

static inline void
cleanup_free_ptr(void *p)
{
	free(*(void **)p);
}

#define cleanup_free cleanup(cleanup_free_ptr)

#endif

#ifndef DROVER_HV_BLOCKS_H
#define DROVER_HV_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * An image as it comes out of a sparse stream, cut into blocks: which of them
 * hold something, and a checksum of it all.  No I/O; one thread.
 *
 * The checksum is SHA-256 over the blocks of 4 KiB that are not all zeros, each
 * preceded by its offset (64 bits, big-endian), and last the length of the
 * image.  It says whether two images read the same, wherever their holes are,
 * and costs nothing for what is empty.  It is not what sha256sum prints.
 */

#define BLOCKS_SIZE 4096
#define BLOCKS_PER_WINDOW 256
#define BLOCKS_WINDOW ((size_t)BLOCKS_SIZE * BLOCKS_PER_WINDOW)
#define BLOCKS_SHA256_SIZE 65

/* A piece of the image, aligned to its own size. */
struct blocks_window {
	int64_t offset;
	size_t len; /* shorter only at the end of the image */
	bool given[BLOCKS_PER_WINDOW]; /* the source had data there */
	bool full[BLOCKS_PER_WINDOW];  /* and not only zeros */
	char data[BLOCKS_SIZE * BLOCKS_PER_WINDOW];
};

/* Takes a window with something in it, and gives one to go on with, which may
 * be the same.  NULL ends it all. */
typedef struct blocks_window *(*blocks_take_fn)(
    void *arg, struct blocks_window *window);

struct blocks;

/* `window` belongs to it until it is taken, or given back by blocks_free(). */
struct blocks *blocks_new(int64_t length, struct blocks_window *window,
    blocks_take_fn take, void *arg);
struct blocks_window *blocks_free(struct blocks *blocks);

/* Where the image goes on, and how much may be put there; *len 0: at its end.
 * Then how much was. */
char *blocks_room(struct blocks *blocks, size_t *len);
/* -1 when it was ended by who takes windows (ERR_ABORTED). */
int blocks_add(struct blocks *blocks, size_t len, struct err *err);
/* ERR_INVALID when the hole passes the image's end. */
int blocks_add_hole(struct blocks *blocks, int64_t len, struct err *err);

int64_t blocks_offset(const struct blocks *blocks);
/* ERR_INVALID when the image has not come to its end. */
int blocks_end(
    struct blocks *blocks, char sha256[BLOCKS_SHA256_SIZE], struct err *err);

/*
 * The next piece at or after *start that is to be written: false when there is
 * none.  Zeros that the source had as data are written along when it is a short
 * run of them between others; longer ones become holes.
 */
bool blocks_next_run(
    const struct blocks_window *window, size_t *start, size_t *end);

#endif

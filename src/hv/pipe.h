#ifndef DROVER_HV_PIPE_H
#define DROVER_HV_PIPE_H

#include <stdatomic.h>

#include "hv/blocks.h"
#include "hv/conn.h"

/*
 * The moving part of a copy: one thread reads, another sends.  Both belong to
 * streams.c.
 */

/* What runs while others look on. */
struct pipe_gauge {
	_Atomic int64_t limit; /* bytes/s; 0: all */
	_Atomic int64_t done;  /* bytes of data that were read */
	_Atomic bool cancel;
};

/* Reads a volume of `length` bytes from its first byte to its last; see
 * blocks.h for what is made of it.  ERR_ABORTED when cancelled. */
int pipe_read(const struct hv_conn *conn, virStorageVolPtr vol, int64_t length,
    struct blocks *blocks, struct pipe_gauge *gauge, struct err *err);

/* A volume that is being written, by a thread that owns the connection until
 * pipe_finish() or pipe_abort(). */
struct pipe;

/* `length`: of the image.  NULL: *err is set. */
struct pipe *pipe_new(const struct hv_conn *conn, virStorageVolPtr vol,
    int64_t length, struct err *err);
/* A window to begin with. */
struct blocks_window *pipe_window(struct pipe *pipe);
/* For blocks_new(); arg is the pipe.  NULL when the writing has failed. */
struct blocks_window *pipe_take(void *arg, struct blocks_window *window);

/* All has been taken: ends the writing well, or tells why not.  `sent`: bytes
 * that were written.  Frees the pipe in every case. */
int pipe_finish(struct pipe *pipe, int64_t *sent, struct err *err);
/* Ends it anyhow; the error of the writing, if that was the cause, is in *err
 * (else *err stays).  Frees the pipe. */
void pipe_abort(struct pipe *pipe, struct err *err);

#endif

#ifndef DROVER_BASE_BUF_H
#define DROVER_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A growing byte buffer with a stated maximum.  Once an addition would pass
 * the maximum, or memory is short, the buffer is marked `overflow`, keeps what
 * it has, and refuses all further additions, so that callers check once.
 * `data` is always NUL terminated (the NUL is not counted in `len`), or NULL
 * while empty.
 */

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
	bool overflow;
};

#define BUF_INIT(maximum) ((struct buf){.max = (maximum)})

int buf_add(struct buf *buf, const void *data, size_t len);
int buf_adds(struct buf *buf, const char *s);
int buf_addf(struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int buf_vaddf(struct buf *buf, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
void buf_clear(struct buf *buf); /* empties, keeps the memory */
void buf_free(struct buf *buf);

/* Gives the NUL terminated string to the caller (free()); empties the buffer.
 * NULL when it overflowed. */
char *buf_steal(struct buf *buf);

/* The text, "" while empty. */
static inline const char *
buf_str(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

#endif

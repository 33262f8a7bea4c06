/*
 * A growing byte buffer that cannot grow without end.
 *
 * Writers of JSON, tables and requests add many small pieces; checking each
 * would bury what they write.  The first addition that does not fit marks the
 * buffer and everything after it is refused, so one check at the end tells
 * whether the text is whole.  An addition is all or nothing: a buffer that
 * overflowed ends with the last piece that fitted.
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAP 64

static int
buf_refuse(struct buf *buf)
{
	buf->overflow = true;
	return -1;
}

/* Makes room for `len` more bytes and the NUL. */
static int
buf_reserve(struct buf *buf, size_t len)
{
	size_t need, cap;
	char *data;

	if (buf->overflow || len > buf->max - buf->len)
		return buf_refuse(buf);
	need = buf->len + len + 1;
	if (need <= buf->cap)
		return 0;
	cap = buf->cap < BUF_FIRST_CAP ? BUF_FIRST_CAP : buf->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap - 1 > buf->max)
		cap = buf->max + 1;
	data = realloc(buf->data, cap);
	if (data == NULL)
		return buf_refuse(buf);
	data[buf->len] = '\0';
	buf->data = data;
	buf->cap = cap;
	return 0;
}

int
buf_add(struct buf *buf, const void *data, size_t len)
{
	if (buf_reserve(buf, len) < 0)
		return -1;
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_adds(struct buf *buf, const char *s)
{
	return buf_add(buf, s, strlen(s));
}

int
buf_vaddf(struct buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	size_t len;
	int n;

	if (buf->overflow)
		return -1;
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return buf_refuse(buf);
	len = (size_t)n;
	if (buf_reserve(buf, len) < 0)
		return -1;
	(void)vsnprintf(buf->data + buf->len, len + 1, fmt, ap);
	buf->len += len;
	return 0;
}

int
buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = buf_vaddf(buf, fmt, ap);
	va_end(ap);
	return rc;
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->overflow = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void
buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = BUF_INIT(buf->max);
}

char *
buf_steal(struct buf *buf)
{
	char *data = NULL;

	if (!buf->overflow && buf_reserve(buf, 0) == 0) {
		data = buf->data;
		buf->data = NULL;
	}
	buf_free(buf);
	return data;
}

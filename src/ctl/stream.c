/*
 * A follower's connection may break between any two bytes, and what counts then
 * is the id of the last event that was handled whole: that is what the daemon
 * is asked to go on from.  So an id becomes the stream's only once its event
 * was passed on.
 */

#include "ctl/stream.h"

#include <stdio.h>
#include <string.h>

void
stream_init(struct stream *stream,
    bool (*fn)(const char *id, const char *data, void *arg), void *arg)
{
	memset(stream, 0, sizeof(*stream));
	stream->line = BUF_INIT(STREAM_EVENT_MAX);
	stream->data = BUF_INIT(STREAM_EVENT_MAX);
	stream->fn = fn;
	stream->arg = arg;
}

void
stream_free(struct stream *stream)
{
	buf_free(&stream->line);
	buf_free(&stream->data);
}

void
stream_reset(struct stream *stream)
{
	buf_clear(&stream->line);
	buf_clear(&stream->data);
}

/* The value of "field: value" when the line is that field, else NULL. */
static const char *
value_of(const char *line, const char *field)
{
	size_t len = strlen(field);

	if (strncmp(line, field, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + (line[len + 1] == ' ');
}

static bool
take_line(struct stream *stream, const char *line)
{
	const char *value;
	bool go_on = true;

	if (*line == '\0') {
		if (stream->data.len > 0) {
			go_on = stream->fn(stream->pending_id,
			    buf_str(&stream->data), stream->arg);
			memcpy(
			    stream->id, stream->pending_id, sizeof(stream->id));
		}
		buf_clear(&stream->data);
		return go_on;
	}
	if ((value = value_of(line, "data")) != NULL) {
		if (stream->data.len > 0)
			buf_add(&stream->data, "\n", 1);
		buf_adds(&stream->data, value);
		return !stream->data.overflow;
	}
	if ((value = value_of(line, "id")) != NULL)
		snprintf(stream->pending_id, sizeof(stream->pending_id), "%s",
		    value);
	return true;
}

bool
stream_feed(struct stream *stream, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end != NULL ? (size_t)(end - bytes) : len;

		if (buf_add(&stream->line, bytes, n) != 0)
			return false;
		if (end == NULL)
			return true;
		bytes += n + 1;
		len -= n + 1;
		if (!take_line(stream, buf_str(&stream->line)))
			return false;
		buf_clear(&stream->line);
	}
	return true;
}

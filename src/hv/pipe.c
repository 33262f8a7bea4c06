/*
 * Reading at one host, sending to another, at the same time.
 *
 * libvirt's client has two habits that shape this.  Between calls its event
 * loop takes in whatever a stream brings and keeps it in memory, without a
 * bound: so a volume is not read as one stream but in chunks, and no more than
 * a chunk can pile up, which is small when the rate is limited.  And a send
 * blocks while the other side takes nothing, also on a stream that was made
 * not to block: so sending has a thread of its own, and whoever must not wait
 * for it does not (streams.c).
 *
 * Holes are sent as holes and joined to one until data follows: a daemon
 * before 10.1 may hang over many in a row.  The last one is sent too, since
 * each hole cuts the file at its end.
 */
#include "hv/pipe.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define PIPE_CHUNK_MAX ((int64_t)32 << 20)
#define PIPE_CHUNK_MIN ((int64_t)1 << 20)
#define PIPE_PACE_MS 20
#define PIPE_BURST_MS 200
#define PIPE_WINDOWS 8 /* 8 MiB on their way */

struct pipe {
	const struct hv_conn *conn;
	virStreamPtr stream;
	int64_t length, at, sent; /* `at`, `sent`: the sender's */
	pthread_t sender;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* windows that wait to be sent, in order, and idle ones */
	struct blocks_window *full[PIPE_WINDOWS], *idle[PIPE_WINDOWS];
	size_t full_count, idle_count;
	bool ended;  /* nothing follows */
	bool failed; /* with err */
	bool aborted;
	struct err err;
};

/* ---- the pace ---- */

struct pace {
	struct mono last;
	int64_t credit; /* bytes; below 0: too fast */
};

static bool
pipe_is_cancelled(struct pipe_gauge *gauge)
{
	return atomic_load(&gauge->cancel);
}

static void
pipe_pace(struct pace *pace, struct pipe_gauge *gauge, int64_t bytes)
{
	struct timespec pause = {.tv_nsec = PIPE_PACE_MS * 1000000};

	pace->credit -= bytes;
	for (;;) {
		int64_t limit = atomic_load(&gauge->limit);
		struct mono now = clock_mono_now();
		int64_t ms = mono_diff(now, pace->last);

		if (limit <= 0) {
			pace->credit = 0;
			pace->last = now;
			return;
		}
		if (ms > 0) {
			if (ms > 1000)
				ms = 1000;
			pace->credit += limit / 1000 * ms + limit % 1000;
			pace->last = now;
		}
		if (pace->credit > limit / 1000 * PIPE_BURST_MS)
			pace->credit = limit / 1000 * PIPE_BURST_MS;
		if (pace->credit >= 0 || pipe_is_cancelled(gauge))
			return;
		(void)nanosleep(&pause, NULL);
	}
}

/* ---- reading ---- */

static int64_t
pipe_chunk(struct pipe_gauge *gauge)
{
	int64_t limit = atomic_load(&gauge->limit);
	int64_t chunk = limit / 1000 * PIPE_BURST_MS;

	if (limit <= 0 || chunk > PIPE_CHUNK_MAX)
		return PIPE_CHUNK_MAX;
	return chunk < PIPE_CHUNK_MIN ? PIPE_CHUNK_MIN : chunk;
}

/* One stretch of the stream: data (*data bytes of it) or a hole.  0: its end. */
static int
pipe_receive(const struct hv_conn *conn, virStreamPtr stream,
    struct blocks *blocks, int64_t *data, struct err *err)
{
	size_t room;
	char *at = blocks_room(blocks, &room);
	long long hole;
	int got;

	*data = 0;
	got =
	    virStreamRecvFlags(stream, at, room, VIR_STREAM_RECV_STOP_AT_HOLE);
	if (got == -3) {
		if (virStreamRecvHole(stream, &hole, 0) < 0)
			return conn_fail(conn, err);
		return blocks_add_hole(blocks, hole, err) < 0 ? -1 : 1;
	}
	if (got < 0)
		return conn_fail(conn, err);
	if (got == 0)
		return 0;
	*data = got;
	return blocks_add(blocks, (size_t)got, err) < 0 ? -1 : 1;
}

static int
pipe_read_stream(const struct hv_conn *conn, virStreamPtr stream, int64_t end,
    struct blocks *blocks, struct pipe_gauge *gauge, struct pace *pace,
    struct err *err)
{
	while (blocks_offset(blocks) < end) {
		int64_t data;
		int got;

		if (pipe_is_cancelled(gauge))
			return err_set(err, ERR_ABORTED, "cancelled");
		got = pipe_receive(conn, stream, blocks, &data, err);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		(void)atomic_fetch_add(&gauge->done, data);
		pipe_pace(pace, gauge, data);
	}
	if (blocks_offset(blocks) != end)
		return err_set(err, ERR_IO,
		    "the image ended at byte %lld, where %lld was expected",
		    (long long)blocks_offset(blocks), (long long)end);
	if (virStreamFinish(stream) < 0)
		return conn_fail(conn, err);
	return 0;
}

int
pipe_read(const struct hv_conn *conn, virStorageVolPtr vol, int64_t length,
    struct blocks *blocks, struct pipe_gauge *gauge, struct err *err)
{
	struct pace pace = {.last = clock_mono_now()};

	while (blocks_offset(blocks) < length) {
		int64_t from = blocks_offset(blocks);
		int64_t len = pipe_chunk(gauge);
		virStreamPtr stream = virStreamNew(conn->vir, 0);
		int rc;

		if (len > length - from)
			len = length - from;
		if (stream == NULL ||
		    virStorageVolDownload(vol, stream, (unsigned long long)from,
			(unsigned long long)len,
			VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM) < 0) {
			rc = conn_fail(conn, err);
		} else {
			rc = pipe_read_stream(conn, stream, from + len, blocks,
			    gauge, &pace, err);
			if (rc < 0)
				(void)virStreamAbort(stream);
		}
		if (stream != NULL)
			(void)virStreamFree(stream);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- sending ---- */

static int
pipe_send_hole(struct pipe *pipe, int64_t to)
{
	if (to > pipe->at &&
	    virStreamSendHole(pipe->stream, to - pipe->at, 0) < 0)
		return -1;
	pipe->at = to;
	return 0;
}

static int
pipe_send_data(struct pipe *pipe, const char *data, size_t len)
{
	while (len > 0) {
		int sent = virStreamSend(pipe->stream, data, len);

		if (sent < 0)
			return -1;
		data += sent;
		len -= (size_t)sent;
		pipe->at += sent;
		pipe->sent += sent;
	}
	return 0;
}

static int
pipe_send_window(struct pipe *pipe, const struct blocks_window *window)
{
	size_t start = 0, end;

	for (; blocks_next_run(window, &start, &end); start = end) {
		if (pipe_send_hole(pipe, window->offset + (int64_t)start) < 0 ||
		    pipe_send_data(pipe, window->data + start, end - start) < 0)
			return -1;
	}
	return 0;
}

static void
pipe_sender_fail(struct pipe *pipe)
{
	struct err err = {0};

	(void)conn_fail(pipe->conn, &err);
	(void)err_prefix(&err, "writing at the target");
	(void)pthread_mutex_lock(&pipe->lock);
	pipe->failed = true;
	pipe->err = err;
	(void)pthread_cond_broadcast(&pipe->changed);
	(void)pthread_mutex_unlock(&pipe->lock);
}

/* The next window to send; NULL: there will be none, and *rest says whether
 * the end of the image is to follow. */
static struct blocks_window *
pipe_sender_next(struct pipe *pipe, bool *rest)
{
	struct blocks_window *window = NULL;

	(void)pthread_mutex_lock(&pipe->lock);
	while (pipe->full_count == 0 && !pipe->ended && !pipe->aborted)
		(void)pthread_cond_wait(&pipe->changed, &pipe->lock);
	if (pipe->full_count > 0 && !pipe->aborted)
		window = pipe->full[0];
	*rest = !pipe->aborted;
	(void)pthread_mutex_unlock(&pipe->lock);
	return window;
}

static void
pipe_sender_sent(struct pipe *pipe)
{
	(void)pthread_mutex_lock(&pipe->lock);
	pipe->idle[pipe->idle_count++] = pipe->full[0];
	pipe->full_count--;
	memmove(&pipe->full[0], &pipe->full[1],
	    pipe->full_count * sizeof(pipe->full[0]));
	(void)pthread_cond_broadcast(&pipe->changed);
	(void)pthread_mutex_unlock(&pipe->lock);
}

static void *
pipe_sender_run(void *arg)
{
	struct pipe *pipe = arg;
	struct blocks_window *window;
	bool rest;

	while ((window = pipe_sender_next(pipe, &rest)) != NULL) {
		if (pipe_send_window(pipe, window) < 0) {
			pipe_sender_fail(pipe);
			return NULL;
		}
		pipe_sender_sent(pipe);
	}
	if (rest && pipe_send_hole(pipe, pipe->length) < 0)
		pipe_sender_fail(pipe);
	return NULL;
}

/* ---- both ---- */

static void
pipe_free(struct pipe *pipe)
{
	for (size_t i = 0; i < pipe->full_count; i++)
		free(pipe->full[i]);
	for (size_t i = 0; i < pipe->idle_count; i++)
		free(pipe->idle[i]);
	if (pipe->stream != NULL)
		(void)virStreamFree(pipe->stream);
	(void)pthread_cond_destroy(&pipe->changed);
	(void)pthread_mutex_destroy(&pipe->lock);
	free(pipe);
}

struct pipe *
pipe_new(const struct hv_conn *conn, virStorageVolPtr vol, int64_t length,
    struct err *err)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (pipe == NULL)
		abort();
	pipe->conn = conn;
	pipe->length = length;
	(void)pthread_mutex_init(&pipe->lock, NULL);
	(void)pthread_cond_init(&pipe->changed, NULL);
	for (; pipe->idle_count < PIPE_WINDOWS; pipe->idle_count++) {
		struct blocks_window *window = calloc(1, sizeof(*window));

		if (window == NULL)
			abort();
		pipe->idle[pipe->idle_count] = window;
	}
	pipe->stream = virStreamNew(conn->vir, 0);
	if (pipe->stream == NULL ||
	    virStorageVolUpload(vol, pipe->stream, 0, 0,
		VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM) < 0) {
		(void)conn_fail(conn, err);
		pipe_free(pipe);
		return NULL;
	}
	if (pthread_create(&pipe->sender, NULL, pipe_sender_run, pipe) != 0)
		abort();
	return pipe;
}

struct blocks_window *
pipe_window(struct pipe *pipe)
{
	struct blocks_window *window = NULL;

	(void)pthread_mutex_lock(&pipe->lock);
	while (pipe->idle_count == 0 && !pipe->failed)
		(void)pthread_cond_wait(&pipe->changed, &pipe->lock);
	if (!pipe->failed)
		window = pipe->idle[--pipe->idle_count];
	(void)pthread_mutex_unlock(&pipe->lock);
	return window;
}

struct blocks_window *
pipe_take(void *arg, struct blocks_window *window)
{
	struct pipe *pipe = arg;

	(void)pthread_mutex_lock(&pipe->lock);
	pipe->full[pipe->full_count++] = window;
	(void)pthread_cond_broadcast(&pipe->changed);
	(void)pthread_mutex_unlock(&pipe->lock);
	return pipe_window(pipe);
}

static void
pipe_join(struct pipe *pipe, bool abort)
{
	(void)pthread_mutex_lock(&pipe->lock);
	pipe->ended = true;
	pipe->aborted = abort;
	(void)pthread_cond_broadcast(&pipe->changed);
	(void)pthread_mutex_unlock(&pipe->lock);
	(void)pthread_join(pipe->sender, NULL);
}

int
pipe_finish(struct pipe *pipe, int64_t *sent, struct err *err)
{
	int rc = 0;

	pipe_join(pipe, false);
	if (pipe->failed) {
		rc = err_set(err, pipe->err.code, "%s", pipe->err.msg);
		(void)virStreamAbort(pipe->stream);
	} else if (virStreamFinish(pipe->stream) < 0) {
		(void)conn_fail(pipe->conn, err);
		rc = err_prefix(err, "writing at the target");
	} else {
		*sent = pipe->sent;
	}
	pipe_free(pipe);
	return rc;
}

void
pipe_abort(struct pipe *pipe, struct err *err)
{
	pipe_join(pipe, true);
	if (pipe->failed)
		(void)err_set(err, pipe->err.code, "%s", pipe->err.msg);
	(void)virStreamAbort(pipe->stream);
	pipe_free(pipe);
}

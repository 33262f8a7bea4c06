/*
 * One image from host to host, through this process.
 *
 * All of it happens on a thread of its own, with connections of its own: the
 * caller only looks on, passes the limit in and the progress out, and comes
 * back at once when it is told to stop.  When the host at the other end is
 * frozen in that moment, the thread is left behind and ends with its
 * connection, which keepalive sees to; it shares nothing with the caller any
 * more.
 *
 * The target's volume is raw and as long as the source's file, whatever is in
 * it: what is copied is the file.  A refresh afterwards lets libvirt see that
 * it is a qcow2.
 *
 * A copy counts only when it has been read back: what the target took is not
 * yet what it has.
 */
#include "hv/streams.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "hv/images.h"
#include "hv/peer.h"
#include "hv/pipe.h"
#include "hv/volume.h"

#define STREAMS_LOOK_MS 50
#define STREAMS_CANCEL_MS 800 /* until the thread is left behind */

struct copy {
	/* what is asked; owned */
	char *from_uri, *from_path, *to_uri, *to_pool, *to_name;
	bool replace, verify;
	struct pipe_gauge gauge;
	_Atomic int64_t total;
	/* of the thread */
	struct hv_conn *from, *to;
	struct arena *arena;
	struct volume source;
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ended, left;
	int rc;
	struct hv_copied copied;
	struct err err;
};

static void
streams_free(struct copy *copy)
{
	free(copy->from_uri);
	free(copy->from_path);
	free(copy->to_uri);
	free(copy->to_pool);
	free(copy->to_name);
	(void)pthread_cond_destroy(&copy->changed);
	(void)pthread_mutex_destroy(&copy->lock);
	free(copy);
}

/* ---- the thread ---- */

static struct blocks_window *
streams_only_look(void *arg, struct blocks_window *window)
{
	(void)arg;
	return window;
}

/* The checksum of what the target has now. */
static int
streams_read_back(struct copy *copy, virStorageVolPtr vol, const char *sha256,
    struct err *err)
{
	struct pipe_gauge gauge = {0};
	struct blocks_window *window = calloc(1, sizeof(*window));
	char found[BLOCKS_SHA256_SIZE];
	struct blocks *blocks;
	int rc;

	if (window == NULL)
		abort();
	atomic_store(&gauge.limit, atomic_load(&copy->gauge.limit));
	blocks =
	    blocks_new(copy->source.physical, window, streams_only_look, NULL);
	rc = pipe_read(
	    copy->to, vol, copy->source.physical, blocks, &gauge, err);
	if (rc == 0)
		rc = blocks_end(blocks, found, err);
	free(blocks_free(blocks));
	if (rc < 0)
		return err_prefix(err, "reading it back");
	if (strcmp(found, sha256) != 0)
		return err_set(err, ERR_IO,
		    "the copy differs from its original: SHA-256 %s, read "
		    "back %s",
		    sha256, found);
	return 0;
}

static int
streams_move(struct copy *copy, virStorageVolPtr from, virStorageVolPtr to,
    struct hv_copied *out, struct err *err)
{
	struct pipe *pipe = pipe_new(copy->to, to, copy->source.physical, err);
	struct blocks *blocks;
	int rc;

	if (pipe == NULL)
		return -1;
	blocks = blocks_new(
	    copy->source.physical, pipe_window(pipe), pipe_take, pipe);
	rc = pipe_read(
	    copy->from, from, copy->source.physical, blocks, &copy->gauge, err);
	if (rc == 0)
		rc = blocks_end(blocks, out->sha256, err);
	free(blocks_free(blocks));
	out->length = copy->source.physical;
	if (rc == 0)
		return pipe_finish(pipe, &out->data, err);
	(void)err_prefix(err, "reading %s", copy->from_path);
	pipe_abort(pipe, err);
	return -1;
}

static virStorageVolPtr
streams_make_target(struct copy *copy, virStoragePoolPtr pool, struct err *err)
{
	struct hv_volume how = {
	    .pool = copy->to_pool,
	    .name = copy->to_name,
	    .format = "raw",
	    .capacity = copy->source.physical,
	    .replace = copy->replace,
	};

	if (images_clear_name(copy->to, pool, &how, err) < 0)
		return NULL;
	return volume_make(copy->to, pool, &how, &copy->source, err);
}

static int
streams_fill_target(struct copy *copy, virStorageVolPtr from,
    struct hv_copied *out, struct err *err)
{
	cleanup(volume_pool_free) virStoragePoolPtr pool = NULL;
	cleanup(volume_free) virStorageVolPtr to = NULL;

	copy->to = peer_open(copy->to_uri, err);
	if (copy->to == NULL)
		return -1;
	pool = volume_pool(copy->to, copy->to_pool, err);
	to = pool != NULL ? streams_make_target(copy, pool, err) : NULL;
	if (to == NULL || streams_move(copy, from, to, out, err) < 0)
		return -1;
	if (copy->verify && streams_read_back(copy, to, out->sha256, err) < 0)
		return -1;
	return volume_refresh(copy->to, pool, err);
}

static int
streams_work(struct copy *copy, struct hv_copied *out, struct err *err)
{
	cleanup(volume_free) virStorageVolPtr from = NULL;
	struct volume *source = &copy->source;

	copy->from = peer_open(copy->from_uri, err);
	if (copy->from == NULL)
		return -1;
	from = volume_at(copy->from, copy->from_path, true, err);
	if (from == NULL ||
	    volume_describe(copy->from, from, copy->arena, source, err) < 0)
		return -1;
	if (source->physical < 0)
		return err_set(
		    err, ERR_REFUSED, "the length of the file is not told");
	atomic_store(&copy->total,
	    source->allocation >= 0 && source->allocation < source->physical
		? source->allocation
		: source->physical);
	return streams_fill_target(copy, from, out, err);
}

static void *
streams_run(void *arg)
{
	struct copy *copy = arg;
	struct hv_copied copied = {0};
	struct err err = {0};
	bool left;
	int rc;

	copy->arena = arena_new(VOLUME_ARENA_MAX);
	rc = streams_work(copy, &copied, &err);
	peer_close(&copy->to);
	peer_close(&copy->from);
	arena_free(copy->arena);

	(void)pthread_mutex_lock(&copy->lock);
	copy->rc = rc;
	copy->copied = copied;
	copy->err = err;
	copy->ended = true;
	left = copy->left;
	(void)pthread_cond_signal(&copy->changed);
	(void)pthread_mutex_unlock(&copy->lock);
	if (left)
		streams_free(copy);
	return NULL;
}

/* ---- the caller ---- */

static struct copy *
streams_start(const char *from_uri, const struct hv_copy *how)
{
	struct copy *copy = calloc(1, sizeof(*copy));
	pthread_condattr_t clock;
	pthread_attr_t detached;
	pthread_t thread;

	if (copy == NULL)
		abort();
	copy->from_uri = str_dup(from_uri);
	copy->from_path = str_dup(how->from_path);
	copy->to_uri = str_dup(how->to_uri);
	copy->to_pool = str_dup(how->to_pool);
	copy->to_name = str_dup(how->to_name);
	copy->replace = how->replace;
	copy->verify = how->verify;
	if (how->limit != NULL)
		atomic_store(&copy->gauge.limit,
		    __atomic_load_n(how->limit, __ATOMIC_RELAXED));
	(void)pthread_mutex_init(&copy->lock, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&copy->changed, &clock);
	(void)pthread_condattr_destroy(&clock);
	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &detached, streams_run, copy) != 0)
		abort();
	(void)pthread_attr_destroy(&detached);
	return copy;
}

/* Carries limit and progress over; true when the caller wants no more. */
static bool
streams_look_on(struct copy *copy, const struct hv_copy *how)
{
	if (how->limit != NULL)
		atomic_store(&copy->gauge.limit,
		    __atomic_load_n(how->limit, __ATOMIC_RELAXED));
	if (how->done != NULL)
		__atomic_store_n(how->done, atomic_load(&copy->gauge.done),
		    __ATOMIC_RELAXED);
	if (how->total != NULL)
		__atomic_store_n(
		    how->total, atomic_load(&copy->total), __ATOMIC_RELAXED);
	return how->cancel != NULL &&
	    __atomic_load_n(how->cancel, __ATOMIC_RELAXED);
}

static void
streams_wait(struct copy *copy)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += STREAMS_LOOK_MS * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&copy->changed, &copy->lock, &until);
}

int
streams_copy(struct hv_conn *conn, const struct hv_copy *how,
    struct hv_copied *out, struct err *err)
{
	CONN_HOLD(conn);
	cleanup_free char *uri = virConnectGetURI(conn->vir);
	struct copy *copy;
	int cancelled_ms = 0, rc;

	if (uri == NULL)
		return conn_fail(conn, err);
	copy = streams_start(uri, how);
	(void)pthread_mutex_lock(&copy->lock);
	while (!copy->ended && cancelled_ms < STREAMS_CANCEL_MS) {
		streams_wait(copy);
		if (streams_look_on(copy, how)) {
			atomic_store(&copy->gauge.cancel, true);
			cancelled_ms += STREAMS_LOOK_MS;
		}
	}
	copy->left = !copy->ended;
	if (copy->left) {
		log_warn("copy", "%s: cancelled; a host does not answer",
		    how->from_path);
		(void)pthread_mutex_unlock(&copy->lock);
		return err_set(err, ERR_ABORTED, "cancelled");
	}
	(void)streams_look_on(copy, how);
	rc = copy->rc;
	if (rc == 0)
		*out = copy->copied;
	else
		(void)err_set(err, copy->err.code, "%s", copy->err.msg);
	(void)pthread_mutex_unlock(&copy->lock);
	streams_free(copy);
	return rc;
}

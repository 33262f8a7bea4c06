/*
 * Connecting with a deadline.
 *
 * virConnectOpen() to a daemon that is frozen does not return: the kernel takes
 * the connection, the first question is never answered, and keepalive does not
 * run yet.  So a thread of its own opens, and is left behind when it takes too
 * long; whatever it gets by then it closes itself.  Who waits for a host does
 * so for the same time that keepalive gives an open connection.
 */
#include "hv/peer.h"

#include <stdlib.h>
#include <time.h>

#include "base/str.h"

struct peer {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	char *uri;
	struct hv_conn *conn;
	struct err err;
	bool done, left;
};

static void
peer_free(struct peer *peer)
{
	(void)pthread_cond_destroy(&peer->ended);
	(void)pthread_mutex_destroy(&peer->lock);
	free(peer->uri);
	free(peer);
}

static void *
peer_run(void *arg)
{
	struct peer *peer = arg;
	struct hv_conn *conn;
	struct err err = {0};
	bool left;

	conn = hv_libvirt.open(peer->uri, NULL, NULL, &err);
	(void)pthread_mutex_lock(&peer->lock);
	peer->conn = conn;
	peer->err = err;
	peer->done = true;
	left = peer->left;
	(void)pthread_cond_signal(&peer->ended);
	(void)pthread_mutex_unlock(&peer->lock);
	if (left) {
		peer_close(&conn);
		peer_free(peer);
	}
	return NULL;
}

static struct peer *
peer_start(const char *uri)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	pthread_condattr_t clock;
	pthread_attr_t detached;
	pthread_t thread;

	if (peer == NULL)
		abort();
	peer->uri = str_dup(uri);
	(void)pthread_mutex_init(&peer->lock, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&peer->ended, &clock);
	(void)pthread_condattr_destroy(&clock);
	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &detached, peer_run, peer) != 0)
		abort();
	(void)pthread_attr_destroy(&detached);
	return peer;
}

struct hv_conn *
peer_open(const char *uri, struct err *err)
{
	struct peer *peer = peer_start(uri);
	struct hv_conn *conn = NULL;
	struct timespec until;
	bool done;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PEER_OPEN_MS / 1000;
	(void)pthread_mutex_lock(&peer->lock);
	while (!peer->done &&
	    pthread_cond_timedwait(&peer->ended, &peer->lock, &until) == 0)
		continue;
	done = peer->done;
	peer->left = !done;
	if (done) {
		conn = peer->conn;
		if (conn == NULL)
			(void)err_set(err, peer->err.code, "%s", peer->err.msg);
	} else {
		(void)err_set(err, ERR_UNREACHABLE,
		    "%s: no answer to a new connection within %d s", uri,
		    PEER_OPEN_MS / 1000);
	}
	(void)pthread_mutex_unlock(&peer->lock);
	if (done)
		peer_free(peer);
	return conn;
}

void
peer_close(struct hv_conn **conn)
{
	hv_libvirt.close(*conn);
	*conn = NULL;
}

/*
 * libvirt's event loop.
 *
 * Every connection's events, its keepalive and the notice that it broke come
 * through one event loop, which has to be registered before the first
 * connection and to run without a pause from then on: a client whose loop
 * stands still is thrown out by the server.  libvirt's own implementation is
 * used as it is.  It has a thread to itself, so that nothing else of Drover
 * can delay it, and callbacks on it copy and post, nothing more.
 *
 * The thread is never ended.  Connections hold handles in the loop until some
 * time after they are closed, and there is no moment at which stopping it
 * would be both safe and of use.
 */
#include "hv/evloop.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

static pthread_once_t evloop_once = PTHREAD_ONCE_INIT;
static struct err evloop_err;

static void *
evloop_main(void *arg)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	(void)arg;
	for (;;) {
		if (virEventRunDefaultImpl() == 0)
			continue;
		log_error(
		    "libvirt", "event loop: %s", virGetLastErrorMessage());
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

/* libvirt prints every error to stderr unless somebody else takes them. */
static void
evloop_ignore_error(void *arg, virErrorPtr error)
{
	(void)arg;
	(void)error;
}

static void
evloop_begin(void)
{
	sigset_t all, before;
	pthread_t thread;
	int rc;

	if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0) {
		(void)err_set(&evloop_err, ERR_INTERNAL, "libvirt: %s",
		    virGetLastErrorMessage());
		return;
	}
	virSetErrorFunc(NULL, evloop_ignore_error);

	/* Signals belong to the loop thread. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, NULL, evloop_main, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		(void)err_set(&evloop_err, ERR_INTERNAL,
		    "libvirt: event thread: %s", strerror(rc));
		return;
	}
	(void)pthread_setname_np(thread, "libvirt-events");
	(void)pthread_detach(thread);
}

int
evloop_start(struct err *err)
{
	(void)pthread_once(&evloop_once, evloop_begin);
	if (evloop_err.code == ERR_NONE)
		return 0;
	return err_set(err, evloop_err.code, "%s", evloop_err.msg);
}

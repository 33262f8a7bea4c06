#ifndef DROVER_DAEMON_H
#define DROVER_DAEMON_H

#include <sys/queue.h>

#include "act/alerts.h"
#include "act/busy.h"
#include "act/decisions.h"
#include "act/drains.h"
#include "act/executor.h"
#include "act/flags.h"
#include "act/lease.h"
#include "act/marker.h"
#include "act/leftovers.h"
#include "act/modes.h"
#include "act/pilot.h"
#include "base/map.h"
#include "config/settings.h"
#include "control/inbound.h"
#include "control/server.h"
#include "model/inventory.h"
#include "notify/announce.h"
#include "notify/deliver.h"
#include "notify/keeper.h"
#include "record/store.h"
#include "run/loop.h"
#include "run/watchdir.h"
#include "run/workers.h"

/*
 * All objects of the running daemon, in the order in which they are built; they
 * are taken down in reverse.  Only the files of this folder see it: daemon.c,
 * news.c, flagfiles.c, backend*.c and main.c.
 */
struct daemon {
	char *config_path;
	struct settings *settings;
	struct store *store;
	struct loop *loop;
	struct workers *workers;
	struct inventory *inventory;
	struct busy *busy;
	struct announce *announce;
	struct deliver *deliver;
	struct keeper *keeper;
	struct leftovers *leftovers;
	struct executor *executor;
	struct drains *drains;
	struct modes *modes;
	struct decisions *decisions;
	struct flags *flags;
	struct marker *marker;
	struct alerts *alerts;
	struct pilot *pilot;
	struct lease *lease;
	struct map *links;         /* host -> struct link */
	struct map *heard;         /* host -> the last that was heard */
	struct watchdir *watchdir; /* NULL: none */
	struct control_backend backend;
	struct server *server;
	struct inbound *inbound;         /* NULL: not configured */
	LIST_HEAD(, backend_test) tests; /* of receivers, under way */

	struct loop_timer *begin; /* the latest time to begin deciding */
	bool begun;
	struct loop_timer *ending; /* the latest time to end */
	int still;                 /* who has not ended yet */
	struct mono started_mono;
	struct wall started, loaded;
	char *rejected;            /* why the last reload was refused */
	int64_t completed, failed; /* moves since the start */
};

/*
 * Builds everything; when it returns, the hosts are being connected.  NULL with
 * err, or, when the configuration is at fault, with *out_faults (one per
 * line; free()) too.
 */
struct daemon *daemon_new(
    const char *config_path, char **out_faults, struct err *err);
/* Runs until SIGTERM or SIGINT. */
int daemon_run(struct daemon *daemon);
void daemon_free(struct daemon *daemon);

/* The same for SIGHUP and for the API. */
int daemon_reload(struct daemon *daemon, char **out_faults, struct err *err);

/* backend.c */
struct control_backend backend_make(struct daemon *daemon);

/* backend_notify_say.c: those who wait for tests of receivers are told that the
 * daemon ends; and once the deliveries are freed, what is left of them goes. */
void backend_end_tests(struct daemon *daemon);
void backend_free_tests(struct daemon *daemon);

#endif

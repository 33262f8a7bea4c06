#ifndef DROVER_CONTROL_SOCKET_H
#define DROVER_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "control/backend.h"

/* The listening unix socket: who may connect is decided by its mode. */

struct socket_listener {
	int fd;    /* not blocking, close on exec */
	dev_t dev; /* what we bound, to remove only that */
	ino_t ino;
};

/*
 * Listens at `path`, mode 0660.  `group` NULL or "": the group is left as it
 * is.  A socket on which nobody answers is replaced; one that somebody answers
 * on, or a file of another kind, is ERR_CONFLICT.
 */
int socket_listen(const char *path, const char *group,
    struct socket_listener *out, struct err *err);

/* Removes the socket file, unless somebody else has replaced it.  The
 * descriptor stays open. */
void socket_unlink(const struct socket_listener *listener, const char *path);

/* Who is at the other end (SO_PEERCRED, unix(7)). */
bool socket_peer(int fd, struct control_peer *out);

#endif

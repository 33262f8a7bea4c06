/*
 * The socket file outlives a daemon that was killed, and its successor has to
 * tell that apart from a daemon that is alive.  Connecting tells: a socket that
 * nobody listens on refuses.  (The lock on the state directory, and not this,
 * is what keeps two daemons apart; this keeps a second one from taking the
 * first one's socket away before it finds that out.)
 *
 * There is no moment at which others may connect: the mode is set on the
 * descriptor before it is bound, Linux applies it to the file, and nothing
 * listens until owner and mode are final.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* struct ucred */
#endif

#include "control/socket.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128
#define MODE 0660

static int
make_address(const char *path, struct sockaddr_un *out, struct err *err)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if (path[0] == '\0' || strlen(path) >= sizeof(out->sun_path))
		return err_set(err, ERR_INVALID,
		    "%s: a socket's path has 1 to "
		    "%zu bytes",
		    path, sizeof(out->sun_path) - 1);
	memcpy(out->sun_path, path, strlen(path) + 1);
	return 0;
}

static int
remove_stale(
    const char *path, const struct sockaddr_un *address, struct err *err)
{
	struct stat st;
	int fd, result, cause;

	if (lstat(path, &st) != 0)
		return errno == ENOENT
		    ? 0
		    : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CONFLICT,
		    "%s exists and is not a "
		    "socket; remove it, or configure another path",
		    path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "socket: %s", strerror(errno));
	result =
	    connect(fd, (const struct sockaddr *)address, sizeof(*address));
	cause = errno;
	close(fd);
	/* EAGAIN: somebody listens, and is busy. */
	if (result == 0 || cause == EAGAIN)
		return err_set(err, ERR_CONFLICT,
		    "%s: another droverd answers "
		    "there",
		    path);
	if (cause != ECONNREFUSED && cause != ENOENT)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(cause));
	if (unlink(path) != 0 && errno != ENOENT)
		return err_set(err, ERR_IO,
		    "%s: cannot remove what a dead "
		    "daemon left: %s",
		    path, strerror(errno));
	return 0;
}

static int
set_group(const char *path, const char *group, struct err *err)
{
	const struct group *entry;

	if (group == NULL || group[0] == '\0')
		return 0;
	errno = 0;
	entry = getgrnam(group);
	if (entry == NULL)
		return err_set(err, ERR_INVALID,
		    "there is no group %s for the "
		    "control socket (groupadd --system %s, or configure "
		    "another socket_group)",
		    group, group);
	if (chown(path, (uid_t)-1, entry->gr_gid) != 0)
		return err_set(err, ERR_IO,
		    "%s: cannot give it to group %s: "
		    "%s",
		    path, group, strerror(errno));
	return 0;
}

static int
bind_and_listen(int fd, const char *path, const char *group,
    const struct sockaddr_un *address, struct socket_listener *out,
    struct err *err)
{
	struct stat st;

	if (fchmod(fd, MODE) != 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		return err_set(err, ERR_IO, "%s: %s%s", path, strerror(errno),
		    errno == ENOENT ? " (its directory has to exist)" : "");
	if (set_group(path, group, err) != 0)
		goto fail;
	if (chmod(path, MODE) != 0 || lstat(path, &st) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
		goto fail;
	}
	*out = (struct socket_listener){fd, st.st_dev, st.st_ino};
	return 0;
fail:
	unlink(path);
	return -1;
}

int
socket_listen(const char *path, const char *group, struct socket_listener *out,
    struct err *err)
{
	struct sockaddr_un address;
	int fd;

	if (make_address(path, &address, err) != 0 ||
	    remove_stale(path, &address, err) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "socket: %s", strerror(errno));
	if (bind_and_listen(fd, path, group, &address, out, err) != 0) {
		close(fd);
		return -1;
	}
	return 0;
}

void
socket_unlink(const struct socket_listener *listener, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_dev == listener->dev &&
	    st.st_ino == listener->ino)
		unlink(path);
}

bool
socket_peer(int fd, struct control_peer *out)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    len != sizeof(peer))
		return false;
	*out = (struct control_peer){peer.uid, peer.gid, peer.pid};
	return true;
}

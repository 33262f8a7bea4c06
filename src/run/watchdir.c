/*
 * inotify says that something happened; the listing says what is there.  Every
 * wake-up reads the folder and compares it with what was seen before, so that a
 * lost or merged event changes nothing.  The folders are tiny.
 */
#include "run/watchdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/map.h"

#define WATCH_MASK                                                             \
	(IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM |                 \
	    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define RETRY_MS 2000

struct watchdir {
	struct loop *loop;
	char *path;
	int fd;
	int watch; /* -1: the folder is not watched */
	struct event *event;
	struct loop_timer *retry;
	struct map *files; /* name -> itself */
	void (*fn)(const char *name, bool present, void *arg);
	void *arg;
};

static char present_mark[1];

static bool
is_wanted(int dir_fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_name[0] == '.')
		return false;
	return fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

/* NULL: nobody knows.  That a folder is gone is known; that it cannot be read
 * (too many files are open, permission) says nothing about what is in it. */
static struct map *
list(const struct watchdir *w)
{
	DIR *dir = opendir(w->path);
	struct map *seen;
	struct dirent *entry;

	if (dir == NULL && errno != ENOENT && errno != ENOTDIR)
		return NULL;
	seen = map_new(NULL);
	if (dir == NULL)
		return seen;
	while ((entry = readdir(dir)) != NULL &&
	    map_count(seen) < WATCHDIR_FILES_MAX) {
		if (is_wanted(dirfd(dir), entry))
			map_set(seen, entry->d_name, present_mark);
	}
	closedir(dir);
	return seen;
}

/* Tells the differences between what was seen and what is there. */
static void
compare(struct watchdir *w)
{
	struct map *was = w->files, *is = list(w);
	const char *name;
	void *value;
	size_t i = 0;

	if (is == NULL) {
		log_warn("flag",
		    "%s: cannot be read, what was seen last counts: "
		    "%s",
		    w->path, strerror(errno));
		loop_timer_set(w->retry, RETRY_MS);
		return;
	}
	w->files = is;
	while (map_next(was, &i, &name, &value)) {
		if (map_get(is, name) == NULL)
			w->fn(name, false, w->arg);
	}
	i = 0;
	while (map_next(is, &i, &name, &value)) {
		if (map_get(was, name) == NULL)
			w->fn(name, true, w->arg);
	}
	map_free(was);
}

static int
make_dirs(const char *path, struct err *err)
{
	cleanup_free char *part = strdup(path);

	if (part == NULL)
		abort();
	for (char *p = part + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_set(err, ERR_IO, "%s: cannot be made: %s",
			    part, strerror(errno));
		*p = c;
		if (c == '\0')
			return 0;
	}
}

static int
watch(struct watchdir *w, struct err *err)
{
	if (make_dirs(w->path, err) < 0)
		return -1;
	w->watch = inotify_add_watch(w->fd, w->path, WATCH_MASK);
	if (w->watch < 0)
		return err_set(err, ERR_IO, "%s: cannot be watched: %s",
		    w->path, strerror(errno));
	return 0;
}

static void
on_retry(void *arg)
{
	struct watchdir *w = arg;
	struct err err = {0};

	if (watch(w, &err) < 0) {
		log_warn("flag", "%s", err.msg);
		loop_timer_set(w->retry, RETRY_MS);
	}
	compare(w);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watchdir *w = arg;
	char data[4096]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;
	bool lost = false;

	(void)what;
	while ((n = read(fd, data, sizeof(data))) > 0) {
		for (char *p = data; p < data + n;) {
			const struct inotify_event *e =
			    (const struct inotify_event *)(void *)p;

			if (e->wd == w->watch &&
			    e->mask &
				(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
				lost = true;
			p += sizeof(*e) + e->len;
		}
	}
	if (lost && w->watch >= 0) {
		(void)inotify_rm_watch(w->fd, w->watch);
		w->watch = -1;
		loop_timer_set(w->retry, 0);
	}
	compare(w);
}

struct watchdir *
watchdir_new(struct loop *loop, const char *path,
    void (*fn)(const char *name, bool present, void *arg), void *arg,
    struct err *err)
{
	struct watchdir *w = calloc(1, sizeof(*w));

	if (w == NULL || (w->path = strdup(path)) == NULL)
		abort();
	w->loop = loop;
	w->fn = fn;
	w->arg = arg;
	w->watch = -1;
	w->files = map_new(NULL);
	w->retry = loop_timer_new(loop, on_retry, w);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		(void)err_set(err, ERR_IO, "inotify: %s", strerror(errno));
		goto fail;
	}
	if (watch(w, err) < 0)
		goto fail;
	w->event = event_new(
	    loop_base(loop), w->fd, EV_READ | EV_PERSIST, on_readable, w);
	if (w->event == NULL || event_add(w->event, NULL) < 0) {
		(void)err_set(err, ERR_IO, "%s: no event for it", path);
		goto fail;
	}
	compare(w);
	return w;
fail:
	watchdir_free(w);
	return NULL;
}

void
watchdir_free(struct watchdir *w)
{
	if (w == NULL)
		return;
	if (w->event != NULL)
		event_free(w->event);
	if (w->fd >= 0)
		(void)close(w->fd);
	loop_timer_free(w->retry);
	map_free(w->files);
	free(w->path);
	free(w);
}

const char *
watchdir_path(const struct watchdir *w)
{
	return w->path;
}

bool
watchdir_has(const struct watchdir *w, const char *name)
{
	return map_get(w->files, name) != NULL;
}

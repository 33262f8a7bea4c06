/*
 * From names of time zones to their rules.
 *
 * A name becomes part of a path, so only what names of zones are made of is
 * let through: no dots, no empty part, nothing absolute.  What lies below the
 * folder may still be a link that leads elsewhere (systems make them); what is
 * read is then judged by zone_parse(), which takes nothing but compiled rules.
 *
 * The folder is searched for names only to make a suggestion, that is, when a
 * name was wrong.
 */
#include "config/zones.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/zone.h"

#define NAMES_MAX 2000
#define DEPTH_MAX 3
#define PATH_SIZE 1024

struct names {
	char *names[NAMES_MAX + 1]; /* ends with NULL */
	size_t count;
};

struct filling {
	struct arena *arena;
	const char *folder;
	struct map *zones; /* those that were read, by name */
	struct diag_list *diags;
};

static bool
is_name(const char *name)
{
	char before = '/';

	for (const char *p = name; *p != '\0'; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');

		if (!letter && strchr("_+-/", *p) == NULL)
			return false;
		if (*p == '/' && before == '/')
			return false;
		before = *p;
	}
	return before != '/' && strlen(name) <= ZONES_NAME_MAX;
}

/* Returns a descriptor, or -1: there is no such file. */
static int
open_zone(const char *folder, const char *name)
{
	char path[PATH_SIZE];
	struct stat st;
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The length, or -1. */
static ssize_t
read_all(int fd, uint8_t *data, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, data + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* ---- what may have been meant ---- */

static void
list_names(struct names *out, const char *folder, const char *below, int depth)
{
	char path[PATH_SIZE], name[ZONES_NAME_MAX * 2];
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", folder, below);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		int n = snprintf(name, sizeof(name), "%s%s%.64s", below,
		    below[0] != '\0' ? "/" : "", entry->d_name);

		/* Those of zones begin with a capital letter. */
		if (n < 0 || n > ZONES_NAME_MAX || !is_name(name) ||
		    name[0] < 'A' || name[0] > 'Z' || out->count == NAMES_MAX)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			list_names(out, folder, name, depth + 1);
		else if (S_ISREG(st.st_mode) &&
		    (out->names[out->count] = strdup(name)) != NULL)
			out->count++;
	}
	if (dir != NULL)
		closedir(dir);
}

/* The folder has no order of its own. */
static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* "Berlin" means Europe/Berlin. */
static const char *
find_city(const struct names *all, const char *word)
{
	for (size_t i = 0; i < all->count; i++) {
		const char *slash = strrchr(all->names[i], '/');

		if (slash != NULL && strcasecmp(slash + 1, word) == 0)
			return all->names[i];
	}
	return NULL;
}

static void
refuse_name(const struct filling *f, const struct policy *policy,
    const struct policy_window *window)
{
	struct names *all = calloc(1, sizeof(*all));
	const char *near;

	if (all == NULL)
		abort();
	list_names(all, f->folder, "", 0);
	qsort(all->names, all->count, sizeof(all->names[0]), compare_names);
	near = find_city(all, window->time_zone);
	if (near == NULL)
		near = diag_suggest(
		    window->time_zone, (const char *const *)all->names);
	if (all->count == 0)
		diag_add(f->diags, policy->file, window->line, 1,
		    "time_zone: this machine has no rules of time zones (%s): "
		    "install tzdata",
		    f->folder);
	else if (near != NULL)
		diag_add(f->diags, policy->file, window->line, 1,
		    "time_zone: there is no time zone \"%.64s\" "
		    "(did you mean \"%s\"?)",
		    window->time_zone, near);
	else
		diag_add(f->diags, policy->file, window->line, 1,
		    "time_zone: there is no time zone \"%.64s\" "
		    "(write it as in Europe/Berlin)",
		    window->time_zone);
	for (size_t i = 0; i < all->count; i++)
		free(all->names[i]);
	free(all);
}

/* ---- filling ---- */

static const struct zone *
read_zone(const struct filling *f, const struct policy *policy,
    const struct policy_window *window)
{
	const char *name = window->time_zone;
	int fd = is_name(name) ? open_zone(f->folder, name) : -1;
	const struct zone *zone;
	struct err err = {0};
	uint8_t *data;
	ssize_t len;

	if (fd < 0) {
		refuse_name(f, policy, window);
		return NULL;
	}
	data = malloc(ZONE_SIZE_MAX + 1);
	if (data == NULL)
		abort();
	len = read_all(fd, data, ZONE_SIZE_MAX + 1);
	if (len < 0)
		(void)err_set(&err, ERR_IO, "cannot be read: %m");
	zone = len < 0 ? NULL : zone_parse(f->arena, data, (size_t)len, &err);
	if (zone == NULL)
		diag_add(f->diags, policy->file, window->line, 1,
		    "time_zone: %s/%s: %s", f->folder, name, err.msg);
	free(data);
	close(fd);
	return zone;
}

static void
fill_policy(const struct filling *f, const struct policy *policy)
{
	/* They live in the arena of the settings, whose owner is asking. */
	struct policy_window *windows =
	    (struct policy_window *)(uintptr_t)policy->windows;

	for (size_t i = 0; i < policy->window_count; i++) {
		const char *name = windows[i].time_zone;
		const struct zone *zone;

		if (name == NULL)
			continue;
		zone = map_get(f->zones, name);
		if (zone == NULL)
			zone = read_zone(f, policy, &windows[i]);
		if (zone != NULL)
			map_set(f->zones, name, (void *)(uintptr_t)zone);
		windows[i].zone = zone;
	}
}

void
zones_fill(
    struct settings *settings, const char *folder, struct diag_list *diags)
{
	struct filling f = {.arena = settings->arena,
	    .folder = folder,
	    .zones = map_new(NULL),
	    .diags = diags};

	for (size_t i = 0; i < settings->policy_count; i++)
		fill_policy(&f, &settings->policies[i]);
	map_free(f.zones);
}

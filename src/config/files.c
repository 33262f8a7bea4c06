/*
 * From folders to texts: the main file, then hosts.d and policies.d beside it.
 *
 * What is not read is said.  A folder that does not exist holds no files, but
 * one that cannot be opened, a file without permission, a name with the ending
 * .yml: each is a fault and refuses the load, because an operator who put a
 * file there means it.  Names that editors and package managers leave behind
 * (.x.swp, x.yaml~, x.yaml.dpkg-old) are passed over.
 *
 * Files are opened without blocking, so that a pipe in the folder cannot hang
 * the daemon.
 */

#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "config/zones.h"

struct reading {
	struct settings_file files[FILES_MAX];
	size_t count;
	struct diag_list *diags;
};

static void
close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static char *
copy_or_abort(char *s)
{
	if (s == NULL)
		abort();
	return s;
}

static char *
join_path(const char *dir, const char *name)
{
	struct buf buf = BUF_INIT(8192);

	buf_addf(&buf, "%s/%s", dir, name);
	return buf_steal(&buf);
}

/* Reads the whole file; returns -1 with errno, or 1 when it is too long. */
static int
read_fd(int fd, struct buf *text)
{
	char chunk[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (buf_add(text, chunk, (size_t)n) != 0)
			return 1;
	}
}

static void
add_file(struct reading *r, enum settings_file_kind kind, const char *path)
{
	cleanup(close_fd) int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	cleanup(buf_free) struct buf text = BUF_INIT(FILES_SIZE_MAX);
	struct settings_file *file;
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) != 0) {
		diag_add(r->diags, path, 0, 0, "cannot be read: %s",
		    strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		diag_add(r->diags, path, 0, 0, "is not a file");
		return;
	}
	rc = read_fd(fd, &text);
	if (rc < 0)
		diag_add(r->diags, path, 0, 0, "cannot be read: %s",
		    strerror(errno));
	else if (rc > 0)
		diag_add(r->diags, path, 0, 0, "larger than %d MiB",
		    FILES_SIZE_MAX >> 20);
	else if (r->count == FILES_MAX)
		diag_add(r->diags, path, 0, 0, "more than %d files", FILES_MAX);
	else {
		file = &r->files[r->count++];
		file->kind = kind;
		file->name = copy_or_abort(strdup(path));
		file->len = text.len;
		file->text =
		    text.len > 0 ? buf_steal(&text) : copy_or_abort(strdup(""));
	}
}

static bool
ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), tail = strlen(end);

	return len > tail && strcmp(s + len - tail, end) == 0;
}

static int
keep_entry(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	    (ends_with(entry->d_name, ".yaml") ||
		ends_with(entry->d_name, ".yml"));
}

/* alphasort() follows the locale; the order of files must not. */
static int
compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
add_folder(struct reading *r, enum settings_file_kind kind, const char *dir,
    const char *name)
{
	cleanup_free char *folder = join_path(dir, name);
	struct dirent **entries = NULL;
	int count;

	if (folder == NULL)
		return;
	count = scandir(folder, &entries, keep_entry, compare_entries);
	if (count < 0 && errno != ENOENT)
		diag_add(r->diags, folder, 0, 0, "cannot be read: %s",
		    strerror(errno));
	for (int i = 0; i < count; i++) {
		cleanup_free char *path = join_path(folder, entries[i]->d_name);

		if (path != NULL && ends_with(path, ".yml"))
			diag_add(r->diags, path, 0, 0,
			    "is not read; its name must end with .yaml");
		else if (path != NULL)
			add_file(r, kind, path);
		free(entries[i]);
	}
	free(entries);
}

/* The folder of the file, as given. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return copy_or_abort(strdup("."));
	if (slash == path)
		return copy_or_abort(strdup("/"));
	return copy_or_abort(strndup(path, (size_t)(slash - path)));
}

static char *
make_absolute(const char *dir)
{
	cleanup_free char *here = NULL;

	if (dir[0] == '/')
		return copy_or_abort(strdup(dir));
	here = getcwd(NULL, 0);
	if (here == NULL)
		return NULL;
	return strcmp(dir, ".") == 0 ? copy_or_abort(strdup(here))
				     : join_path(here, dir);
}

struct settings *
files_load_settings(const char *path, struct diag_list *diags)
{
	cleanup_free char *dir = folder_of(path);
	cleanup_free char *main_dir = make_absolute(dir);
	cleanup_free struct reading *r = calloc(1, sizeof(*r));
	struct settings *settings = NULL;

	if (r == NULL)
		abort();
	r->diags = diags;
	if (main_dir == NULL) {
		diag_add(diags, path, 0, 0, "the working folder is gone: %s",
		    strerror(errno));
		return NULL;
	}
	add_file(r, SETTINGS_MAIN, path);
	add_folder(r, SETTINGS_HOSTS, dir, "hosts.d");
	add_folder(r, SETTINGS_POLICIES, dir, "policies.d");
	if (r->count > 0 && r->files[0].kind == SETTINGS_MAIN)
		settings = settings_parse(r->files, r->count, main_dir, diags);
	if (settings != NULL)
		zones_fill(settings, ZONES_FOLDER, diags);
	if (diag_any(diags)) {
		settings_free(settings);
		settings = NULL;
	}
	for (size_t i = 0; i < r->count; i++) {
		free((char *)(uintptr_t)r->files[i].name);
		free((char *)(uintptr_t)r->files[i].text);
	}
	return settings;
}

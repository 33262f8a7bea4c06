/*
 * Reading files for a command without a daemon.  Files that somebody named are
 * read whatever they are called; of a folder, what ends with .yaml, as the
 * daemon does, and .yml is a fault there because the daemon would pass it over.
 */

#include "ctl/policy_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

static char *
copy_text(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		abort();
	return copy;
}

static void
add_file(struct policy_files *files, const char *path,
    enum settings_file_kind kind, struct diag_list *diags)
{
	struct buf text = BUF_INIT(POLICY_FILES_SIZE_MAX);
	struct settings_file *file = &files->files[files->count];
	FILE *stream = fopen(path, "r");
	char part[65536];
	size_t got;

	if (stream == NULL) {
		diag_add(
		    diags, path, 0, 0, "cannot be read: %s", strerror(errno));
		return;
	}
	while ((got = fread(part, 1, sizeof(part), stream)) > 0)
		buf_add(&text, part, got);
	if (ferror(stream)) {
		diag_add(
		    diags, path, 0, 0, "cannot be read: %s", strerror(errno));
	} else if (text.overflow) {
		diag_add(diags, path, 0, 0, "larger than %d MiB",
		    POLICY_FILES_SIZE_MAX >> 20);
	} else if (files->count == POLICY_FILES_MAX) {
		diag_add(
		    diags, path, 0, 0, "more than %d files", POLICY_FILES_MAX);
	} else {
		*file = (struct settings_file){
		    .kind = kind, .name = copy_text(path), .len = text.len};
		file->text = text.len > 0 ? buf_steal(&text) : copy_text("");
		files->count++;
	}
	buf_free(&text);
	fclose(stream);
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

/* Returns how many files it has; -1: it cannot be read. */
static int
add_folder(struct policy_files *files, const char *folder,
    enum settings_file_kind kind, struct diag_list *diags)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, keep_entry, compare_entries);
	size_t len = strlen(folder);

	while (len > 1 && folder[len - 1] == '/')
		len--;
	for (int i = 0; i < count; i++) {
		struct buf path = BUF_INIT(8192);

		buf_addf(
		    &path, "%.*s/%s", (int)len, folder, entries[i]->d_name);
		if (ends_with(buf_str(&path), ".yml"))
			diag_add(diags, buf_str(&path), 0, 0,
			    "is not read; its name must end with .yaml");
		else
			add_file(files, buf_str(&path), kind, diags);
		buf_free(&path);
		free(entries[i]);
	}
	free(entries);
	return count;
}

void
policy_files_add(struct policy_files *files, const char *path,
    enum settings_file_kind kind, struct diag_list *diags)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		add_file(files, path, kind, diags);
		return;
	}
	switch (add_folder(files, path, kind, diags)) {
	case -1:
		diag_add(
		    diags, path, 0, 0, "cannot be read: %s", strerror(errno));
		break;
	case 0:
		diag_add(diags, path, 0, 0, "holds no *.yaml");
		break;
	}
}

void
policy_files_add_config(
    struct policy_files *files, const char *path, struct diag_list *diags)
{
	const char *slash = strrchr(path, '/');
	struct buf folder = BUF_INIT(8192);

	add_file(files, path, SETTINGS_MAIN, diags);
	buf_addf(&folder, "%.*shosts.d",
	    slash != NULL ? (int)(slash + 1 - path) : 0, path);
	if (add_folder(files, buf_str(&folder), SETTINGS_HOSTS, diags) < 0 &&
	    errno != ENOENT)
		diag_add(diags, buf_str(&folder), 0, 0, "cannot be read: %s",
		    strerror(errno));
	buf_free(&folder);
}

void
policy_files_clear(struct policy_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free((char *)(uintptr_t)files->files[i].name);
		free((char *)(uintptr_t)files->files[i].text);
	}
	files->count = 0;
}

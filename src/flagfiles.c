/*
 * Files of maintenance_dir as flags of hosts, for those who have configuration
 * management and no wish for another client: a file named after a host puts it
 * into maintenance, removing the file ends that.
 *
 * A flag outlives its file in one case.  The folder is usually below /run,
 * which is empty after a boot; that the file is gone then says nothing about
 * what anybody wants, so the flag stays and the log says so.
 */
#include "flagfiles.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static void
read_boot_id(char *out, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

/* The boot is part of it: after a boot /run is empty, which is nobody's wish. */
static void
file_flag_by(const char *path, const char *name, char *out, size_t size)
{
	char boot[64];

	read_boot_id(boot, sizeof(boot));
	(void)snprintf(out, size, "file %s/%s (boot %s)", path, name, boot);
}

static void
on_flag_file(const char *name, bool present, void *arg)
{
	struct daemon *d = arg;
	const struct store_flag *now = flags_get(d->flags, name);
	const char *path = d->settings->maintenance_dir;
	struct store_flag flag = {
	    .host = name, .source = "file", .maintenance = present};
	struct err err = {0};
	char by[512];

	if (settings_find_host(d->settings, name) == NULL) {
		if (present)
			log_warn("flag",
			    "%s/%s: no host of that name is "
			    "configured",
			    path, name);
		return;
	}
	if (present && now != NULL && now->maintenance)
		return;
	if (!present && (now == NULL || strcmp(now->source, "file") != 0))
		return;
	file_flag_by(path, name, by, sizeof(by));
	flag.by = by;
	/* Cordoned by an operator: so it is again once the file is gone. */
	if (now != NULL && now->cordoned) {
		flag.cordoned = true;
		flag.source = present ? "file" : "operator";
		flag.reason = now->reason;
	}
	if (flags_set(d->flags, &flag, &err) < 0)
		log_error("flag", "%s", err.msg);
}

/* Flags that a file had set, and whose file was removed while we were away. */
static void
check_flag_file(const struct store_flag *flag, void *arg)
{
	struct daemon *d = arg;
	char by[512];

	if (strcmp(flag->source, "file") != 0 || d->watchdir == NULL ||
	    watchdir_has(d->watchdir, flag->host))
		return;
	file_flag_by(watchdir_path(d->watchdir), flag->host, by, sizeof(by));
	if (strcmp(by, flag->by) == 0)
		on_flag_file(flag->host, false, d);
	else
		log_warn("flag",
		    "%s: in maintenance by a file that is gone "
		    "since a reboot; clear it with droverctl host undrain %s",
		    flag->host, flag->host);
}

int
flagfiles_watch(struct daemon *d, struct err *err)
{
	if (d->settings->maintenance_dir == NULL)
		return 0;
	d->watchdir = watchdir_new(
	    d->loop, d->settings->maintenance_dir, on_flag_file, d, err);
	if (d->watchdir == NULL)
		return -1;
	flags_each(d->flags, check_flag_file, d);
	return 0;
}

/*
 * Who this daemon is.  Three things make the number at the end of it: what was
 * drawn once and is kept in the state directory, so that a restart is the same
 * owner; the machine's boot, so that a copy of the directory on another machine
 * (a cloned image, a restored backup) is not; and the directory itself.  After
 * a reboot the daemon is therefore somebody else, and waits until its own old
 * marks have stood still for long enough.
 */
#include "act/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "model/hash.h"

#define OWNER_BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define OWNER_DRAWN_SIZE 33 /* 32 hexadecimal digits */

static int
owner_read(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return n > 0 ? 0 : -1;
}

static int
owner_write(const char *path, const char *text, struct err *err)
{
	cleanup_free char *aside = NULL;
	int fd, rc;

	if (asprintf(&aside, "%s.new", path) < 0)
		abort();
	fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rc = fd < 0 || dprintf(fd, "%s\n", text) < 0 || fsync(fd) != 0 ? -1 : 0;
	if (fd >= 0 && close(fd) != 0)
		rc = -1;
	if (rc < 0 || rename(aside, path) != 0)
		return err_set(
		    err, ERR_IO, "write %s: %s", path, strerror(errno));
	return 0;
}

static int
owner_draw(const char *path, char out[OWNER_DRAWN_SIZE], struct err *err)
{
	uint64_t numbers[2];

	if (owner_read(path, out, OWNER_DRAWN_SIZE) == 0 &&
	    strspn(out, "0123456789abcdef") == OWNER_DRAWN_SIZE - 1)
		return 0;
	if (getrandom(numbers, sizeof(numbers), 0) != (ssize_t)sizeof(numbers))
		return err_set(err, ERR_IO, "no random numbers");
	(void)snprintf(out, OWNER_DRAWN_SIZE, "%016" PRIx64 "%016" PRIx64,
	    numbers[0], numbers[1]);
	return owner_write(path, out, err);
}

int
lease_make_owner(const char *state_dir, const char *site,
    char out[LEASE_OWNER_SIZE], struct err *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789 ,._-+/:@";
	cleanup_free char *path = NULL;
	char drawn[OWNER_DRAWN_SIZE], boot[64], host[128] = "";
	uint64_t hash = HASH_START;
	int n;

	if (asprintf(&path, "%s/owner", state_dir) < 0)
		abort();
	if (owner_draw(path, drawn, err) < 0)
		return -1;
	(void)owner_read(OWNER_BOOT_FILE, boot, sizeof(boot));
	hash = hash_string(hash, drawn);
	hash = hash_string(hash, boot);
	hash = hash_string(hash, state_dir);
	if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
		(void)snprintf(host, sizeof(host), "unknown");
	n = snprintf(
	    out, LEASE_OWNER_SIZE, "%s at %s, %s", site, host, state_dir);
	if (n < 0 || (size_t)n > LEASE_OWNER_SIZE - 20)
		n = LEASE_OWNER_SIZE - 20;
	out[n] = '\0';
	for (char *p = out; *(p += strspn(p, plain)) != '\0';)
		*p = '_';
	(void)snprintf(
	    out + n, LEASE_OWNER_SIZE - (size_t)n, ", %016" PRIx64, hash);
	return 0;
}

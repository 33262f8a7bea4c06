/*
 * How long things wait on a host, as its kernel counts it (PSI), without an
 * agent there: libvirt serves any directory as a storage pool, also
 * /proc/pressure, and its files as volumes.
 *
 * Such a pool is transient, but (measured with 9.0) outlives both the process
 * that made it and a restart of the host's libvirtd.  So it always has the same
 * name, and whoever comes next takes away what another has left.  Two daemons
 * that read at the same moment disturb one another by that: one of them reads
 * nothing this time.
 *
 * The kernel says that the files are empty, so they are read until they end.
 * /proc/vmstat, which tells of swap, cannot be had in this way: a pool opens
 * and reads every file of its directory, and /proc has some for which that is
 * not without consequence (kmsg forgets what was read).
 *
 * Of what the kernel offers the mean of the last minute is taken: the mean of
 * ten seconds would say nothing of the other twenty between two readings.
 */
#include "hv/pressure.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "hv/volume.h"

#define PRESSURE_DIR "/proc/pressure"
#define PRESSURE_SIZE 512 /* the longest has two lines of 70 characters */

static void
pressure_pool_end(virStoragePoolPtr *pool)
{
	if (*pool != NULL)
		(void)virStoragePoolDestroy(*pool);
	volume_pool_free(pool);
}

static void
pressure_stream_free(virStreamPtr *stream)
{
	if (*stream != NULL)
		(void)virStreamFree(*stream);
}

/* "12.34" as a fraction of 100; false: no such number. */
static bool
pressure_percent(const char *text, double *out)
{
	size_t whole = strspn(text, "0123456789"), part;
	double value = 0, unit = 0.01;

	if (whole == 0 || whole > 3 || text[whole] != '.')
		return false;
	part = strspn(text + whole + 1, "0123456789");
	if (part == 0)
		return false;
	for (size_t i = 0; i < whole; i++)
		value = value * 10 + (text[i] - '0');
	value *= unit;
	for (size_t i = 0; i < part; i++) {
		unit /= 10;
		value += unit * (text[whole + 1 + i] - '0');
	}
	*out = value < 1 ? value : 1;
	return true;
}

bool
pressure_parse(const char *text, double *out)
{
	static const char key[] = " avg60=";
	const char *at;

	if (strncmp(text, "some ", 5) != 0)
		return false;
	at = strstr(text, key);
	if (at == NULL || memchr(text, '\n', (size_t)(at - text)) != NULL)
		return false;
	return pressure_percent(at + sizeof(key) - 1, out);
}

/* Left by a process that was killed, or by a connection that was cut. */
static void
pressure_sweep(const struct hv_conn *conn)
{
	cleanup(pressure_pool_end) virStoragePoolPtr pool =
	    virStoragePoolLookupByName(conn->vir, PRESSURE_POOL);

	(void)pool;
}

static bool
pressure_is_missing(void)
{
	virErrorPtr error = virGetLastError();

	return error != NULL && error->code == VIR_ERR_SYSTEM_ERROR &&
	    error->int1 == ENOENT;
}

static virStoragePoolPtr
pressure_pool(const struct hv_conn *conn, struct err *err)
{
	virStoragePoolPtr pool = virStoragePoolCreateXML(conn->vir,
	    "<pool type=\"dir\"><name>" PRESSURE_POOL "</name>"
	    "<target><path>" PRESSURE_DIR "</path></target></pool>",
	    0);

	if (pool != NULL)
		return pool;
	if (pressure_is_missing())
		(void)err_set(err, ERR_NOT_FOUND,
		    "no " PRESSURE_DIR " there; boot its kernel with psi=1");
	else
		(void)conn_fail(conn, err);
	return NULL;
}

static int
pressure_receive(const struct hv_conn *conn, virStorageVolPtr volume,
    virStreamPtr stream, char text[PRESSURE_SIZE], struct err *err)
{
	size_t len = 0;
	int got;

	if (virStorageVolDownload(volume, stream, 0, 0, 0) < 0)
		return conn_fail(conn, err);
	while ((got = virStreamRecv(
		    stream, text + len, PRESSURE_SIZE - 1 - len)) > 0) {
		len += (size_t)got;
		if (len == PRESSURE_SIZE - 1) {
			(void)virStreamAbort(stream);
			return err_set(err, ERR_LIMIT, "it does not end");
		}
	}
	text[len] = '\0';
	if (got < 0 || virStreamFinish(stream) < 0) {
		(void)conn_fail(conn, err);
		if (got < 0)
			(void)virStreamAbort(stream);
		return -1;
	}
	return 0;
}

static int
pressure_file(const struct hv_conn *conn, virStoragePoolPtr pool,
    const char *name, double *out, struct err *err)
{
	cleanup(volume_free) virStorageVolPtr volume =
	    virStorageVolLookupByName(pool, name);
	cleanup(pressure_stream_free) virStreamPtr stream =
	    volume != NULL ? virStreamNew(conn->vir, 0) : NULL;
	char text[PRESSURE_SIZE];

	if (stream == NULL)
		return conn_fail(conn, err);
	if (pressure_receive(conn, volume, stream, text, err) < 0)
		return -1;
	if (!pressure_parse(text, out))
		return err_set(err, ERR_INVALID, "it is in no known form");
	return 0;
}

int
pressure_read(struct hv_conn *conn, struct facts_load *out, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(pressure_pool_end) virStoragePoolPtr pool = NULL;
	struct facts_load load = {.pressure_only = true};
	struct {
		const char *name;
		double *to;
	} files[] = {
	    {"cpu", &load.psi_cpu},
	    {"memory", &load.psi_memory},
	    {"io", &load.psi_io},
	};

	pressure_sweep(conn);
	if (out == NULL)
		return 0;
	pool = pressure_pool(conn, err);
	if (pool == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (pressure_file(conn, pool, files[i].name, files[i].to, err) <
		    0)
			return err_prefix(
			    err, PRESSURE_DIR "/%s", files[i].name);
	}
	*out = load;
	return 0;
}

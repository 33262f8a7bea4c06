/*
 * Figures of one guest: its images, and how fast it writes to its memory.
 *
 * What an image takes on the host is asked of the storage driver, which looks
 * at the file: what QEMU tells for a qcow2 that is in use is how far it was
 * ever written.  What the guest sees as its disk's size is asked of QEMU, which
 * knows.  A disk without a volume (its directory is no pool) still has QEMU's
 * word.
 *
 * Memory writes are measured by sampling pages; the other modes need KVM's
 * dirty ring, or have crashed guests.
 */
#include "hv/survey.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "hv/disks.h"
#include "hv/volume.h"

#define SURVEY_CHAIN_MAX 64
#define SURVEY_RATE_MAX_S 60
#define SURVEY_RATE_GRACE_MS 10000
#define SURVEY_RATE_POLL_MS 100
#define SURVEY_MIB (1024 * 1024)

/* ---- images ---- */

static void
survey_pool_of(virStorageVolPtr vol, struct facts_disk *out)
{
	cleanup(volume_pool_free) virStoragePoolPtr pool =
	    virStoragePoolLookupByVolume(vol);

	if (pool == NULL)
		return;
	out->pool = str_dup(virStoragePoolGetName(pool));
	out->volume = str_dup(virStorageVolGetName(vol));
}

/* What the images below take; unknown when one of them can't be read. */
static int64_t
survey_below(const struct hv_conn *conn, struct arena *arena, const char *path)
{
	int64_t sum = 0;

	for (int i = 0; path != NULL; i++) {
		cleanup(volume_free) virStorageVolPtr vol = NULL;
		struct volume volume;

		vol = volume_at(conn, path, false, NULL);
		if (vol == NULL || i == SURVEY_CHAIN_MAX ||
		    volume_describe(conn, vol, arena, &volume, NULL) < 0 ||
		    volume.allocation < 0)
			return FACTS_UNKNOWN;
		sum += volume.allocation;
		path = volume.backing;
	}
	return sum;
}

static bool
survey_disk(const struct hv_conn *conn, virDomainPtr domain,
    struct arena *arena, const struct disk *disk, struct facts_disk *out)
{
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	virDomainBlockInfo info;
	struct volume volume = {0};
	const char *backing = disk->backing, *format = disk->backing_format;
	int64_t below;

	if (virDomainGetBlockInfo(domain, disk->target, &info, 0) < 0)
		return false;
	out->target = str_dup(disk->target);
	out->path = str_dup(disk->path);
	out->format = str_dup(disk->format);
	out->capacity = (int64_t)info.capacity;
	out->top_allocation = (int64_t)info.allocation;
	vol = volume_at(conn, disk->path, false, NULL);
	if (vol != NULL &&
	    volume_describe(conn, vol, arena, &volume, NULL) == 0) {
		survey_pool_of(vol, out);
		if (volume.allocation >= 0)
			out->top_allocation = volume.allocation;
		/* The guest's own view goes first: a raw disk may hold what
		 * looks like a header. */
		if (backing == NULL && disk->format != NULL &&
		    strcmp(disk->format, "raw") != 0) {
			backing = volume.backing;
			format = volume.backing_format;
		}
	}
	out->backing = str_dup(backing);
	out->backing_format = str_dup(format);
	below = survey_below(conn, arena, backing);
	out->allocation = below >= 0 && out->top_allocation >= 0
	    ? out->top_allocation + below
	    : FACTS_UNKNOWN;
	return true;
}

static bool
survey_is_image(const struct disk *disk)
{
	return disk->path != NULL && strcmp(disk->device, "disk") == 0;
}

static int
survey_disks(const struct hv_conn *conn, virDomainPtr domain,
    struct facts_survey *out, struct err *err)
{
	cleanup(disks_clear) struct disks disks = {0};
	int active = virDomainIsActive(domain);

	if (active < 0)
		return conn_fail(conn, err);
	if (disks_of(conn, domain, active == 1 ? 0 : VIR_DOMAIN_XML_INACTIVE,
		&disks, err) < 0)
		return -1;
	out->disks = calloc(disks.count + 1, sizeof(*out->disks));
	if (out->disks == NULL)
		abort();
	for (size_t i = 0; i < disks.count; i++) {
		if (survey_is_image(&disks.list[i]) &&
		    survey_disk(conn, domain, disks.arena, &disks.list[i],
			&out->disks[out->disk_count]))
			out->disk_count++;
	}
	if (!conn_is_alive(conn))
		return err_set(err, ERR_UNREACHABLE, "the connection was lost");
	return 0;
}

/* ---- memory ---- */

/* Bytes per second once it is measured; unknown: not yet, or never. */
static int64_t
survey_rate_read(virDomainPtr domain, bool *measuring)
{
	virDomainPtr one[] = {domain, NULL};
	virDomainStatsRecordPtr *records = NULL;
	long long mib = 0;
	int64_t rate = FACTS_UNKNOWN;
	int status = -1;

	*measuring = false;
	/* The list is one's own to free also when it is empty: the guest is
	 * gone. */
	if (virDomainListGetStats(
		one, VIR_DOMAIN_STATS_DIRTYRATE, &records, 0) == 1) {
		(void)virTypedParamsGetInt(records[0]->params,
		    records[0]->nparams, "dirtyrate.calc_status", &status);
		*measuring = status == VIR_DOMAIN_DIRTYRATE_MEASURING;
		if (status == VIR_DOMAIN_DIRTYRATE_MEASURED &&
		    virTypedParamsGetLLong(records[0]->params,
			records[0]->nparams, "dirtyrate.megabytes_per_second",
			&mib) == 1 &&
		    mib >= 0)
			rate = mib * SURVEY_MIB;
	}
	if (records != NULL)
		virDomainStatsRecordListFree(records);
	return rate;
}

static int64_t
survey_rate(
    virDomainPtr domain, const char *uuid, int64_t dirty_ms, const bool *cancel)
{
	struct timespec pause = {.tv_nsec = SURVEY_RATE_POLL_MS * 1000000};
	int64_t seconds = (dirty_ms + 999) / 1000, rate = FACTS_UNKNOWN;
	struct mono end;
	bool measuring = true;

	if (seconds > SURVEY_RATE_MAX_S)
		seconds = SURVEY_RATE_MAX_S;
	end = mono_add(clock_mono_now(), seconds * 1000 + SURVEY_RATE_GRACE_MS);
	if (virDomainStartDirtyRateCalc(domain, (int)seconds,
		VIR_DOMAIN_DIRTYRATE_MODE_PAGE_SAMPLING) < 0) {
		log_debug("survey", "%s: dirty rate: %s", uuid,
		    virGetLastErrorMessage());
		return FACTS_UNKNOWN;
	}
	while (measuring && mono_before(clock_mono_now(), end) &&
	    (cancel == NULL || !__atomic_load_n(cancel, __ATOMIC_RELAXED))) {
		(void)nanosleep(&pause, NULL);
		rate = survey_rate_read(domain, &measuring);
	}
	return rate;
}

/* Pages that a guest has never used are not in it, and cost a migration
 * nothing. */
static int64_t
survey_rss(virDomainPtr domain)
{
	virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
	int count =
	    virDomainMemoryStats(domain, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0);

	for (int i = 0; i < count; i++)
		if (stats[i].tag == VIR_DOMAIN_MEMORY_STAT_RSS &&
		    stats[i].val < (unsigned long long)(INT64_MAX / 1024))
			return (int64_t)stats[i].val * 1024;
	return FACTS_UNKNOWN;
}

struct facts_survey *
survey_guest(struct hv_conn *conn, const char *uuid, int64_t dirty_ms,
    const bool *cancel, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	struct facts_survey *survey;
	int state;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return NULL;
	survey = calloc(1, sizeof(*survey));
	if (survey == NULL)
		abort();
	survey->uuid = str_dup(uuid);
	survey->dirty_rate = FACTS_UNKNOWN;
	survey->memory_rss = FACTS_UNKNOWN;
	if (survey_disks(conn, domain, survey, err) < 0) {
		facts_survey_free(survey);
		return NULL;
	}
	if (dirty_ms > 0 && virDomainGetState(domain, &state, NULL, 0) == 0 &&
	    state == VIR_DOMAIN_RUNNING) {
		survey->dirty_rate =
		    survey_rate(domain, uuid, dirty_ms, cancel);
		survey->dirty_window_ms = dirty_ms;
		survey->memory_rss = survey_rss(domain);
	}
	return survey;
}

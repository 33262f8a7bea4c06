/*
 * libvirt's numbers in words of ours.
 *
 * The reconciliation table looks at state and reason of both ends of a
 * migration, so the reasons are the part that matters.  A number that a newer
 * libvirt may add must not look like something that it is not: it becomes
 * "other" or "no state", never the nearest value.
 */
#include "hv/convert.h"

#include <stdint.h>
#include <stdio.h>

enum domain_state
convert_state(int state)
{
	switch (state) {
	case VIR_DOMAIN_RUNNING:
		return DOMAIN_RUNNING;
	case VIR_DOMAIN_BLOCKED:
		return DOMAIN_BLOCKED;
	case VIR_DOMAIN_PAUSED:
		return DOMAIN_PAUSED;
	case VIR_DOMAIN_SHUTDOWN:
		return DOMAIN_SHUTDOWN;
	case VIR_DOMAIN_SHUTOFF:
		return DOMAIN_SHUTOFF;
	case VIR_DOMAIN_CRASHED:
		return DOMAIN_CRASHED;
	case VIR_DOMAIN_PMSUSPENDED:
		return DOMAIN_PMSUSPENDED;
	default:
		return DOMAIN_NOSTATE;
	}
}

static enum domain_reason
convert_running_reason(int reason)
{
	switch (reason) {
	case VIR_DOMAIN_RUNNING_MIGRATED:
		return DOMAIN_REASON_MIGRATED;
	case VIR_DOMAIN_RUNNING_MIGRATION_CANCELED:
		return DOMAIN_REASON_MIGRATION_CANCELED;
	case VIR_DOMAIN_RUNNING_POSTCOPY:
		return DOMAIN_REASON_POSTCOPY;
	case VIR_DOMAIN_RUNNING_POSTCOPY_FAILED:
		return DOMAIN_REASON_POSTCOPY_FAILED;
	case VIR_DOMAIN_RUNNING_CRASHED:
		return DOMAIN_REASON_CRASHED;
	default:
		return DOMAIN_REASON_OTHER;
	}
}

static enum domain_reason
convert_paused_reason(int reason)
{
	switch (reason) {
	case VIR_DOMAIN_PAUSED_USER:
		return DOMAIN_REASON_USER;
	case VIR_DOMAIN_PAUSED_MIGRATION:
		return DOMAIN_REASON_MIGRATION;
	case VIR_DOMAIN_PAUSED_IOERROR:
		return DOMAIN_REASON_IOERROR;
	case VIR_DOMAIN_PAUSED_CRASHED:
		return DOMAIN_REASON_CRASHED;
	case VIR_DOMAIN_PAUSED_POSTCOPY:
		return DOMAIN_REASON_POSTCOPY;
	case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED:
		return DOMAIN_REASON_POSTCOPY_FAILED;
	default:
		return DOMAIN_REASON_OTHER;
	}
}

static enum domain_reason
convert_shutoff_reason(int reason)
{
	switch (reason) {
	case VIR_DOMAIN_SHUTOFF_SHUTDOWN:
		return DOMAIN_REASON_SHUTDOWN;
	case VIR_DOMAIN_SHUTOFF_DESTROYED:
		return DOMAIN_REASON_DESTROYED;
	case VIR_DOMAIN_SHUTOFF_CRASHED:
		return DOMAIN_REASON_CRASHED;
	case VIR_DOMAIN_SHUTOFF_MIGRATED:
		return DOMAIN_REASON_MIGRATED;
	case VIR_DOMAIN_SHUTOFF_FAILED:
		return DOMAIN_REASON_FAILED;
	default:
		return DOMAIN_REASON_OTHER;
	}
}

enum domain_reason
convert_reason(int state, int reason)
{
	switch (state) {
	case VIR_DOMAIN_RUNNING:
		return convert_running_reason(reason);
	case VIR_DOMAIN_PAUSED:
		return convert_paused_reason(reason);
	case VIR_DOMAIN_SHUTOFF:
		return convert_shutoff_reason(reason);
	case VIR_DOMAIN_SHUTDOWN:
		return reason == VIR_DOMAIN_SHUTDOWN_USER ? DOMAIN_REASON_USER
							  : DOMAIN_REASON_OTHER;
	case VIR_DOMAIN_CRASHED:
		return DOMAIN_REASON_CRASHED;
	default:
		return DOMAIN_REASON_OTHER;
	}
}

void
convert_job_unknown(struct hv_job *out)
{
	*out = (struct hv_job){
	    .elapsed_ms = FACTS_UNKNOWN,
	    .downtime_ms = FACTS_UNKNOWN,
	    .memory_total = FACTS_UNKNOWN,
	    .memory_done = FACTS_UNKNOWN,
	    .memory_remaining = FACTS_UNKNOWN,
	    .memory_rate = FACTS_UNKNOWN,
	    .dirty_rate = FACTS_UNKNOWN,
	    .disk_total = FACTS_UNKNOWN,
	    .disk_done = FACTS_UNKNOWN,
	    .disk_remaining = FACTS_UNKNOWN,
	    .iterations = FACTS_UNKNOWN,
	};
}

static int64_t
convert_param(virTypedParameterPtr params, int count, const char *name)
{
	unsigned long long value;

	if (virTypedParamsGetULLong(params, count, name, &value) != 1 ||
	    value > INT64_MAX)
		return FACTS_UNKNOWN;
	return (int64_t)value;
}

void
convert_job(virTypedParameterPtr params, int count, struct hv_job *out)
{
	int64_t dirty_pages, page_size;

	convert_job_unknown(out);
	out->elapsed_ms =
	    convert_param(params, count, VIR_DOMAIN_JOB_TIME_ELAPSED);
	out->downtime_ms =
	    convert_param(params, count, VIR_DOMAIN_JOB_DOWNTIME);
	out->memory_total =
	    convert_param(params, count, VIR_DOMAIN_JOB_MEMORY_TOTAL);
	out->memory_done =
	    convert_param(params, count, VIR_DOMAIN_JOB_MEMORY_PROCESSED);
	out->memory_remaining =
	    convert_param(params, count, VIR_DOMAIN_JOB_MEMORY_REMAINING);
	out->memory_rate =
	    convert_param(params, count, VIR_DOMAIN_JOB_MEMORY_BPS);
	out->disk_total =
	    convert_param(params, count, VIR_DOMAIN_JOB_DISK_TOTAL);
	out->disk_done =
	    convert_param(params, count, VIR_DOMAIN_JOB_DISK_PROCESSED);
	out->disk_remaining =
	    convert_param(params, count, VIR_DOMAIN_JOB_DISK_REMAINING);
	out->iterations =
	    convert_param(params, count, VIR_DOMAIN_JOB_MEMORY_ITERATION);

	dirty_pages =
	    convert_param(params, count, VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE);
	page_size =
	    convert_param(params, count, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE);
	if (dirty_pages >= 0 && page_size > 0 &&
	    dirty_pages <= INT64_MAX / page_size)
		out->dirty_rate = dirty_pages * page_size;
}

#define CONVERT_DETAILS 9

/* clang-format off */
static const struct {
	const char *event;
	const char *details[CONVERT_DETAILS];
} lifecycle[] = {
	[VIR_DOMAIN_EVENT_DEFINED] = { "defined",
	    { "added", "updated", "renamed", "from snapshot" } },
	[VIR_DOMAIN_EVENT_UNDEFINED] = { "undefined",
	    { "removed", "renamed" } },
	[VIR_DOMAIN_EVENT_STARTED] = { "started",
	    { "booted", "migrated", "restored", "from snapshot",
	    "wakeup" } },
	[VIR_DOMAIN_EVENT_SUSPENDED] = { "suspended",
	    { "paused", "migrated", "I/O error", "watchdog", "restored",
	    "from snapshot", "API error", "post-copy",
	    "post-copy failed" } },
	[VIR_DOMAIN_EVENT_RESUMED] = { "resumed",
	    { "unpaused", "migrated", "from snapshot", "post-copy",
	    "post-copy failed" } },
	[VIR_DOMAIN_EVENT_STOPPED] = { "stopped",
	    { "shutdown", "destroyed", "crashed", "migrated", "saved",
	    "failed", "from snapshot" } },
	[VIR_DOMAIN_EVENT_SHUTDOWN] = { "shutdown",
	    { "finished", "guest", "host" } },
	[VIR_DOMAIN_EVENT_PMSUSPENDED] = { "pmsuspended",
	    { "memory", "disk" } },
	[VIR_DOMAIN_EVENT_CRASHED] = { "crashed",
	    { "panicked", "crashloaded" } },
};
/* clang-format on */

#define CONVERT_EVENTS ((int)(sizeof(lifecycle) / sizeof(lifecycle[0])))

void
convert_lifecycle(int event, int detail, char *out, size_t size)
{
	const char *why = NULL;

	if (event < 0 || event >= CONVERT_EVENTS) {
		(void)snprintf(out, size, "event %d (%d)", event, detail);
		return;
	}
	if (detail >= 0 && detail < CONVERT_DETAILS)
		why = lifecycle[event].details[detail];
	if (why != NULL)
		(void)snprintf(
		    out, size, "%s (%s)", lifecycle[event].event, why);
	else
		(void)snprintf(
		    out, size, "%s (%d)", lifecycle[event].event, detail);
}

const char *
convert_close_reason(int reason)
{
	switch (reason) {
	case VIR_CONNECT_CLOSE_REASON_ERROR:
		return "connection lost";
	case VIR_CONNECT_CLOSE_REASON_EOF:
		return "the libvirt daemon closed the connection";
	case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
		return "no answer to keepalive";
	case VIR_CONNECT_CLOSE_REASON_CLIENT:
		return "closed by us";
	default:
		return "connection closed";
	}
}

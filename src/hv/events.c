/*
 * libvirt's callbacks, made into events of ours.
 *
 * They run on libvirt's event thread, which also answers keepalive for all
 * hosts: they copy what they were given and hand it on, and make no call to
 * libvirt that would leave the process.
 *
 * Events say "look again", nothing else is derived from them except a
 * migration's progress.  So a dozen kinds of domain events become one kind of
 * ours.  Devices come and go with every guest that starts (its tap device);
 * those are left out here, or each start would make the whole host be listed.
 *
 * Deregistering does not wait for a callback that is just running.  What a
 * callback uses is therefore counted, one reference per registration, and a
 * flag under a mutex ends the calls for good.
 */
#include "hv/events.h"

#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/convert.h"
#include "hv/statedir.h"

#define EVENTS_DOMAIN_MAX 9

/* libvirt wants its generic callback type; each kind has its own. */
#define EVENTS_DOMAIN_FN(fn)                                                   \
	((virConnectDomainEventGenericCallback)(void (*)(void))(fn))

struct events {
	virConnectPtr vir;
	hv_event_fn fn;
	void *arg;
	pthread_mutex_t lock; /* for the two below; held while fn runs */
	bool muted;
	unsigned refs;

	int domain_ids[EVENTS_DOMAIN_MAX];
	size_t domain_count;
	int network_id, pool_id, pool_refresh_id, device_id; /* -1: none */
	bool close_registered;
};

static void
events_ref(struct events *events)
{
	(void)pthread_mutex_lock(&events->lock);
	events->refs++;
	(void)pthread_mutex_unlock(&events->lock);
}

static void
events_unref(void *arg)
{
	struct events *events = arg;
	bool last;

	(void)pthread_mutex_lock(&events->lock);
	last = --events->refs == 0;
	(void)pthread_mutex_unlock(&events->lock);
	if (!last)
		return;
	(void)pthread_mutex_destroy(&events->lock);
	free(events);
}

static void
events_emit(struct events *events, const struct hv_event *event)
{
	(void)pthread_mutex_lock(&events->lock);
	if (!events->muted)
		events->fn(event, events->arg);
	(void)pthread_mutex_unlock(&events->lock);
}

static void
events_begin(struct hv_event *out, enum hv_event_kind kind, virDomainPtr domain)
{
	*out = (struct hv_event){.kind = kind, .iteration = FACTS_UNKNOWN};
	convert_job_unknown(&out->job);
	if (domain == NULL)
		return;
	if (virDomainGetUUIDString(domain, out->uuid) < 0)
		out->uuid[0] = '\0';
	(void)err_copy_line(
	    out->name, sizeof(out->name), virDomainGetName(domain));
}

static void
events_emit_domain(
    void *arg, virDomainPtr domain, const char *what, const char *which)
{
	struct hv_event event;
	char text[256];

	events_begin(&event, HV_EVENT_DOMAIN, domain);
	(void)snprintf(text, sizeof(text), "%s%s%s", what,
	    which != NULL ? " " : "", which != NULL ? which : "");
	(void)err_copy_line(event.detail, sizeof(event.detail), text);
	events_emit(arg, &event);
}

static void
events_on_lifecycle(
    virConnectPtr vir, virDomainPtr domain, int what, int detail, void *arg)
{
	bool gone = what == VIR_DOMAIN_EVENT_UNDEFINED &&
	    detail == VIR_DOMAIN_EVENT_UNDEFINED_REMOVED;
	struct hv_event event;

	(void)vir;
	events_begin(
	    &event, gone ? HV_EVENT_DOMAIN_GONE : HV_EVENT_DOMAIN, domain);
	convert_lifecycle(what, detail, event.detail, sizeof(event.detail));
	events_emit(arg, &event);
}

static void
events_on_iteration(
    virConnectPtr vir, virDomainPtr domain, int iteration, void *arg)
{
	struct hv_event event;

	(void)vir;
	events_begin(&event, HV_EVENT_ITERATION, domain);
	event.iteration = iteration;
	(void)snprintf(
	    event.detail, sizeof(event.detail), "iteration %d", iteration);
	events_emit(arg, &event);
}

static void
events_on_job(virConnectPtr vir, virDomainPtr domain,
    virTypedParameterPtr params, int count, void *arg)
{
	struct hv_event event;

	(void)vir;
	events_begin(&event, HV_EVENT_JOB_DONE, domain);
	convert_job(params, count, &event.job);
	(void)snprintf(event.detail, sizeof(event.detail), "job completed");
	events_emit(arg, &event);
}

static void
events_on_reboot(virConnectPtr vir, virDomainPtr domain, void *arg)
{
	struct hv_event event;

	(void)vir;
	events_begin(&event, HV_EVENT_REBOOT, domain);
	(void)snprintf(event.detail, sizeof(event.detail), "rebooted");
	events_emit(arg, &event);
}

static void
events_on_added(
    virConnectPtr vir, virDomainPtr domain, const char *alias, void *arg)
{
	(void)vir;
	events_emit_domain(arg, domain, "device added:", alias);
}

static void
events_on_removed(
    virConnectPtr vir, virDomainPtr domain, const char *alias, void *arg)
{
	(void)vir;
	events_emit_domain(arg, domain, "device removed:", alias);
}

static void
events_on_disk(virConnectPtr vir, virDomainPtr domain, const char *before,
    const char *after, const char *alias, int reason, void *arg)
{
	(void)vir;
	(void)before;
	(void)after;
	(void)reason;
	events_emit_domain(arg, domain, "disk changed:", alias);
}

static void
events_on_metadata(virConnectPtr vir, virDomainPtr domain, int type,
    const char *uri, void *arg)
{
	(void)vir;
	(void)type;
	(void)uri;
	events_emit_domain(arg, domain, "metadata changed", NULL);
}

static void
events_on_block_job(virConnectPtr vir, virDomainPtr domain, const char *disk,
    int type, int status, void *arg)
{
	(void)vir;
	(void)type;
	/* A finished job changes the chain; the rest is progress. */
	if (status == VIR_DOMAIN_BLOCK_JOB_COMPLETED)
		events_emit_domain(arg, domain, "block job completed:", disk);
}

static void
events_emit_host(void *arg, const char *what, const char *name, int event_id)
{
	struct hv_event event;
	char text[256];

	events_begin(&event, HV_EVENT_HOST, NULL);
	(void)err_copy_line(
	    event.name, sizeof(event.name), name != NULL ? name : "");
	(void)snprintf(text, sizeof(text), "%s %s changed (%d)", what,
	    event.name, event_id);
	(void)err_copy_line(event.detail, sizeof(event.detail), text);
	events_emit(arg, &event);
}

static void
events_on_network(
    virConnectPtr vir, virNetworkPtr network, int what, int detail, void *arg)
{
	(void)vir;
	(void)detail;
	events_emit_host(arg, "network", virNetworkGetName(network), what);
}

static void
events_on_pool(
    virConnectPtr vir, virStoragePoolPtr pool, int what, int detail, void *arg)
{
	(void)vir;
	(void)detail;
	if (!statedir_is_name(virStoragePoolGetName(pool)))
		events_emit_host(
		    arg, "pool", virStoragePoolGetName(pool), what);
}

static void
events_on_pool_refresh(virConnectPtr vir, virStoragePoolPtr pool, void *arg)
{
	(void)vir;
	if (!statedir_is_name(virStoragePoolGetName(pool)))
		events_emit_host(arg, "pool", virStoragePoolGetName(pool), -1);
}

/* Links only, and none that belong to a guest. */
static bool
events_device_matters(const char *name)
{
	static const char *const guests[] = {
	    "net_vnet", "net_tap", "net_macvtap", "net_macvlan"};

	if (name == NULL || strncmp(name, "net_", 4) != 0)
		return false;
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		if (strncmp(name, guests[i], strlen(guests[i])) == 0)
			return false;
	}
	return true;
}

static void
events_on_device(
    virConnectPtr vir, virNodeDevicePtr device, int what, int detail, void *arg)
{
	const char *name = virNodeDeviceGetName(device);

	(void)vir;
	(void)detail;
	if (events_device_matters(name))
		events_emit_host(arg, "device", name, what);
}

static void
events_on_close(virConnectPtr vir, int reason, void *arg)
{
	struct hv_event event;

	(void)vir;
	events_begin(&event, HV_EVENT_CLOSED, NULL);
	(void)snprintf(event.detail, sizeof(event.detail), "%s",
	    convert_close_reason(reason));
	events_emit(arg, &event);
}

static int
events_add_domain(
    struct events *events, int id, virConnectDomainEventGenericCallback fn)
{
	int registered;

	events_ref(events);
	registered = virConnectDomainEventRegisterAny(
	    events->vir, NULL, id, fn, events, events_unref);
	if (registered < 0) {
		events_unref(events);
		return -1;
	}
	events->domain_ids[events->domain_count++] = registered;
	return 0;
}

static int
events_register_domain(struct events *events)
{
	static const struct {
		int id;
		virConnectDomainEventGenericCallback fn;
		bool needed;
	} kinds[EVENTS_DOMAIN_MAX] = {
	    {VIR_DOMAIN_EVENT_ID_LIFECYCLE,
		EVENTS_DOMAIN_FN(events_on_lifecycle), true},
	    {VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, EVENTS_DOMAIN_FN(events_on_job),
		false},
	    {VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
		EVENTS_DOMAIN_FN(events_on_iteration), false},
	    {VIR_DOMAIN_EVENT_ID_REBOOT, EVENTS_DOMAIN_FN(events_on_reboot),
		false},
	    {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
		EVENTS_DOMAIN_FN(events_on_added), false},
	    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
		EVENTS_DOMAIN_FN(events_on_removed), false},
	    {VIR_DOMAIN_EVENT_ID_DISK_CHANGE, EVENTS_DOMAIN_FN(events_on_disk),
		false},
	    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
		EVENTS_DOMAIN_FN(events_on_metadata), false},
	    {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2,
		EVENTS_DOMAIN_FN(events_on_block_job), false},
	};

	for (size_t i = 0; i < EVENTS_DOMAIN_MAX; i++) {
		if (events_add_domain(events, kinds[i].id, kinds[i].fn) < 0 &&
		    kinds[i].needed)
			return -1;
	}
	return 0;
}

/* Keeps the reference that was taken for a registration only if it is. */
static int
events_kept(struct events *events, int id)
{
	if (id < 0)
		events_unref(events);
	return id;
}

static void
events_register_host(struct events *events)
{
	virConnectPtr vir = events->vir;

	events_ref(events);
	events->network_id = events_kept(events,
	    virConnectNetworkEventRegisterAny(vir, NULL,
		VIR_NETWORK_EVENT_ID_LIFECYCLE,
		(virConnectNetworkEventGenericCallback)(void (*)(
		    void))events_on_network,
		events, events_unref));
	events_ref(events);
	events->pool_id = events_kept(events,
	    virConnectStoragePoolEventRegisterAny(vir, NULL,
		VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
		(virConnectStoragePoolEventGenericCallback)(void (*)(
		    void))events_on_pool,
		events, events_unref));
	events_ref(events);
	events->pool_refresh_id = events_kept(events,
	    virConnectStoragePoolEventRegisterAny(vir, NULL,
		VIR_STORAGE_POOL_EVENT_ID_REFRESH,
		(virConnectStoragePoolEventGenericCallback)(void (*)(
		    void))events_on_pool_refresh,
		events, events_unref));
	events_ref(events);
	events->device_id = events_kept(events,
	    virConnectNodeDeviceEventRegisterAny(vir, NULL,
		VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE,
		(virConnectNodeDeviceEventGenericCallback)(void (*)(
		    void))events_on_device,
		events, events_unref));
}

struct events *
events_register(virConnectPtr vir, hv_event_fn fn, void *arg, struct err *err)
{
	struct events *events = calloc(1, sizeof(*events));

	if (events == NULL)
		abort();
	events->vir = vir;
	events->fn = fn;
	events->arg = arg;
	events->refs = 1;
	events->network_id = events->pool_id = -1;
	events->pool_refresh_id = events->device_id = -1;
	(void)pthread_mutex_init(&events->lock, NULL);

	events_ref(events);
	if (virConnectRegisterCloseCallback(
		vir, events_on_close, events, events_unref) == 0)
		events->close_registered = true;
	else
		events_unref(events);
	if (!events->close_registered || events_register_domain(events) < 0) {
		(void)err_set(err, ERR_UNREACHABLE,
		    "cannot register for events: %s", virGetLastErrorMessage());
		events_unregister(events);
		return NULL;
	}
	events_register_host(events);
	return events;
}

void
events_unregister(struct events *events)
{
	virConnectPtr vir = events->vir;

	(void)pthread_mutex_lock(&events->lock);
	events->muted = true;
	(void)pthread_mutex_unlock(&events->lock);

	if (events->close_registered)
		(void)virConnectUnregisterCloseCallback(vir, events_on_close);
	for (size_t i = 0; i < events->domain_count; i++)
		(void)virConnectDomainEventDeregisterAny(
		    vir, events->domain_ids[i]);
	if (events->network_id >= 0)
		(void)virConnectNetworkEventDeregisterAny(
		    vir, events->network_id);
	if (events->pool_id >= 0)
		(void)virConnectStoragePoolEventDeregisterAny(
		    vir, events->pool_id);
	if (events->pool_refresh_id >= 0)
		(void)virConnectStoragePoolEventDeregisterAny(
		    vir, events->pool_refresh_id);
	if (events->device_id >= 0)
		(void)virConnectNodeDeviceEventDeregisterAny(
		    vir, events->device_id);
	events_unref(events);
}

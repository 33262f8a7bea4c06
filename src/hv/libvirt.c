/*
 * The hypervisor vtable on libvirt: connecting, and who does the rest.
 *
 * Reading order: evloop.c (the thread under it all), events.c, listing.c,
 * jobs.c, jobs_migrate.c, jobs_power.c, claim.c, abi.c; conn.c has the errors.
 *
 * Every connection gets keepalive, also the ones that only wait for one long
 * call: without it a call to a host that froze would never return.  Five
 * seconds times three, so a silent host is given up after about twenty.
 * Events are registered before anything is listed, because libvirt replays
 * nothing.
 */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hv/abi.h"
#include "hv/carry.h"
#include "hv/claim.h"
#include "hv/conn.h"
#include "hv/events.h"
#include "hv/evloop.h"
#include "hv/hv.h"
#include "hv/images.h"
#include "hv/jobs.h"
#include "hv/layers.h"
#include "hv/listing.h"
#include "hv/pressure.h"
#include "hv/stats.h"
#include "hv/streams.h"
#include "hv/survey.h"

#define LIBVIRT_KEEPALIVE_S 5
#define LIBVIRT_KEEPALIVE_COUNT 3

int
hv_libvirt_start(struct err *err)
{
	return evloop_start(err);
}

static void
libvirt_close(struct hv_conn *conn)
{
	int left;

	if (conn == NULL)
		return;
	if (conn->events != NULL)
		events_unregister(conn->events);
	left = virConnectClose(conn->vir);
	if (left != 0)
		log_warn(
		    "libvirt", "a closed connection is still held (%d)", left);
	(void)pthread_mutex_destroy(&conn->busy);
	free(conn);
}

static struct hv_conn *
libvirt_open(const char *uri, hv_event_fn on_event, void *arg, struct err *err)
{
	virConnectPtr vir = virConnectOpen(uri);
	struct hv_conn *conn;

	if (vir == NULL) {
		(void)conn_fail_open(err);
		return NULL;
	}
	conn = calloc(1, sizeof(*conn));
	if (conn == NULL)
		abort();
	conn->vir = vir;
	(void)pthread_mutex_init(&conn->busy, NULL);
	/* 1: the other side cannot; then TCP alone has to notice. */
	if (virConnectSetKeepAlive(
		vir, LIBVIRT_KEEPALIVE_S, LIBVIRT_KEEPALIVE_COUNT) < 0) {
		(void)conn_fail(conn, err);
		libvirt_close(conn);
		return NULL;
	}
	if (on_event == NULL)
		return conn;
	conn->events = events_register(vir, on_event, arg, err);
	if (conn->events == NULL) {
		libvirt_close(conn);
		return NULL;
	}
	return conn;
}

static bool
libvirt_alive(struct hv_conn *conn)
{
	return conn_is_alive(conn);
}

/*
 * Whether this connection may change anything is not told by any query.  So a
 * call is made that needs the permission and has no effect: translating an
 * empty native configuration.  Only a denial counts.
 */
static bool
libvirt_is_writable(virConnectPtr vir)
{
	char *xml = virConnectDomainXMLFromNative(vir, "drover-probe", "", 0);
	virErrorPtr error = virGetLastError();

	if (xml != NULL) {
		free(xml);
		return true;
	}
	return error == NULL ||
	    (error->code != VIR_ERR_OPERATION_DENIED &&
		error->code != VIR_ERR_ACCESS_DENIED);
}

static int
libvirt_access(struct hv_conn *conn, struct hv_access *out, struct err *err)
{
	CONN_HOLD(conn);
	unsigned long libvirt, hypervisor;
	char *hostname;
	int secure;

	secure = virConnectIsSecure(conn->vir);
	if (secure < 0 || virConnectGetLibVersion(conn->vir, &libvirt) < 0 ||
	    virConnectGetVersion(conn->vir, &hypervisor) < 0)
		return conn_fail(conn, err);
	hostname = virConnectGetHostname(conn->vir);
	if (hostname == NULL)
		return conn_fail(conn, err);
	*out = (struct hv_access){
	    .libvirt_version = (int64_t)libvirt,
	    .hypervisor_version = (int64_t)hypervisor,
	    .secure = secure == 1,
	    .writable = libvirt_is_writable(conn->vir),
	};
	(void)err_copy_line(out->hostname, sizeof(out->hostname), hostname);
	free(hostname);
	if (!conn_is_alive(conn))
		return err_set(err, ERR_UNREACHABLE, "the connection was lost");
	return 0;
}

const struct hv_ops hv_libvirt = {
    .open = libvirt_open,
    .close = libvirt_close,
    .alive = libvirt_alive,
    .list = listing_host,
    .domain = listing_domain,
    .load = listing_load,
    .stats = stats_guests,
    .pressure = pressure_read,
    .access = libvirt_access,
    .check_abi = abi_check,
    .migrate = jobs_migrate,
    .job = jobs_job,
    .last_job = jobs_last_job,
    .abort = jobs_abort,
    .resume = jobs_resume,
    .destroy = jobs_destroy,
    .undefine = jobs_undefine,
    .set_autostart = jobs_set_autostart,
    .set_bandwidth = jobs_set_bandwidth,
    .set_max_downtime = jobs_set_max_downtime,
    .start_postcopy = jobs_start_postcopy,
    .suspend = jobs_suspend,
    .shutdown = jobs_shutdown,
    .start = jobs_start,
    .export = jobs_export,
    .define = jobs_define,
    .claim = claim_take,
    .unclaim = claim_drop,
    .survey = survey_guest,
    .prepare = images_prepare,
    .remove = images_remove,
    .names = images_names,
    .locate = images_locate,
    .has_file = images_has_file,
    .copy = streams_copy,
    .freeze = layers_freeze,
    .merge = layers_merge,
    .carry = carry_guest,
    .forget = carry_forget,
};

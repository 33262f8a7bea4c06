#ifndef DROVER_HV_HV_H
#define DROVER_HV_HV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/facts.h"

/*
 * The door to a hypervisor.  Every call blocks and belongs on a worker thread;
 * no call is made from the loop thread or from an event callback.  A connection
 * may be used by several workers, but makes their calls one after the other:
 * what must not wait has a connection of its own.
 *
 * libvirt.c is the real thing; tests bring their own.  Error codes:
 * ERR_UNREACHABLE the connection broke; ERR_NOT_FOUND no such domain;
 * ERR_ABORTED the job was aborted; ERR_REFUSED the hypervisor said no;
 * ERR_TIMEOUT.  Messages are libvirt's own words; hv/explain.h puts cause and
 * remedy to them.
 *
 * Source: libvirt.org/html/libvirt-libvirt-domain.html, docs/migration.rst.
 */

#define HV_UUID_SIZE 37

enum hv_event_kind {
	HV_EVENT_DOMAIN,      /* something about this guest changed */
	HV_EVENT_DOMAIN_GONE, /* undefined */
	HV_EVENT_ITERATION,   /* migration: pre-copy pass number `iteration` */
	HV_EVENT_JOB_DONE,    /* migration completed: `job` */
	HV_EVENT_HOST,        /* pools, networks or devices changed */
	HV_EVENT_CLOSED,      /* the connection broke: `detail` says why */
};

/* A job's figures; FACTS_UNKNOWN where not told.  Bytes, ms, bytes/s. */
struct hv_job {
	bool active;
	int64_t elapsed_ms;
	int64_t downtime_ms; /* expected while active, real once done */
	int64_t memory_total, memory_done, memory_remaining;
	int64_t memory_rate; /* bytes per second */
	int64_t dirty_rate;  /* bytes per second */
	int64_t disk_total, disk_done, disk_remaining;
	int64_t iterations;
};

struct hv_event {
	enum hv_event_kind kind;
	char uuid[HV_UUID_SIZE];
	char name[128];
	char detail[160]; /* in words: "stopped (migrated)" */
	int64_t iteration;
	struct hv_job job;
};

/* Called on the hypervisor's event thread: copy, post, return. */
typedef void (*hv_event_fn)(const struct hv_event *event, void *arg);

struct hv_conn;

struct hv_abi_verdict {
	bool ok;
	char why[512]; /* when not ok: every missing feature named */
};

struct hv_migrate {
	const char *uuid;
	const char *dest_uri; /* as the source host reaches the target */
	/* "tcp://10.0.0.11"; port optional; a name in it is resolved to an
	 * address; NULL: the address in dest_uri, or libvirt's own guess */
	const char *migrate_uri;
	bool paused;             /* arrive paused (strict handover) */
	bool persistent;         /* define at target, undefine at source */
	int64_t max_downtime_ms; /* 0: the hypervisor's default */
	int64_t bandwidth;       /* bytes/s; 0: all */
};

struct hv_access {
	int64_t libvirt_version, hypervisor_version;
	bool secure;   /* the connection is encrypted or local */
	bool writable; /* may migrate: not read-only */
	char hostname[256];
};

struct hv_ops {
	/*
	 * Connects.  With `on_event` not NULL registers for events first (so that
	 * a listing made afterwards misses nothing) and sets keepalive; a
	 * connection made without is for one long call.
	 */
	struct hv_conn *(*open)(
	    const char *uri, hv_event_fn on_event, void *arg, struct err *err);
	/* After it returns, on_event is not called any more. */
	void (*close)(struct hv_conn *conn);
	/* False when the connection is known to be broken.  Asks nobody, returns
	 * at once.  May be NULL: then a connection counts as alive. */
	bool (*alive)(struct hv_conn *conn);

	struct facts_host *(*list)(struct hv_conn *conn, struct err *err);
	struct facts_domain *(*domain)(
	    struct hv_conn *conn, const char *uuid, struct err *err);
	int (*load)(
	    struct hv_conn *conn, struct facts_load *out, struct err *err);
	int (*access)(
	    struct hv_conn *conn, struct hv_access *out, struct err *err);
	/* Can this host run such a guest (machine type, CPU)?  Without cpu_xml
	 * only emulator and machine type count.  libvirt takes a <cpu> of mode
	 * host-passthrough, host-model or maximum without looking; what such a
	 * guest really has is the <host><cpu> of its source's capabilities,
	 * which may be given instead and is compared with this host's own. */
	int (*check_abi)(struct hv_conn *conn, const char *emulator,
	    const char *arch, const char *machine, const char *virt_type,
	    const char *cpu_xml, struct hv_abi_verdict *out, struct err *err);

	/* Peer-to-peer live migration; returns when it ended. */
	int (*migrate)(struct hv_conn *conn, const struct hv_migrate *how,
	    struct err *err);
	/* At a migration's target: active, and all figures unknown. */
	int (*job)(struct hv_conn *conn, const char *uuid, struct hv_job *out,
	    struct err *err);
	/* The last job that ended, as the host remembers it (works at the target
	 * of a migration); ERR_NOT_FOUND when it remembers none. */
	int (*last_job)(struct hv_conn *conn, const char *uuid,
	    struct hv_job *out, struct err *err);
	int (*abort)(struct hv_conn *conn, const char *uuid, struct err *err);
	/* Succeeds when it runs already. */
	int (*resume)(struct hv_conn *conn, const char *uuid, struct err *err);
	/* Kills the QEMU process.  Only the reconciliation table may ask.
	 * Succeeds when there is none. */
	int (*destroy)(struct hv_conn *conn, const char *uuid, struct err *err);
	/* Removes the definition only (keeps NVRAM and TPM state files).  Refuses
	 * (ERR_CONFLICT) when the domain is active. */
	int (*undefine)(
	    struct hv_conn *conn, const char *uuid, struct err *err);
	int (*set_autostart)(
	    struct hv_conn *conn, const char *uuid, bool on, struct err *err);
};

extern const struct hv_ops hv_libvirt;

/* Once, before the first open: starts libvirt's event loop on a thread of its
 * own, silences its printing.  Returns -1 when that fails. */
int hv_libvirt_start(struct err *err);

#endif

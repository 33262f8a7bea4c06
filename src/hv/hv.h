#ifndef DROVER_HV_HV_H
#define DROVER_HV_HV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/domxml_edit.h"
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
	HV_EVENT_REBOOT,      /* the guest has reset itself */
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
	/* Disks whose content goes along ("vda"); none: no storage is copied.
	 * Their images must be there: see prepare. */
	const char *const *copy;
	size_t copy_count;
	bool incremental; /* only what is above the backing images, which the
			   * target has; else chains are flattened */
	/* How the guest differs at the target; `thin` only holds for the copy
	 * and is not in the persistent definition. */
	const struct domxml_edit *edits;
	size_t edit_count;
	bool auto_converge;
	bool postcopy; /* may be switched to; dropped by itself, with a note in
			* `postcopy_refused`, where the target cannot */
	bool *postcopy_refused; /* out; may be NULL */
	/* Drover has its own proof that the storage is one: when libvirt's own
	 * test is what refuses, and only then, it is overruled. */
	bool unsafe_ok;
};

/* A volume at one host. */
struct hv_volume {
	const char *pool, *name;
	const char *format;                   /* "raw", "qcow2" */
	int64_t capacity;                     /* virtual size, bytes; exact */
	const char *backing, *backing_format; /* NULL: none */
	bool replace; /* one of that name is an old copy of ours: it goes */
	/* remove: it goes only while nothing has been written to it, else
	 * ERR_CONFLICT.  Ours, if it is ours, was never copied to. */
	bool only_empty;
};

/* What prepare found or made, by index of what was asked. */
struct hv_prepared {
	bool created; /* by this call: whoever gives up removes it */
	char path[1024];
};

/* One image from host to host, through this process.  The source must not
 * change meanwhile. */
struct hv_copy {
	const char *from_path; /* at the host of the connection */
	const char *to_uri;    /* the target, as this process reaches it */
	const char *to_pool, *to_name;
	/* The target's volume is made for it: raw, and as long as the file. */
	bool replace; /* see hv_volume */
	/* Shared with the caller, who may write and read while it runs: */
	const int64_t *limit;  /* atomic; bytes/s, 0: all */
	int64_t *done, *total; /* atomic; bytes of data; total: expected */
	const bool *cancel;    /* atomic; gives ERR_ABORTED */
	bool verify; /* read the target's copy back and compare checksums */
};

struct hv_copied {
	int64_t length;  /* of the file, bytes */
	int64_t data;    /* that were sent, bytes: neither holes nor zeros */
	char sha256[65]; /* of what is not zeros, hexadecimal; see blocks.h */
};

enum hv_shutdown { HV_SHUTDOWN_AGENT, HV_SHUTDOWN_ACPI };

/* A layer that a guest writes to while what is below stays as it is. */
struct hv_layer {
	const char *target; /* "vda" */
	const char *path;   /* of the layer, beside its base; made by freeze */
	const char *base, *base_format; /* what is below it */
};

/* Who acts on a host, as the host shows it to every daemon (see lease.h). */
struct hv_mark {
	char owner[192]; /* one line, no quotes or markup */
	int64_t beat;    /* another one with each renewal */
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
	/* The host's memory and CPU; its guests are left out. */
	int (*load)(
	    struct hv_conn *conn, struct facts_load *out, struct err *err);
	/* What all running guests use (`guests_only`), with or without `disks`;
	 * the number of calls does not depend on how many there are.  Waits for
	 * a QEMU that hangs: on a connection that nothing else needs.  May be
	 * NULL: nobody tells. */
	int (*stats)(struct hv_conn *conn, bool disks, struct facts_load *out,
	    struct err *err);
	/* How long things wait there (`pressure_only`), from files of its kernel:
	 * ERR_NOT_FOUND when it has none.  While it is read there is a pool over
	 * them at the host, which nobody lists or tells of.  With out NULL it
	 * only goes, if a process that was killed has left it.  May be NULL:
	 * nobody tells. */
	int (*pressure)(
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

	/* ---- a migration that runs ---- */

	/* Bytes per second of memory; 0: all.  Copied disks keep what they
	 * began with: libvirt lets nobody change that meanwhile. */
	int (*set_bandwidth)(struct hv_conn *conn, const char *uuid,
	    int64_t bandwidth, struct err *err);
	int (*set_max_downtime)(struct hv_conn *conn, const char *uuid,
	    int64_t ms, struct err *err);
	/* Switches to post-copy, which must have been asked for. */
	int (*start_postcopy)(
	    struct hv_conn *conn, const char *uuid, struct err *err);
	/* Stops the vCPUs.  Succeeds when it is paused already. */
	int (*suspend)(struct hv_conn *conn, const char *uuid, struct err *err);

	/* ---- figures ---- */

	/* Disks, and with dirty_ms > 0 (whole seconds) the rate at which memory
	 * is written during that time, for which it blocks, or until *cancel
	 * (atomic; NULL: none) is set: then the rate is unknown. */
	struct facts_survey *(*survey)(struct hv_conn *conn, const char *uuid,
	    int64_t dirty_ms, const bool *cancel, struct err *err);

	/* ---- images ---- */

	/* Refreshes the pools, then makes the volumes, thin.  ERR_CONFLICT when
	 * there is one of that name which `replace` does not allow to go; out[]
	 * is valid in every case. */
	int (*prepare)(struct hv_conn *conn, const struct hv_volume *volumes,
	    size_t count, struct hv_prepared *out, struct err *err);
	/* Succeeds for what is not there.  Refuses (ERR_CONFLICT) what a domain
	 * of the host, active or not, has as a disk or below one. */
	int (*remove)(struct hv_conn *conn, const struct hv_volume *volumes,
	    size_t count, struct err *err);
	/* Names of volumes of an active pool, freshly read, that begin with
	 * `prefix`; they and the array are malloc'ed. */
	int (*names)(struct hv_conn *conn, const char *pool, const char *prefix,
	    char ***out, size_t *out_count, struct err *err);
	/* The pool and the name of the volume at this path (malloc'ed);
	 * ERR_NOT_FOUND: in no active pool. */
	int (*locate)(struct hv_conn *conn, const char *path, char **pool,
	    char **name, struct err *err);
	/* Does the host have a readable file or volume at this path? */
	int (*has_file)(
	    struct hv_conn *conn, const char *path, bool *out, struct err *err);
	int (*copy)(struct hv_conn *conn, const struct hv_copy *how,
	    struct hv_copied *out, struct err *err);

	/* ---- moving by shutdown and start ---- */

	/* From now on the guest writes to the layers, all at the same moment.
	 * Succeeds when it does already. */
	int (*freeze)(struct hv_conn *conn, const char *uuid,
	    const struct hv_layer *layers, size_t count, struct err *err);
	/* Writes the layers down into their bases and removes them; the guest is
	 * as before.  A guest that is off is started for it without running
	 * and ended again.  Succeeds when there are no layers. */
	int (*merge)(struct hv_conn *conn, const char *uuid,
	    const struct hv_layer *layers, size_t count, struct err *err);
	/* Asks the guest; returns at once.  Succeeds when it is off. */
	int (*shutdown)(struct hv_conn *conn, const char *uuid,
	    enum hv_shutdown how, struct err *err);
	/* Succeeds when it runs already.  Removes no managed save: a guest
	 * that has one is refused (ERR_CONFLICT). */
	int (*start)(struct hv_conn *conn, const char *uuid, struct err *err);
	/* The persistent definition with its secrets, edited (malloc'ed). */
	char *(*export)(struct hv_conn *conn, const char *uuid,
	    const struct domxml_edit *edits, size_t count, struct err *err);
	/* Defines or redefines. */
	int (*define)(struct hv_conn *conn, const char *xml, struct err *err);
	/* What libvirt and QEMU keep of the guest outside of disks and
	 * definition: its firmware's variables, the state of its TPM, the values
	 * of secrets that it uses.  The guest must be off. */
	int (*carry)(struct hv_conn *conn, const char *uuid, const char *to_uri,
	    struct err *err);
	/* Takes away at this host what carry brought, or has left behind.
	 * `other_uri`: the host that has the guest now, off or running, whose
	 * definition says what there is; directories that both hosts share are
	 * left alone. */
	int (*forget)(struct hv_conn *conn, const char *uuid,
	    const char *other_uri, struct err *err);

	/* ---- who else is at it ---- */

	/*
	 * The host's mark is taken for `mark->owner`, or renewed, with
	 * `mark->beat`: atomic among daemons.  ERR_CONFLICT when another has
	 * it: *held says who, with its beat.  Nothing is judged by time here;
	 * who has seen another's mark stand still for long enough gives it as
	 * `dead` (else NULL), and if it is still just that it is replaced.
	 */
	int (*claim)(struct hv_conn *conn, const struct hv_mark *mark,
	    const struct hv_mark *dead, struct hv_mark *held, struct err *err);
	/* Succeeds when another has it, or nobody. */
	int (*unclaim)(
	    struct hv_conn *conn, const char *owner, struct err *err);
};

extern const struct hv_ops hv_libvirt;

/* Once, before the first open: starts libvirt's event loop on a thread of its
 * own, silences its printing.  Returns -1 when that fails. */
int hv_libvirt_start(struct err *err);

#endif

#ifndef DROVER_MODEL_SNAPSHOT_H
#define DROVER_MODEL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "model/facts.h"

/*
 * One immutable picture of all hosts and guests, the only thing that deciding
 * looks at.  Everything in it lives in its arena.  Hosts are sorted by name,
 * guests by UUID and then host, so that nothing depends on the order in which
 * news came in.
 *
 * A guest that two hosts know (while it is moved, or a definition left behind)
 * has an entry for each: a `struct snap_vm` is a guest *at a host*.
 *
 * Unknown: SNAPSHOT_UNKNOWN for integers, NAN for doubles, NULL for strings.
 */

#define SNAPSHOT_STRATEGIES 3
#define SNAPSHOT_UNKNOWN (-1)

/* A host whose oldest call waits this long is called silent. */
#define SNAPSHOT_SILENT_MS 5000

enum snap_disk_kind {
	SNAP_DISK_FILE,    /* source: a path */
	SNAP_DISK_BLOCK,   /* source: a device path */
	SNAP_DISK_VOLUME,  /* source: POOL/VOLUME */
	SNAP_DISK_NETWORK, /* source: protocol://host/name, canonical */
	SNAP_DISK_EMPTY,   /* a drive without a medium */
	SNAP_DISK_OTHER,
};

/* How a disk relates to the other hosts; see decide/storage.h. */
struct snap_disk {
	const char *target; /* "vda" */
	enum snap_disk_kind kind;
	const char *source; /* NULL when empty */
	const char *pool;   /* of a volume, else NULL */
	const char *format; /* "raw", "qcow2"; NULL unknown */
	const char *cache;  /* NULL: the default */
	bool readonly, shareable, transient;
	bool removable; /* cdrom or floppy */
	bool optional;  /* startupPolicy lets it start without the medium */
	bool encrypted; /* needs a libvirt secret, as some network disks do */
	bool backing;   /* not a disk of its own: an image under the
				 * one before it (target "vda, backing 1") */
	/* By survey, of the disk itself, not of backing images.  Bytes;
	 * unknown: not surveyed (yet), or not readable. */
	int64_t capacity, allocation, top_allocation;
	const char *path_found; /* where the image is; NULL: unknown */
	const char *pool_found, *volume_found; /* the pool of its host that has
						* the image; NULL: none */
	const char *backing_found; /* the image below it; NULL: none */
	const char *backing_format;
};

enum snap_nic_kind {
	SNAP_NIC_NETWORK,
	SNAP_NIC_BRIDGE,
	SNAP_NIC_DIRECT,
	SNAP_NIC_USER,
	SNAP_NIC_OTHER
};

enum snap_verdict {
	SNAP_VERDICT_UNKNOWN,
	SNAP_VERDICT_OK,
	SNAP_VERDICT_REJECTED
};

struct snap_nic {
	enum snap_nic_kind kind;
	const char *source; /* network, bridge or link name; NULL: none */
};

/* What a target must be able to run; `key` names it for the cache of
 * verdicts. */
struct snap_abi {
	const char *key;
	const char *arch, *machine, *emulator, *virt_type;
	/* <cpu> of the migratable XML, or with cpu_mode that of the
	 * capabilities of the host where the guest is; NULL: none */
	const char *cpu_xml;
	const char *cpu_mode; /* "host-passthrough", "maximum": the guest has
			       * its host's CPU; NULL: one that it names */
	const char *incomparable; /* why no host can be asked; NULL */
};

struct snap_vm {
	const char *name, *uuid;
	size_t host; /* index in hosts[] */
	enum domain_state state;
	enum domain_reason reason;
	enum domain_job job;
	bool persistent, autostart;
	int vcpus;
	int64_t memory;  /* bytes it may use (maximum) */
	double cpu_used; /* cores' worth, NAN unknown */
	/* Smoothed, of a guest that is watched for long enough; NAN: unknown, or
	 * what is known is too old. */
	double cpu_smooth;          /* cores' worth */
	double disk_iops, net_rate; /* requests/s; bytes/s, both ways */
	struct wall seen_since;     /* known to this daemon; ms 0: unknown */
	struct wall last_moved;     /* by a move that succeeded; ms 0: never */
	const char **label_keys, **label_values; /* sorted by key */
	size_t label_count;
	struct snap_abi abi;
	struct snap_disk *disks;
	size_t disk_count;
	struct snap_nic *nics;
	size_t nic_count;
	/* Devices and features that pin a running guest, in words
	 * ("PCI passthrough 0000:3b:00.0", "virtiofs share data"). */
	const char **pins;
	size_t pin_count;
	/* Pins that also keep a stopped guest: what no other host can give it. A
	 * subset of the above in its own words. */
	const char **anchors;
	size_t anchor_count;
	/* A running guest's definition, which a restart starts it from: the mode
	 * of its CPU as in abi, and in words how its disks differ from those it
	 * runs with (NULL: they do not, or it is not known). */
	const char *defined_cpu_mode, *defined_differs;
	bool surveyed;      /* disks' figures are as good as they get */
	int64_t dirty_rate; /* bytes/s, by sampling over a second; unknown */
	int64_t dirty_rate_long; /* over FACTS_SAMPLE_LONG_MS; unknown */
	bool unsampled;     /* it will be known in a moment, or that it can't */
	int64_t memory_rss; /* bytes, of its QEMU, as of the same; unknown */
	struct mono dirty_at, dirty_long_at;
	int snapshots, checkpoints; /* libvirt keeps metadata of */
	bool managed_save;
	bool restarts_on_poweroff; /* on_poweroff is not destroy */
	bool agent;                /* has the channel of a guest agent */
	int hostdevs;              /* devices of its host that it has */
	bool hugepages;
	int64_t hugepage_size; /* bytes; unknown: the host's default */
	bool secure_boot;
	const char *loader; /* firmware image (pflash); NULL: none */
	const char *nvram;  /* path of its variable store; NULL: none */
	/* Files of the host that it starts from: loader, kernel, ... */
	const char **files;
	size_t file_count;
	bool tpm; /* emulated, with state of its own */
	/* Of the DAC label with which libvirt would take a released image away
	 * from QEMU: dynamic ownership with another user than root. */
	bool relabels;
};

/* Storage at two hosts that was proven to be one, or not, by a marker. */
struct snap_proof { /* host_a sorts before host_b */
	const char *host_a, *pool_a, *host_b, *pool_b;
	enum snap_verdict same; /* rejected: seen not to be, or nothing can
				 * be seen there (no marker can be made) */
};

struct snap_pool {
	const char *name;
	bool active;
	const char *type;   /* "dir", "netfs", "rbd", ... */
	const char *path;   /* target path; NULL: none */
	const char *source; /* canonical source; NULL: local */
	int64_t capacity, available;
};

struct snap_network {
	const char *name;
	bool active;
	const char *bridge;
};

/* What somebody's monitoring says of a host, and has not taken back. */
struct snap_alert {
	const char *name, *severity; /* severity NULL: none was told */
	struct wall since;
	const char **label_keys, **label_values; /* sorted by key */
	size_t label_count;
};

/* This host's answer about one ABI. */
struct snap_abi_verdict {
	const char *key;
	enum snap_verdict verdict;
	const char *why; /* in words, when rejected */
};

/* Is there a file that guests of other hosts have in a drive or start from? */
struct snap_file {
	const char *path;
	enum snap_verdict there;
};

struct snap_host {
	const char *name;
	const char *uri;
	bool uri_local; /* means "this machine" to any host */
	bool up;
	const char *down_why;   /* when not up: in words */
	int64_t silent_ms;      /* oldest call without an answer */
	const char *claimed_by; /* another daemon that acts on it; NULL */
	bool claim_open;        /* not known yet whether another one does */
	bool maintenance;       /* implies cordoned */
	bool cordoned;
	const char *flag_why;   /* the operator's reason; NULL */
	struct wall flag_since; /* of maintenance or cordon */
	bool known;             /* listed at least once: what follows
					 * is the last that was seen */
	const char *host_uuid;
	const char *cpu_xml; /* of its capabilities, only what a comparison
			      * looks at: equal texts are equal CPUs */
	int cpus;
	int64_t memory_total, memory_free, reserve_memory;
	int64_t memory_arrived; /* with guests, since that was read */
	double cpu_used;        /* cores' worth, NAN unknown */
	/* Smoothed; NAN: unknown, or what is known is too old. */
	double cpu_smooth;    /* cores' worth */
	double memory_smooth; /* fraction in use */
	double steal;         /* fraction of the time its guests could run */
	double swap_in;       /* bytes/s */
	double psi_cpu, psi_memory, psi_io; /* fractions */
	const struct snap_alert *alerts;    /* by name */
	size_t alert_count;
	int outbound_limit, inbound_limit;
	int64_t link_rate; /* bytes/s that moves to it got; 0: not known, see
			    * snapshot_set_link_rates() */
	bool pools_known, networks_known, interfaces_known;
	struct snap_pool *pools;
	size_t pool_count;
	struct snap_network *networks;
	size_t network_count;
	const char **interfaces;
	size_t interface_count;
	struct snap_abi_verdict *verdicts;
	size_t verdict_count;
	const char **label_keys, **label_values;
	size_t label_count;
	struct snap_file *files; /* that were looked for */
	size_t file_count;
	int64_t hypervisor_version; /* 7002022 = 7.2.22; unknown */
	int64_t hugepages_free;     /* bytes in free huge pages; unknown */
	struct facts_pages pages[FACTS_PAGES_MAX]; /* the same by size */
	size_t page_count;
	const char **machines; /* from the capabilities; may be empty */
	size_t machine_count;
};

/* A move under way: what it holds reserved.  Given by the caller. */
struct snap_move {
	const char *uuid;
	const char *from, *to;
	int64_t memory;   /* the guest's; what QEMU needs for
					 * itself is added in place */
	int64_t disk;     /* bytes it takes in pools of the target */
	const char *pool; /* the one; NULL: none */
	bool idle;        /* nothing of it goes on, for long: it waits
					 * for a host and takes no part of a limit */
};

/* What happened to a guest's earlier attempts in this drain: one per target, in
 * order of time (the target that failed last comes last). */
struct snap_attempt {
	const char *uuid;
	const char *to;
	int failures;    /* SNAPSHOT_HOPELESS: one that no other can mend */
	const char *why; /* of the last one */
	/* The strategy ("live-shared") that the hypervisor refuses for this
	 * guest, wherever to; NULL: none. */
	const char *refused;
};
#define SNAPSHOT_HOPELESS 1000

/* An image of a guest that has left, kept at its old host for a while; it may be
 * replaced when the guest comes back.  Given by the caller. */
struct snap_leftover {
	const char *host, *pool, *volume, *path, *uuid;
};

struct snapshot {
	struct arena *arena;
	struct mono taken;
	struct wall taken_wall;
	struct snap_host *hosts;
	size_t host_count;
	struct snap_vm *vms;
	size_t vm_count;
	int *active; /* see snapshot_count_active(); NULL: not counted yet */
	struct snap_move *moves;
	size_t move_count;
	struct snap_attempt *attempts;
	size_t attempt_count;
	struct snap_proof *proofs; /* by host_a, host_b, pool_a, pool_b */
	size_t proof_count;
	struct snap_leftover *leftovers; /* see snapshot_set_leftovers() */
	size_t leftover_count;
	/* By how much predictions were off of late, by strategy (enum
	 * strategy): what is to be added to the time, and the logarithm of a
	 * factor of the downtime. */
	struct snap_correction {
		int64_t time_ms;
		double downtime_ln;
	} corrections[SNAPSHOT_STRATEGIES];
};

void snapshot_set_correction(
    struct snapshot *s, size_t strategy, int64_t time_ms, double downtime_ln);

/* Copied. */
void snapshot_set_leftovers(
    struct snapshot *s, const struct snap_leftover *leftovers, size_t count);

/* alerts[i] is about the host hosts[i]; NULL, and hosts that are not in the
 * snapshot, are passed over.  Copied, and sorted by name, beginning and labels. */
void snapshot_set_alerts(struct snapshot *s, const struct snap_alert *alerts,
    const char *const *hosts, size_t count);

/* `rate_of` gives bytes/s, 0 when not known. */
void snapshot_set_link_rates(struct snapshot *s,
    int64_t (*rate_of)(const char *host, void *arg), void *arg);

void snapshot_free(struct snapshot *snapshot); /* NULL allowed */
const struct snap_host *snapshot_find_host(
    const struct snapshot *s, const char *name);
/* Of several entries the one that is most alive: running before paused before
 * shut off, then the first host. */
const struct snap_vm *snapshot_find_vm(
    const struct snapshot *s, const char *uuid);
/* By name or UUID; a name that several guests carry gives NULL and
 * *out_ambiguous. */
const struct snap_vm *snapshot_search_vm(
    const struct snapshot *s, const char *name_or_uuid, bool *out_ambiguous);
/* Bytes in free huge pages of this size (unknown: of the size that has most, since
 * a host does not tell its default). */
int64_t snapshot_hugepages_free(const struct snap_host *host, int64_t size);
/* Whether the pools of two hosts are one storage; either way round. */
enum snap_verdict snapshot_find_proof(const struct snapshot *s,
    const char *host, const char *pool, const char *other_host,
    const char *other_pool);
bool snapshot_is_moving(const struct snapshot *s, const char *uuid);
/* Its vCPUs do: it writes to its memory, and can go live. */
bool snapshot_vm_runs(const struct snap_vm *vm);
/* The short sample is newer than the long one, or there is none. */
bool snapshot_wants_long_sample(const struct snap_vm *vm);
bool snapshot_vm_active(const struct snap_vm *vm); /* not shut off */
/* Guests of a host that are active; one that two hosts know is counted where it
 * is most alive. */
int snapshot_count_active(const struct snapshot *s, size_t host);
/* Counts them once for all hosts. */
void snapshot_set_active(struct snapshot *s);

#endif

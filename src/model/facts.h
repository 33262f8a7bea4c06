#ifndef DROVER_MODEL_FACTS_H
#define DROVER_MODEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a host says about itself, as plain data: numbers and XML, not yet
 * understood.  hv/ fills these on a worker thread and hands them over whole
 * (heap; the receiver frees with facts_*_free); inventory.h understands them.
 *
 * Unknown is FACTS_UNKNOWN for integers, NAN for doubles, NULL for strings.  A
 * list that could not be read has its `*_known` flag false, which is not the
 * same as an empty one.
 */

#define FACTS_UNKNOWN (-1)

/* libvirt's virDomainState and reasons, in words of ours. */
enum domain_state {
	DOMAIN_NOSTATE,
	DOMAIN_RUNNING,
	DOMAIN_BLOCKED,
	DOMAIN_PAUSED,
	DOMAIN_SHUTDOWN, /* in the course of shutting down */
	DOMAIN_SHUTOFF,
	DOMAIN_CRASHED,
	DOMAIN_PMSUSPENDED,
};

enum domain_reason {
	DOMAIN_REASON_OTHER,
	DOMAIN_REASON_USER,      /* paused by a person (or by us) */
	DOMAIN_REASON_MIGRATION, /* paused for a migration */
	DOMAIN_REASON_MIGRATED,  /* running or shut off by migration */
	DOMAIN_REASON_MIGRATION_CANCELED,
	DOMAIN_REASON_POSTCOPY,
	DOMAIN_REASON_POSTCOPY_FAILED,
	DOMAIN_REASON_IOERROR,
	DOMAIN_REASON_FAILED,   /* shut off: failed to start */
	DOMAIN_REASON_SHUTDOWN, /* shut off: the guest did it */
	DOMAIN_REASON_DESTROYED,
	DOMAIN_REASON_CRASHED,
};

/* The job that a domain is busy with, if any. */
enum domain_job { DOMAIN_JOB_UNKNOWN, DOMAIN_JOB_NONE, DOMAIN_JOB_ACTIVE };

struct facts_domain {
	char *name;
	char *uuid; /* lower case, with dashes */
	enum domain_state state;
	enum domain_reason reason;
	bool persistent;
	bool autostart;
	enum domain_job job;
	char *xml;                  /* live XML; migratable form when the
					 * domain runs; no secrets */
	char *defined_xml;          /* of one that runs and is persistent: what
					 * it will be the next time; NULL: not
					 * read */
	int snapshots, checkpoints; /* whose metadata libvirt keeps */
	bool managed_save;          /* a saved state waits for the next start */
	bool relabels; /* see struct snap_vm; read from the live XML,
				     * since the migratable one has no labels */
};

/* One image of a guest with its figures, at the guest's host. */
struct facts_disk {
	char *target;        /* "vda" */
	char *path;          /* of the image that is written (the top) */
	char *format;        /* "raw", "qcow2" */
	char *pool, *volume; /* the active pool that has it; NULL: none has */
	int64_t capacity;    /* what the guest sees, bytes */
	int64_t allocation;  /* what top and backing images take, bytes */
	int64_t top_allocation;         /* the top alone */
	char *backing, *backing_format; /* next image below; NULL: none */
};

/* Memory is sampled over a short and over a long time: from the two follows in
 * how large a part of it a guest writes. */
#define FACTS_SAMPLE_MS 1000
#define FACTS_SAMPLE_LONG_MS 4000

/* What is asked of a guest only when a decision needs it: it costs calls to its
 * QEMU. */
struct facts_survey {
	char *uuid;
	struct facts_disk *disks; /* those that can be read, by target */
	size_t disk_count;
	int64_t dirty_rate; /* bytes/s by page sampling; unknown: not running,
			     * or not asked for */
	int64_t dirty_window_ms; /* over so long: what is written twice in that
				  * time counts once */
	int64_t memory_rss; /* bytes that its QEMU has in memory; unknown */
};

struct facts_pool {
	char *name;
	bool active;
	char *xml;
	int64_t capacity, allocation, available; /* bytes */
};

struct facts_network {
	char *name;
	bool active;
	char *bridge; /* NULL: none */
};

/* Disks are asked for with each so manieth reading: that costs calls to QEMU. */
#define FACTS_LOAD_DISKS_EVERY 6
/* So is pressure: that makes and removes a pool. */
#define FACTS_PRESSURE_EVERY 3

/* Of the host, or with `guests_only` of its guests; then the host's figures say
 * nothing.  With `pressure_only` nothing but the pressure says anything, and
 * without it the pressure says nothing. */
struct facts_load {
	bool guests_only, pressure_only;
	/* Fractions of the last minute in which something waited. */
	double psi_cpu, psi_memory, psi_io;
	bool disks;           /* disk_requests were asked for */
	int64_t memory_total; /* bytes */
	int64_t memory_free;  /* free + buffers + cached */
	/* Cumulative nanoseconds over all CPUs, since the host's boot. */
	int64_t cpu_busy_ns, cpu_idle_ns;
	struct facts_domain_load {
		char *uuid;
		/* All cumulative. */
		int64_t cpu_ns;
		int64_t vcpu_ns;       /* that its vCPUs ran; 0: not told */
		int64_t delay_ns;      /* that they could have, and waited for a
				   * processor; unknown with vcpu_ns 0 */
		int64_t net_bytes;     /* both ways; unknown: not told */
		int64_t disk_requests; /* read and write; unknown */
	} * domains;
	size_t domain_count;
};

#define FACTS_PAGES_MAX 4 /* sizes of huge pages; no CPU has more */

struct facts_pages {
	int64_t size, free; /* bytes: of one; of all free ones */
};

struct facts_host {
	char *hostname;
	char *capabilities_xml;
	char *host_uuid;
	int64_t libvirt_version; /* 9000000 = 9.0.0 */
	int64_t hypervisor_version;
	int cpus;
	struct facts_domain *domains;
	size_t domain_count;
	bool pools_known;
	struct facts_pool *pools;
	size_t pool_count;
	bool networks_known;
	struct facts_network *networks;
	size_t network_count;
	bool pages_known; /* huge ones, by size */
	struct facts_pages pages[FACTS_PAGES_MAX];
	size_t page_count;
	bool interfaces_known; /* links a guest could be bridged to */
	char **interfaces;
	size_t interface_count;
	struct facts_load load;
};

void facts_survey_free(struct facts_survey *survey);  /* NULL allowed */
void facts_domain_clear(struct facts_domain *domain); /* frees members */
void facts_load_clear(struct facts_load *load);
void facts_host_free(struct facts_host *facts);      /* NULL allowed */
void facts_domain_free(struct facts_domain *domain); /* members and itself */

const char *facts_state_name(enum domain_state state); /* "running" */
const char *facts_reason_name(enum domain_reason reason);

#endif

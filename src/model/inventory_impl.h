#ifndef DROVER_MODEL_INVENTORY_IMPL_H
#define DROVER_MODEL_INVENTORY_IMPL_H

#include "base/map.h"
#include "model/inventory.h"
#include "model/smooth.h"

/*
 * What the files of the inventory share; nobody else includes this.
 */

/* A cumulative figure, and what two readings of it say. */
struct inventory_meter {
	int64_t last; /* FACTS_UNKNOWN: no reading */
	struct mono last_at;
	double used; /* per nanosecond (so of CPU time, cores' worth); NAN
		      * unknown */
};

/* What is smoothed of a guest.  It is the guest's and not its host's, so that it
 * goes along when the guest moves. */
struct inventory_guest {
	struct mono seen; /* first */
	struct smooth cpu, iops, net;
};

/* A guest at a host.  `vm` and its strings live in `arena`; the XML itself is
 * not kept, only what tells whether it changed. */
struct inventory_domain {
	struct arena *arena;
	struct snap_vm vm;
	const char *abi_key; /* NULL; or vm.abi.key as it was before
			      * the host's CPU was added to it */
	uint64_t xml_hash;
	uint64_t print; /* of all that decisions see */
	struct inventory_meter cpu, vcpu, delay, disk, net;
	bool ran;    /* its load is part of its host's smoothed figures */
	bool listed; /* mark and sweep of a listing */
	/* NULL: none, or of images that it does not have any more. */
	struct facts_survey *survey;
	struct mono surveyed_at;
	/* Its memory, or there was a try, since it runs. */
	bool sampled;
	int samples; /* that had a result, up to INVENTORY_SAMPLES_SHORT */
	uint64_t images_print; /* of its disks, as the XML has them */
	/* Of its metadata, in `arena`; the labels of `vm` are in label_arena. */
	const char **own_label_keys, **own_label_values;
	size_t own_label_count;
	struct arena *label_arena; /* NULL: it has none */
	bool settled;              /* labels and last_moved are as they are */
};

struct inventory_verdict {
	enum snap_verdict verdict;
	char *why;
};

struct inventory_file {
	enum snap_verdict there;
	struct mono at;
};

struct inventory_host {
	/* From the settings; `seen` has name, URI, limits, labels too. */
	struct arena *config_arena;
	struct snap_host config;

	bool up;
	bool known;
	char *down_why;
	int64_t silent_ms;
	char *claimed_by; /* NULL: nobody else */
	bool claim_open;
	bool maintenance, cordoned;
	char *flag_why;
	struct wall flag_since;

	/* From the last listing; NULL arena: none yet. */
	struct arena *seen_arena;
	struct snap_host seen;
	uint64_t seen_print;

	int64_t memory_total, memory_free;
	int64_t memory_arrived; /* since these were read */
	struct inventory_meter cpu;
	struct mono memory_at; /* when memory was read; ms 0: not */
	struct smooth cpu_smooth, memory_smooth, steal;
	double psi_cpu, psi_memory, psi_io;
	struct mono psi_at;   /* when they were read; ms 0: not */
	struct map *domains;  /* UUID -> inventory_domain */
	struct map *verdicts; /* ABI key -> inventory_verdict */
	struct map *files;    /* path -> inventory_file */
};

/* Labels by name, of the settings. */
struct inventory_rule {
	const char *match;
	const char **keys, **values;
	size_t count;
};

struct inventory {
	struct inventory_host **hosts; /* sorted by name */
	size_t host_count;
	uint64_t version;
	/* Storage at two hosts, by names (inventory_survey.c). */
	struct map *proofs;
	struct map *labels; /* UUID -> map of key -> value: an operator's */
	struct map *moved;  /* UUID -> struct wall: of its last move */
	struct arena *rules_arena;
	struct inventory_rule *rules;
	size_t rule_count;
	/* UUID -> inventory_sample: a guest that has moved writes as it did. */
	struct map *samples;
	/* UUID -> inventory_guest (inventory_load.c). */
	struct map *guests;
	int64_t sample_ms, smoothing_ms; /* of the settings */
};

struct inventory_sample {
	int64_t dirty_rate, dirty_rate_long, memory_rss;
	struct mono at;
};

/* What was just started writes otherwise than it will: its first samples hold
 * for this long, twice, four times ... as long. */
#define INVENTORY_SAMPLE_FIRST_MS 10000
#define INVENTORY_SAMPLES_SHORT 16
#define INVENTORY_SAMPLES_FEW 3

/* All are forgotten beyond that. */
#define INVENTORY_SAMPLES_MAX 65536

/* Guests of which it is known when they were moved. */
#define INVENTORY_MOVED_MAX 65536

/* Verdicts kept per host; the oldest is dropped first. */
#define INVENTORY_VERDICTS_MAX 1024
#define INVENTORY_FILES_MAX 1024

struct inventory_host *inventory_find(
    const struct inventory *inventory, const char *name);

/* inventory_listing.c: what was read of a host, understood. */
bool inventory_list_host(const struct inventory *inventory,
    struct inventory_host *host, struct facts_host *facts, struct mono now);
bool inventory_read_domain(
    struct inventory_host *host, const struct facts_domain *facts);
void inventory_domain_free(void *domain);

/* inventory_survey.c: what was asked of hosts in addition. */
bool inventory_survey_read(struct inventory *inventory,
    struct inventory_host *host, struct inventory_event *event);
bool inventory_sample_read(
    struct inventory_host *host, const struct inventory_event *event);
/* After the guest was parsed anew. */
void inventory_survey_settle(struct inventory_domain *domain);
void inventory_survey_show(const struct inventory *inventory,
    struct arena *arena, const struct inventory_domain *domain,
    struct snap_vm *vm);
bool inventory_proof_read(
    struct inventory *inventory, const struct snap_proof *proof);
/* Forgets those of a host whose pools are not as they were, or all of them. */
bool inventory_proof_sweep(
    struct inventory *inventory, const struct inventory_host *host, bool all);
void inventory_proof_show(
    const struct inventory *inventory, struct snapshot *s);

/* inventory_labels.c */
void inventory_labels_init(struct inventory *inventory);
void inventory_labels_clear(struct inventory *inventory);
void inventory_labels_configure(
    struct inventory *inventory, const struct settings *settings);
/* Of guests that were read anew. */
void inventory_labels_settle(
    const struct inventory *inventory, struct inventory_host *host);

/* inventory_files.c */
bool inventory_file_read(
    struct inventory_host *host, const struct inventory_event *event);
/* Pointers into the inventory. */
void inventory_file_list(struct arena *arena, const struct inventory_host *host,
    struct snap_host *to);

/* inventory_load.c */
void inventory_meter_reset(struct inventory_meter *meter);
void inventory_domain_reset_meters(struct inventory_domain *domain);
void inventory_read_load(const struct inventory *inventory,
    struct inventory_host *host, const struct facts_load *load,
    struct mono now);
/* Before it is removed from its host. */
void inventory_leave(const struct inventory *inventory,
    struct inventory_host *host, struct inventory_domain *domain,
    struct mono now);
/* Guests that have come to run at the host since the last time, or have ceased
 * to, take their load along.  After all news about guests. */
void inventory_shift_load(
    struct inventory *inventory, struct inventory_host *host, struct mono now);
void inventory_load_show_host(const struct inventory *inventory,
    const struct inventory_host *host, struct mono now, struct snap_host *to);
void inventory_load_show_vm(const struct inventory *inventory,
    const struct inventory_domain *domain, struct mono now, struct wall wall,
    struct snap_vm *to);

#endif

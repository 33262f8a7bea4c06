#ifndef DROVER_CONFIG_SETTINGS_H
#define DROVER_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/diag.h"
#include "config/policy.h"
#include "config/receiver.h"

/*
 * drover.yaml, hosts.d/ and policies.d/ as one immutable object.  Parsing is
 * pure: texts in, settings or faults out.  files.h reads the texts from disk.
 *
 * Defaults are filled in; paths are absolute; names are checked (hosts,
 * receivers: letters, digits, '.', '_', '-', at most 63, and unique).
 */

#define SETTINGS_HOSTS_MAX 2000
#define SETTINGS_RECEIVERS_MAX 64
#define SETTINGS_POLICIES_MAX 500
#define SETTINGS_PLACEMENTS_MAX 500
#define SETTINGS_GUESTS_MAX 1000

enum settings_proof { SETTINGS_PROOF_MARKER, SETTINGS_PROOF_DECLARED };

struct settings_label {
	const char *key, *value;
};

struct settings_limits {
	int total;         /* moves at once, all hosts; default 6 */
	int per_source;    /* default 2 */
	int per_target;    /* default 2 */
	int64_t bandwidth; /* bytes/s per host link; 0: all */
};

struct settings_host {
	const char *name;
	const char *uri;         /* libvirt connection URI */
	const char *migrate_uri; /* NULL: made from the URI's host */
	const struct settings_label *labels; /* sorted by key */
	size_t label_count;
	int64_t reserve_memory; /* bytes kept free; default 1 GiB */
	int outbound, inbound;  /* moves at once; -1: as limits */
	const char *file;
	unsigned line;
};

/* Labels of guests whose name matches. */
struct settings_guests {
	const char *match; /* pattern */
	const struct settings_label *labels;
	size_t label_count;
};

struct settings {
	struct arena *arena;         /* owns everything below */
	const char *site;            /* default "drover" */
	const char *state_dir;       /* default /var/lib/drover */
	const char *socket;          /* default /run/drover/drover.sock */
	const char *socket_group;    /* default "drover"; "" : leave it */
	const char *maintenance_dir; /* NULL: not watched */
	int64_t sample_interval_ms;  /* default 10 s; 1 s to 10 min */
	int64_t smoothing_ms;        /* default 1 min; 1 s to 1 h */
	bool pressure;               /* is read; default false */
	struct settings_limits limits;
	const char *const *shared_paths; /* absolute, no "..", no
						 * final / */
	size_t shared_path_count;
	enum settings_proof proof;
	int64_t keep_source_ms; /* storage.keep_source: how long images stay at
				 * the old host after a copy; default 24 h */
	int64_t keep_decisions_ms; /* decisions.keep: how long the record of
				    * what was decided is kept; default 30 d */
	struct settings_guests *guests; /* in order of the file: the first that
					 * gives a label counts */
	size_t guest_count;
	/* alerts: Alertmanager's webhook */
	const char *alerts_listen;     /* ADDRESS:PORT; NULL: only the socket */
	const char *alerts_token_file; /* not NULL with alerts_listen */
	const char *alerts_host_label; /* names the host; default "instance" */
	int64_t alerts_expire_ms;      /* on without being repeated; default
					* 5 h */
	struct settings_host *hosts;   /* sorted by name */
	size_t host_count;
	struct settings_receiver *receivers; /* in order of the file */
	size_t receiver_count;
	struct policy *policies; /* by priority descending, then in
					 * order of file name and position */
	size_t policy_count;
	struct placement *placements; /* in order of file name and position */
	size_t placement_count;
};

/* One file: its name as shown in messages, its text, its kind. */
enum settings_file_kind { SETTINGS_MAIN, SETTINGS_HOSTS, SETTINGS_POLICIES };
struct settings_file {
	enum settings_file_kind kind;
	const char *name;
	const char *text;
	size_t len;
};

/*
 * Returns settings, or NULL with every fault in `diags`.  `files` holds one
 * SETTINGS_MAIN and any number of others; `main_dir` is the folder against
 * which relative paths in them are resolved.
 */
struct settings *settings_parse(const struct settings_file *files, size_t count,
    const char *main_dir, struct diag_list *diags);
/* The same; what loads and yet is hardly meant goes to `lints` (NULL: is not
 * looked for). */
struct settings *settings_parse_linted(const struct settings_file *files,
    size_t count, const char *main_dir, struct diag_list *diags,
    struct diag_list *lints);
/* Files of policies without the rest of a configuration: receivers that they
 * name are taken to be there, and there are no hosts. */
struct settings *settings_parse_policies(const struct settings_file *files,
    size_t count, struct diag_list *diags, struct diag_list *lints);
void settings_free(struct settings *settings); /* NULL allowed */

const struct settings_host *settings_find_host(
    const struct settings *s, const char *name);

/* The types of events without "drover.": "move.started"; ends with NULL. */
extern const char *const settings_event_types[];

/*
 * May a reload put `next` in the place of `now`?  Else returns -1 with the keys
 * whose change needs a restart.
 */
int settings_check_reload(
    const struct settings *now, const struct settings *next, struct err *err);

#endif

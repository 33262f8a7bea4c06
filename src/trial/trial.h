#ifndef DROVER_TRIAL_TRIAL_H
#define DROVER_TRIAL_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "config/diag.h"
#include "config/settings.h"
#include "config/schema.h"
#include "plan/read_priv.h"
#include "trial/series.h"

/*
 * A file of tests for policies (drover-policy(7), POLICY TESTS) as it is
 * written: a site, figures over time, and what is expected to come of it.  Pure;
 * who has files and folders hands over texts.
 */

#define TRIAL_SIZE_MAX ((size_t)4 << 20) /* bytes of one text */
#define TRIAL_HOSTS_MAX 200
#define TRIAL_GUESTS_MAX 5000
#define TRIAL_CASES_MAX 200
#define TRIAL_EXPECTS_MAX 1000
/* Samples until the last expectation. */
#define TRIAL_SAMPLES_MAX SERIES_SAMPLES_MAX

/* What a series may be of; the names are those of expressions. */
enum trial_figure {
	TRIAL_CPU,
	/* of a host */
	TRIAL_UP,
	TRIAL_MAINTENANCE,
	TRIAL_CORDONED,
	TRIAL_MEMORY,
	TRIAL_STEAL,
	TRIAL_SWAP_IN,
	TRIAL_PSI_CPU,
	TRIAL_PSI_MEMORY,
	TRIAL_PSI_IO,
	/* of a guest */
	TRIAL_DIRTY_RATE,
	TRIAL_DISK_IOPS,
	TRIAL_NET,
};
#define TRIAL_FIGURES 13

struct trial_series {
	const char *host, *vm; /* one of them, the other NULL */
	struct series figures[TRIAL_FIGURES];
};

struct trial_alert {
	const char *host, *name, *severity; /* severity NULL: none */
	const struct settings_label *labels;
	size_t label_count;
	int64_t at_ms, until_ms; /* until -1: it stays on */
};

/* Moves that fail when they should end. */
struct trial_fail {
	const char *vm, *to; /* to NULL: wherever to */
	const char *why;
	int times; /* 0: each time */
};

enum trial_kind {
	TRIAL_EXPECT_STATE,
	TRIAL_EXPECT_MOVES,
	TRIAL_EXPECT_FATE,
	TRIAL_EXPECT_NONE,
	TRIAL_EXPECT_ON,
	TRIAL_EXPECT_FLAG,
};

enum trial_state { TRIAL_IDLE, TRIAL_PENDING, TRIAL_ACTIVE };

enum trial_fate {
	TRIAL_MOVING,
	TRIAL_WOULD_MOVE, /* it has a target, and the policy only observes */
	TRIAL_WAITING,
	TRIAL_BLOCKED,
	TRIAL_EXCEPTED,
	TRIAL_ENOUGH,    /* others leave, which is enough */
	TRIAL_UNTOUCHED, /* no policy has it */
};

enum trial_flag {
	TRIAL_FLAG_NONE,
	TRIAL_FLAG_CORDONED,
	TRIAL_FLAG_MAINTENANCE
};

/* A move that is expected to have begun; NULL and -1: any. */
struct trial_moved {
	const char *vm, *from, *to, *policy;
	int strategy; /* enum strategy */
	int64_t at_ms;
};

struct trial_on {
	const char *host;
	const char *const *vms;
	size_t vm_count;
};

struct trial_expect {
	enum trial_kind kind;
	int64_t at_ms;
	const char *policy, *host, *vm; /* each NULL: not told */
	int state, fate, flag;          /* -1: not told */
	int64_t since_ms;               /* -1 */
	const char *rule, *why, *to;    /* NULL; why is a glob */
	bool none;
	struct trial_moved *moves;
	size_t move_count;
	struct trial_on *on;
	size_t on_count;
	unsigned line;
};

struct trial_case {
	const char *name; /* NULL: the file's only one */
	struct trial_series *series;
	size_t series_count;
	struct trial_alert *alerts;
	size_t alert_count;
	struct trial_fail *fails;
	size_t fail_count;
	const struct settings_label *modes; /* of policies, over the file's */
	size_t mode_count;
	struct trial_expect *expects; /* in order of the file */
	size_t expect_count;
	unsigned line;
};

struct trial {
	struct arena *arena; /* owns everything */
	const char *file;
	struct tree *tree;
	const char *const *policies; /* as written */
	size_t policy_count;
	int64_t interval_ms;
	int64_t move_ms;     /* 0: each takes as long as is foretold */
	const char *told_by; /* "the test": who says how the site is */
	struct wall start;
	const char *start_text;
	struct settings_limits limits;
	const char *const *shared_paths;
	struct read_host *hosts; /* sorted by name */
	size_t host_count;
	struct read_vm *vms; /* sorted by UUID */
	size_t vm_count;
	const struct settings_label *modes;
	size_t mode_count;
	struct trial_case one; /* what stands at the top level */
	struct trial_case *cases;
	size_t case_count;
};

/*
 * Returns the tests, or NULL with every fault in `diags`.  Nothing refers to
 * `text` or `file` afterwards.
 */
struct trial *trial_read(
    const char *file, const char *text, size_t len, struct diag_list *diags);
void trial_free(struct trial *trial); /* NULL allowed */

/* Are the policies that the tests name among those that were loaded?  Adds the
 * faults and returns false. */
bool trial_check_policies(const struct trial *trial,
    const struct settings *settings, struct diag_list *diags);

/* The mode that a case gives a policy; NULL: the policy's own. */
const char *trial_find_mode(
    const struct trial *trial, const struct trial_case *c, const char *policy);
bool trial_parse_mode(const char *word, enum policy_mode *out);

const char *trial_state_name(enum trial_state state); /* "pending" */
const char *trial_fate_name(enum trial_fate fate);    /* "waiting" */
const char *trial_flag_name(enum trial_flag flag);

/* A time in UTC, "2026-01-05 22:00" or "2026-01-05T22:00:00Z". */
bool trial_parse_start(const char *text, struct wall *out);

/* A time of a test as one writes it: "90s" as "1m30s". */
#define TRIAL_TIME_SIZE 48
const char *trial_words_time(int64_t ms, char out[TRIAL_TIME_SIZE]);

/* What the tables of read_schema.c and the rest of reading share. */
extern const struct schema trial_schema;
extern const struct schema trial_series_schema;    /* struct trial_series */
extern const struct schema trial_expect_schema;    /* struct trial_expect */
extern const struct schema *const trial_schemas[]; /* ends with NULL */

#endif

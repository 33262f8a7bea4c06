#ifndef DROVER_TESTS_LAB_HVPROBE_H
#define DROVER_TESTS_LAB_HVPROBE_H

#include "base/clock.h"
#include "hv/hv.h"
#include "hv/link.h"
#include "run/loop.h"

/*
 * The parts of hvprobe: hvprobe.c has hosts, input and output; hvprobe_ops.c
 * and hvprobe_images.c the tables of what can be asked of a host.
 */

#define PROBE_WORDS_MAX 32
#define PROBE_WORD_SIZE 256
#define PROBE_DISKS_MAX 8
#define PROBE_POLL_MS 100

struct host {
	char *name, *uri, *migrate_uri;
	struct link *link;
	bool listed, show_load;
};

/* One command on its way. */
struct op {
	const struct op_verb *verb;
	struct host *host, *to;
	char uuid[HV_UUID_SIZE];
	char words[PROBE_WORDS_MAX][PROBE_WORD_SIZE];
	int count;
	struct mono began;

	/* How, as far as the verb needs it. */
	struct hv_migrate how;
	const char *copy[PROBE_DISKS_MAX];
	struct domxml_edit edits[PROBE_DISKS_MAX];
	char *text; /* a file's content, or what came out */

	/* A migration's figures while it runs. */
	bool polls, polling, over;
	struct loop_timer *poll;

	/* What came out. */
	int rc;
	struct err err;
	bool postcopy_refused;
	struct hv_job job;
	struct hv_access access;
	struct hv_abi_verdict verdict;
	struct hv_mark held;
	struct facts_domain *domain;
};

enum op_lane { OP_CONTROL, OP_NORMAL, OP_LONG };

struct op_verb {
	const char *name, *usage;
	int words; /* at least, with the verb itself */
	/* Where the words begin that are the verb's own: UUID HOST (3) or HOST
	 * (2) come before. */
	int own;
	enum op_lane lane;
	/* On the loop thread before the call; NULL: nothing.  -1: bad words. */
	int (*prepare)(struct op *op);
	/* On a worker. */
	int (*work)(
	    const struct hv_ops *ops, struct hv_conn *conn, struct op *op);
	/* Says what came out; NULL: "done VERB in N ms". */
	void (*say)(const struct op *op);
};

/* hvprobe.c */
extern struct loop *probe_loop;
struct host *probe_host(const char *name);
void probe_say(const struct host *host, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void probe_say_domain(const struct host *host, const struct facts_domain *d);
void probe_say_job(
    const struct host *host, const char *what, const struct hv_job *j);
/* Called for each op that ended. */
void probe_op_ended(bool failed);

/* hvprobe_images.c */
extern const struct op_verb probe_image_verbs[];
extern const size_t probe_image_verb_count;

/* hvprobe_ops.c: takes the op (and frees it), or -1: no such command. */
int op_start(struct op *op);
void op_usage(void);

#endif

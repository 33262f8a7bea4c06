/*
 * hvprobe's verbs: what struct hv_ops offers, one row each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/explain.h"
#include "hvprobe.h"

#define OP_FILE_MAX (1 << 20)

static int64_t
op_number(const struct op *op, int at)
{
	return at < op->count ? atoll(op->words[at]) : 0;
}

static char *
op_read_file(const char *path)
{
	char *text = calloc(1, OP_FILE_MAX);
	FILE *f = fopen(path, "re");

	if (text == NULL || f == NULL)
		abort();
	(void)!fread(text, 1, OP_FILE_MAX - 1, f);
	(void)fclose(f);
	return text;
}

static int
op_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		return -1;
	(void)fputs(text, f);
	return fclose(f) == 0 ? 0 : -1;
}

/* ---- how a guest differs at the target ---- */

static struct domxml_edit *
op_edit(struct op *op, const char *target)
{
	size_t i;

	for (i = 0; i < op->how.edit_count; i++) {
		if (strcmp(op->edits[i].target, target) == 0)
			return &op->edits[i];
	}
	if (i == PROBE_DISKS_MAX)
		abort();
	op->edits[i] = (struct domxml_edit){.target = target};
	op->how.edits = op->edits;
	op->how.edit_count++;
	return &op->edits[i];
}

/* path:vda=/x format:vda=raw backing:vda=/y backing-format:vda=raw thin:vda
 * eject:sda */
static int
op_take_edit(struct op *op, char *word)
{
	char *target = strchr(word, ':'), *value;

	if (target == NULL)
		return -1;
	*target++ = '\0';
	value = strchr(target, '=');
	if (value != NULL)
		*value++ = '\0';
	if (strcmp(word, "path") == 0)
		op_edit(op, target)->path = value;
	else if (strcmp(word, "format") == 0)
		op_edit(op, target)->format = value;
	else if (strcmp(word, "backing") == 0)
		op_edit(op, target)->backing = value;
	else if (strcmp(word, "backing-format") == 0)
		op_edit(op, target)->backing_format = value;
	else if (strcmp(word, "thin") == 0)
		op_edit(op, target)->thin = true;
	else if (strcmp(word, "eject") == 0)
		op_edit(op, target)->eject = true;
	else
		return -1;
	return 0;
}

/* ---- migrate ---- */

static int
op_take_migrate(struct op *op, char *word)
{
	struct hv_migrate *how = &op->how;

	if (strcmp(word, "strict") == 0)
		how->paused = true;
	else if (strcmp(word, "transient") == 0)
		how->persistent = false;
	else if (strcmp(word, "inc") == 0)
		how->incremental = true;
	else if (strcmp(word, "converge") == 0)
		how->auto_converge = true;
	else if (strcmp(word, "postcopy") == 0)
		how->postcopy = true;
	else if (strcmp(word, "unsafe") == 0)
		how->unsafe_ok = true;
	else if (strncmp(word, "copy=", 5) == 0 &&
	    how->copy_count < PROBE_DISKS_MAX)
		op->copy[how->copy_count++] = word + 5;
	else if (strncmp(word, "bandwidth=", 10) == 0)
		how->bandwidth = atoll(word + 10);
	else if (strncmp(word, "downtime=", 9) == 0)
		how->max_downtime_ms = atoll(word + 9);
	else
		return op_take_edit(op, word);
	return 0;
}

static int
op_prepare_migrate(struct op *op)
{
	op->to = probe_host(op->words[3]);
	if (op->to == NULL)
		return -1;
	op->how = (struct hv_migrate){
	    .uuid = op->uuid,
	    .dest_uri = op->to->uri,
	    .migrate_uri = op->to->migrate_uri,
	    .persistent = true,
	    .copy = op->copy,
	    .postcopy_refused = &op->postcopy_refused,
	};
	for (int i = 4; i < op->count; i++) {
		if (op_take_migrate(op, op->words[i]) < 0)
			return -1;
	}
	op->polls = true;
	return 0;
}

static int
op_work_migrate(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->migrate(conn, &op->how, &op->err);
}

/* ---- the rest ---- */

static int
op_work_job(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->job(conn, op->uuid, &op->job, &op->err);
}

static int
op_work_last(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->last_job(conn, op->uuid, &op->job, &op->err);
}

static void
op_say_job(const struct op *op)
{
	probe_say_job(op->host, op->verb->name, &op->job);
}

static int
op_work_abort(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->abort(conn, op->uuid, &op->err);
}

static int
op_work_resume(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->resume(conn, op->uuid, &op->err);
}

static int
op_work_suspend(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->suspend(conn, op->uuid, &op->err);
}

static int
op_work_destroy(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->destroy(conn, op->uuid, &op->err);
}

static int
op_work_undefine(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->undefine(conn, op->uuid, &op->err);
}

static int
op_work_autostart(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->set_autostart(
	    conn, op->uuid, strcmp(op->words[3], "on") == 0, &op->err);
}

static int
op_work_bandwidth(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->set_bandwidth(conn, op->uuid, op_number(op, 3), &op->err);
}

static int
op_work_downtime(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->set_max_downtime(
	    conn, op->uuid, op_number(op, 3), &op->err);
}

static int
op_work_postcopy(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->start_postcopy(conn, op->uuid, &op->err);
}

static int
op_work_shutdown(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->shutdown(conn, op->uuid,
	    strcmp(op->words[3], "agent") == 0 ? HV_SHUTDOWN_AGENT
					       : HV_SHUTDOWN_ACPI,
	    &op->err);
}

static int
op_work_start(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->start(conn, op->uuid, &op->err);
}

static int
op_prepare_export(struct op *op)
{
	for (int i = 4; i < op->count; i++) {
		if (op_take_edit(op, op->words[i]) < 0)
			return -1;
	}
	return 0;
}

static int
op_work_export(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	op->text = ops->export(
	    conn, op->uuid, op->how.edits, op->how.edit_count, &op->err);
	if (op->text == NULL)
		return -1;
	return op_write_file(op->words[3], op->text);
}

static int
op_prepare_define(struct op *op)
{
	op->text = op_read_file(op->words[2]);
	return 0;
}

static int
op_work_define(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->define(conn, op->text, &op->err);
}

static int
op_work_read(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	op->domain = ops->domain(conn, op->uuid, &op->err);
	return op->domain != NULL ? 0 : -1;
}

static void
op_say_read(const struct op *op)
{
	probe_say_domain(op->host, op->domain);
}

static int
op_work_access(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->access(conn, &op->access, &op->err);
}

static void
op_say_access(const struct op *op)
{
	probe_say(op->host, "access %s secure=%d writable=%d",
	    op->access.hostname, op->access.secure, op->access.writable);
}

static int
op_prepare_abi(struct op *op)
{
	if (op->count > 6)
		op->text = op_read_file(op->words[6]);
	return 0;
}

static int
op_work_abi(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->check_abi(conn, op->words[2], op->words[3], op->words[4],
	    op->words[5], op->text, &op->verdict, &op->err);
}

static void
op_say_abi(const struct op *op)
{
	probe_say(op->host, "abi %s %s", op->verdict.ok ? "yes" : "no",
	    op->verdict.why);
}

static void
op_mark(const struct op *op, int at, struct hv_mark *out)
{
	*out = (struct hv_mark){.beat = op_number(op, at + 1)};
	(void)err_copy_line(out->owner, sizeof(out->owner), op->words[at]);
}

static int
op_work_claim(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	struct hv_mark mark, dead;

	op_mark(op, 2, &mark);
	if (op->count > 5)
		op_mark(op, 4, &dead);
	return ops->claim(
	    conn, &mark, op->count > 5 ? &dead : NULL, &op->held, &op->err);
}

static int
op_work_unclaim(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->unclaim(conn, op->words[2], &op->err);
}

/* clang-format off */
static const struct op_verb verbs[] = {
{ "migrate", "UUID FROM TO [strict] [bandwidth=B] [downtime=MS] [transient] "
	"[copy=vda]... [inc] [converge] [postcopy] [unsafe] [EDIT]...",
	4, 3, OP_LONG, op_prepare_migrate, op_work_migrate, NULL },
{ "job", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_job, op_say_job },
{ "last", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_last, op_say_job },
{ "abort", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_abort, NULL },
{ "resume", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_resume, NULL },
{ "suspend", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_suspend, NULL },
{ "destroy", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_destroy, NULL },
{ "undefine", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_undefine, NULL },
{ "read", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_read, op_say_read },
{ "autostart", "UUID HOST on|off", 4, 3, OP_CONTROL, NULL, op_work_autostart,
	NULL },
{ "bandwidth", "UUID HOST BYTES", 4, 3, OP_CONTROL, NULL, op_work_bandwidth,
	NULL },
{ "downtime", "UUID HOST MS", 4, 3, OP_CONTROL, NULL, op_work_downtime, NULL },
{ "postcopy", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_postcopy, NULL },
{ "shutdown", "UUID HOST agent|acpi", 4, 3, OP_CONTROL, NULL, op_work_shutdown,
	NULL },
{ "start", "UUID HOST", 3, 3, OP_CONTROL, NULL, op_work_start, NULL },
{ "export", "UUID HOST FILE [EDIT]...", 4, 3, OP_CONTROL, op_prepare_export,
	op_work_export, NULL },
{ "define", "HOST FILE", 3, 2, OP_CONTROL, op_prepare_define, op_work_define,
	NULL },
{ "access", "HOST", 2, 2, OP_CONTROL, NULL, op_work_access, op_say_access },
{ "abi", "HOST EMULATOR ARCH MACHINE VIRT-TYPE [FILE-WITH-CPU-XML]", 6, 2,
	OP_CONTROL, op_prepare_abi, op_work_abi, op_say_abi },
{ "claim", "HOST OWNER BEAT [DEAD-OWNER DEAD-BEAT]", 4, 2, OP_CONTROL, NULL,
	op_work_claim, NULL },
{ "unclaim", "HOST OWNER", 3, 2, OP_CONTROL, NULL, op_work_unclaim, NULL },
};
/* clang-format on */

#define OP_VERBS (sizeof(verbs) / sizeof(verbs[0]))

void
op_usage(void)
{
	for (size_t i = 0; i < OP_VERBS; i++)
		(void)fprintf(
		    stderr, "  %s %s\n", verbs[i].name, verbs[i].usage);
	for (size_t i = 0; i < probe_image_verb_count; i++)
		(void)fprintf(stderr, "  %s %s\n", probe_image_verbs[i].name,
		    probe_image_verbs[i].usage);
}

static const struct op_verb *
op_find(const char *name)
{
	for (size_t i = 0; i < OP_VERBS; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	for (size_t i = 0; i < probe_image_verb_count; i++) {
		if (strcmp(probe_image_verbs[i].name, name) == 0)
			return &probe_image_verbs[i];
	}
	return NULL;
}

/* ---- carrying out ---- */

static void
op_free(struct op *op)
{
	bool failed = op->rc < 0;

	loop_timer_free(op->poll);
	facts_domain_free(op->domain);
	free(op->text);
	free(op);
	probe_op_ended(failed);
}

static void
op_work(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct op *op = item;

	op->rc = op->verb->work(ops, conn, op);
}

static void
op_done(void *item, const struct err *err)
{
	struct op *op = item;
	int64_t ms = mono_diff(clock_mono_now(), op->began);
	const struct err *why = err->code != ERR_NONE ? err : &op->err;

	op->over = true;
	if (op->poll != NULL)
		loop_timer_clear(op->poll);
	if (err->code != ERR_NONE)
		op->rc = -1;
	if (op->postcopy_refused)
		probe_say(op->host, "note post-copy was refused");
	if (op->held.owner[0] != '\0')
		probe_say(op->host, "held by %s beat=%" PRId64, op->held.owner,
		    op->held.beat);
	if (op->rc < 0)
		probe_say(op->host, "failed %s in %" PRId64 " ms: %s [%s] %s",
		    op->verb->name, ms, err_code_name(why->code),
		    hv_explain(why->msg)->token, why->msg);
	else if (op->verb->say != NULL)
		op->verb->say(op);
	else
		probe_say(
		    op->host, "done %s in %" PRId64 " ms", op->verb->name, ms);
	if (!op->polling)
		op_free(op);
}

struct poll {
	struct op *op;
	struct hv_job job;
	int rc;
};

static void
poll_work(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct poll *poll = item;

	poll->rc = ops->job(conn, poll->op->uuid, &poll->job, NULL);
}

static void
poll_done(void *item, const struct err *err)
{
	struct poll *poll = item;
	struct op *op = poll->op;

	op->polling = false;
	if (err->code == ERR_NONE && poll->rc == 0)
		probe_say_job(op->host, "job", &poll->job);
	free(poll);
	if (op->over)
		op_free(op);
	else
		loop_timer_set(op->poll, PROBE_POLL_MS);
}

static void
poll_start(void *arg)
{
	struct op *op = arg;
	struct poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		abort();
	poll->op = op;
	op->polling = true;
	link_call(op->host->link, WORKERS_NORMAL, poll_work, poll_done, poll);
}

static void
op_call(struct op *op)
{
	switch (op->verb->lane) {
	case OP_CONTROL:
		link_call(
		    op->host->link, WORKERS_CONTROL, op_work, op_done, op);
		return;
	case OP_NORMAL:
		link_call(op->host->link, WORKERS_NORMAL, op_work, op_done, op);
		return;
	case OP_LONG:
		link_call_long(op->host->link, op_work, op_done, op);
		return;
	}
}

int
op_start(struct op *op)
{
	const struct op_verb *verb = op_find(op->words[0]);

	if (verb == NULL || op->count < verb->words)
		return -1;
	op->verb = verb;
	op->host = probe_host(op->words[verb->own - 1]);
	if (op->host == NULL)
		return -1;
	if (verb->own == 3)
		(void)snprintf(
		    op->uuid, sizeof(op->uuid), "%.36s", op->words[1]);
	op->began = clock_mono_now();
	if (verb->prepare != NULL && verb->prepare(op) < 0)
		return -1;
	if (op->polls) {
		op->poll = loop_timer_new(probe_loop, poll_start, op);
		loop_timer_set(op->poll, PROBE_POLL_MS);
	}
	op_call(op);
	return 0;
}

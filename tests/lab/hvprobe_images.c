/*
 * hvprobe's verbs for images: what the storage half of struct hv_ops offers.
 *
 * A volume is written POOL/NAME,FORMAT,CAPACITY[,replace][,empty][,BACKING,FORMAT];
 * a layer TARGET=LAYER,BASE,FORMAT.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hvprobe.h"

#define IMAGES_MAX 8

static char *
images_next(char **at, int separator)
{
	char *word = *at, *end;

	if (word == NULL)
		return NULL;
	end = strchr(word, separator);
	if (end != NULL)
		*end++ = '\0';
	*at = end;
	return word;
}

static int
images_volume(char *at, struct hv_volume *out)
{
	char *capacity;

	*out = (struct hv_volume){.pool = images_next(&at, '/')};
	out->name = images_next(&at, ',');
	out->format = images_next(&at, ',');
	capacity = images_next(&at, ',');
	out->capacity = capacity != NULL ? atoll(capacity) : 0;
	if (at != NULL && strncmp(at, "replace", 7) == 0) {
		(void)images_next(&at, ',');
		out->replace = true;
	}
	if (at != NULL && strncmp(at, "empty", 5) == 0) {
		(void)images_next(&at, ',');
		out->only_empty = true;
	}
	out->backing = images_next(&at, ',');
	out->backing_format = images_next(&at, ',');
	return out->name != NULL ? 0 : -1;
}

static size_t
images_volumes(struct op *op, struct hv_volume *out)
{
	size_t count = 0;

	for (int i = 2; i < op->count && count < IMAGES_MAX; i++) {
		if (images_volume(op->words[i], &out[count]) == 0)
			count++;
	}
	return count;
}

static int
images_work_prepare(
    const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	struct hv_volume volumes[IMAGES_MAX];
	struct hv_prepared made[IMAGES_MAX];
	size_t count = images_volumes(op, volumes);
	int rc = ops->prepare(conn, volumes, count, made, &op->err);

	for (size_t i = 0; i < count; i++)
		probe_say(op->host, "prepared %s/%s created=%d path=%s",
		    volumes[i].pool, volumes[i].name, made[i].created,
		    made[i].path[0] != '\0' ? made[i].path : "-");
	return rc;
}

static int
images_work_remove(
    const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	struct hv_volume volumes[IMAGES_MAX];
	size_t count = images_volumes(op, volumes);

	return ops->remove(conn, volumes, count, &op->err);
}

static int
images_work_locate(
    const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	char *pool = NULL, *name = NULL;

	if (ops->locate(conn, op->words[2], &pool, &name, &op->err) < 0)
		return -1;
	probe_say(op->host, "located %s/%s", pool, name);
	free(pool);
	free(name);
	return 0;
}

static int
images_work_has_file(
    const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	bool has;

	if (ops->has_file(conn, op->words[2], &has, &op->err) < 0)
		return -1;
	probe_say(op->host, "has-file %s", has ? "yes" : "no");
	return 0;
}

static int
images_work_survey(
    const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	struct facts_survey *s = ops->survey(conn, op->uuid,
	    op->count > 3 ? atoll(op->words[3]) : 0, NULL, &op->err);

	if (s == NULL)
		return -1;
	for (size_t i = 0; i < s->disk_count; i++) {
		const struct facts_disk *d = &s->disks[i];

		probe_say(op->host,
		    "disk %s path=%s format=%s in=%s/%s capacity=%" PRId64
		    " allocation=%" PRId64 " top=%" PRId64 " backing=%s,%s",
		    d->target, d->path, d->format ? d->format : "-",
		    d->pool ? d->pool : "-", d->volume ? d->volume : "-",
		    d->capacity, d->allocation, d->top_allocation,
		    d->backing ? d->backing : "-",
		    d->backing_format ? d->backing_format : "-");
	}
	probe_say(op->host, "dirty-rate %" PRId64, s->dirty_rate);
	facts_survey_free(s);
	return 0;
}

/* ---- copy ---- */

/* What happens to a copy from outside while it runs. */
struct hand {
	int64_t limit, done, total; /* atomic */
	bool cancel, over;          /* atomic */
	int64_t cancel_ms, then_ms, then_limit;
};

static void *
images_hand_run(void *arg)
{
	struct hand *hand = arg;
	struct mono began = clock_mono_now();
	struct timespec pause = {.tv_nsec = 5000000};

	while (!__atomic_load_n(&hand->over, __ATOMIC_RELAXED)) {
		int64_t ms = mono_diff(clock_mono_now(), began);

		if (hand->cancel_ms > 0 && ms >= hand->cancel_ms)
			__atomic_store_n(&hand->cancel, true, __ATOMIC_RELAXED);
		if (hand->then_ms > 0 && ms >= hand->then_ms)
			__atomic_store_n(
			    &hand->limit, hand->then_limit, __ATOMIC_RELAXED);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

static void
images_take_copy(char *word, struct hv_copy *how, struct hand *hand)
{
	if (strcmp(word, "replace") == 0)
		how->replace = true;
	else if (strcmp(word, "verify") == 0)
		how->verify = true;
	else if (strncmp(word, "limit=", 6) == 0)
		hand->limit = atoll(word + 6);
	else if (strncmp(word, "cancel=", 7) == 0)
		hand->cancel_ms = atoll(word + 7);
	else if (strncmp(word, "after=", 6) == 0)
		hand->then_ms = atoll(word + 6);
	else if (strncmp(word, "then=", 5) == 0)
		hand->then_limit = atoll(word + 5);
}

static int
images_prepare_copy(struct op *op)
{
	op->to = probe_host(op->words[3]);
	return op->to != NULL ? 0 : -1;
}

static int
images_work_copy(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	struct hand hand = {0};
	struct hv_copy how = {
	    .from_path = op->words[2],
	    .to_uri = op->to->uri,
	    .to_pool = op->words[4],
	    .to_name = op->words[5],
	    .limit = &hand.limit,
	    .done = &hand.done,
	    .total = &hand.total,
	    .cancel = &hand.cancel,
	};
	struct hv_copied copied;
	struct mono began;
	pthread_t thread;
	int rc;

	for (int i = 6; i < op->count; i++)
		images_take_copy(op->words[i], &how, &hand);
	began = clock_mono_now();
	if (pthread_create(&thread, NULL, images_hand_run, &hand) != 0)
		abort();
	rc = ops->copy(conn, &how, &copied, &op->err);
	__atomic_store_n(&hand.over, true, __ATOMIC_RELAXED);
	(void)pthread_join(thread, NULL);
	probe_say(op->host,
	    "copy ms=%" PRId64 " done=%" PRId64 " total=%" PRId64,
	    mono_diff(clock_mono_now(), began), hand.done, hand.total);
	if (rc == 0)
		probe_say(op->host,
		    "copied length=%" PRId64 " data=%" PRId64 " sha256=%s",
		    copied.length, copied.data, copied.sha256);
	return rc;
}

/* ---- layers, state ---- */

static int
images_work_layers(
    const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	struct hv_layer layers[IMAGES_MAX];
	size_t count = 0;

	for (int i = 3; i < op->count && count < IMAGES_MAX; i++) {
		char *at = op->words[i];
		struct hv_layer *layer = &layers[count++];

		layer->target = images_next(&at, '=');
		layer->path = images_next(&at, ',');
		layer->base = images_next(&at, ',');
		layer->base_format = images_next(&at, ',');
	}
	if (strcmp(op->words[0], "freeze") == 0)
		return ops->freeze(conn, op->uuid, layers, count, &op->err);
	return ops->merge(conn, op->uuid, layers, count, &op->err);
}

static int
images_prepare_state(struct op *op)
{
	op->to = probe_host(op->words[3]);
	return op->to != NULL ? 0 : -1;
}

static int
images_work_carry(const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->carry(conn, op->uuid, op->to->uri, &op->err);
}

static int
images_work_forget(
    const struct hv_ops *ops, struct hv_conn *conn, struct op *op)
{
	return ops->forget(conn, op->uuid, op->to->uri, &op->err);
}

/* clang-format off */
const struct op_verb probe_image_verbs[] = {
{ "survey", "UUID HOST [DIRTY_MS]", 3, 3, OP_LONG, NULL, images_work_survey,
	NULL },
{ "prepare", "HOST VOLUME...", 3, 2, OP_LONG, NULL, images_work_prepare,
	NULL },
{ "remove", "HOST VOLUME...", 3, 2, OP_LONG, NULL, images_work_remove, NULL },
{ "locate", "HOST PATH", 3, 2, OP_LONG, NULL, images_work_locate, NULL },
{ "has-file", "HOST PATH", 3, 2, OP_LONG, NULL, images_work_has_file, NULL },
{ "copy", "HOST PATH TO POOL NAME [replace] [verify] [limit=B] [cancel=MS] "
	"[then=B after=MS]", 6, 2, OP_LONG, images_prepare_copy,
	images_work_copy, NULL },
{ "freeze", "UUID HOST LAYER...", 4, 3, OP_LONG, NULL, images_work_layers,
	NULL },
{ "merge", "UUID HOST LAYER...", 4, 3, OP_LONG, NULL, images_work_layers,
	NULL },
{ "carry", "UUID HOST TO", 4, 3, OP_LONG, images_prepare_state,
	images_work_carry, NULL },
{ "forget", "UUID HOST OTHER", 4, 3, OP_LONG, images_prepare_state,
	images_work_forget, NULL },
};
/* clang-format on */

const size_t probe_image_verb_count =
    sizeof(probe_image_verbs) / sizeof(probe_image_verbs[0]);

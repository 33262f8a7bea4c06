/*
 * Two queues per host, of images to look at and of memory to sample.  They are
 * made anew whenever the owner has a fresh snapshot, and every SURVEY_LOOK_MS;
 * between that, an answer only takes the next one off its queue.  What is in a
 * queue may have changed since: that nobody moves the guest now is asked again
 * right before the call.
 *
 * A question that failed rests, or a guest that cannot be sampled would be asked
 * for ever.  Which guests rest is kept by UUID, in a map that forgets what is
 * over.
 */
#include "act/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

/* Askers beyond that have to wait for their turn. */
#define SURVEY_ASKED_MAX 1000

enum survey_kind { SURVEY_IMAGES, SURVEY_MEMORY, SURVEY_KINDS };

struct wish {
	char uuid[HV_UUID_SIZE];
	int rank; /* the lower, the sooner */
	struct mono since;
};

struct queue {
	struct wish *wishes;
	size_t count, max, next;
	char out[HV_UUID_SIZE]; /* whom the host is asked about; "" */
};

struct post {
	char *host;
	struct queue queues[SURVEY_KINDS];
};

struct survey {
	struct survey_deps deps;
	struct map *posts; /* host -> post */
	struct map *rests; /* "KIND UUID" -> struct mono */
	struct map *asked; /* UUID -> struct mono: until then it is first */
	struct loop_timer *timer;
	const struct snapshot *snapshot; /* while queues are made */
	struct mono now;
	size_t refs; /* the owner and what is out */
	bool dead;
};

struct question {
	struct survey *survey;
	char *host;
	char uuid[HV_UUID_SIZE];
	enum survey_kind kind;
	struct facts_survey *facts;
	struct err err;
};

static void on_timer(void *arg);
static void ask_next(
    struct survey *s, struct post *post, enum survey_kind kind);

static void
post_free(void *value)
{
	struct post *post = value;

	for (int i = 0; i < SURVEY_KINDS; i++)
		free(post->queues[i].wishes);
	free(post->host);
	free(post);
}

static void *
survey_calloc(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		abort();
	return p;
}

struct survey *
survey_new(const struct survey_deps *deps)
{
	struct survey *s = survey_calloc(sizeof(*s));

	s->deps = *deps;
	if (s->deps.age_ms == 0)
		s->deps.age_ms = SURVEY_AGE_MS;
	if (s->deps.look_ms == 0)
		s->deps.look_ms = SURVEY_LOOK_MS;
	if (s->deps.rest_ms == 0)
		s->deps.rest_ms = SURVEY_REST_MS;
	s->posts = map_new(post_free);
	s->rests = map_new(free);
	s->asked = map_new(free);
	s->timer = loop_timer_new(deps->loop, on_timer, s);
	loop_timer_set(s->timer, s->deps.look_ms);
	s->refs = 1;
	return s;
}

static void
unref(struct survey *s)
{
	if (--s->refs > 0)
		return;
	map_free(s->posts);
	map_free(s->rests);
	map_free(s->asked);
	free(s);
}

void
survey_free(struct survey *s)
{
	if (s == NULL)
		return;
	loop_timer_free(s->timer);
	s->dead = true;
	unref(s);
}

/* ---- resting ---- */

#define REST_KEY_SIZE (HV_UUID_SIZE + 4)

static void
rest_key(enum survey_kind kind, const char *uuid, char out[REST_KEY_SIZE])
{
	(void)snprintf(out, REST_KEY_SIZE, "%d %s", (int)kind, uuid);
}

static void
rest(struct survey *s, enum survey_kind kind, const char *uuid, int64_t ms)
{
	struct mono *until = survey_calloc(sizeof(*until));
	char key[REST_KEY_SIZE];

	rest_key(kind, uuid, key);
	*until = mono_add(clock_mono_now(), ms);
	map_set(s->rests, key, until);
}

static bool
rests(const struct survey *s, enum survey_kind kind, const char *uuid)
{
	char key[REST_KEY_SIZE];
	const struct mono *until;

	rest_key(kind, uuid, key);
	until = map_get(s->rests, key);
	return until != NULL && mono_before(s->now, *until);
}

static void
forget_past(struct map *times, struct mono now)
{
	const char *key;
	void *value;
	size_t i = 0;

	while (map_next(times, &i, &key, &value)) {
		if (!mono_before(now, *(const struct mono *)value))
			map_remove(times, key);
	}
}

/* ---- asking ---- */

static void
work_ask(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct question *q = item;

	if (ops->survey == NULL)
		(void)err_set(&q->err, ERR_REFUSED, "it tells no figures");
	else
		q->facts = ops->survey(conn, q->uuid,
		    q->kind == SURVEY_MEMORY ? SURVEY_SAMPLE_MS : 0, &q->err);
}

/* Nothing more is to be found out now: a decision does not wait for it. */
static struct facts_survey *
no_figures(const char *uuid)
{
	struct facts_survey *facts = survey_calloc(sizeof(*facts));

	facts->uuid = str_dup(uuid);
	facts->dirty_rate = FACTS_UNKNOWN;
	return facts;
}

static void
take_answer(struct survey *s, struct question *q, const struct err *transport)
{
	bool sampled =
	    q->facts != NULL && q->facts->dirty_rate != FACTS_UNKNOWN;

	map_remove(s->asked, q->uuid);
	if (transport->code != ERR_NONE)
		(void)err_set(&q->err, transport->code, "%s", transport->msg);
	if (q->facts == NULL)
		log_debug("survey", "%s: %s: %s", q->host, q->uuid, q->err.msg);
	if (q->facts == NULL && q->kind == SURVEY_IMAGES &&
	    q->err.code != ERR_UNREACHABLE && q->err.code != ERR_TIMEOUT &&
	    q->err.code != ERR_NOT_FOUND && transport->code == ERR_NONE)
		q->facts = no_figures(q->uuid);
	if (q->facts == NULL)
		rest(s, q->kind, q->uuid, s->deps.rest_ms);
	else if (q->kind == SURVEY_MEMORY && !sampled)
		rest(s, q->kind, q->uuid, s->deps.age_ms);
	if (q->facts == NULL)
		return;
	if (inventory_apply(s->deps.inventory,
		&(struct inventory_event){.news = INVENTORY_SURVEYED,
		    .host = q->host,
		    .now = clock_mono_now(),
		    .survey = q->facts}))
		s->deps.answered(s->deps.arg);
	q->facts = NULL;
}

static void
done_ask(void *item, const struct err *transport)
{
	struct question *q = item;
	struct survey *s = q->survey;
	struct post *post = s->dead ? NULL : map_get(s->posts, q->host);

	if (!s->dead)
		take_answer(s, q, transport);
	if (post != NULL) {
		post->queues[q->kind].out[0] = '\0';
		/* Not reached: the others would not be either. */
		if (transport->code != ERR_NONE)
			post->queues[q->kind].count = 0;
		ask_next(s, post, q->kind);
	}
	facts_survey_free(q->facts);
	free(q->host);
	free(q);
	unref(s);
}

static void
ask_next(struct survey *s, struct post *post, enum survey_kind kind)
{
	struct queue *queue = &post->queues[kind];
	struct link *link = s->deps.link(post->host, s->deps.arg);

	if (link == NULL || !link_is_up(link) ||
	    link_silent_ms(link, clock_mono_now()) >= SNAPSHOT_SILENT_MS)
		return; /* the next look comes back to them */
	while (queue->out[0] == '\0' && queue->next < queue->count) {
		const struct wish *wish = &queue->wishes[queue->next++];
		struct question *q;

		if (s->deps.moving(wish->uuid, s->deps.arg))
			continue;
		q = survey_calloc(sizeof(*q));
		q->survey = s;
		s->refs++;
		q->host = str_dup(post->host);
		q->kind = kind;
		memcpy(q->uuid, wish->uuid, sizeof(q->uuid));
		memcpy(queue->out, wish->uuid, sizeof(queue->out));
		link_call_aside(link, work_ask, done_ask, q);
	}
}

/* ---- whom to ask about ---- */

static bool
is_free(const struct survey *s, const struct snap_vm *vm)
{
	if (vm->job == DOMAIN_JOB_ACTIVE ||
	    snapshot_is_moving(s->snapshot, vm->uuid))
		return false;
	return vm->reason != DOMAIN_REASON_MIGRATION &&
	    vm->reason != DOMAIN_REASON_POSTCOPY &&
	    vm->reason != DOMAIN_REASON_POSTCOPY_FAILED;
}

static void
want(struct survey *s, const char *host, const struct snap_vm *vm,
    enum survey_kind kind)
{
	const struct snap_host *at = snapshot_find_host(s->snapshot, host);
	struct post *post = map_get(s->posts, host);
	struct queue *queue;
	struct wish *wish;

	if (at == NULL || !at->up || at->silent_ms >= SNAPSHOT_SILENT_MS ||
	    at->claimed_by != NULL || !is_free(s, vm) ||
	    rests(s, kind, vm->uuid))
		return;
	if (post == NULL) {
		post = survey_calloc(sizeof(*post));
		post->host = str_dup(host);
		map_set(s->posts, host, post);
	}
	queue = &post->queues[kind];
	if (strcmp(queue->out, vm->uuid) == 0)
		return;
	if (queue->count == queue->max) {
		queue->max = queue->max * 2 + 16;
		queue->wishes =
		    realloc(queue->wishes, queue->max * sizeof(*queue->wishes));
		if (queue->wishes == NULL)
			abort();
	}
	wish = &queue->wishes[queue->count++];
	(void)snprintf(wish->uuid, sizeof(wish->uuid), "%s", vm->uuid);
	wish->since = vm->dirty_at;
	wish->rank = 3;
	if (map_get(s->asked, vm->uuid) != NULL)
		wish->rank = 0;
	else if (kind == SURVEY_IMAGES && !vm->surveyed)
		wish->rank = 1;
	else if (at->maintenance)
		wish->rank = 2;
}

static void
want_images(const char *host, const struct snap_vm *vm, void *arg)
{
	want(arg, host, vm, SURVEY_IMAGES);
}

static void
want_memory(const char *host, const struct snap_vm *vm, void *arg)
{
	want(arg, host, vm, SURVEY_MEMORY);
}

static int
compare_wishes(const void *a, const void *b)
{
	const struct wish *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->since.ms != y->since.ms)
		return x->since.ms < y->since.ms ? -1 : 1;
	return strcmp(x->uuid, y->uuid);
}

void
survey_run(struct survey *s, const struct snapshot *snapshot)
{
	void *value;
	size_t i = 0;

	s->now = clock_mono_now();
	s->snapshot = snapshot;
	while (map_next(s->posts, &i, NULL, &value)) {
		struct post *post = value;

		for (int k = 0; k < SURVEY_KINDS; k++)
			post->queues[k].count = post->queues[k].next = 0;
	}
	inventory_each_unsurveyed(
	    s->deps.inventory, s->now, s->deps.age_ms, want_images, s);
	inventory_each_unsampled(
	    s->deps.inventory, s->now, s->deps.age_ms, want_memory, s);
	s->snapshot = NULL;
	i = 0;
	while (map_next(s->posts, &i, NULL, &value)) {
		struct post *post = value;

		for (int k = 0; k < SURVEY_KINDS; k++) {
			struct queue *queue = &post->queues[k];

			if (queue->count > 1)
				qsort(queue->wishes, queue->count,
				    sizeof(queue->wishes[0]), compare_wishes);
			ask_next(s, post, (enum survey_kind)k);
		}
	}
}

static void
on_timer(void *arg)
{
	struct survey *s = arg;
	struct snapshot *snapshot = s->deps.look(s->deps.arg);

	loop_timer_set(s->timer, s->deps.look_ms);
	s->now = clock_mono_now();
	forget_past(s->rests, s->now);
	forget_past(s->asked, s->now);
	survey_run(s, snapshot);
	snapshot_free(snapshot);
}

void
survey_ask(struct survey *s, const char *uuid)
{
	struct mono *until;
	char key[REST_KEY_SIZE];

	for (int k = 0; k < SURVEY_KINDS; k++) {
		rest_key((enum survey_kind)k, uuid, key);
		map_remove(s->rests, key);
	}
	if (map_count(s->asked) >= SURVEY_ASKED_MAX)
		return;
	until = survey_calloc(sizeof(*until));
	*until = mono_add(clock_mono_now(), s->deps.age_ms);
	map_set(s->asked, uuid, until);
}

/*
 * Two queues per host, of images to look at and of memory to sample.  They are
 * made anew whenever the owner has a fresh snapshot, and every SURVEY_LOOK_MS;
 * between that, an answer only takes the next one off its queue.  What is in a
 * queue may have changed since: that nobody moves the guest now is asked again
 * right before the call.
 *
 * A question that failed rests, or a guest that cannot be sampled would be asked
 * for ever.  Which guests rest is kept by host and UUID, in a map that forgets
 * what is over.
 */
#include "act/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

/* Askers beyond that have to wait for their turn. */
#define SURVEY_ASKED_MAX 1000

enum survey_kind {
	SURVEY_IMAGES, /* of a guest */
	SURVEY_MEMORY, /* of a guest */
	SURVEY_MEDIUM, /* a path: is there a file that guests elsewhere have? */
	SURVEY_KINDS
};

struct wish {
	char *what;        /* UUID or path */
	int rank;          /* the lower, the sooner */
	int64_t window_ms; /* of a sample */
	struct mono since;
};

struct queue {
	struct wish *wishes;
	size_t count, max, next;
	char *out; /* what the host is asked about; NULL: nothing */
};

struct post {
	char *host;
	struct queue queues[SURVEY_KINDS];
};

struct survey {
	struct survey_deps deps;
	struct map *posts; /* host -> post */
	struct map *rests; /* "KIND HOST WHAT" -> struct mono */
	struct map *asked; /* UUID -> struct mono: until then it is first */
	struct loop_timer *timer;
	const struct snapshot *snapshot; /* while queues are made */
	struct mono now;
	size_t refs; /* the owner and what is out */
	bool dead;
	bool closing; /* atomic; ends what takes long */
};

struct question {
	struct survey *survey;
	char *host;
	char *what;
	enum survey_kind kind;
	int64_t window_ms; /* of a sample */
	struct facts_survey *facts;
	bool there;
	struct err err;
};

static void on_timer(void *arg);
static void ask_next(
    struct survey *s, struct post *post, enum survey_kind kind);

static void
queue_clear(struct queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		free(queue->wishes[i].what);
	queue->count = queue->next = 0;
}

static void
post_free(void *value)
{
	struct post *post = value;

	for (int i = 0; i < SURVEY_KINDS; i++) {
		queue_clear(&post->queues[i]);
		free(post->queues[i].wishes);
		free(post->queues[i].out);
	}
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
survey_close(struct survey *s)
{
	loop_timer_clear(s->timer);
	__atomic_store_n(&s->closing, true, __ATOMIC_RELAXED);
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

/* What one host could not tell, another may: also about a guest that has moved. */
static char *
rest_key(enum survey_kind kind, const char *host, const char *what)
{
	char *key = NULL;

	if (asprintf(&key, "%d %s %s", (int)kind, host, what) < 0)
		abort();
	return key;
}

static void
rest(struct survey *s, const struct question *q, int64_t ms)
{
	struct mono *until = survey_calloc(sizeof(*until));
	cleanup_free char *key = rest_key(q->kind, q->host, q->what);

	*until = mono_add(clock_mono_now(), ms);
	map_set(s->rests, key, until);
}

static bool
rests(const struct survey *s, enum survey_kind kind, const char *host,
    const char *what)
{
	cleanup_free char *key = rest_key(kind, host, what);
	const struct mono *until = map_get(s->rests, key);

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

	if (ops->survey == NULL || ops->has_file == NULL) {
		(void)err_set(&q->err, ERR_REFUSED, "it tells no figures");
		return;
	}
	switch (q->kind) {
	case SURVEY_IMAGES:
		q->facts = ops->survey(conn, q->what, 0, NULL, &q->err);
		break;
	case SURVEY_MEMORY:
		q->facts = ops->survey(
		    conn, q->what, q->window_ms, &q->survey->closing, &q->err);
		break;
	case SURVEY_MEDIUM:
		(void)ops->has_file(conn, q->what, &q->there, &q->err);
		break;
	case SURVEY_KINDS:
		break;
	}
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

/* An error that says nothing about what was asked: it may pass. */
static bool
may_pass(const struct err *err)
{
	return err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT ||
	    err->code == ERR_LIMIT || err->code == ERR_ABORTED ||
	    err->code == ERR_NOT_FOUND;
}

/* Whatever came of it: nobody waits for that guest's first sample any more. */
static bool
note_sample(struct survey *s, const struct question *q)
{
	return q->kind == SURVEY_MEMORY &&
	    inventory_apply(s->deps.inventory,
		&(struct inventory_event){.news = INVENTORY_SAMPLED,
		    .host = q->host,
		    .now = clock_mono_now(),
		    .uuid = q->what});
}

static bool
take_figures(struct survey *s, struct question *q)
{
	bool sampled =
	    q->facts != NULL && q->facts->dirty_rate != FACTS_UNKNOWN;
	struct facts_survey *facts = q->facts;
	bool news = false;

	map_remove(s->asked, q->what);
	if (facts == NULL && q->kind == SURVEY_IMAGES && !may_pass(&q->err))
		facts = no_figures(q->what);
	if (facts == NULL)
		rest(s, q, s->deps.rest_ms);
	else if (q->kind == SURVEY_MEMORY && !sampled)
		rest(s, q, s->deps.age_ms);
	q->facts = NULL;
	if (facts != NULL)
		news = inventory_apply(s->deps.inventory,
		    &(struct inventory_event){.news = INVENTORY_SURVEYED,
			.host = q->host,
			.now = clock_mono_now(),
			.survey = facts});
	return note_sample(s, q) || news;
}

static bool
take_medium(struct survey *s, struct question *q)
{
	enum snap_verdict there =
	    q->there ? SNAP_VERDICT_OK : SNAP_VERDICT_REJECTED;

	if (q->err.code != ERR_NONE) {
		rest(s, q, s->deps.rest_ms);
		if (may_pass(&q->err))
			return false;
		there = SNAP_VERDICT_UNKNOWN;
	}
	return inventory_apply(s->deps.inventory,
	    &(struct inventory_event){.news = INVENTORY_FILE_SEEN,
		.host = q->host,
		.now = clock_mono_now(),
		.key = q->what,
		.verdict = there});
}

static void
done_ask(void *item, const struct err *transport)
{
	struct question *q = item;
	struct survey *s = q->survey;
	struct post *post = s->dead ? NULL : map_get(s->posts, q->host);

	if (transport->code != ERR_NONE)
		(void)err_set(&q->err, transport->code, "%s", transport->msg);
	if (q->err.code != ERR_NONE)
		log_debug("survey", "%s: %s: %s", q->host, q->what, q->err.msg);
	if (!s->dead &&
	    (q->kind == SURVEY_MEDIUM ? take_medium(s, q) : take_figures(s, q)))
		s->deps.answered(s->deps.arg);
	if (post != NULL) {
		struct queue *queue = &post->queues[q->kind];

		str_replace(&queue->out, NULL);
		/* Not reached: the others would not be either. */
		if (transport->code != ERR_NONE)
			queue_clear(queue);
		ask_next(s, post, q->kind);
	}
	facts_survey_free(q->facts);
	free(q->what);
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
	while (queue->out == NULL && queue->next < queue->count) {
		const struct wish *wish = &queue->wishes[queue->next++];
		struct question *q;

		if (kind != SURVEY_MEDIUM &&
		    s->deps.moving(wish->what, s->deps.arg))
			continue;
		q = survey_calloc(sizeof(*q));
		q->survey = s;
		s->refs++;
		q->host = str_dup(post->host);
		q->kind = kind;
		q->what = str_dup(wish->what);
		q->window_ms = wish->window_ms;
		queue->out = str_dup(wish->what);
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

/* NULL: not now.  The caller fills in rank and since. */
static struct wish *
want(struct survey *s, const struct snap_host *at, enum survey_kind kind,
    const char *what)
{
	struct post *post;
	struct queue *queue;
	struct wish *wish;

	if (at == NULL || !at->up || at->silent_ms >= SNAPSHOT_SILENT_MS ||
	    at->claimed_by != NULL || rests(s, kind, at->name, what))
		return NULL;
	post = map_get(s->posts, at->name);
	if (post == NULL) {
		post = survey_calloc(sizeof(*post));
		post->host = str_dup(at->name);
		map_set(s->posts, at->name, post);
	}
	queue = &post->queues[kind];
	if (queue->out != NULL && strcmp(queue->out, what) == 0)
		return NULL;
	if (queue->count == queue->max) {
		queue->max = queue->max * 2 + 16;
		queue->wishes =
		    realloc(queue->wishes, queue->max * sizeof(*queue->wishes));
		if (queue->wishes == NULL)
			abort();
	}
	wish = &queue->wishes[queue->count++];
	*wish = (struct wish){.what = str_dup(what)};
	return wish;
}

static void
want_figures(struct survey *s, const char *host, const struct snap_vm *vm,
    enum survey_kind kind)
{
	const struct snap_host *at = snapshot_find_host(s->snapshot, host);
	struct wish *wish = is_free(s, vm) ? want(s, at, kind, vm->uuid) : NULL;

	if (wish == NULL)
		return;
	wish->since = vm->dirty_at;
	wish->window_ms = snapshot_wants_long_sample(vm) ? FACTS_SAMPLE_LONG_MS
							 : FACTS_SAMPLE_MS;
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
	want_figures(arg, host, vm, SURVEY_IMAGES);
}

static void
want_memory(const char *host, const struct snap_vm *vm, void *arg)
{
	want_figures(arg, host, vm, SURVEY_MEMORY);
}

static void
want_medium(const char *host, const char *path, void *arg)
{
	struct survey *s = arg;

	(void)want(
	    s, snapshot_find_host(s->snapshot, host), SURVEY_MEDIUM, path);
}

static int
compare_wishes(const void *a, const void *b)
{
	const struct wish *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->since.ms != y->since.ms)
		return x->since.ms < y->since.ms ? -1 : 1;
	return strcmp(x->what, y->what);
}

static void
clear_queues(struct survey *s)
{
	void *value;
	size_t i = 0;

	while (map_next(s->posts, &i, NULL, &value)) {
		struct post *post = value;

		for (int k = 0; k < SURVEY_KINDS; k++)
			queue_clear(&post->queues[k]);
	}
}

void
survey_run(struct survey *s, const struct snapshot *snapshot)
{
	const struct inventory *inventory = s->deps.inventory;
	void *value;
	size_t i = 0;

	s->now = clock_mono_now();
	s->snapshot = snapshot;
	clear_queues(s);
	inventory_each_unsurveyed(
	    inventory, s->now, s->deps.age_ms, want_images, s);
	inventory_each_unsampled(
	    inventory, s->now, s->deps.age_ms, want_memory, s);
	inventory_each_unseen_file(
	    inventory, s->now, s->deps.age_ms, want_medium, s);
	s->snapshot = NULL;
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
	const char *host;
	size_t i = 0;

	while (map_next(s->posts, &i, &host, NULL)) {
		for (int k = 0; k < SURVEY_MEDIUM; k++) {
			cleanup_free char *key =
			    rest_key((enum survey_kind)k, host, uuid);

			map_remove(s->rests, key);
		}
	}
	if (map_count(s->asked) >= SURVEY_ASKED_MAX)
		return;
	until = survey_calloc(sizeof(*until));
	*until = mono_add(clock_mono_now(), s->deps.age_ms);
	map_set(s->asked, uuid, until);
}

/*
 * The questions that are out, or that failed a moment ago, are in a map with the
 * key "host NUL abi"; the map is shared with the items on their way, so that it
 * outlives whoever made it.
 */
#include "act/abicheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

struct abicheck {
	struct inventory *inventory;
	struct link *(*link)(const char *host, void *arg);
	void *link_arg;
	void (*answered)(void *arg);
	void *arg;
	struct map *out; /* questions that are out or resting */
	struct loop_timer *retry;
	size_t refs; /* the owner and the items that are out */
	bool dead;
};

struct question {
	struct abicheck *abicheck;
	char *id, *host, *key;
	char *emulator, *arch, *machine, *virt_type, *cpu_xml;
	struct hv_abi_verdict verdict;
	struct err err;
};

static void
unref(struct abicheck *a)
{
	if (--a->refs > 0)
		return;
	map_free(a->out);
	free(a);
}

static void
on_retry(void *arg)
{
	struct abicheck *a = arg;
	const char *id;
	void *value;
	size_t i = 0;

	/* Resting questions may be asked again; those that are out stay. */
	while (map_next(a->out, &i, &id, &value)) {
		if (strcmp(value, "resting") == 0)
			map_remove(a->out, id);
	}
	abicheck_run(a);
}

struct abicheck *
abicheck_new(struct loop *loop, struct inventory *inventory,
    struct link *(*link)(const char *host, void *arg), void *link_arg,
    void (*answered)(void *arg), void *arg)
{
	struct abicheck *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort();
	a->inventory = inventory;
	a->link = link;
	a->link_arg = link_arg;
	a->answered = answered;
	a->arg = arg;
	a->out = map_new(free);
	a->retry = loop_timer_new(loop, on_retry, a);
	a->refs = 1;
	return a;
}

void
abicheck_free(struct abicheck *a)
{
	if (a == NULL)
		return;
	loop_timer_free(a->retry);
	a->dead = true;
	unref(a);
}

static void
question_free(struct question *q)
{
	free(q->id);
	free(q->host);
	free(q->key);
	free(q->emulator);
	free(q->arch);
	free(q->machine);
	free(q->virt_type);
	free(q->cpu_xml);
	free(q);
}

static void
work_ask(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct question *q = item;

	(void)ops->check_abi(conn, q->emulator, q->arch, q->machine,
	    q->virt_type, q->cpu_xml, &q->verdict, &q->err);
}

static void
done_ask(void *item, const struct err *transport)
{
	struct question *q = item;
	struct abicheck *a = q->abicheck;
	const struct err *err = transport->code != ERR_NONE ? transport
	    : q->err.code != ERR_NONE                       ? &q->err
							    : NULL;

	if (!a->dead && err == NULL) {
		(void)inventory_apply(a->inventory,
		    &(struct inventory_event){.news = INVENTORY_ABI_CHECKED,
			.host = q->host,
			.now = clock_mono_now(),
			.key = q->key,
			.verdict = q->verdict.ok ? SNAP_VERDICT_OK
						 : SNAP_VERDICT_REJECTED,
			.why = q->verdict.ok ? NULL : q->verdict.why});
		map_remove(a->out, q->id);
		a->answered(a->arg);
	} else if (!a->dead) {
		log_debug("abi", "%s: %s", q->host, err->msg);
		map_set(a->out, q->id, str_dup("resting"));
		loop_timer_set(a->retry, ABICHECK_RETRY_MS);
	}
	question_free(q);
	unref(a);
}

static void
ask(const char *host, const struct snap_abi *abi, void *arg)
{
	struct abicheck *a = arg;
	struct link *link = a->link(host, a->link_arg);
	struct question *q;
	size_t size = strlen(host) + strlen(abi->key) + 2;
	char *id = malloc(size);

	if (id == NULL)
		abort();
	(void)snprintf(id, size, "%s %s", host, abi->key);
	if (link == NULL || map_get(a->out, id) != NULL) {
		free(id);
		return;
	}
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		abort();
	q->abicheck = a;
	a->refs++;
	q->id = id;
	q->host = str_dup(host);
	q->key = str_dup(abi->key);
	q->emulator = str_dup(abi->emulator);
	q->arch = str_dup(abi->arch);
	q->machine = str_dup(abi->machine);
	q->virt_type = str_dup(abi->virt_type);
	q->cpu_xml = str_dup(abi->cpu_xml);
	map_set(a->out, id, str_dup("out"));
	link_call(link, WORKERS_NORMAL, work_ask, done_ask, q);
}

void
abicheck_run(struct abicheck *a)
{
	inventory_each_unchecked_abi(a->inventory, ask, a);
}

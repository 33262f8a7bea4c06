/*
 * One record per host; what it is in says what may be begun there:
 *
 * open       not known yet: connected, and not answered
 * ours       renewed within the last TTL, as far as we know
 * other      another's mark is there, and moves (or has not stood still for
 *            long enough)
 * unguarded  the host can keep no mark
 *
 * Silence is not an answer: what was known stays as it was, except that a mark
 * of ours counts no longer once it may have been taken for dead.
 *
 * Taking over a dead mark is a read and a write for the host, and two waiting
 * daemons could do it one after the other.  So a mark that was taken over counts
 * only when it is still there a moment later.
 *
 * A host's libvirt forgets marks when it restarts.  Who had not the mark before
 * waits for one TTL after the new connection, so that it goes back to whom it
 * was.
 */
#include "act/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

enum claim_state { CLAIM_OPEN, CLAIM_OURS, CLAIM_OTHER, CLAIM_UNGUARDED };

struct claim {
	char *host;
	enum claim_state state;
	bool answered;       /* whose it is has been known */
	uint64_t generation; /* of the connection */
	uint64_t asked;      /* number of the question that is out; 0: none */
	bool confirm;        /* taken over: it counts when seen once more */
	struct mono next;    /* when to ask */
	struct mono renewed; /* ours: when the last renewal began */
	struct hv_mark other;
	struct mono since; /* ... that its beat was first seen */
	/* To whom this host was offered, and did not take it. */
	char offered[LEASE_OWNER_SIZE];
};

struct lease {
	struct lease_deps deps;
	char owner[LEASE_OWNER_SIZE];
	struct map *claims;
	struct loop_timer *tick;
	uint64_t questions;
	size_t out; /* calls */
	bool released;
	void (*done)(void *arg);
	void *done_arg;
	size_t refs; /* the owner and what is out */
	bool dead;
};

struct question {
	struct lease *lease;
	char *host;
	uint64_t number;
	struct mono began;
	struct hv_mark mark, dead, held;
	bool replaces;
	struct err err;
};

static void look(void *arg);
static void called(struct lease *l);
static void let_go(struct lease *l, const char *host);

static void
claim_free(void *value)
{
	struct claim *c = value;

	free(c->host);
	free(c);
}

struct lease *
lease_new(const struct lease_deps *deps)
{
	struct lease *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->deps = *deps;
	if (l->deps.renew_ms == 0)
		l->deps.renew_ms = LEASE_RENEW_MS;
	if (l->deps.ttl_ms == 0)
		l->deps.ttl_ms = LEASE_TTL_MS;
	(void)err_copy_line(l->owner, sizeof(l->owner), deps->owner);
	l->deps.owner = l->owner;
	l->claims = map_new(claim_free);
	l->tick = loop_timer_new(deps->loop, look, l);
	l->refs = 1;
	return l;
}

static void
unref(struct lease *l)
{
	if (--l->refs > 0)
		return;
	map_free(l->claims);
	free(l);
}

void
lease_free(struct lease *l)
{
	if (l == NULL)
		return;
	loop_timer_free(l->tick);
	l->dead = true;
	unref(l);
}

/* A call is back. */
static void
called(struct lease *l)
{
	l->out--;
	if (!l->dead && l->released && l->out == 0)
		l->done(l->done_arg);
	unref(l);
}

/* ---- what is known, for deciding ---- */

static void
show(struct lease *l, const struct claim *c)
{
	bool changed = inventory_apply(l->deps.inventory,
	    &(struct inventory_event){.news = INVENTORY_CLAIMED,
		.host = c->host,
		.now = clock_mono_now(),
		.why = c->state == CLAIM_OTHER ? c->other.owner : NULL,
		.open = c->state == CLAIM_OPEN});

	if (changed)
		l->deps.changed(l->deps.arg);
}

static void
set_state(struct lease *l, struct claim *c, enum claim_state state)
{
	bool was_other = c->state == CLAIM_OTHER;
	bool first = !c->answered;

	c->state = state;
	c->answered |= state == CLAIM_OURS || state == CLAIM_OTHER;
	show(l, c);
	if (was_other && state == CLAIM_OURS)
		l->deps.news(c->host, NULL, l->deps.arg);
	else if (first && state == CLAIM_OURS && l->deps.unclaimed != NULL)
		l->deps.unclaimed(c->host, l->deps.arg);
}

/* ---- asking ---- */

static void
work_ask(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct question *q = item;

	if (ops->claim == NULL)
		(void)err_set(&q->err, ERR_INVALID, "it keeps no marks");
	else
		(void)ops->claim(conn, &q->mark, q->replaces ? &q->dead : NULL,
		    &q->held, &q->err);
}

static void
took(struct lease *l, struct claim *c, const struct question *q)
{
	struct mono now = clock_mono_now();

	c->renewed = q->began;
	if (q->replaces) {
		log_warn("lease",
		    "%s: %s has not renewed its mark for %lld s: taken over",
		    c->host, q->dead.owner,
		    (long long)(mono_diff(now, c->since) / 1000));
		/* Not shown as free before it is confirmed. */
		c->confirm = true;
		c->since = now;
		c->next = mono_add(now, l->deps.renew_ms / 10);
		return;
	}
	if (c->state == CLAIM_OTHER && !c->confirm)
		log_info("lease", "%s: %s has let go", c->host, c->other.owner);
	c->confirm = false;
	c->next = mono_add(now, l->deps.renew_ms);
	if (c->state != CLAIM_OURS)
		set_state(l, c, CLAIM_OURS);
}

/* What we hold goes to the one who sorts first, unless it was offered that and
 * left it: else each of two would hold a part, and neither could move. */
static void
offer(struct lease *l, const char *to)
{
	struct mono now = clock_mono_now();
	const char *host;
	void *value;
	size_t i = 0;

	while (map_next(l->claims, &i, &host, &value)) {
		struct claim *c = value;

		if (c->state != CLAIM_OURS || strcmp(c->offered, to) == 0 ||
		    l->deps.busy(host, l->deps.arg))
			continue;
		log_info("lease", "%s: offered to %s", host, to);
		(void)snprintf(c->offered, sizeof(c->offered), "%s", to);
		c->next = mono_add(now, l->deps.ttl_ms);
		c->asked = 0;
		let_go(l, host);
		set_state(l, c, CLAIM_OPEN);
	}
}

static void
refused(struct lease *l, struct claim *c, const struct question *q)
{
	struct mono now = clock_mono_now();
	bool new_owner = c->state != CLAIM_OTHER ||
	    strcmp(c->other.owner, q->held.owner) != 0;

	c->next = mono_add(now, l->deps.renew_ms);
	c->confirm = false;
	if (new_owner || c->other.beat != q->held.beat)
		c->since = now;
	else if (!q->replaces &&
	    mono_before(mono_add(c->since, l->deps.ttl_ms), c->next))
		c->next = mono_add(c->since, l->deps.ttl_ms);
	c->other = q->held;
	if (!new_owner)
		return;
	log_warn("lease",
	    "%s: another droverd acts on it (%s): nothing is begun there; "
	    "stop one of the two",
	    c->host, c->other.owner);
	set_state(l, c, CLAIM_OTHER);
	l->deps.news(c->host, c->other.owner, l->deps.arg);
	if (strcmp(c->other.owner, l->owner) < 0)
		offer(l, c->other.owner);
}

static void
failed(struct lease *l, struct claim *c, const struct err *err, bool asked)
{
	struct mono now = clock_mono_now();

	c->next = mono_add(now, l->deps.renew_ms);
	log_debug("lease", "%s: %s", c->host, err->msg);
	if (!asked || err->code == ERR_UNREACHABLE ||
	    err->code == ERR_TIMEOUT || c->state != CLAIM_OPEN)
		return;
	log_warn("lease",
	    "%s: cannot keep a mark (%s): a second droverd on it would not be "
	    "noticed",
	    c->host, err->msg);
	set_state(l, c, CLAIM_UNGUARDED);
}

static void
done_ask(void *item, const struct err *transport)
{
	struct question *q = item;
	struct lease *l = q->lease;
	struct claim *c = l->dead ? NULL : map_get(l->claims, q->host);

	if (c != NULL && l->released) {
		if (transport->code == ERR_NONE && q->err.code == ERR_NONE &&
		    !l->deps.busy(c->host, l->deps.arg))
			let_go(l, c->host);
	} else if (c != NULL && c->asked == q->number) {
		/* Else of an earlier connection, or of no use by now. */
		c->asked = 0;
		if (transport->code != ERR_NONE)
			failed(l, c, transport, false);
		else if (q->err.code == ERR_NONE)
			took(l, c, q);
		else if (q->err.code == ERR_CONFLICT)
			refused(l, c, q);
		else
			failed(l, c, &q->err, true);
		look(l);
	}
	free(q->host);
	free(q);
	called(l);
}

static void
ask(struct lease *l, struct claim *c, struct mono now)
{
	struct link *link = l->deps.link(c->host, l->deps.arg);
	struct question *q;

	c->next = mono_add(now, l->deps.renew_ms);
	if (link == NULL || c->asked != 0)
		return;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		abort();
	q->lease = l;
	l->refs++;
	l->out++;
	q->host = str_dup(c->host);
	q->number = c->asked = ++l->questions;
	q->began = now;
	q->mark.beat = now.ms;
	(void)snprintf(q->mark.owner, sizeof(q->mark.owner), "%s", l->owner);
	q->replaces = c->state == CLAIM_OTHER && !c->confirm &&
	    mono_diff(now, c->since) >= l->deps.ttl_ms;
	q->dead = c->other;
	link_call(link, WORKERS_NORMAL, work_ask, done_ask, q);
}

/* Asks where it is time, and sleeps until it is again. */
static void
look(void *arg)
{
	struct lease *l = arg;
	struct mono now = clock_mono_now(), next = {INT64_MAX};
	void *value;
	size_t i = 0;

	if (l->released)
		return;
	while (map_next(l->claims, &i, NULL, &value)) {
		struct claim *c = value;

		if (c->state == CLAIM_OURS &&
		    mono_diff(now, c->renewed) >= l->deps.ttl_ms)
			set_state(l, c, CLAIM_OPEN);
		if (!mono_before(now, c->next))
			ask(l, c, now);
		if (mono_before(c->next, next))
			next = c->next;
	}
	if (next.ms != INT64_MAX)
		loop_timer_set(l->tick, mono_diff(next, now));
}

/* ---- hosts come and go ---- */

void
lease_listed(struct lease *l, const char *host)
{
	struct link *link = l->deps.link(host, l->deps.arg);
	struct claim *c = map_get(l->claims, host);
	struct mono now = clock_mono_now();

	if (l->released || link == NULL)
		return;
	if (c == NULL) {
		c = calloc(1, sizeof(*c));
		if (c == NULL)
			abort();
		c->host = str_dup(host);
		map_set(l->claims, host, c);
	}
	if (c->generation == link_generation(link))
		return;
	c->generation = link_generation(link);
	c->asked = 0;
	c->confirm = false;
	c->next = now;
	if (c->state == CLAIM_OTHER) {
		c->since = now;
		c->next = mono_add(now, l->deps.ttl_ms);
	} else {
		set_state(l, c, CLAIM_OPEN);
	}
	look(l);
}

static void
work_let_go(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct question *q = item;

	if (ops->unclaim != NULL)
		(void)ops->unclaim(conn, q->mark.owner, &q->err);
}

static void
done_let_go(void *item, const struct err *transport)
{
	struct question *q = item;
	struct lease *l = q->lease;

	if (transport->code != ERR_NONE || q->err.code != ERR_NONE)
		log_debug("lease", "%s: its mark is left to expire: %s",
		    q->host,
		    transport->code != ERR_NONE ? transport->msg : q->err.msg);
	free(q->host);
	free(q);
	called(l);
}

static void
let_go(struct lease *l, const char *host)
{
	struct link *link = l->deps.link(host, l->deps.arg);
	struct question *q;

	if (link == NULL)
		return;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		abort();
	q->lease = l;
	l->refs++;
	l->out++;
	q->host = str_dup(host);
	(void)snprintf(q->mark.owner, sizeof(q->mark.owner), "%s", l->owner);
	link_call(link, WORKERS_NORMAL, work_let_go, done_let_go, q);
}

void
lease_forget(struct lease *l, const char *host)
{
	struct claim *c = map_get(l->claims, host);

	if (c == NULL)
		return;
	if (c->state == CLAIM_OURS && !l->deps.busy(host, l->deps.arg))
		let_go(l, host);
	map_remove(l->claims, host);
}

void
lease_release(struct lease *l, void (*done)(void *arg), void *done_arg)
{
	const char *host;
	void *value;
	size_t i = 0;

	l->released = true;
	l->done = done;
	l->done_arg = done_arg;
	loop_timer_clear(l->tick);
	while (map_next(l->claims, &i, &host, &value)) {
		struct claim *c = value;

		if ((c->state == CLAIM_OURS || c->confirm) &&
		    !l->deps.busy(host, l->deps.arg))
			let_go(l, host);
		if (c->state != CLAIM_OTHER)
			set_state(l, c, CLAIM_OPEN);
	}
	if (l->out == 0)
		done(done_arg);
}

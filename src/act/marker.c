/*
 * A round: make, read, remove, read again.  The last reading only refreshes
 * pools in which markers of others were seen, so that their hosts do not go on
 * listing volumes that are no longer there.
 *
 * Each phase sends one visit to each host, and the next phase begins when all
 * visits are back or MARKER_PHASE_MS have passed.  A visit carries copies of all
 * it needs.  What a late one has made is found by the sweep.
 *
 * The sweep removes what the store knows and no round needs.  After a lost
 * connection nobody knows whether a host is still about to make the marker that
 * it was asked for; so a row is forgotten only when its volume was gone at two
 * sweeps, some time apart.
 */
#include "act/marker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "act/marker_plan.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

#define MARKER_ARENA_MAX ((size_t)256 << 20)
#define MARKER_NAME_SIZE (sizeof(MARKER_PREFIX) + 16)
#define MARKER_BYTES 4096
#define MARKER_KEY_SIZE 1024
#define MARKER_PATIENCE 6 /* sweeps are that much rarer where they fail */

enum marker_phase {
	MARKER_IDLE,
	MARKER_MAKE,
	MARKER_READ,
	MARKER_REMOVE,
	MARKER_REFRESH,
	MARKER_SWEEP /* of visits only */
};

/* A marker in a pool: in the round, and a copy of it in a visit. */
struct marker_spot {
	char *host, *pool;
	char name[MARKER_NAME_SIZE];
	bool made, read, gone;
	bool unsure; /* whether it was made, or will be */
	bool guests; /* markers of other pools are in it */
	char **names;
	size_t name_count;
};

struct marker {
	struct marker_deps deps;
	const struct settings *settings;
	enum marker_phase phase;
	struct arena *arena; /* of the plan */
	struct marker_plan plan;
	struct marker_spot *spots; /* one per node of the plan */
	size_t visits;             /* of this phase that are out */
	unsigned number;           /* of this phase */
	struct loop_timer *deadline, *soon, *sweep;
	struct mono begun;
	uint64_t planned_version; /* of the inventory */
	struct map *doubts;       /* pair -> struct mono, when to ask again */
	struct map *gone;         /* row -> struct mono, first seen gone */
	struct map *swept;        /* host -> its sweep is out */
	struct map *generations;  /* host -> uint64_t of its connection */
	bool released;
	void (*done)(void *arg);
	void *done_arg;
	size_t refs;
	bool dead;
};

struct visit {
	struct marker *marker;
	enum marker_phase phase;
	unsigned number;
	char *host;
	struct marker_spot *spots;
	size_t *indexes; /* in the round */
	size_t count;
	struct err err; /* the first */
};

static void on_deadline(void *arg);
static void on_soon(void *arg);
static void on_sweep(void *arg);
static void enter(struct marker *m, enum marker_phase phase);

static void *
marker_calloc(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size);

	if (p == NULL)
		abort();
	return p;
}

static void
spots_free(struct marker_spot *spots, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < spots[i].name_count; k++)
			free(spots[i].names[k]);
		free(spots[i].names);
		free(spots[i].host);
		free(spots[i].pool);
	}
	free(spots);
}

struct marker *
marker_new(const struct marker_deps *deps)
{
	struct marker *m = marker_calloc(1, sizeof(*m));

	m->deps = *deps;
	if (m->deps.gap_ms == 0)
		m->deps.gap_ms = MARKER_GAP_MS;
	if (m->deps.phase_ms == 0)
		m->deps.phase_ms = MARKER_PHASE_MS;
	if (m->deps.doubt_ms == 0)
		m->deps.doubt_ms = MARKER_DOUBT_MS;
	if (m->deps.sweep_ms == 0)
		m->deps.sweep_ms = MARKER_SWEEP_MS;
	m->deadline = loop_timer_new(deps->loop, on_deadline, m);
	m->soon = loop_timer_new(deps->loop, on_soon, m);
	m->sweep = loop_timer_new(deps->loop, on_sweep, m);
	m->begun = (struct mono){INT64_MIN / 2};
	m->planned_version = UINT64_MAX;
	m->doubts = map_new(free);
	m->gone = map_new(free);
	m->swept = map_new(NULL);
	m->generations = map_new(free);
	m->refs = 1;
	return m;
}

static void
end_round(struct marker *m)
{
	spots_free(m->spots, m->plan.node_count);
	m->spots = NULL;
	arena_free(m->arena);
	m->arena = NULL;
	m->plan = (struct marker_plan){0};
	m->phase = MARKER_IDLE;
}

static void
unref(struct marker *m)
{
	if (--m->refs > 0)
		return;
	end_round(m);
	map_free(m->doubts);
	map_free(m->gone);
	map_free(m->swept);
	map_free(m->generations);
	free(m);
}

void
marker_free(struct marker *m)
{
	if (m == NULL)
		return;
	loop_timer_free(m->deadline);
	loop_timer_free(m->soon);
	loop_timer_free(m->sweep);
	m->dead = true;
	unref(m);
}

void
marker_configure(struct marker *m, const struct settings *settings)
{
	m->settings = settings;
	m->planned_version = UINT64_MAX;
}

static void
set_time(struct map *map, const char *key, struct mono at)
{
	struct mono *copy = marker_calloc(1, sizeof(*copy));

	*copy = at;
	map_set(map, key, copy);
}

/* ---- visits ---- */

static void
work_one(const struct hv_ops *ops, struct hv_conn *conn,
    enum marker_phase phase, struct marker_spot *spot, struct err *err)
{
	struct hv_volume volume = {.pool = spot->pool,
	    .name = spot->name,
	    .format = "raw",
	    .capacity = MARKER_BYTES};
	struct hv_prepared prepared = {0};

	switch (phase) {
	case MARKER_IDLE:
		break;
	case MARKER_MAKE:
		spot->made =
		    ops->prepare(conn, &volume, 1, &prepared, err) == 0;
		break;
	case MARKER_READ:
	case MARKER_REFRESH:
		spot->read = ops->names(conn, spot->pool, MARKER_PREFIX,
				 &spot->names, &spot->name_count, err) == 0;
		break;
	case MARKER_REMOVE:
	case MARKER_SWEEP:
		spot->gone = ops->remove(conn, &volume, 1, err) == 0;
		break;
	}
}

static void
work_visit(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct visit *v = item;

	for (size_t i = 0; i < v->count; i++) {
		struct err err = {0};

		if (ops->prepare == NULL || ops->remove == NULL ||
		    ops->names == NULL)
			(void)err_set(&err, ERR_REFUSED, "it has no volumes");
		else
			work_one(ops, conn, v->phase, &v->spots[i], &err);
		v->spots[i].unsure =
		    err.code == ERR_UNREACHABLE || err.code == ERR_TIMEOUT;
		if (v->err.code == ERR_NONE && err.code != ERR_NONE)
			(void)err_set(&v->err, err.code, "pool %s: %s",
			    v->spots[i].pool, err.msg);
	}
}

/* ---- rows ---- */

static void
forget_row(struct marker *m, const struct marker_spot *spot)
{
	struct err err = {0};

	if (store_remove_marker(
		m->deps.store, spot->host, spot->pool, spot->name, &err) < 0)
		log_error("marker", "%s: %s", spot->host, err.msg);
}

static void
row_key(const struct marker_spot *spot, char out[MARKER_KEY_SIZE])
{
	(void)snprintf(out, MARKER_KEY_SIZE, "%s/%s/%s", spot->host, spot->name,
	    spot->pool);
}

/* The sweep has seen it gone.  Once is not enough, see above. */
static void
note_gone(struct marker *m, const struct marker_spot *spot)
{
	struct mono now = clock_mono_now();
	const struct mono *first;
	char key[MARKER_KEY_SIZE];

	row_key(spot, key);
	first = map_get(m->gone, key);
	if (first == NULL) {
		set_time(m->gone, key, now);
	} else if (mono_diff(now, *first) >= m->deps.sweep_ms) {
		forget_row(m, spot);
		map_remove(m->gone, key);
	}
}

/* ---- the round ---- */

static void
take_visit(struct marker *m, struct visit *v)
{
	for (size_t i = 0; i < v->count; i++) {
		struct marker_spot *from = &v->spots[i];
		struct marker_spot *to = &m->spots[v->indexes[i]];

		switch (v->phase) {
		case MARKER_IDLE:
		case MARKER_SWEEP:
		case MARKER_REFRESH:
			break;
		case MARKER_MAKE:
			to->made = from->made;
			to->unsure = from->unsure;
			break;
		case MARKER_READ:
			to->read = from->read;
			to->names = from->names;
			to->name_count = from->name_count;
			from->names = NULL;
			from->name_count = 0;
			break;
		case MARKER_REMOVE:
			to->gone = from->gone;
			if (to->gone && !to->unsure)
				forget_row(m, to);
			break;
		}
	}
}

static void
take_sweep(struct marker *m, struct visit *v, const struct err *transport)
{
	map_remove(m->swept, v->host);
	if (v->err.code != ERR_NONE && !m->released)
		loop_timer_set(m->sweep, m->deps.sweep_ms * MARKER_PATIENCE);
	if (transport->code != ERR_NONE)
		return;
	for (size_t i = 0; i < v->count; i++) {
		if (v->spots[i].gone)
			note_gone(m, &v->spots[i]);
	}
}

static void
done_visit(void *item, const struct err *transport)
{
	struct visit *v = item;
	struct marker *m = v->marker;
	bool current = !m->dead && v->number == m->number;

	if (transport->code != ERR_NONE)
		(void)err_set(&v->err, transport->code, "%s", transport->msg);
	if (v->err.code != ERR_NONE)
		log_debug("marker", "%s: %s", v->host, v->err.msg);
	if (!m->dead && v->phase == MARKER_SWEEP) {
		take_sweep(m, v, transport);
	} else if (current && v->phase == m->phase) {
		if (transport->code == ERR_NONE)
			take_visit(m, v);
		if (--m->visits == 0)
			enter(m, m->phase + 1);
	}
	spots_free(v->spots, v->count);
	free(v->indexes);
	free(v->host);
	free(v);
	unref(m);
}

static struct visit *
new_visit(
    struct marker *m, enum marker_phase phase, const char *host, size_t max)
{
	struct visit *v = marker_calloc(1, sizeof(*v));

	v->marker = m;
	v->phase = phase;
	v->number = m->number;
	v->host = str_dup(host);
	v->spots = marker_calloc(max, sizeof(*v->spots));
	v->indexes = marker_calloc(max, sizeof(*v->indexes));
	m->refs++;
	return v;
}

static void
add_spot(struct visit *v, const char *pool, const char *name, size_t index)
{
	struct marker_spot *spot = &v->spots[v->count];

	spot->host = str_dup(v->host);
	spot->pool = str_dup(pool);
	(void)snprintf(spot->name, sizeof(spot->name), "%s", name);
	v->indexes[v->count++] = index;
}

static bool
is_visited(enum marker_phase phase, const struct marker_spot *spot)
{
	switch (phase) {
	case MARKER_IDLE:
	case MARKER_SWEEP:
		return false;
	case MARKER_MAKE:
	case MARKER_READ:
	case MARKER_REMOVE:
		return true;
	case MARKER_REFRESH:
		return spot->guests;
	}
	return false;
}

static void
send_visits(struct marker *m)
{
	size_t count = m->plan.node_count;
	bool *sent = marker_calloc(count, sizeof(*sent));

	for (size_t i = 0; i < count; i++) {
		const char *host = m->spots[i].host;
		struct link *link = m->deps.link(host, m->deps.arg);
		struct visit *v;

		if (sent[i] || link == NULL ||
		    !is_visited(m->phase, &m->spots[i]))
			continue;
		v = new_visit(m, m->phase, host, count);
		for (size_t k = i; k < count; k++) {
			const struct marker_spot *spot = &m->spots[k];

			if (strcmp(spot->host, host) != 0 ||
			    !is_visited(m->phase, spot))
				continue;
			sent[k] = true;
			add_spot(v, spot->pool, spot->name, k);
		}
		m->visits++;
		link_call_aside(link, work_visit, done_visit, v);
	}
	free(sent);
}

static bool
has_name(const struct marker_spot *in, const struct marker_spot *marker)
{
	for (size_t i = 0; i < in->name_count; i++) {
		if (strcmp(in->names[i], marker->name) == 0)
			return true;
	}
	return false;
}

static void
pair_key(const struct snap_proof *proof, char out[MARKER_KEY_SIZE])
{
	(void)snprintf(out, MARKER_KEY_SIZE, "%s/%s/%zu/%s/%s", proof->host_a,
	    proof->host_b, strlen(proof->pool_a), proof->pool_a, proof->pool_b);
}

static bool
judge_pair(struct marker *m, const struct marker_pair *pair)
{
	struct marker_spot *a = &m->spots[pair->a], *b = &m->spots[pair->b];
	bool a_in_b = has_name(b, a), b_in_a = has_name(a, b);
	bool sure = a->made && b->made && a->read && b->read && !pair->alike;
	struct snap_proof proof = {a->host, a->pool, b->host, b->pool,
	    (a_in_b || b_in_a) && !pair->alike ? SNAP_VERDICT_OK
					       : SNAP_VERDICT_REJECTED};
	char key[MARKER_KEY_SIZE];

	a->guests |= b_in_a;
	b->guests |= a_in_b;
	pair_key(&proof, key);
	if (proof.same == SNAP_VERDICT_OK || sure)
		map_remove(m->doubts, key);
	else
		set_time(m->doubts, key,
		    mono_add(clock_mono_now(), m->deps.doubt_ms));
	log_debug("marker", "%s/%s and %s/%s are %s", a->host, a->pool, b->host,
	    b->pool,
	    proof.same == SNAP_VERDICT_OK ? "one"
		: sure                    ? "two"
					  : "two, for all that is known");
	return inventory_apply(m->deps.inventory,
	    &(struct inventory_event){.news = INVENTORY_PROVEN,
		.host = a->host,
		.now = clock_mono_now(),
		.proof = &proof});
}

static void
judge(struct marker *m)
{
	bool changed = false;

	for (size_t i = 0; i < m->plan.pair_count; i++)
		changed |= judge_pair(m, &m->plan.pairs[i]);
	if (changed)
		m->deps.answered(m->deps.arg);
}

static void
finish(struct marker *m)
{
	bool left = false;

	for (size_t i = 0; i < m->plan.node_count; i++)
		left |= !m->spots[i].gone || m->spots[i].unsure;
	end_round(m);
	if (m->released) {
		m->done(m->done_arg);
		return;
	}
	if (left)
		loop_timer_set(m->sweep, m->deps.sweep_ms);
	loop_timer_set(m->soon, m->deps.gap_ms);
}

static void
enter(struct marker *m, enum marker_phase phase)
{
	loop_timer_clear(m->deadline);
	m->number++;
	m->visits = 0;
	m->phase = phase;
	switch (phase) {
	case MARKER_IDLE:
	case MARKER_SWEEP:
		finish(m);
		return;
	case MARKER_MAKE:
	case MARKER_READ:
	case MARKER_REFRESH:
		break;
	case MARKER_REMOVE:
		if (!m->released)
			judge(m);
		break;
	}
	send_visits(m);
	if (m->visits == 0)
		enter(m, phase + 1);
	else
		loop_timer_set(m->deadline, m->deps.phase_ms);
}

static void
on_deadline(void *arg)
{
	struct marker *m = arg;

	log_debug("marker", "%zu hosts have not answered", m->visits);
	enter(m, m->phase + 1);
}

static void
name_spot(struct marker_spot *spot, const struct marker_node *node)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		abort();
	spot->host = str_dup(node->host);
	spot->pool = str_dup(node->pool);
	spot->unsure = true;
	(void)snprintf(spot->name, sizeof(spot->name),
	    MARKER_PREFIX "%016" PRIx64, number);
}

/* All names are durable before the first is made. */
static int
write_rows(struct marker *m, struct err *err)
{
	if (store_begin(m->deps.store, err) < 0)
		return -1;
	for (size_t i = 0; i < m->plan.node_count; i++) {
		if (store_put_marker(m->deps.store,
			&(struct store_marker){.host = m->spots[i].host,
			    .pool = m->spots[i].pool,
			    .volume = m->spots[i].name,
			    .since = clock_wall_now()},
			err) < 0) {
			store_rollback(m->deps.store);
			return -1;
		}
	}
	return store_commit(m->deps.store, err);
}

static bool
is_due(const struct snap_proof *proof, void *arg)
{
	struct marker *m = arg;
	char key[MARKER_KEY_SIZE];
	const struct mono *at;

	pair_key(proof, key);
	at = map_get(m->doubts, key);
	return at != NULL && !mono_before(clock_mono_now(), *at);
}

void
marker_run(struct marker *m, const struct snapshot *s)
{
	struct mono now = clock_mono_now();
	struct err err = {0};
	uint64_t version = inventory_version(m->deps.inventory);

	if (m->phase != MARKER_IDLE || m->released || m->settings == NULL ||
	    (version == m->planned_version && map_count(m->doubts) == 0) ||
	    store_in_transaction(m->deps.store))
		return;
	if (mono_diff(now, m->begun) < m->deps.gap_ms) {
		loop_timer_set(
		    m->soon, m->deps.gap_ms - mono_diff(now, m->begun));
		return;
	}
	m->planned_version = version;
	m->arena = arena_new(MARKER_ARENA_MAX);
	marker_plan_make(m->arena, m->settings, s, is_due, m, &m->plan);
	if (m->plan.pair_count == 0) {
		end_round(m);
		if (map_count(m->doubts) > 0)
			loop_timer_set(m->soon, m->deps.doubt_ms);
		return;
	}
	m->begun = now;
	m->spots = marker_calloc(m->plan.node_count, sizeof(*m->spots));
	for (size_t i = 0; i < m->plan.node_count; i++)
		name_spot(&m->spots[i], &m->plan.nodes[i]);
	if (write_rows(m, &err) < 0) {
		log_error("marker", "%s", err.msg);
		end_round(m);
		m->planned_version = UINT64_MAX;
		loop_timer_set(m->soon, m->deps.sweep_ms);
		return;
	}
	enter(m, MARKER_MAKE);
}

static void
on_soon(void *arg)
{
	struct marker *m = arg;
	struct snapshot *s = m->deps.look(m->deps.arg);

	marker_run(m, s);
	snapshot_free(s);
}

/* ---- the sweep ---- */

struct sweep {
	struct marker *marker;
	const char *only; /* host; NULL: all */
	struct visit *visit;
	size_t max, rows;
};

static bool
is_in_round(const struct marker *m, const struct store_marker *row)
{
	for (size_t i = 0; i < m->plan.node_count; i++) {
		if (m->spots != NULL &&
		    strcmp(m->spots[i].name, row->volume) == 0)
			return true;
	}
	return false;
}

static void
send_sweep(struct sweep *sweep)
{
	struct marker *m = sweep->marker;
	struct visit *v = sweep->visit;

	sweep->visit = NULL;
	if (v == NULL)
		return;
	map_set(m->swept, v->host, m);
	link_call_aside(
	    m->deps.link(v->host, m->deps.arg), work_visit, done_visit, v);
}

/* Rows come by host. */
static void
sweep_row(const struct store_marker *row, void *arg)
{
	struct sweep *sweep = arg;
	struct marker *m = sweep->marker;
	struct link *link = m->deps.link(row->host, m->deps.arg);

	if (is_in_round(m, row))
		return;
	if (sweep->visit != NULL &&
	    (strcmp(sweep->visit->host, row->host) != 0 ||
		sweep->visit->count == sweep->max))
		send_sweep(sweep);
	if ((sweep->only != NULL && strcmp(sweep->only, row->host) != 0) ||
	    link == NULL || !link_is_up(link) ||
	    map_get(m->swept, row->host) != NULL)
		return;
	sweep->rows++;
	if (sweep->visit == NULL)
		sweep->visit =
		    new_visit(m, MARKER_SWEEP, row->host, sweep->max);
	add_spot(sweep->visit, row->pool, row->volume, 0);
}

static void
sweep(struct marker *m, const char *only)
{
	struct sweep s = {.marker = m, .only = only, .max = 64};
	struct err err = {0};

	if (store_each_marker(m->deps.store, sweep_row, &s, &err) < 0)
		log_error("marker", "%s", err.msg);
	send_sweep(&s);
	if (s.rows > 0)
		loop_timer_set(m->sweep, m->deps.sweep_ms);
}

static void
on_sweep(void *arg)
{
	sweep(arg, NULL);
}

void
marker_listed(struct marker *m, const char *host)
{
	struct link *link = m->deps.link(host, m->deps.arg);
	uint64_t *known = map_get(m->generations, host);

	if (link == NULL || m->released ||
	    (known != NULL && *known == link_generation(link)))
		return;
	if (known == NULL) {
		known = marker_calloc(1, sizeof(*known));
		map_set(m->generations, host, known);
	}
	*known = link_generation(link);
	sweep(m, host);
}

void
marker_release(struct marker *m, void (*done)(void *arg), void *done_arg)
{
	m->released = true;
	m->done = done;
	m->done_arg = done_arg;
	loop_timer_clear(m->soon);
	loop_timer_clear(m->sweep);
	if (m->phase == MARKER_IDLE)
		done(done_arg);
	else if (m->phase < MARKER_REMOVE)
		enter(m, MARKER_REMOVE);
}

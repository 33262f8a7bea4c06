/*
 * Everything is counted anew from the list of guests at each question, so that
 * there is no state that could be wrong.
 */
#include "plan_solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/schedule.h"

struct solver_move {
	uint32_t guest, from, to;
};

struct solver {
	const struct plan_cluster *cluster;
	uint32_t host, leave, left;
	uint32_t at[SOLVER_GUESTS];
	struct solver_move seq[3 * SOLVER_GUESTS];
	int length, parking;
	double best, bound;
	long runs, most;
	double deadline; /* -1: none */
	int late, fewest;
};

/* Who is where, or on its way there, and is it allowed to add `guest`? */
static bool
solver_fits(const struct plan_cluster *c, uint32_t host, const uint32_t *at,
    const uint32_t *going, uint32_t guest, uint32_t to)
{
	const struct plan_guest *g = &c->guests[guest];
	const struct plan_host *h = &c->hosts[to];
	int64_t memory = 0, disk = 0;

	if (to == host || at[guest] == to || !h->up || !h->accepts ||
	    !c->hosts[at[guest]].up || g->stays)
		return false;
	if (g->allowed != NULL && (g->allowed[0] >> to & 1) == 0)
		return false;
	for (uint32_t i = 0; i < c->guest_count; i++) {
		if (at[i] != to && (going == NULL || going[i] != to))
			continue;
		memory += c->guests[i].memory;
		disk += c->guests[i].disk;
		if (i != guest && g->apart != PLAN_NONE &&
		    c->guests[i].apart == g->apart)
			return false;
	}
	if (g->memory > 0 && memory + g->memory > h->memory)
		return false;
	return g->disk == 0 || (h->disk >= 0 && disk + g->disk <= h->disk);
}

static void
solver_place(const struct plan_cluster *c, uint32_t *at)
{
	for (uint32_t i = 0; i < c->guest_count; i++)
		at[i] = c->guests[i].host;
}

uint32_t
solver_most(const struct plan_cluster *c, uint32_t host)
{
	uint32_t movable[SOLVER_GUESTS], n = 0, all = 0, best = 0, out;
	size_t size = 1, code, next;
	uint32_t at[SOLVER_GUESTS], *stack, top = 0;
	unsigned char *seen;

	for (uint32_t i = 0; i < c->guest_count; i++) {
		all += c->guests[i].host == host;
		if (c->guests[i].stays || !c->hosts[c->guests[i].host].up)
			continue;
		movable[n++] = i;
		size *= c->host_count;
	}
	seen = calloc(size, 1);
	stack = calloc(size, sizeof(*stack));
	if (seen == NULL || stack == NULL)
		abort();
	code = 0;
	for (uint32_t i = n; i-- > 0;)
		code = code * c->host_count + c->guests[movable[i]].host;
	seen[code] = 1;
	stack[top++] = (uint32_t)code;
	while (top > 0) {
		code = stack[--top];
		solver_place(c, at);
		next = code;
		for (uint32_t i = 0; i < n; i++) {
			at[movable[i]] = (uint32_t)(next % c->host_count);
			next /= c->host_count;
		}
		out = all;
		for (uint32_t i = 0; i < c->guest_count; i++)
			out -= at[i] == host;
		if (out > best)
			best = out;
		for (uint32_t i = 0; i < n; i++) {
			size_t unit = 1;

			for (uint32_t k = 0; k < i; k++)
				unit *= c->host_count;
			for (uint32_t h = 0; h < c->host_count; h++) {
				if (!solver_fits(
					c, host, at, NULL, movable[i], h))
					continue;
				next = code - unit * at[movable[i]] + unit * h;
				if (!seen[next]) {
					seen[next] = 1;
					stack[top++] = (uint32_t)next;
				}
			}
		}
	}
	free(seen);
	free(stack);
	return best;
}

static int
solver_limit(int own, int all)
{
	int limit = own > 0 ? own : all;

	return limit > 0 ? limit : 1000;
}

/* One trial of a sequence. */
struct solver_run {
	uint32_t at[SOLVER_GUESTS], going[SOLVER_GUESTS];
	double fixed[3 * SOLVER_GUESTS], bytes[3 * SOLVER_GUESTS]; /* left */
	double rate[3 * SOLVER_GUESTS], now;
	int state[3 * SOLVER_GUESTS]; /* 0 waits, 1 flies, 2 has landed */
};

static bool
solver_may_begin(const struct solver *s, const struct solver_run *run, int i,
    int most, bool strict)
{
	const struct plan_cluster *c = s->cluster;
	const struct solver_move *seq = s->seq, *m = &seq[i];
	int total = 0, out = 0, in = 0;

	for (int k = 0; k < s->length; k++) {
		total += run->state[k] == 1;
		out += run->state[k] == 1 && seq[k].from == m->from;
		in += run->state[k] == 1 && seq[k].to == m->to;
		if (k < i && run->state[k] != 2 && seq[k].guest == m->guest)
			return false;
		if (k < i && strict && run->state[k] == 0)
			return false;
	}
	return run->state[i] == 0 && run->at[m->guest] == m->from &&
	    total < most && total < solver_limit(0, c->limits.total) &&
	    out <
	    solver_limit(c->hosts[m->from].limit_out, c->limits.per_source) &&
	    in < solver_limit(c->hosts[m->to].limit_in, c->limits.per_target) &&
	    solver_fits(c, s->host, run->at, run->going, m->guest, m->to);
}

/* Until the next of those that fly is a step further; INFINITY: none flies. */
static double
solver_step(const struct solver *s, struct solver_run *run)
{
	double link = (double)schedule_link(s->cluster) / 1000;
	double step = INFINITY, ms;

	for (int i = 0; i < s->length; i++) {
		int out = 0, in = 0;

		if (run->state[i] != 1)
			continue;
		for (int k = 0; k < s->length; k++) {
			if (run->state[k] != 1 || run->fixed[k] > 0)
				continue;
			out += s->seq[k].from == s->seq[i].from;
			in += s->seq[k].to == s->seq[i].to;
		}
		run->rate[i] =
		    out == 0 && in == 0 ? link : link / (out > in ? out : in);
		ms = run->fixed[i] > 0 ? run->fixed[i]
				       : run->bytes[i] / run->rate[i];
		if (ms < step)
			step = ms;
	}
	return step;
}

/* False: it has landed after that. */
static bool
solver_flies_on(struct solver_run *run, int i, double step)
{
	if (run->fixed[i] > 0) {
		run->fixed[i] -= step;
		if (run->fixed[i] < 1e-6)
			run->fixed[i] = 0;
	} else {
		run->bytes[i] -= step * run->rate[i];
	}
	return run->fixed[i] > 0 || run->bytes[i] > 0.01;
}

/* When the last of these moves ends, at most so many at once; INFINITY: never.
 * strict: a move begins after all before it have begun. */
static double
solver_time(struct solver *s, int most, bool strict)
{
	const struct plan_cluster *c = s->cluster;
	struct solver_run run = {.now = 0};
	double step;

	s->late = 0;
	solver_place(c, run.at);
	for (uint32_t g = 0; g < c->guest_count; g++)
		run.going[g] = PLAN_NONE;
	for (int i = 0; i < s->length; i++) {
		const struct solver_move *m = &s->seq[i];
		struct schedule_job job;

		schedule_price(c, m->guest, c->guests[m->guest].way,
		    schedule_share(c, m->from), &job);
		run.fixed[i] = job.fixed_ms;
		run.bytes[i] = job.bytes;
	}
	for (;;) {
		for (int i = 0; i < s->length; i++) {
			if (!solver_may_begin(s, &run, i, most, strict))
				continue;
			run.state[i] = 1;
			run.going[s->seq[i].guest] = s->seq[i].to;
		}
		step = solver_step(s, &run);
		if (isinf(step))
			break;
		run.now += step;
		for (int i = 0; i < s->length; i++) {
			const struct solver_move *m = &s->seq[i];

			if (run.state[i] != 1 || solver_flies_on(&run, i, step))
				continue;
			run.state[i] = 2;
			/* the plan's times are whole milliseconds */
			s->late +=
			    m->from == s->host && run.now > s->deadline + 0.5;
			run.at[m->guest] = m->to;
			run.going[m->guest] = PLAN_NONE;
		}
	}
	for (int i = 0; i < s->length; i++)
		if (run.state[i] != 2)
			return INFINITY;
	return run.now;
}

static void
solver_go_on(struct solver *s)
{
	const struct plan_cluster *c = s->cluster;
	double ms;

	if (s->best <= s->bound || s->runs > s->most || s->fewest == 0)
		return;
	if (s->left == 0) {
		s->runs++;
		for (int i = 0; i < 2 * s->length; i++) {
			ms = solver_time(s, 1 + i / 2, i % 2 != 0);
			if (!isinf(ms) && s->late < s->fewest)
				s->fewest = s->late;
			if (ms < s->best)
				s->best = ms;
		}
		return;
	}
	for (uint32_t g = 0; g < c->guest_count; g++) {
		uint32_t from = s->at[g];
		bool parks = from != s->host;

		if (parks && s->parking == 0)
			continue;
		for (uint32_t h = 0; h < c->host_count; h++) {
			if (!solver_fits(c, s->host, s->at, NULL, g, h))
				continue;
			s->seq[s->length++] = (struct solver_move){g, from, h};
			s->at[g] = h;
			s->parking -= parks;
			s->left -= !parks;
			solver_go_on(s);
			s->left += !parks;
			s->parking += parks;
			s->at[g] = from;
			s->length--;
		}
	}
}

double
solver_soonest(const struct plan_cluster *c, uint32_t host, uint32_t leave,
    int parking, long most)
{
	struct solver s = {.cluster = c,
	    .host = host,
	    .left = leave,
	    .parking = parking,
	    .best = INFINITY,
	    .deadline = -1,
	    .fewest = 1000,
	    .most = most};
	double bytes = 0, least = INFINITY, longest = 0, ms;
	uint32_t able = 0;

	solver_place(c, s.at);
	for (uint32_t g = 0; g < c->guest_count; g++) {
		struct schedule_job job;

		if (c->guests[g].host != host || c->guests[g].stays)
			continue;
		schedule_price(
		    c, g, c->guests[g].way, schedule_share(c, host), &job);
		able++;
		bytes += job.bytes;
		ms = job.fixed_ms + job.bytes * 1000 / (double)schedule_link(c);
		least = job.fixed_ms < least ? job.fixed_ms : least;
		longest = ms > longest ? ms : longest;
	}
	if (able == leave) {
		ms = least + bytes * 1000 / (double)schedule_link(c);
		s.bound = (ms > longest ? ms : longest) * (1 + 1e-9);
	}
	solver_go_on(&s);
	if (s.runs > s.most)
		return -2;
	return isinf(s.best) ? -1 : s.best;
}

int
solver_fewest_late(const struct plan_cluster *c, uint32_t host, uint32_t leave,
    int parking, int64_t deadline_ms)
{
	struct solver s = {.cluster = c,
	    .host = host,
	    .left = leave,
	    .parking = parking,
	    .best = INFINITY,
	    .deadline = (double)deadline_ms,
	    .fewest = 1000,
	    .most = 100000000};

	solver_place(c, s.at);
	solver_go_on(&s);
	return s.fewest;
}

static const char *
solver_replay_steps(const struct plan_cluster *c, uint32_t host,
    const struct plan_result *result)
{
	uint32_t at[SOLVER_GUESTS];

	solver_place(c, at);
	for (uint32_t i = 0; i < result->move_count; i++) {
		const struct plan_move *m = &result->moves[i];

		if (at[m->guest] != m->from)
			return "the guest is not there";
		if (!solver_fits(c, host, at, NULL, m->guest, m->to))
			return "a step is not allowed when its turn comes";
		if (m->parking != (m->from != host))
			return "parking";
		at[m->guest] = m->to;
	}
	for (uint32_t g = 0; g < c->guest_count; g++) {
		bool named = false;

		for (uint32_t i = 0; i < result->blocked_count; i++)
			named |= result->blocked[i].guest == g;
		if (named != (at[g] == host))
			return "those left are not those blocked";
	}
	return NULL;
}

/* At the moment in which move `i` begins. */
static const char *
solver_replay_moment(const struct plan_cluster *c, uint32_t host,
    const struct plan_result *result, uint32_t i)
{
	uint32_t at[SOLVER_GUESTS], going[SOLVER_GUESTS];
	const struct plan_move *m = &result->moves[i], *k;
	int total = 1, out = 1, in = 1;

	solver_place(c, at);
	for (uint32_t g = 0; g < c->guest_count; g++)
		going[g] = PLAN_NONE;
	for (uint32_t j = 0; j < i; j++) {
		k = &result->moves[j];
		if (k->begin_ms > m->begin_ms)
			return "the order is not that of time";
		if (k->begin_ms + k->ms <= m->begin_ms) {
			at[k->guest] = k->to;
			continue;
		}
		going[k->guest] = k->to;
		total++;
		out += k->from == m->from;
		in += k->to == m->to;
	}
	if (going[m->guest] != PLAN_NONE || at[m->guest] != m->from)
		return "moves twice at once";
	if (!solver_fits(c, host, at, going, m->guest, m->to))
		return "no room at that moment";
	if (total > solver_limit(0, c->limits.total))
		return "too many";
	if (out >
	    solver_limit(c->hosts[m->from].limit_out, c->limits.per_source))
		return "too many out";
	if (in > solver_limit(c->hosts[m->to].limit_in, c->limits.per_target))
		return "too many in";
	return NULL;
}

const char *
solver_replay(const struct plan_cluster *c, uint32_t host,
    const struct plan_result *result)
{
	const char *said = solver_replay_steps(c, host, result);
	int64_t end = 0;
	uint32_t wave = 0;

	for (uint32_t i = 0; said == NULL && i < result->move_count; i++) {
		const struct plan_move *m = &result->moves[i];

		said = solver_replay_moment(c, host, result, i);
		if (i == 0 || m->begin_ms != m[-1].begin_ms)
			wave++;
		if (m->wave != wave)
			return "waves";
		if (m->begin_ms + m->ms > end)
			end = m->begin_ms + m->ms;
	}
	if (said == NULL && end != result->makespan_ms)
		return "makespan";
	return said;
}

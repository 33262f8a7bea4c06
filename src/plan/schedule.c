/*
 * A simulation from event to event: a move begins, has taken its fixed time, or
 * has sent its bytes; in between all rates are constant.
 *
 * It is what the planner asks of each order that it considers, so one run must
 * cost no more than its own moves: nothing is reset by host or by guest, the
 * counters return to zero by themselves, and what was seen in this look at the
 * waiting moves is told by a stamp.
 *
 * Why a move does not overtake another one into the same host: the order was made
 * so that each move is possible after the ones before it.  Into a given host the
 * moves that have begun are then always the first ones of the order, and those out
 * of it at least those that were done in the order; so at no time is more taken
 * there than in the order itself, and the first move that waits can begin at the
 * latest when all that fly have landed.
 */
#include "plan/schedule.h"

#include <math.h>
#include <string.h>

#include "decide/predict.h"

/* Less than this is nothing: ms, bytes. */
#define SCHEDULE_EPSILON_MS 1e-7
#define SCHEDULE_EPSILON_BYTES 0.01

struct schedule_host {
	int in, out;         /* moves in flight */
	int sending, taking; /* of these, those that use the link */
	uint32_t stamp;      /* a move into it waits */
};

struct schedule_flight {
	uint32_t move;
	bool sends;          /* its fixed time is over */
	double fixed, bytes; /* left */
};

struct schedule {
	struct reserve *reserve;
	struct schedule_host *hosts;
	uint32_t *guests; /* stamps */
	uint32_t *waiting, *begun;
	struct schedule_flight *flights;
	double *begin;
	struct plan_move *moves_copy;
	struct schedule_job *jobs_copy;
	uint32_t stamp, max;
	uint32_t waiting_count, begun_count, flight_count;
	double now, per_ms; /* per_ms: bytes of a link */
};

int64_t
schedule_link(const struct plan_cluster *cluster)
{
	return cluster->limits.link > 0 ? cluster->limits.link : SCHEDULE_LINK;
}

static int
schedule_least(int a, int b)
{
	if (a <= 0 || b <= 0)
		return a > 0 ? a : b;
	return a < b ? a : b;
}

static int
schedule_limit_out(const struct plan_cluster *cluster, uint32_t host)
{
	int own = cluster->hosts[host].limit_out;

	return own > 0 ? own : cluster->limits.per_source;
}

static int
schedule_limit_in(const struct plan_cluster *cluster, uint32_t host)
{
	int own = cluster->hosts[host].limit_in;

	return own > 0 ? own : cluster->limits.per_target;
}

int64_t
schedule_share(const struct plan_cluster *cluster, uint32_t source)
{
	int most = schedule_least(
	    cluster->limits.total, schedule_limit_out(cluster, source));

	return schedule_link(cluster) / (most > 0 ? most : 2);
}

void
schedule_price(const struct plan_cluster *cluster, uint32_t guest,
    enum plan_way way, int64_t share, struct schedule_job *out)
{
	const struct plan_guest *g = &cluster->guests[guest];
	struct predict_input in = {.memory = g->memory - g->overhead,
	    .disk = g->disk,
	    .bandwidth = share > 0 ? share : 1,
	    .link = schedule_link(cluster),
	    .dirty_rate = g->dirty_rate,
	    .working_set = -1,
	    .switch_ms = PREDICT_SWITCH_MS};
	struct predict_result predicted;

	*out = (struct schedule_job){
	    .bytes = (double)g->disk, .fixed_ms = SCHEDULE_OVERHEAD_MS};
	if (!g->runs)
		return;
	if (way == PLAN_RESTART) {
		out->fixed_ms += PREDICT_STOP_MS + PREDICT_START_MS;
		out->downtime_ms = g->disk == 0 ? PREDICT_START_MS : -1;
		return;
	}
	predict_live(&in, &predicted);
	out->downtime_ms = predicted.downtime_ms;
	if (predicted.time_ms >= 0)
		out->bytes =
		    (double)predicted.time_ms * (double)in.bandwidth / 1000;
	else
		out->bytes += (double)in.memory *
		    (g->dirty_rate < 0 ? 1 : SCHEDULE_PASSES);
}

struct schedule *
schedule_new(struct arena *arena, struct reserve *reserve, uint32_t max)
{
	struct schedule *s = arena_alloc(arena, sizeof(*s));
	const struct plan_cluster *cluster = reserve->cluster;

	s->reserve = reserve;
	s->max = max;
	s->hosts = arena_array(arena, cluster->host_count, sizeof(*s->hosts));
	s->guests =
	    arena_array(arena, cluster->guest_count, sizeof(*s->guests));
	s->waiting = arena_array(arena, max, sizeof(*s->waiting));
	s->begun = arena_array(arena, max, sizeof(*s->begun));
	s->flights = arena_array(arena, max, sizeof(*s->flights));
	s->begin = arena_array(arena, max, sizeof(*s->begin));
	s->moves_copy = arena_array(arena, max, sizeof(*s->moves_copy));
	s->jobs_copy = arena_array(arena, max, sizeof(*s->jobs_copy));
	s->per_ms = (double)schedule_link(cluster) / 1000;
	return s;
}

static bool
schedule_may_begin(struct schedule *s, const struct plan_move *move)
{
	const struct plan_cluster *cluster = s->reserve->cluster;
	const struct schedule_host *from = &s->hosts[move->from];
	const struct schedule_host *to = &s->hosts[move->to];
	int out = schedule_limit_out(cluster, move->from);
	int in = schedule_limit_in(cluster, move->to);

	return to->stamp != s->stamp && s->guests[move->guest] != s->stamp &&
	    (out <= 0 || from->out < out) && (in <= 0 || to->in < in) &&
	    s->reserve->going[move->guest] == PLAN_NONE &&
	    s->reserve->at[move->guest] == move->from &&
	    cluster->hosts[move->from].up &&
	    reserve_lacks(s->reserve, move->guest, move->to) == 0;
}

/* Begins what can. */
static void
schedule_begin(struct schedule *s, const struct plan_move *moves,
    const struct schedule_job *jobs, int total)
{
	uint32_t kept = 0, i, m;

	s->stamp++;
	for (i = 0; i < s->waiting_count; i++) {
		if (total > 0 && s->flight_count >= (uint32_t)total)
			break;
		m = s->waiting[i];
		if (!schedule_may_begin(s, &moves[m])) {
			s->hosts[moves[m].to].stamp = s->stamp;
			s->guests[moves[m].guest] = s->stamp;
			s->waiting[kept++] = m;
			continue;
		}
		reserve_begin(s->reserve, moves[m].guest, moves[m].to);
		s->hosts[moves[m].from].out++;
		s->hosts[moves[m].to].in++;
		s->flights[s->flight_count++] =
		    (struct schedule_flight){.move = m,
			.fixed = jobs[m].fixed_ms,
			.bytes = jobs[m].bytes};
		s->begun[s->begun_count++] = m;
		s->begin[m] = s->now;
	}
	if (kept != i)
		memmove(&s->waiting[kept], &s->waiting[i],
		    (s->waiting_count - i) * sizeof(*s->waiting));
	s->waiting_count -= i - kept;
}

/* Bytes per ms that a flight gets. */
static double
schedule_rate(const struct schedule *s, const struct plan_move *move)
{
	int out = s->hosts[move->from].sending;
	int in = s->hosts[move->to].taking;

	return s->per_ms / (out > in ? out : in);
}

/* Until the next thing happens. */
static double
schedule_next(const struct schedule *s, const struct plan_move *moves)
{
	double least = INFINITY, ms;

	for (uint32_t i = 0; i < s->flight_count; i++) {
		const struct schedule_flight *f = &s->flights[i];

		ms = f->sends ? f->bytes / schedule_rate(s, &moves[f->move])
			      : f->fixed;
		if (ms < least)
			least = ms;
	}
	return least > 0 ? least : 0;
}

static void
schedule_land(
    struct schedule *s, struct plan_move *move, const struct schedule_flight *f)
{
	int64_t end = (int64_t)(s->now + 0.5);

	s->hosts[move->from].out--;
	s->hosts[move->to].in--;
	s->hosts[move->from].sending--;
	s->hosts[move->to].taking--;
	reserve_end(s->reserve, move->guest);
	move->begin_ms = (int64_t)(s->begin[f->move] + 0.5);
	move->ms = end - move->begin_ms;
}

/* Lets time pass. */
static void
schedule_pass(struct schedule *s, struct plan_move *moves)
{
	double ms = schedule_next(s, moves);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->flight_count; i++) {
		struct schedule_flight *f = &s->flights[i];

		if (f->sends)
			f->bytes -= ms * schedule_rate(s, &moves[f->move]);
		else
			f->fixed -= ms;
	}
	s->now += ms;
	for (uint32_t i = 0; i < s->flight_count; i++) {
		struct schedule_flight f = s->flights[i];
		struct plan_move *move = &moves[f.move];

		if (!f.sends && f.fixed <= SCHEDULE_EPSILON_MS) {
			s->hosts[move->from].sending++;
			s->hosts[move->to].taking++;
			f.sends = true;
		}
		if (f.sends && f.bytes <= SCHEDULE_EPSILON_BYTES)
			schedule_land(s, move, &f);
		else
			s->flights[kept++] = f;
	}
	s->flight_count = kept;
}

int64_t
schedule_run(struct schedule *s, struct plan_move *moves,
    const struct schedule_job *jobs, uint32_t count, int total)
{
	bool stuck;

	total = schedule_least(s->reserve->cluster->limits.total, total);
	for (uint32_t i = 0; i < count; i++)
		s->waiting[i] = i;
	s->waiting_count = count;
	s->begun_count = s->flight_count = 0;
	s->now = 0;
	for (;;) {
		schedule_begin(s, moves, jobs, total);
		if (s->flight_count == 0)
			break;
		schedule_pass(s, moves);
	}
	stuck = s->waiting_count > 0;
	for (uint32_t i = s->begun_count; i-- > 0;)
		reserve_move(s->reserve, moves[s->begun[i]].guest,
		    moves[s->begun[i]].from);
	return stuck ? -1 : (int64_t)(s->now + 0.5);
}

void
schedule_sort(struct schedule *s, struct plan_move *moves,
    struct schedule_job *jobs, uint32_t count)
{
	uint32_t wave = 0;

	memcpy(s->moves_copy, moves, count * sizeof(*moves));
	memcpy(s->jobs_copy, jobs, count * sizeof(*jobs));
	for (uint32_t i = 0; i < count; i++) {
		moves[i] = s->moves_copy[s->begun[i]];
		jobs[i] = s->jobs_copy[s->begun[i]];
		if (i == 0 || moves[i].begin_ms != moves[i - 1].begin_ms)
			wave++;
		moves[i].wave = wave;
	}
}

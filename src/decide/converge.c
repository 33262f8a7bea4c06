/*
 * The ladder.  A look that finds a new pass compares what that pass has to send
 * with the least that any had before; CONVERGE_STALLED passes in a row that are
 * no nearer mean that nothing will come of it without help, and the next rung is
 * taken, the gentlest first:
 *
 *	1  downtime   a longer limit, step by step: the guest notices only the end
 *	2  throttle   QEMU slows the guest down by itself; it is given the time
 *	3  post-copy  the guest runs on at the target, and is slow there for a bit
 *	4  pause      only if the rest of it is short enough, by the job's figures
 *	5  give up    and say with which figures
 *
 * A job that gets nearer is left alone however long it takes; how long that may
 * be is the timeout's matter.
 */
#include "decide/converge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define CONVERGE_QEMU_LIMIT_MS 300
/* In `taken`, beside the rungs. */
#define CONVERGE_GAVE_UP (1u << 16)

static void converge_say(struct converge_step *out, enum converge_act act,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
converge_say(
    struct converge_step *out, enum converge_act act, const char *fmt, ...)
{
	va_list ap;

	out->act = act;
	va_start(ap, fmt);
	(void)vsnprintf(out->why, sizeof(out->why), fmt, ap);
	va_end(ap);
}

static int64_t
converge_limit(const struct converge_job *job)
{
	return job->downtime_limit_ms > 0 ? job->downtime_limit_ms
					  : CONVERGE_QEMU_LIMIT_MS;
}

/* How long `bytes` take, in ms; -1: the rate is not known. */
static int64_t
converge_takes(const struct converge_job *job, double bytes)
{
	double ms;

	if (job->memory_rate <= 0)
		return -1;
	ms = bytes * 1000 / (double)job->memory_rate;
	return ms < 1e15 ? (int64_t)(ms + 0.5) : (int64_t)1e15;
}

/* How long a pause from now on would last: what is left of this pass, and what
 * has been written since it began; never more than all of the memory. */
static int64_t
converge_pause(
    const struct converge *c, const struct converge_job *job, struct mono now)
{
	double bytes = (double)job->memory_remaining;

	if (job->dirty_rate > 0) {
		bytes += (double)job->dirty_rate *
		    (double)mono_diff(now, c->pass_began) / 1000;
	}
	if (job->memory_total > 0 && bytes > (double)job->memory_total)
		bytes = (double)job->memory_total;
	return converge_takes(job, bytes);
}

/* "writes 95.0 MiB/s, 50.0 MiB/s get through, 612.0 MiB left after pass 9". */
static void
converge_figures(const struct converge_job *job, char *out, size_t size)
{
	char dirty[UNITS_TEXT_SIZE], rate[UNITS_TEXT_SIZE];
	char left[UNITS_TEXT_SIZE];

	units_format_bytes(job->memory_rate, rate);
	units_format_bytes(job->memory_remaining, left);
	if (job->dirty_rate >= 0 && job->memory_rate >= 0) {
		units_format_bytes(job->dirty_rate, dirty);
		(void)snprintf(out, size,
		    "it writes %s/s, %s/s get through; %s left after pass "
		    "%lld",
		    dirty, rate, left, (long long)job->iterations - 1);
	} else {
		(void)snprintf(out, size, "%s left after pass %lld", left,
		    (long long)job->iterations - 1);
	}
}

/* True: a new pass has begun, and it is accounted for. */
static bool
converge_account(
    struct converge *c, const struct converge_job *job, struct mono now)
{
	int64_t left = job->memory_remaining;

	if (job->iterations == c->last_iteration)
		return false;
	c->last_iteration = job->iterations;
	c->pass_began = now;
	if (job->iterations < 2)
		return false;
	if (c->best_remaining == 0 ||
	    left < c->best_remaining - c->best_remaining / CONVERGE_NEARER) {
		c->best_remaining = left > 0 ? left : 1;
		c->stalled = 0;
		c->last_act = now;
	} else {
		c->stalled++;
	}
	return true;
}

/* The next rung begins with a clean count. */
static void
converge_take(struct converge *c, unsigned rung, struct mono now)
{
	c->taken |= rung;
	c->stalled = 0;
	c->last_act = now;
}

static bool
converge_raise(struct converge *c, const struct converge_policy *policy,
    const struct converge_job *job, const char *figures, struct mono now,
    struct converge_step *out)
{
	int64_t limit = converge_limit(job), next, needed;
	char text[UNITS_TEXT_SIZE], old[UNITS_TEXT_SIZE];

	if ((policy->rungs & CONVERGE_DOWNTIME) == 0 ||
	    limit >= policy->max_downtime_ms)
		return false;
	/* The call that raised it last may have failed. */
	if (c->steps > 0 && limit <= c->limit_before)
		return false;
	needed = converge_takes(job, (double)job->memory_remaining);
	next = needed >= 2 * limit ? 2 * limit : limit + limit / 2;
	if (next > policy->max_downtime_ms)
		next = policy->max_downtime_ms;
	c->limit_before = limit;
	c->steps++;
	converge_take(c, CONVERGE_DOWNTIME, now);
	units_format_duration(limit, old);
	units_format_duration(next, text);
	out->downtime_ms = next;
	converge_say(out, CONVERGE_SET_DOWNTIME,
	    "%s; downtime limit raised from %s to %s", figures, old, text);
	return true;
}

static bool
converge_try_pause(struct converge *c, const struct converge_policy *policy,
    const struct converge_job *job, const char *figures, struct mono now,
    struct converge_step *out)
{
	int64_t pause = converge_pause(c, job, now);
	char text[UNITS_TEXT_SIZE];

	if ((policy->rungs & CONVERGE_PAUSE) == 0 || pause < 0 ||
	    (policy->pause_max_ms > 0 && pause > policy->pause_max_ms))
		return false;
	converge_take(c, CONVERGE_PAUSE, now);
	units_format_duration(pause, text);
	converge_say(out, CONVERGE_SUSPEND,
	    "%s; paused until the rest is over, in about %s", figures, text);
	return true;
}

static void
converge_give_up(struct converge *c, const struct converge_policy *policy,
    const struct converge_job *job, const char *figures, struct mono now,
    struct converge_step *out)
{
	int64_t pause = converge_pause(c, job, now);
	char rest[128] = "", limit[UNITS_TEXT_SIZE], text[UNITS_TEXT_SIZE];
	char max[UNITS_TEXT_SIZE];

	units_format_duration(converge_limit(job), limit);
	units_format_duration(pause, text);
	units_format_duration(policy->pause_max_ms, max);
	if (pause < 0) {
		(void)snprintf(rest, sizeof(rest), "its rate is not known");
	} else if ((policy->rungs & CONVERGE_PAUSE) != 0) {
		(void)snprintf(rest, sizeof(rest),
		    "a pause would last %s, %s is allowed", text, max);
	} else {
		(void)snprintf(rest, sizeof(rest),
		    "a pause would last %s and is not allowed", text);
	}
	c->taken |= CONVERGE_GAVE_UP;
	converge_say(out, CONVERGE_GIVE_UP,
	    "not converging: %s (downtime limit %s); %s", figures, limit, rest);
}

/* False: the rung that was taken last has not had its time yet. */
static bool
converge_due(const struct converge *c, struct mono now)
{
	int passes = CONVERGE_STALLED;
	int64_t ms = CONVERGE_PATIENCE_MS;

	if ((c->taken & (CONVERGE_POSTCOPY | CONVERGE_THROTTLE)) ==
	    CONVERGE_THROTTLE) {
		passes = CONVERGE_THROTTLE_PASSES;
		ms = CONVERGE_THROTTLE_MS;
	}
	return c->stalled >= passes && mono_diff(now, c->last_act) >= ms;
}

void
converge_look(struct converge *c, const struct converge_policy *policy,
    const struct converge_job *job, struct mono now, struct converge_step *out)
{
	char figures[192];

	memset(out, 0, sizeof(*out));
	if (job->disk_remaining > 0 && job->iterations < 2)
		return;
	if (job->iterations < 1 || job->memory_remaining < 0)
		return;
	if ((c->taken & (CONVERGE_PAUSE | CONVERGE_GAVE_UP)) != 0)
		return;
	if (!converge_account(c, job, now) || !converge_due(c, now))
		return;
	converge_figures(job, figures, sizeof(figures));
	if (converge_raise(c, policy, job, figures, now, out))
		return;
	if ((policy->rungs & ~c->taken & CONVERGE_THROTTLE) != 0) {
		/* QEMU does it; from here on it has its time. */
		converge_take(c, CONVERGE_THROTTLE, now);
		return;
	}
	if ((policy->rungs & ~c->taken & CONVERGE_POSTCOPY) != 0 &&
	    policy->postcopy_ready) {
		converge_take(c, CONVERGE_POSTCOPY, now);
		converge_say(
		    out, CONVERGE_START_POSTCOPY, "%s; post-copy", figures);
		return;
	}
	if (!converge_try_pause(c, policy, job, figures, now, out))
		converge_give_up(c, policy, job, figures, now, out);
}

/*
 * The model of pre-copy.  With M bytes of memory, a link of B bytes/s, a guest
 * that writes D bytes/s within a working set of W bytes, and a downtime limit
 * that is worth L = B t bytes, QEMU does this:
 *
 *	P(0) = M
 *	a pass sends until what is left would fit into the limit; it may send a
 *	little more, g, since it looks only now and then: left is r = L - g;
 *	then it asks what was written meanwhile:
 *	P(i+1) = r + (W - r) (1 - exp(-D T / W)),  T = (P(i) - r) / B
 *
 * and it is over when P(i+1) fits into the limit; P is sent while the guest is
 * stopped, at the full rate of the link, whatever limit held before, behind what
 * a slow link's socket still holds.  So the downtime depends more on the limit
 * than on what was written last: of an idle guest too, the first pass ends at the
 * limit.  Pages that were never used count in P and cost nothing; of what a pass
 * leaves they have their share.
 *
 * Seen with QEMU 7.2, 256 MiB of which 100 to 130 are used, limit 300 ms: at 10
 * MiB/s on a fast link the guest stood still for 76 ms, at 30 for 100 and 151, at
 * 100 for 174 and 256, and on a link of 22 MiB/s for 404 to 552.
 *
 * P(i+1) as a function of P(i) is concave, and r is where it would stay; so the
 * series falls to its other fixed point, if there is one above r, and the guest
 * converges if that is below L: if P(i) = L gives less than L.
 *
 * What helps is the ladder itself (converge.c), which is asked after each pass as
 * it will be during the move, and QEMU's throttle as QEMU does it: after two
 * periods of a second or more in which more than half of what was sent was
 * written again, by 20 % and then by 10 % more each time.
 *
 * Disks go before the memory, at the same rate.  What QEMU leaves out (pages of
 * zeros) or packs (xbzrle, multifd compression) is not in it: the caller gives
 * the memory that the guest uses.
 */
#include "decide/predict.h"

#include <math.h>
#include <string.h>

/* Milliseconds that do not fit are as good as unknown. */
#define PREDICT_MS_MAX 1e15

/* How full the working set is after a short sample: below, it is as large as the
 * memory for all that can be told; above, all of it is written all the time. */
#define PREDICT_FILL_MIN 0.01
#define PREDICT_FILL_MAX 4.0

#define PREDICT_THROTTLE_FIRST 0.2
#define PREDICT_THROTTLE_MORE 0.1
#define PREDICT_THROTTLE_MOST 0.99

struct predict_run {
	double b, link, d, set;     /* bytes/s, bytes */
	double left, seconds, used; /* used: the part of the memory that is */
	bool first;                 /* pass */
	int64_t limit_ms;
	/* the throttle: how much of D it takes away, and its own counts */
	double throttle, period, period_written;
	int high;
};

static int64_t
predict_ms(double seconds, int64_t plus_ms)
{
	double ms = seconds * 1000 + (double)plus_ms;

	if (!(ms >= 0 && ms < PREDICT_MS_MAX))
		return -1;
	return (int64_t)(ms + 0.5);
}

static int64_t
predict_known(int64_t ms)
{
	return ms > 0 ? ms : 0;
}

static double
predict_fits(const struct predict_run *run)
{
	return run->b * (double)run->limit_ms / 1000;
}

/* What a pass leaves unsent. */
static double
predict_rest(const struct predict_run *run)
{
	double grain = run->b * PREDICT_GRAIN_MS / 1000;
	double fits = predict_fits(run);

	return fits > grain ? fits - grain : 0;
}

/* How long that pass takes. */
static double
predict_lasts(const struct predict_run *run, double left)
{
	double rest = predict_rest(run);

	if (left <= rest)
		return 0;
	return (left - rest) * (run->first ? run->used : 1) / run->b;
}

/* What is to be sent after a pass that began with `left`. */
static double
predict_next(const struct predict_run *run, double left)
{
	double rest = predict_rest(run);
	double clean = run->set > rest ? run->set - rest : 0;
	double writes = run->d * (1 - run->throttle) * predict_lasts(run, left);

	if (run->set <= 0)
		return rest;
	return rest + clean * -expm1(-writes / run->set);
}

/* Where the series ends without a throttle, and at once: see above. */
static double
predict_fixpoint(struct predict_run run)
{
	double next;

	for (int i = 0; i < PREDICT_PASSES_MAX; i++) {
		next = predict_next(&run, run.left);
		if (fabs(next - run.left) <= 1 && !run.first)
			break;
		run.left = next;
		run.first = false;
	}
	return run.left;
}

static bool
predict_converges(struct predict_run run)
{
	double fits = predict_fits(&run);

	run.first = false;
	return predict_next(&run, fits) < fits;
}

static void
predict_throttle(struct predict_run *run, double seconds, double written)
{
	run->period += seconds;
	run->period_written += written;
	if (run->period < 1)
		return;
	if (run->period_written > run->b * run->period / 2 &&
	    ++run->high >= 2) {
		run->high = 0;
		run->throttle += run->throttle == 0 ? PREDICT_THROTTLE_FIRST
						    : PREDICT_THROTTLE_MORE;
		if (run->throttle > PREDICT_THROTTLE_MOST)
			run->throttle = PREDICT_THROTTLE_MOST;
	}
	run->period = run->period_written = 0;
}

static void
predict_pass(struct predict_run *run, bool throttles)
{
	double next = predict_next(run, run->left);
	double seconds = predict_lasts(run, run->left);

	run->seconds += seconds;
	if (throttles)
		predict_throttle(run, seconds, next - predict_rest(run));
	run->left = next;
	run->first = false;
}

/* The guest is stopped, and the rest goes: from here on at the link's rate, but
 * when it was paused before it fits, only what fits. */
static double
predict_stopped(const struct predict_run *run)
{
	double fits = predict_fits(run), rest = predict_rest(run);
	double fast = run->left < fits ? run->left : fits;
	double old = fast < rest ? fast : rest, queue = 0;

	/* Nothing was sent yet, so there is no queue either. */
	if (!run->first && run->link <= run->b)
		queue = PREDICT_QUEUE_BYTES;
	return (run->left - fast) / run->b +
	    (fast - old * (1 - run->used) + queue) / run->link;
}

/* Asks the ladder.  True: there is an end to it. */
static bool
predict_help(struct predict_run *run, struct converge *ladder,
    const struct predict_input *in, int passes, unsigned *rungs, bool *out_over)
{
	struct converge_job job = {.elapsed_ms = (int64_t)(run->seconds * 1000),
	    .iterations = passes + 1,
	    .memory_total = in->size > in->memory ? in->size : in->memory,
	    .memory_remaining = (int64_t)run->left,
	    .memory_rate = in->bandwidth,
	    .dirty_rate = (int64_t)(run->d * (1 - run->throttle)),
	    .downtime_limit_ms = run->limit_ms};
	struct converge_step step;

	converge_look(
	    ladder, in->help, &job, (struct mono){job.elapsed_ms}, &step);
	*rungs = ladder->taken &
	    (CONVERGE_DOWNTIME | CONVERGE_POSTCOPY | CONVERGE_PAUSE);
	if (run->throttle > 0)
		*rungs |= CONVERGE_THROTTLE;
	switch (step.act) {
	case CONVERGE_NONE:
		return true;
	case CONVERGE_SET_DOWNTIME:
		run->limit_ms = step.downtime_ms;
		return true;
	case CONVERGE_START_POSTCOPY:
	case CONVERGE_SUSPEND:
		*out_over = true;
		return true;
	case CONVERGE_GIVE_UP:
		break;
	}
	return false;
}

static void
predict_end(const struct predict_input *in, const struct predict_run *run,
    struct predict_result *out)
{
	double stopped = predict_stopped(run);

	out->passes++;
	/* In post-copy the guest runs while the rest follows. */
	out->downtime_ms =
	    predict_ms((out->rungs & CONVERGE_POSTCOPY) != 0 ? 0 : stopped,
		predict_known(in->switch_ms));
	if (in->disk < 0)
		return;
	out->time_ms = predict_ms(
	    run->seconds + stopped + (double)in->disk / (double)in->bandwidth,
	    predict_known(in->overhead_ms) + predict_known(in->switch_ms));
}

void
predict_live(const struct predict_input *in, struct predict_result *out)
{
	int64_t size = in->size > in->memory ? in->size : in->memory;
	struct predict_run run = {.b = (double)in->bandwidth,
	    .first = true,
	    .link = (double)(in->link > 0 ? in->link : in->bandwidth),
	    .d = (double)in->dirty_rate,
	    .left = (double)size,
	    .used = size > 0 ? (double)in->memory / (double)size : 1,
	    .limit_ms = in->max_downtime_ms > 0 ? in->max_downtime_ms
						: PREDICT_DOWNTIME_MS};
	struct converge ladder = {0};
	bool over = false, throttles;

	*out = (struct predict_result){
	    .time_ms = -1, .downtime_ms = -1, .forced_downtime_ms = -1};
	if (in->memory < 0 || in->bandwidth <= 0)
		return;
	run.set = in->working_set >= 0 && in->working_set < in->memory
	    ? (double)in->working_set
	    : (double)in->memory;
	out->converges = run.left <= predict_fits(&run) || in->dirty_rate == 0;
	if (!out->converges && in->dirty_rate < 0)
		return;
	throttles =
	    in->help != NULL && (in->help->rungs & CONVERGE_THROTTLE) != 0;
	out->converges = out->converges || predict_converges(run);
	if (!out->converges) {
		struct predict_run paused = run;

		paused.left = predict_fixpoint(run);
		paused.first = false;
		out->forced_downtime_ms = predict_ms(
		    predict_stopped(&paused), predict_known(in->switch_ms));
	}
	while (run.left > predict_fits(&run) && !over) {
		if (out->passes >= PREDICT_PASSES_MAX) {
			out->converges = false;
			out->forced_downtime_ms =
			    predict_ms(predict_stopped(&run),
				predict_known(in->switch_ms));
			return;
		}
		if (!out->converges && in->help == NULL)
			return;
		predict_pass(&run, throttles);
		out->passes++;
		if (run.left <= predict_fits(&run))
			break;
		if (in->help != NULL &&
		    !predict_help(
			&run, &ladder, in, out->passes, &out->rungs, &over))
			return;
	}
	predict_end(in, &run, out);
}

/* Found in the long time : found in the short one, when writes fill the set by
 * the part `a` in the short one. */
static double
predict_growth(double a, double times)
{
	return expm1(-a * times) / expm1(-a);
}

void
predict_writes(int64_t rate, int64_t short_ms, int64_t rate_long,
    int64_t long_ms, int64_t *out_rate, int64_t *out_set)
{
	double times = (double)long_ms / (double)short_ms;
	double found = (double)rate * (double)short_ms / 1000;
	double growth = (double)rate_long / (double)rate * times;
	double low = PREDICT_FILL_MIN, high = PREDICT_FILL_MAX, set;

	*out_rate = rate > rate_long ? rate : rate_long;
	*out_set = -1;
	if (rate <= 0 || rate_long <= 0 ||
	    growth >= predict_growth(PREDICT_FILL_MIN, times))
		return;
	for (int i = 0; i < 50; i++) {
		double middle = (low + high) / 2;

		if (predict_growth(middle, times) > growth)
			low = middle;
		else
			high = middle;
	}
	set = found / -expm1(-low);
	*out_set = (int64_t)set;
	*out_rate = (int64_t)(low * set * 1000 / (double)short_ms);
}

void
predict_restart(const struct predict_input *in, int64_t stop_ms,
    int64_t start_ms, int64_t delta, struct predict_result *out)
{
	int64_t stop = stop_ms >= 0 ? stop_ms : PREDICT_STOP_MS;
	int64_t start = (start_ms >= 0 ? start_ms : PREDICT_START_MS) +
	    predict_known(in->switch_ms);
	double before = 0, off = 0;

	*out = (struct predict_result){.time_ms = -1,
	    .downtime_ms = -1,
	    .converges = true,
	    .passes = 1,
	    .forced_downtime_ms = -1};
	if (delta < 0 || (delta > 0 && in->bandwidth <= 0))
		return;
	if (delta > 0)
		off = (double)delta / (double)in->bandwidth;
	out->downtime_ms = predict_ms(off, start);
	if (in->disk < 0 || (in->disk > 0 && in->bandwidth <= 0))
		return;
	if (in->disk > 0)
		before = (double)in->disk / (double)in->bandwidth;
	out->time_ms = predict_ms(
	    before + off, stop + start + predict_known(in->overhead_ms));
}

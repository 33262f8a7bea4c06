/*
 * The model of pre-copy.  With M bytes of memory, a link of B bytes/s and a
 * guest that writes D bytes/s within a working set of W bytes:
 *
 *	V(0) = M
 *	V(i+1) = W (1 - exp(-D t / W)),  t = V(i) / B: what pass i lasted
 *
 * is what has been written again when a pass is over, so that a page which is
 * written often counts once.  The last pass is the first that fits into the
 * allowed downtime.  V(i+1) as a function of V(i) is concave and begins at 0, so
 * the series falls to one value V* and gets below the limit only if V* is below
 * it; with D < B and a large W, V* is 0.  A guest that does not converge, and is
 * paused, has V* to send.
 *
 * Disks go before the memory, at the same rate.  What QEMU leaves out (pages of
 * zeros) or packs (xbzrle, multifd compression) is not in it: the caller gives
 * the memory that the guest uses.
 */
#include "decide/predict.h"

#include <math.h>

/* Milliseconds that do not fit are as good as unknown. */
#define PREDICT_MS_MAX 1e15

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

/* What is written again while `sent` bytes go over the link. */
static double
predict_rewritten(
    double sent, double bandwidth, double dirty_rate, double working_set)
{
	if (working_set <= 0)
		return 0;
	return working_set *
	    -expm1(-dirty_rate * (sent / bandwidth) / working_set);
}

/* Where the series ends: V*. */
static double
predict_fixpoint(double v, double bandwidth, double dirty_rate, double set)
{
	double next;
	int i;

	for (i = 0; i < PREDICT_PASSES_MAX; i++) {
		next = predict_rewritten(v, bandwidth, dirty_rate, set);
		if (fabs(next - v) <= 1)
			return next;
		v = next;
	}
	return v;
}

void
predict_live(const struct predict_input *in, struct predict_result *out)
{
	int64_t limit_ms =
	    in->max_downtime_ms > 0 ? in->max_downtime_ms : PREDICT_DOWNTIME_MS;
	int64_t switch_ms = predict_known(in->switch_ms);
	double b = (double)in->bandwidth, d = (double)in->dirty_rate;
	double left = (double)in->memory, total = 0, limit, set;

	*out = (struct predict_result){
	    .time_ms = -1, .downtime_ms = -1, .forced_downtime_ms = -1};
	if (in->memory < 0 || in->bandwidth <= 0)
		return;
	limit = b * (double)limit_ms / 1000;
	set = in->working_set >= 0 && in->working_set < in->memory
	    ? (double)in->working_set
	    : left;
	if (left > limit && in->dirty_rate < 0)
		return;
	while (left > limit) {
		if (out->passes >= PREDICT_PASSES_MAX ||
		    predict_rewritten(limit, b, d, set) >= limit) {
			left = predict_fixpoint(left, b, d, set);
			out->forced_downtime_ms =
			    predict_ms(left / b, switch_ms);
			return;
		}
		total += left / b;
		left = predict_rewritten(left, b, d, set);
		out->passes++;
	}
	total += left / b;
	out->passes++;
	out->converges = true;
	out->downtime_ms = predict_ms(left / b, switch_ms);
	if (in->disk >= 0) {
		out->time_ms = predict_ms(total + (double)in->disk / b,
		    predict_known(in->overhead_ms) + switch_ms);
	}
}

void
predict_restart(const struct predict_input *in, int64_t stop_ms,
    int64_t boot_ms, int64_t delta, struct predict_result *out)
{
	int64_t own = (stop_ms >= 0 ? stop_ms : PREDICT_STOP_MS) +
	    (boot_ms >= 0 ? boot_ms : PREDICT_BOOT_MS) +
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
	out->downtime_ms = predict_ms(off, own);
	if (in->disk < 0 || (in->disk > 0 && in->bandwidth <= 0))
		return;
	if (in->disk > 0)
		before = (double)in->disk / (double)in->bandwidth;
	out->time_ms =
	    predict_ms(before + off, own + predict_known(in->overhead_ms));
}

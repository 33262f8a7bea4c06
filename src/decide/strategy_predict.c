/*
 * What the model of predict.c is given for one guest and one target, and what
 * that costs beside the copying.
 *
 * Of its memory a guest sends what its QEMU has touched: the rest are zeros.  A
 * limit of the bandwidth is one of Drover's, and holds until the guest is stopped;
 * what the link would give without it is not known then, since moves before went
 * under the limit too, and is taken for a gigabit at least.
 */
#include "decide/strategy_look.h"

#include <math.h>
#include <string.h>

/* Of links of which nothing is known: a gigabit. */
#define STRATEGY_BANDWIDTH ((int64_t)110000000)
/* Beginning and ending of a move and its switchover, as measured in the lab;
 * a strict handover waits for the source's QEMU to be gone. */
#define STRATEGY_OVERHEAD_MS 500
#define STRATEGY_STRICT_MS 220
/* A restart: its calls beside shutdown and boot. */
#define STRATEGY_RESTART_MS 500
/* What a guest writes to its disks while they are copied; only a guess in a
 * forecast, which is compared with what came out. */
#define STRATEGY_LAYER_BYTES ((int64_t)16 << 20)

#define STRATEGY_LEAST_MS 10
/* QEMU's own, beside the guest's memory. */
#define STRATEGY_QEMU_BYTES ((int64_t)48 << 20)
/* And with the code that it has translated, without KVM. */
#define STRATEGY_EMULATOR_BYTES ((int64_t)112 << 20)

static int64_t
strategy_bandwidth(const struct strategy_look *look)
{
	int64_t limit = look->wish->bandwidth, rate = look->target->link_rate;

	if (limit > 0 && (rate <= 0 || limit < rate))
		return limit;
	return rate > 0 ? rate : STRATEGY_BANDWIDTH;
}

static int64_t
strategy_link(const struct strategy_look *look)
{
	int64_t rate = look->target->link_rate;

	if (look->wish->bandwidth <= 0)
		return 0; /* as the bandwidth */
	return rate > STRATEGY_BANDWIDTH ? rate : STRATEGY_BANDWIDTH;
}

static int64_t
strategy_used(const struct snap_vm *vm)
{
	int64_t used = vm->memory_rss -
	    (vm->abi.virt_type != NULL && strcmp(vm->abi.virt_type, "qemu") == 0
		    ? STRATEGY_EMULATOR_BYTES
		    : STRATEGY_QEMU_BYTES);

	return vm->memory_rss > 0 && used > 0 && used < vm->memory ? used
								   : vm->memory;
}

/* By what predictions were off before.  Never below what takes no time; and of
 * the time of a live move never below half: what was learned of long ones does not
 * make a short one take none. */
static void
strategy_correct(const struct strategy_look *look, struct strategy_result *plan)
{
	const struct snap_correction *c = &look->s->corrections[plan->strategy];
	struct predict_result *p = &plan->predicted;

	if (p->downtime_ms >= 0) {
		int64_t least = plan->strategy != STRATEGY_RESTART &&
			p->downtime_ms >= PREDICT_SWITCH_MS
		    ? PREDICT_SWITCH_MS
		    : 0;

		p->downtime_ms = least +
		    (int64_t)((double)(p->downtime_ms - least) *
			exp(c->downtime_ln));
		if (p->downtime_ms < STRATEGY_LEAST_MS)
			p->downtime_ms = STRATEGY_LEAST_MS;
	}
	if (p->time_ms >= 0) {
		int64_t least = plan->strategy == STRATEGY_RESTART
		    ? -p->time_ms
		    : -p->time_ms / 2;

		p->time_ms += c->time_ms < least ? least : c->time_ms;
		if (p->time_ms < p->downtime_ms)
			p->time_ms = p->downtime_ms;
	}
}

void
strategy_predict(const struct strategy_look *look, struct strategy_result *plan)
{
	const struct snap_vm *vm = look->vm;
	bool runs = snapshot_vm_runs(vm);
	struct predict_input in = {
	    .memory = strategy_used(vm),
	    .size = vm->memory,
	    .disk = plan->disk_bytes,
	    .bandwidth = strategy_bandwidth(look),
	    .link = strategy_link(look),
	    .max_downtime_ms = look->wish->max_downtime_ms,
	    .overhead_ms = STRATEGY_OVERHEAD_MS,
	    .switch_ms =
		PREDICT_SWITCH_MS + (plan->strict ? STRATEGY_STRICT_MS : 0),
	    .help = &look->wish->converge,
	};
	int64_t delta = plan->disk_count > 0 ? STRATEGY_LAYER_BYTES : 0;

	predict_writes(vm->dirty_rate, FACTS_SAMPLE_MS, vm->dirty_rate_long,
	    FACTS_SAMPLE_LONG_MS, &in.dirty_rate, &in.working_set);
	if (plan->strategy != STRATEGY_RESTART) {
		if (look->wish->bandwidth > 0 && in.disk >= 0)
			in.disk = plan->paced_bytes;
		predict_live(&in, &plan->predicted);
		strategy_correct(look, plan);
		return;
	}
	in.switch_ms = STRATEGY_RESTART_MS;
	if (!runs) {
		delta = in.disk;
		in.disk = 0;
	}
	predict_restart(
	    &in, runs ? -1 : 0, runs ? -1 : 0, delta, &plan->predicted);
	/* Nobody misses a guest that is off. */
	if (!runs)
		plan->predicted.downtime_ms = 0;
	else
		strategy_correct(look, plan);
}

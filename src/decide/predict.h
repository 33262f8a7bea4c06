#ifndef DROVER_DECIDE_PREDICT_H
#define DROVER_DECIDE_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/converge.h"

/*
 * How long a move will take and how long the guest will be stopped, before it
 * begins.  Pre-copy is modelled pass by pass: what was sent in one pass is
 * written again during it, up to the working set, and the next pass sends that;
 * it ends when the rest fits into the allowed downtime at the link's rate, or
 * never (libvirt-facts 3; also Clark et al., "Live Migration of Virtual
 * Machines", NSDI 2005).  Pure.
 *
 * Unknown inputs (-1) give unknown outputs (-1) where they matter.
 */

struct predict_input {
	int64_t memory;      /* bytes that will be sent once: what the guest
				  * uses; its size where that is unknown */
	int64_t size;        /* of the memory with what it does not use, which
				  * is looked at and not sent; 0: as memory */
	int64_t disk;        /* bytes of disks that go along; 0: none */
	int64_t bandwidth;   /* bytes/s that it will get */
	int64_t link;        /* bytes/s of the link itself: QEMU keeps to no
				  * limit once the guest is stopped; 0: as
				  * bandwidth */
	int64_t dirty_rate;  /* bytes/s; -1 unknown */
	int64_t working_set; /* bytes written again and again; -1: memory */
	int64_t max_downtime_ms; /* the limit of the switchover; 0: 300 ms */
	int64_t overhead_ms;     /* of beginning and ending, measured */
	int64_t switch_ms;       /* of the switchover itself */
	const struct converge_policy *help; /* what may be done when it does not
					     * end by itself; NULL: nothing */
};

struct predict_result {
	/* -1: unknown, or it does not end, also not with help. */
	int64_t time_ms, downtime_ms;
	bool converges; /* by itself, within max_downtime */
	int passes;     /* over the memory; 0: unknown */
	unsigned rungs; /* of the ladder that it takes (enum converge_rung) */
	/* It does not converge: how long the guest would be stopped if it were
	 * paused to end it.  -1: it converges, or unknown. */
	int64_t forced_downtime_ms;
};

/*
 * How fast a guest writes and in how large a part of its memory, from what was
 * found written in a short and in a long time (bytes/s each, -1 unknown): what is
 * written again in that time counts once, so that with D and W as in
 * predict.c W (1 - exp(-D t / W)) bytes are found after t.  *out_set is -1 when
 * nothing can be said of it.
 */
void predict_writes(int64_t rate, int64_t short_ms, int64_t rate_long,
    int64_t long_ms, int64_t *out_rate, int64_t *out_set);

/* More passes than this are as good as none: it does not converge. */
#define PREDICT_PASSES_MAX 1000
/* QEMU's limit of the switchover when none is set. */
#define PREDICT_DOWNTIME_MS 300
/* Of a live downtime, what does not depend on the link, as seen in the lab. */
#define PREDICT_SWITCH_MS 35
/* QEMU looks only this often whether a pass is over. */
#define PREDICT_GRAIN_MS 50
/* What the source's socket holds when the link is slower than QEMU: it is sent
 * while the guest is stopped already. */
#define PREDICT_QUEUE_BYTES (4 << 20)
/* How long a guest takes to shut down, and QEMU to start it, where nothing has
 * been measured. */
#define PREDICT_STOP_MS 4000
#define PREDICT_START_MS 1000

void predict_live(const struct predict_input *in, struct predict_result *out);

/*
 * Shutdown and start.  The downtime is from the end of the shutdown until the
 * guest runs at the target, as it is measured; how long it boots is its own.
 * `stop_ms` is of the guest, `start_ms` of QEMU, -1: unknown (typical ones are
 * taken; 0 and 0: it was off from the beginning); `delta`: bytes copied while it
 * is off, -1 unknown; in->disk: those before.  The other members that count are
 * bandwidth, overhead_ms and switch_ms.
 */
void predict_restart(const struct predict_input *in, int64_t stop_ms,
    int64_t start_ms, int64_t delta, struct predict_result *out);

#endif

/*
 * The steps of a move, as act/executor_steps.c does them: a look at the guest first
 * where the machine wants one, an export at the source before a definition at the
 * target, and copies, which pass through Drover and end with it.
 */
#include "sim.h"

#define CHUNK_MS 250
#define CHUNKS 3
#define AGAIN_MS 1000

static struct call *
call_of(struct sim *sim, int call)
{
	return &sim->drover.calls[call];
}

/* Looks first, unless nothing is expected. */
static void
send_expecting(struct sim *sim, int call)
{
	struct call *c = call_of(sim, call);

	if (c->expect.presence != RECONCILE_UNKNOWN) {
		c->kind = MSG_LOOK;
		c->repair = true;
		drover_send_call(sim, call);
	} else if (c->is_copy) {
		drover_start_copy(sim, call);
	} else {
		drover_send_call(sim, call);
	}
}

static bool
has_done(const struct move *m, enum move_step step)
{
	return (m->steps_done & 1U << step) != 0;
}

static int
new_step(struct sim *sim, int host, enum msg_kind kind,
    const struct move_action *action)
{
	const struct move *m = sim->drover.move;
	int call = drover_new_call(sim, host, kind);
	struct call *c = call_of(sim, call);

	c->is_step = true;
	c->step = action->perform_step;
	c->expect = action->expect;
	c->is_copy =
	    c->step == MOVE_STEP_COPY || c->step == MOVE_STEP_COPY_REST;
	c->layered = m->was_running && has_done(m, MOVE_STEP_FREEZE);
	if (m->disk_count == 0)
		return call;
	c->has_base = m->disks[0].created;
	c->has_layer = m->disks[0].layer_created;
	c->only_empty = m->disks[0].unsure;
	c->replace = m->disks[0].created || m->disks[0].replace;
	return call;
}

void
drover_step(struct sim *sim, const struct move_action *action)
{
	enum move_step step = action->perform_step;
	int host = move_step_is_at_source(step) ? SIM_SOURCE : SIM_TARGET;

	sim->drover.sent_at = sim->now;
	if (step == MOVE_STEP_DEFINE)
		drover_send_call(
		    sim, new_step(sim, SIM_SOURCE, MSG_EXPORT, action));
	else
		send_expecting(sim, new_step(sim, host, MSG_STEP, action));
}

/* What it has learned of the disk. */
static void
learn(struct sim *sim, const struct call *c, enum err_code code)
{
	struct move *m = sim->drover.move;

	if (c->step == MOVE_STEP_PREPARE && code == ERR_NONE)
		m->disks[0].created = true;
	if (c->step == MOVE_STEP_CLEAN && code == ERR_NONE)
		m->disks[0].created = m->disks[0].layer_created = false;
}

bool
drover_step_answered(struct sim *sim, int call, enum err_code code)
{
	struct call *c = call_of(sim, call), *next;
	int again;

	if (c->kind == MSG_EXPORT && code == ERR_NONE) {
		again = drover_new_call(sim, SIM_TARGET, MSG_STEP);
		next = call_of(sim, again);
		next->is_step = true;
		next->step = c->step;
		next->expect = c->expect;
		next->layered = c->layered;
		send_expecting(sim, again);
		return false;
	}
	learn(sim, c, code);
	return true;
}

/* ---- copies ---- */

static struct image *
from_image(struct sim *sim, const struct call *c)
{
	bool layer = c->step == MOVE_STEP_COPY_REST && c->layered;

	return layer ? &sim_source(sim)->layer : &sim_source(sim)->base;
}

static struct image *
to_image(struct sim *sim, const struct call *c)
{
	bool layer = c->step == MOVE_STEP_COPY_REST && c->layered;

	return layer ? &sim_target(sim)->layer : &sim_target(sim)->base;
}

static enum err_code
begin_image(struct sim *sim, struct call *c)
{
	struct image *to = to_image(sim, c);
	bool layer = to == &sim_target(sim)->layer;

	if (sim_target(sim)->present && sim_target(sim)->qemu)
		sim_violate(sim, "a running guest's image is overwritten");
	if (to->there && !layer && !c->replace)
		return ERR_CONFLICT;
	if (to->there && !to->ours && !to->empty)
		sim_violate(sim, "somebody's image is overwritten");
	*to = (struct image){.there = true, .ours = true, .torn = true};
	c->copied_moment = from_image(sim, c)->moment;
	return ERR_NONE;
}

static void
end_image(struct sim *sim, struct call *c)
{
	const struct image *from = from_image(sim, c);
	struct image *to = to_image(sim, c);

	to->moment = from->moment;
	to->base_moment = from->base_moment;
	to->torn = !from->there || from->torn || from->merging ||
	    from->moment != c->copied_moment;
}

static void
copy(struct sim *sim, int call, int chunk)
{
	struct drover *d = &sim->drover;
	struct call *c = call_of(sim, call);
	enum err_code code = ERR_NONE;

	if (!c->out || !c->is_copy || c->drover_life != d->life || !d->alive)
		return;
	for (int host = 0; host < 2; host++) {
		const struct host *h = &sim->hosts[host];

		if (h->daemon == DAEMON_DOWN || !h->link)
			code = ERR_UNREACHABLE;
		else if (code == ERR_NONE &&
		    (h->daemon == DAEMON_FROZEN || h->cut)) {
			sim_after(sim, AGAIN_MS, copy, call, chunk);
			return;
		}
	}
	if (code == ERR_NONE && c->cancelled)
		code = ERR_ABORTED;
	if (code == ERR_NONE && sim->full)
		code = ERR_REFUSED;
	if (code == ERR_NONE && chunk == 0)
		code = begin_image(sim, c);
	if (code == ERR_NONE && chunk < CHUNKS) {
		sim_after(sim, CHUNK_MS, copy, call, chunk + 1);
		return;
	}
	if (code == ERR_NONE)
		end_image(sim, c);
	drover_answered(sim, call, (int)code);
}

void
drover_start_copy(struct sim *sim, int call)
{
	call_of(sim, call)->out = true;
	sim_after(sim, 0, copy, call, 0);
}

void
drover_cancel(struct sim *sim)
{
	for (int i = 0; i < SIM_CALLS; i++) {
		struct call *c = call_of(sim, i);

		if (c->out && c->is_copy && c->drover_life == sim->drover.life)
			c->cancelled = true;
	}
}

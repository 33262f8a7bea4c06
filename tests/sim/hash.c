/*
 * What the state of the world is, as one number, without how late it is: two runs
 * that come to the same number need the next fault only once.
 */
#include "sim.h"

static uint64_t
mix(uint64_t h, uint64_t v)
{
	return (h ^ v) * UINT64_C(0x100000001b3);
}

static uint64_t
mix_image(uint64_t h, const struct sim *sim, const struct image *image)
{
	return mix(h,
	    (uint64_t)image->there | (uint64_t)image->ours << 1 |
		(uint64_t)image->empty << 2 | (uint64_t)image->torn << 3 |
		(uint64_t)image->merging << 4 |
		(uint64_t)(image->moment == sim->moment) << 5);
}

static uint64_t
mix_host(uint64_t h, const struct sim *sim, const struct host *x)
{
	h = mix_image(h, sim, &x->base);
	h = mix_image(h, sim, &x->layer);
	return mix(h,
	    (uint64_t)x->on_layer | (uint64_t)x->carried << 1 |
		(uint64_t)(x->owner_started_at != 0) << 2 |
		(uint64_t)(x->layer.base_moment == x->base.moment) << 3 |
		(uint64_t)x->foreign << 4 | (uint64_t)x->rebooted << 5);
}

static uint64_t
mix_move(uint64_t h, const struct move *m)
{
	bool created = m->disk_count > 0 && m->disks[0].created;

	h = mix(h,
	    (uint64_t)m->steps_begun | (uint64_t)m->steps_done << 24 |
		(uint64_t)m->step << 48 | (uint64_t)created << 56);
	return mix(h,
	    (uint64_t)m->back | (uint64_t)m->verified << 1 |
		(uint64_t)m->owner_ended << 2 | (uint64_t)m->abort_asked << 3 |
		(uint64_t)m->timed_out << 4 | (uint64_t)m->suspended << 5 |
		(uint64_t)(m->asks > 1 ? 2 : m->asks) << 6 |
		(uint64_t)m->starts << 8 | (uint64_t)m->runs_seen << 12 |
		(uint64_t)m->clean_over << 16 |
		(uint64_t)m->perform_begun << 17);
}

uint64_t
sim_hash(const struct sim *sim)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	const struct drover *d = &sim->drover;

	for (int i = 0; i < 2; i++) {
		const struct host *x = &sim->hosts[i];

		h = mix(h,
		    (uint64_t)x->daemon | (uint64_t)x->present << 2 |
			(uint64_t)x->defined << 3 | (uint64_t)x->job << 4 |
			(uint64_t)x->qemu << 5 | (uint64_t)x->cpus << 6 |
			(uint64_t)x->complete << 7 | (uint64_t)x->peer << 8 |
			(uint64_t)x->peer_lost << 9 | (uint64_t)x->cut << 10 |
			(uint64_t)x->link << 11 | (uint64_t)x->autostart << 12 |
			(uint64_t)(x->memory == sim->moment) << 13 |
			(uint64_t)x->state << 16 | (uint64_t)x->reason << 24 |
			(uint64_t)x->phase << 32 |
			(uint64_t)x->inbox_count << 40 |
			(uint64_t)(x->latency_ms > 100) << 48);
	}
	h = mix(h,
	    (uint64_t)sim->cut | (uint64_t)sim->guest_ended << 1 |
		(uint64_t)d->alive << 2 | (uint64_t)d->ended << 3 |
		(uint64_t)d->acting << 4 | (uint64_t)d->sides_out << 5 |
		(uint64_t)(d->journal_failures > 0) << 8);
	for (int i = d->next_call - 1; i >= 0 && i >= d->next_call - 8; i--) {
		const struct call *c = &d->calls[i % SIM_CALLS];

		if (c->out)
			h = mix(h,
			    (uint64_t)c->kind << 8 | (uint64_t)c->host << 4 |
				(uint64_t)c->op << 16 |
				(uint64_t)c->step << 32 |
				(uint64_t)c->is_copy << 40 |
				(uint64_t)(c->drover_life == d->life) << 24);
	}
	for (int i = 0; i < 2; i++)
		h = mix_host(h, sim, &sim->hosts[i]);
	h = mix_image(h, sim, &sim->shared);
	h = mix(h,
	    (uint64_t)sim->deaf | (uint64_t)sim->slow << 1 |
		(uint64_t)sim->reboots << 2 | (uint64_t)sim->full << 3 |
		(uint64_t)sim->diverged << 4 | (uint64_t)(sim->asked > 0) << 5 |
		(uint64_t)sim->refuse << 6);
	if (d->move != NULL)
		h = mix_move(h, d->move);
	if (d->move != NULL)
		h = mix(h,
		    (uint64_t)d->move->state |
			(uint64_t)d->move->last_row << 8 |
			(uint64_t)d->move->sure_row << 16 |
			(uint64_t)d->move->stayed_seen << 24 |
			(uint64_t)d->move->recovered << 32 |
			(uint64_t)d->move->perform_ok << 33 |
			(uint64_t)d->move->uncertain << 34 |
			(uint64_t)d->move->took_back << 35 |
			(uint64_t)d->move->source_destroyed << 36 |
			(uint64_t)d->next_action << 40);
	return mix(h,
	    (uint64_t)sim->variant->strict |
		(uint64_t)sim->variant->persistent << 1 |
		(uint64_t)sim->variant->local << 2 |
		(uint64_t)sim->variant->off << 3 |
		(uint64_t)sim->variant->force << 4 |
		(uint64_t)sim->variant->strategy << 5);
}

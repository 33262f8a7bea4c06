/*
 * What has been promised of hosts and pools and is not yet to be seen in their
 * figures: by moves in flight, and by those that this evaluation has decided.
 * Without it every guest of a drain would be sent to the one host that was the
 * best before the first of them went there.
 */
#include <math.h>
#include <string.h>

#include "decide/place.h"

static void
place_ledger_add_cpu(
    struct place_ledger *ledger, size_t from, size_t to, double used)
{
	if (isnan(used))
		return;
	ledger->cpu[from] -= used;
	ledger->cpu[to] += used;
}

/* Of a guest that is there already nothing is on its way any more.  What leaves
 * is the memory that its QEMU has, where that is known. */
static void
place_ledger_shift(struct place_ledger *ledger, const struct snap_vm *vm,
    size_t from, size_t to, bool runs)
{
	struct place_shift *less = &ledger->shift[from];
	struct place_shift *more = &ledger->shift[to];
	double memory =
	    vm->memory > 0 ? (double)place_memory_need(vm->memory) : NAN;

	if (!runs || from == to || vm->host == to)
		return;
	more->cpu += vm->cpu_smooth;
	more->memory_in += memory;
	more->vms++;
	if (!snapshot_vm_active(vm))
		return;
	less->cpu -= vm->cpu_smooth;
	less->memory_out +=
	    vm->memory_rss > 0 ? (double)vm->memory_rss : memory;
	less->vms--;
}

/* NULL: nothing is booked there. */
static struct place_booking *
place_ledger_find(
    const struct place_ledger *ledger, const char *host, const char *pool)
{
	const struct snap_host *where = snapshot_find_host(ledger->s, host);
	struct place_booking *booking =
	    where != NULL ? ledger->disks[where - ledger->s->hosts] : NULL;

	while (booking != NULL && strcmp(booking->pool, pool) != 0)
		booking = booking->next;
	return booking;
}

static void
place_ledger_add_disk(struct place_ledger *ledger, const struct snap_host *host,
    const char *pool, int64_t bytes)
{
	size_t index = (size_t)(host - ledger->s->hosts);
	struct place_booking *booking;

	if (pool == NULL || bytes <= 0)
		return;
	booking = place_ledger_find(ledger, host->name, pool);
	if (booking == NULL) {
		booking = arena_alloc(ledger->arena, sizeof(*booking));
		*booking =
		    (struct place_booking){pool, 0, ledger->disks[index]};
		ledger->disks[index] = booking;
	}
	booking->bytes += bytes;
}

int64_t
place_ledger_disk(const char *host, const char *pool, void *arg)
{
	const struct place_booking *booking =
	    place_ledger_find(arg, host, pool);

	return booking != NULL ? booking->bytes : 0;
}

struct place_ledger *
place_ledger_new(struct arena *arena, const struct snapshot *s)
{
	struct place_ledger *ledger = arena_alloc(arena, sizeof(*ledger));
	size_t count = s->host_count;

	ledger->arena = arena;
	ledger->s = s;
	ledger->disks = arena_array(arena, count, sizeof(ledger->disks[0]));
	ledger->memory = arena_array(arena, count, sizeof(int64_t));
	ledger->inbound = arena_array(arena, count, sizeof(int));
	ledger->outbound = arena_array(arena, count, sizeof(int));
	ledger->cpu = arena_array(arena, count, sizeof(double));
	ledger->shift = arena_array(arena, count, sizeof(ledger->shift[0]));
	for (size_t i = 0; i < s->move_count; i++) {
		const struct snap_move *move = &s->moves[i];
		const struct snap_host *from =
		    snapshot_find_host(s, move->from);
		const struct snap_host *to = snapshot_find_host(s, move->to);
		const struct snap_vm *vm = snapshot_find_vm(s, move->uuid);

		ledger->total += !move->idle;
		if (from != NULL)
			ledger->outbound[from - s->hosts] += !move->idle;
		if (to != NULL) {
			ledger->inbound[to - s->hosts] += !move->idle;
			ledger->memory[to - s->hosts] +=
			    place_memory_need(move->memory);
			place_ledger_add_disk(
			    ledger, to, move->pool, move->disk);
		}
		if (from == NULL || to == NULL || vm == NULL)
			continue;
		place_ledger_add_cpu(ledger, (size_t)(from - s->hosts),
		    (size_t)(to - s->hosts), vm->cpu_used);
		place_ledger_shift(ledger, vm, (size_t)(from - s->hosts),
		    (size_t)(to - s->hosts), move->memory > 0);
	}
	return ledger;
}

void
place_ledger_book(struct place_ledger *ledger, const struct snapshot *s,
    const struct snap_vm *vm, const struct snap_host *target,
    const struct strategy_result *how)
{
	size_t to = (size_t)(target - s->hosts);
	size_t count = how != NULL ? how->disk_count : 0;
	struct place_going *going = arena_alloc(ledger->arena, sizeof(*going));

	*going = (struct place_going){vm, to, ledger->going};
	ledger->going = going;
	ledger->total++;
	ledger->outbound[vm->host]++;
	ledger->inbound[to]++;
	for (size_t i = 0; i < count; i++)
		place_ledger_add_disk(ledger, target, how->disks[i].pool,
		    how->disks[i].allocation);
	if (vm->memory != SNAPSHOT_UNKNOWN && snapshot_vm_active(vm))
		ledger->memory[to] += place_memory_need(vm->memory);
	place_ledger_add_cpu(ledger, vm->host, to, vm->cpu_used);
	place_ledger_shift(ledger, vm, vm->host, to, snapshot_vm_active(vm));
}

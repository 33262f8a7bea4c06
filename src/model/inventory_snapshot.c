/*
 * The inventory as a picture: hosts by name, guests by UUID and then host,
 * verdicts by key, so that the same knowledge gives the same snapshot whatever
 * the order in which it arrived.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/copy.h"
#include "model/inventory_impl.h"

#define SNAPSHOT_ARENA_MAX ((size_t)1 << 30)

static int
inventory_compare_verdicts(const void *a, const void *b)
{
	const struct snap_abi_verdict *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Into *to as pointers into the inventory; copy_host() makes them its own. */
static void
inventory_list_verdicts(struct arena *arena, const struct inventory_host *host,
    struct snap_host *to)
{
	const char *key;
	void *value;
	size_t i = 0;

	to->verdicts = arena_array(
	    arena, map_count(host->verdicts), sizeof(to->verdicts[0]));
	to->verdict_count = 0;
	while (map_next(host->verdicts, &i, &key, &value)) {
		const struct inventory_verdict *verdict = value;

		to->verdicts[to->verdict_count++] = (struct snap_abi_verdict){
		    key, verdict->verdict, verdict->why};
	}
	qsort(to->verdicts, to->verdict_count, sizeof(to->verdicts[0]),
	    inventory_compare_verdicts);
}

static void
inventory_show_host(const struct inventory *inventory, struct arena *arena,
    const struct inventory_host *host, struct mono now, struct snap_host *out)
{
	const struct snap_host *config = &host->config;
	struct snap_host shown = host->seen;

	shown.name = config->name;
	shown.uri = config->uri;
	shown.uri_local = config->uri_local;
	shown.reserve_memory = config->reserve_memory;
	shown.outbound_limit = config->outbound_limit;
	shown.inbound_limit = config->inbound_limit;
	shown.label_keys = config->label_keys;
	shown.label_values = config->label_values;
	shown.label_count = config->label_count;
	shown.up = host->up;
	shown.known = host->known;
	shown.down_why = host->up ? NULL : host->down_why;
	shown.silent_ms = host->silent_ms;
	shown.claimed_by = host->claimed_by;
	shown.claim_open = host->claim_open;
	shown.maintenance = host->maintenance;
	shown.cordoned = host->cordoned;
	shown.flag_why = host->flag_why;
	shown.flag_since = host->flag_since;
	shown.memory_total = host->memory_total;
	shown.memory_free = host->memory_free;
	shown.memory_arrived = host->memory_arrived;
	inventory_load_show_host(inventory, host, now, &shown);
	inventory_list_verdicts(arena, host, &shown);
	inventory_file_list(arena, host, &shown);
	copy_host(arena, &shown, out);
}

static int
inventory_compare_vms(const void *a, const void *b)
{
	const struct snap_vm *x = a, *y = b;
	int order = strcmp(x->uuid, y->uuid);

	if (order != 0)
		return order;
	return x->host < y->host ? -1 : x->host > y->host;
}

static void
inventory_show_vms(const struct inventory *inventory, struct snapshot *s)
{
	size_t count = 0;
	void *value;

	for (size_t h = 0; h < inventory->host_count; h++)
		count += map_count(inventory->hosts[h]->domains);
	s->vms = arena_array(s->arena, count, sizeof(s->vms[0]));
	for (size_t h = 0; h < inventory->host_count; h++) {
		const struct inventory_host *host = inventory->hosts[h];
		size_t i = 0;

		/* Before the first listing nothing says that an event's
		 * guest is the only one. */
		while (
		    host->known && map_next(host->domains, &i, NULL, &value)) {
			const struct inventory_domain *domain = value;
			struct snap_vm *vm = &s->vms[s->vm_count++];

			copy_vm(s->arena, &domain->vm, vm);
			inventory_survey_show(inventory, s->arena, domain, vm);
			vm->host = h;
			vm->cpu_used = host->up ? domain->cpu.used : NAN;
			inventory_load_show_vm(
			    inventory, domain, s->taken, s->taken_wall, vm);
		}
	}
	qsort(s->vms, s->vm_count, sizeof(s->vms[0]), inventory_compare_vms);
}

struct snapshot *
inventory_snapshot(const struct inventory *inventory,
    const struct snap_move *moves, size_t move_count,
    const struct snap_attempt *attempts, size_t attempt_count, struct mono now,
    struct wall now_wall)
{
	struct arena *arena = arena_new(SNAPSHOT_ARENA_MAX);
	struct snapshot *s = arena_alloc(arena, sizeof(*s));

	s->arena = arena;
	s->taken = now;
	s->taken_wall = now_wall;
	s->host_count = inventory->host_count;
	s->hosts = arena_array(arena, s->host_count, sizeof(s->hosts[0]));
	for (size_t h = 0; h < s->host_count; h++)
		inventory_show_host(
		    inventory, arena, inventory->hosts[h], now, &s->hosts[h]);
	inventory_show_vms(inventory, s);
	snapshot_set_active(s);

	s->move_count = move_count;
	s->moves = arena_array(arena, move_count, sizeof(s->moves[0]));
	for (size_t i = 0; i < move_count; i++) {
		s->moves[i] = (struct snap_move){
		    .uuid = arena_strdup(arena, moves[i].uuid),
		    .from = arena_strdup(arena, moves[i].from),
		    .to = arena_strdup(arena, moves[i].to),
		    .memory = moves[i].memory,
		    .disk = moves[i].disk,
		    .pool = arena_strdup(arena, moves[i].pool),
		    .idle = moves[i].idle,
		};
	}
	s->attempt_count = attempt_count;
	s->attempts = arena_array(arena, attempt_count, sizeof(s->attempts[0]));
	for (size_t i = 0; i < attempt_count; i++) {
		s->attempts[i] = (struct snap_attempt){
		    .uuid = arena_strdup(arena, attempts[i].uuid),
		    .to = arena_strdup(arena, attempts[i].to),
		    .failures = attempts[i].failures,
		    .why = arena_strdup(arena, attempts[i].why),
		    .refused = arena_strdup(arena, attempts[i].refused),
		};
	}
	inventory_proof_show(inventory, s);
	return s;
}

/* An ABI, and the one host that has guests of it (or several: host_count). */
struct inventory_abi_use {
	const struct snap_abi *abi;
	size_t host;
};

void
inventory_each_unchecked_abi(const struct inventory *inventory,
    void (*fn)(const char *host, const struct snap_abi *abi, void *arg),
    void *arg)
{
	struct map *uses = map_new(free);
	void *value;

	for (size_t h = 0; h < inventory->host_count; h++) {
		size_t i = 0;

		while (
		    map_next(inventory->hosts[h]->domains, &i, NULL, &value)) {
			const struct inventory_domain *domain = value;
			const struct snap_abi *abi = &domain->vm.abi;
			struct inventory_abi_use *use;

			if (!snapshot_vm_active(&domain->vm) ||
			    abi->arch == NULL || abi->incomparable != NULL)
				continue;
			use = map_get(uses, abi->key);
			if (use != NULL) {
				if (use->host != h)
					use->host = inventory->host_count;
				continue;
			}
			use = malloc(sizeof(*use));
			if (use == NULL)
				abort();
			*use = (struct inventory_abi_use){abi, h};
			map_set(uses, abi->key, use);
		}
	}
	for (size_t h = 0; h < inventory->host_count; h++) {
		const struct inventory_host *host = inventory->hosts[h];
		size_t i = 0;

		while (host->up && host->known &&
		    map_next(uses, &i, NULL, &value)) {
			const struct inventory_abi_use *use = value;

			/* Nobody would move there what is only there. */
			if (use->host == h ||
			    map_get(host->verdicts, use->abi->key) != NULL)
				continue;
			fn(host->config.name, use->abi, arg);
		}
	}
	map_free(uses);
}

/*
 * Who is in the way by its name or UUID.
 *
 * libvirt has names and UUIDs once for each host, so a host that knows another
 * guest of the same name cannot take this one.  A drain asks for hundreds of guests
 * of a site that has twenty thousand; so names are hashed once for each ledger.
 * Entries of one UUID stand side by side in the snapshot.
 */
#include <string.h>

#include "decide/place_look.h"
#include "model/hash.h"

#define NOBODY UINT32_MAX

/* Guests by the hash of their name. */
struct place_names {
	size_t mask;
	uint32_t *first; /* by hash: index in the snapshot; NOBODY */
	uint32_t *next;  /* by guest: the next of that hash, in their order */
};

static size_t
slot_of(const struct place_names *names, const char *name)
{
	return (size_t)hash_string(HASH_START, name) & names->mask;
}

static struct place_names *
make_names(struct arena *arena, const struct snapshot *s)
{
	struct place_names *names = arena_alloc(arena, sizeof(*names));
	size_t slots = 64;

	while (slots < s->vm_count)
		slots *= 2;
	names->mask = slots - 1;
	names->first = arena_array(arena, slots, sizeof(names->first[0]));
	names->next = arena_array(arena, s->vm_count, sizeof(names->next[0]));
	for (size_t i = 0; i < slots; i++)
		names->first[i] = NOBODY;
	for (size_t i = s->vm_count; i-- > 0;) {
		size_t slot = slot_of(names, s->vms[i].name);

		names->next[i] = names->first[slot];
		names->first[slot] = (uint32_t)i;
	}
	return names;
}

static void
find_twins(struct place_look *look)
{
	const struct snapshot *s = look->s;
	const struct snap_vm *vm = look->request->vm;
	const struct snap_vm *any = snapshot_find_vm(s, vm->uuid);
	size_t at = any != NULL ? (size_t)(any - s->vms) : s->vm_count;

	while (
	    any != NULL && at > 0 && strcmp(s->vms[at - 1].uuid, vm->uuid) == 0)
		at--;
	for (; at < s->vm_count && strcmp(s->vms[at].uuid, vm->uuid) == 0; at++)
		if (s->vms[at].host != vm->host)
			look->taken[s->vms[at].host] = &s->vms[at];
}

/* One of the same UUID weighs more than one of the same name. */
void
place_find_taken(struct place_look *look)
{
	const struct snapshot *s = look->s;
	const struct snap_vm *vm = look->request->vm;
	const struct place_names *names = look->ledger->names;

	if (names == NULL)
		names = look->ledger->names =
		    make_names(look->ledger->arena, look->ledger->s);
	look->taken =
	    arena_array(look->arena, s->host_count, sizeof(look->taken[0]));
	for (uint32_t i = names->first[slot_of(names, vm->name)]; i != NOBODY;
	     i = names->next[i]) {
		const struct snap_vm *other = &s->vms[i];

		if (other->host != vm->host &&
		    look->taken[other->host] == NULL &&
		    strcmp(other->name, vm->name) == 0)
			look->taken[other->host] = other;
	}
	find_twins(look);
}

/* It was seen to run elsewhere as well (a move of others has just ended, a host
 * is away and shows what was last seen, it does run twice): nobody moves it
 * anywhere before that is known.  *out_wait: the other host will tell. */
const char *
place_words_twice(const struct place_look *look, bool *out_wait)
{
	const struct snap_vm *vm = look->request->vm;

	for (size_t i = 0; i < look->s->host_count; i++) {
		const struct snap_vm *there = look->taken[i];

		if (there == NULL || strcmp(there->uuid, vm->uuid) != 0 ||
		    (there->state != DOMAIN_RUNNING &&
			there->state != DOMAIN_BLOCKED))
			continue;
		*out_wait = look->s->hosts[i].up;
		return arena_printf(look->arena,
		    "it is on %s as well (%s), and must not run twice: see to "
		    "it by hand if that stays so",
		    look->s->hosts[i].name, facts_state_name(there->state));
	}
	return NULL;
}

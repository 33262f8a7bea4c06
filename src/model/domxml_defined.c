/*
 * What a guest runs as and what it is defined as are two things: a disk can be
 * plugged in for this time only, or be defined and not be there yet, and a CPU that
 * is "that of the host" in the definition has become one with a name.  A live move
 * takes what runs; a restart takes the images that run and starts the definition,
 * so these must agree.
 */
#include <string.h>

#include "model/domxml.h"

static const struct snap_disk *
defined_find(const struct snap_vm *vm, const char *target)
{
	for (size_t i = 0; i < vm->disk_count; i++) {
		const struct snap_disk *disk = &vm->disks[i];

		if (!disk->backing && strcmp(disk->target, target) == 0)
			return disk;
	}
	return NULL;
}

/* A disk of its own that stays when it is not there: media come and go. */
static bool
defined_counts(const struct snap_disk *disk)
{
	return !disk->backing && !disk->removable;
}

static const char *
defined_words(
    struct arena *arena, const struct snap_vm *runs, const struct snap_vm *next)
{
	for (size_t i = 0; i < runs->disk_count; i++) {
		const struct snap_disk *disk = &runs->disks[i], *other;

		if (!defined_counts(disk))
			continue;
		other = defined_find(next, disk->target);
		if (other == NULL)
			return arena_printf(arena,
			    "it runs with %s (%s), which its definition does "
			    "not have",
			    disk->target, disk->source);
		if (other->kind != disk->kind || other->source == NULL ||
		    disk->source == NULL ||
		    strcmp(other->source, disk->source) != 0)
			return arena_printf(arena,
			    "%s is %s in its definition, and it runs with %s",
			    disk->target,
			    other->source != NULL ? other->source : "empty",
			    disk->source != NULL ? disk->source : "nothing");
	}
	for (size_t i = 0; i < next->disk_count; i++) {
		const struct snap_disk *disk = &next->disks[i];

		if (defined_counts(disk) &&
		    defined_find(runs, disk->target) == NULL)
			return arena_printf(arena,
			    "its definition has %s (%s), which it runs without",
			    disk->target, disk->source);
	}
	return NULL;
}

void
domxml_compare_definition(
    struct arena *arena, const char *xml, struct snap_vm *vm)
{
	struct snap_vm next = {0};
	struct err err;

	if (domxml_parse_domain(arena, xml, &next, &err) != 0) {
		vm->defined_differs = arena_printf(
		    arena, "its definition was not understood: %s", err.msg);
		return;
	}
	vm->defined_cpu_mode = next.abi.cpu_mode;
	vm->defined_differs = defined_words(arena, vm, &next);
}

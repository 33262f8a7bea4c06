/*
 * A snapshot must not change while it is looked at, and the inventory changes
 * with every event, so a snapshot copies all that it shows.  That costs a few
 * milliseconds for ten thousand guests, and buys that nobody has to think
 * about the lifetime of a string.
 *
 * The inventory uses the same copies to keep what it understood from an XML
 * without the waste of having parsed it.
 */
#include "model/copy.h"

const char **
copy_strings(struct arena *arena, const char *const *from, size_t count)
{
	const char **to = arena_array(arena, count, sizeof(to[0]));

	for (size_t i = 0; i < count; i++)
		to[i] = arena_strdup(arena, from[i]);
	return to;
}

static void
copy_abi(struct arena *arena, struct snap_abi *abi)
{
	abi->key = arena_strdup(arena, abi->key);
	abi->arch = arena_strdup(arena, abi->arch);
	abi->machine = arena_strdup(arena, abi->machine);
	abi->emulator = arena_strdup(arena, abi->emulator);
	abi->virt_type = arena_strdup(arena, abi->virt_type);
	abi->cpu_xml = arena_strdup(arena, abi->cpu_xml);
	abi->cpu_mode = arena_strdup(arena, abi->cpu_mode);
	abi->incomparable = arena_strdup(arena, abi->incomparable);
}

void
copy_vm(struct arena *arena, const struct snap_vm *from, struct snap_vm *to)
{
	*to = *from;
	to->name = arena_strdup(arena, from->name);
	to->uuid = arena_strdup(arena, from->uuid);
	copy_abi(arena, &to->abi);
	to->disks = arena_array(arena, from->disk_count, sizeof(to->disks[0]));
	for (size_t i = 0; i < from->disk_count; i++) {
		struct snap_disk *disk = &to->disks[i];

		*disk = from->disks[i];
		disk->target = arena_strdup(arena, disk->target);
		disk->source = arena_strdup(arena, disk->source);
		disk->pool = arena_strdup(arena, disk->pool);
		disk->format = arena_strdup(arena, disk->format);
		disk->cache = arena_strdup(arena, disk->cache);
		disk->path_found = arena_strdup(arena, disk->path_found);
		disk->pool_found = arena_strdup(arena, disk->pool_found);
		disk->volume_found = arena_strdup(arena, disk->volume_found);
		disk->backing_found = arena_strdup(arena, disk->backing_found);
		disk->backing_format =
		    arena_strdup(arena, disk->backing_format);
	}
	to->nics = arena_array(arena, from->nic_count, sizeof(to->nics[0]));
	for (size_t i = 0; i < from->nic_count; i++) {
		to->nics[i] = from->nics[i];
		to->nics[i].source = arena_strdup(arena, from->nics[i].source);
	}
	to->pins = copy_strings(arena, from->pins, from->pin_count);
	to->anchors = copy_strings(arena, from->anchors, from->anchor_count);
	to->files = copy_strings(arena, from->files, from->file_count);
	to->defined_cpu_mode = arena_strdup(arena, from->defined_cpu_mode);
	to->defined_differs = arena_strdup(arena, from->defined_differs);
	to->label_keys =
	    copy_strings(arena, from->label_keys, from->label_count);
	to->label_values =
	    copy_strings(arena, from->label_values, from->label_count);
	to->loader = arena_strdup(arena, from->loader);
	to->nvram = arena_strdup(arena, from->nvram);
}

static void
copy_pools(
    struct arena *arena, const struct snap_host *from, struct snap_host *to)
{
	to->pools = arena_array(arena, from->pool_count, sizeof(to->pools[0]));
	for (size_t i = 0; i < from->pool_count; i++) {
		struct snap_pool *pool = &to->pools[i];

		*pool = from->pools[i];
		pool->name = arena_strdup(arena, pool->name);
		pool->type = arena_strdup(arena, pool->type);
		pool->path = arena_strdup(arena, pool->path);
		pool->source = arena_strdup(arena, pool->source);
	}
}

static void
copy_networks(
    struct arena *arena, const struct snap_host *from, struct snap_host *to)
{
	to->networks =
	    arena_array(arena, from->network_count, sizeof(to->networks[0]));
	for (size_t i = 0; i < from->network_count; i++) {
		struct snap_network *network = &to->networks[i];

		*network = from->networks[i];
		network->name = arena_strdup(arena, network->name);
		network->bridge = arena_strdup(arena, network->bridge);
	}
}

static void
copy_verdicts(
    struct arena *arena, const struct snap_host *from, struct snap_host *to)
{
	to->verdicts =
	    arena_array(arena, from->verdict_count, sizeof(to->verdicts[0]));
	for (size_t i = 0; i < from->verdict_count; i++) {
		struct snap_abi_verdict *verdict = &to->verdicts[i];

		*verdict = from->verdicts[i];
		verdict->key = arena_strdup(arena, verdict->key);
		verdict->why = arena_strdup(arena, verdict->why);
	}
}

static void
copy_files(
    struct arena *arena, const struct snap_host *from, struct snap_host *to)
{
	to->files = arena_array(arena, from->file_count, sizeof(to->files[0]));
	for (size_t i = 0; i < from->file_count; i++) {
		to->files[i] = from->files[i];
		to->files[i].path = arena_strdup(arena, from->files[i].path);
	}
}

void
copy_host(
    struct arena *arena, const struct snap_host *from, struct snap_host *to)
{
	*to = *from;
	to->name = arena_strdup(arena, from->name);
	to->uri = arena_strdup(arena, from->uri);
	to->down_why = arena_strdup(arena, from->down_why);
	to->claimed_by = arena_strdup(arena, from->claimed_by);
	to->flag_why = arena_strdup(arena, from->flag_why);
	to->host_uuid = arena_strdup(arena, from->host_uuid);
	to->cpu_xml = arena_strdup(arena, from->cpu_xml);
	copy_pools(arena, from, to);
	copy_networks(arena, from, to);
	copy_verdicts(arena, from, to);
	copy_files(arena, from, to);
	to->interfaces =
	    copy_strings(arena, from->interfaces, from->interface_count);
	to->label_keys =
	    copy_strings(arena, from->label_keys, from->label_count);
	to->label_values =
	    copy_strings(arena, from->label_values, from->label_count);
	to->machines = copy_strings(arena, from->machines, from->machine_count);
}

/*
 * Live, over shared storage; and the rules that the other strategies have in common
 * with it.
 *
 *	 1 not-allowed     by the policy or the operator
 *	 2 not-running
 *	 3 pinned          a device, or a feature that QEMU does not send
 *	 4 reachable       the source's libvirt connects to the target's
 *	 5 snapshots       libvirt sends no guest that has metadata of them
 *	 6 cpu             the target's word about CPU and machine
 *	 7 storage-shared  all of it is proven to be
 *	 8 media           what lies in the drives is there, or may be left
 *	 9 cache           that would hide the last writes from the target
 *	10 refused         libvirt has refused this guest in this way before
 *	11 abi-unknown     that word is still awaited
 *	12 dirty-rate      how fast it writes to its memory has been measured,
 *	                   or could not be: without, nothing is predicted
 */
#include "decide/strategy_look.h"

#include <string.h>

#include "base/buf.h"

#define LIVE_WHY_MAX (16 << 10)

bool
strategy_is_local(const struct storage_result *storage, size_t i)
{
	const struct storage_disk *disk = &storage->disks[i];

	if (disk->disk->backing || disk->way == STORAGE_WAY_ABSENT)
		return false;
	if (disk->way == STORAGE_WAY_LOCAL)
		return true;
	for (i++; i < storage->disk_count && storage->disks[i].disk->backing;
	     i++) {
		if (storage->disks[i].way == STORAGE_WAY_LOCAL)
			return true;
	}
	return false;
}

const char *
strategy_check_running(struct strategy_try *try)
{
	return snapshot_vm_runs(try->look->vm)
	    ? NULL
	    : "it does not run: only a restart moves it";
}

const char *
strategy_check_pins(struct strategy_try *try)
{
	const struct snap_vm *vm = try->look->vm;
	struct buf buf = BUF_INIT(LIVE_WHY_MAX);
	const char *text;

	if (vm->pin_count == 0)
		return NULL;
	buf_adds(&buf, "pinned to its host by ");
	for (size_t i = 0; i < vm->pin_count; i++)
		buf_addf(&buf, "%s%s", i > 0 ? "; " : "", vm->pins[i]);
	text = arena_strdup(try->look->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

const char *
strategy_check_reachable(struct strategy_try *try)
{
	const struct snap_host *target = try->look->target;

	if (!target->uri_local)
		return NULL;
	return arena_printf(try->look->arena,
	    "its URI %s means nothing to %s: give it one with an address "
	    "(qemu+tls://...)",
	    target->uri, try->look->source->name);
}

const char *
strategy_check_metadata(struct strategy_try *try)
{
	const struct snap_vm *vm = try->look->vm;
	bool restart = try->strategy == STRATEGY_RESTART;

	if (vm->snapshots > 0)
		return arena_printf(try->look->arena,
		    "libvirt keeps metadata of %d snapshot%s, which would "
		    "stay behind: delete them, or only the metadata (virsh "
		    "snapshot-delete --metadata)",
		    vm->snapshots, vm->snapshots == 1 ? "" : "s");
	if (!restart)
		return NULL;
	if (vm->checkpoints > 0)
		return arena_printf(try->look->arena,
		    "libvirt keeps metadata of %d checkpoint%s, which would "
		    "stay behind: delete them (virsh checkpoint-delete)",
		    vm->checkpoints, vm->checkpoints == 1 ? "" : "s");
	if (vm->snapshots < 0 || vm->checkpoints < 0)
		return "unknown whether libvirt keeps metadata of snapshots";
	return NULL;
}

static const struct snap_abi_verdict *
strategy_find_verdict(const struct strategy_look *look)
{
	const struct snap_host *target = look->target;
	const char *key = look->vm->abi.key;

	for (size_t i = 0; key != NULL && i < target->verdict_count; i++) {
		if (strcmp(target->verdicts[i].key, key) == 0)
			return &target->verdicts[i];
	}
	return NULL;
}

/* Started anew, a guest that has its host's CPU gets that of the new one. */
static bool
strategy_takes_new_cpu(const struct strategy_try *try)
{
	const struct snap_vm *vm = try->look->vm;

	return try->strategy == STRATEGY_RESTART &&
	    (vm->abi.cpu_mode != NULL || vm->defined_cpu_mode != NULL);
}

const char *
strategy_check_cpu(struct strategy_try *try)
{
	const struct snap_abi *abi = &try->look->vm->abi;
	const struct snap_abi_verdict *verdict;

	if (strategy_takes_new_cpu(try))
		return NULL;
	if (abi->incomparable != NULL)
		return abi->incomparable;
	verdict = strategy_find_verdict(try->look);
	if (verdict == NULL || verdict->verdict != SNAP_VERDICT_REJECTED)
		return NULL;
	return verdict->why != NULL ? verdict->why
				    : "does not accept the guest's CPU";
}

const char *
strategy_check_abi_known(struct strategy_try *try)
{
	const struct snap_abi_verdict *verdict;

	if (strategy_takes_new_cpu(try) ||
	    (try->strategy == STRATEGY_RESTART &&
		!snapshot_vm_runs(try->look->vm)))
		return NULL;
	verdict = strategy_find_verdict(try->look);
	if (verdict != NULL && verdict->verdict == SNAP_VERDICT_OK)
		return NULL;
	try->wait = true;
	return "has not said yet whether it can run the guest's CPU and "
	       "machine";
}

static const char *
strategy_check_shared(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;

	if (storage->class == STORAGE_DISKLESS ||
	    storage->class == STORAGE_SHARED)
		return NULL;
	try->wait = storage->marker_wanted;
	return arena_printf(
	    try->look->arena, "storage not shared: %s", storage->why);
}

/* Notes the drives to be emptied. */
const char *
strategy_check_media(struct strategy_try *try)
{
	const struct strategy_look *look = try->look;
	const struct storage_result *storage = look->storage;
	struct strategy_result *plan = &try->plan;

	plan->ejects = arena_array(
	    look->arena, storage->disk_count, sizeof(plan->ejects[0]));
	plan->eject_count = 0;
	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct storage_disk *medium = &storage->disks[i];

		if (medium->way != STORAGE_WAY_ABSENT)
			continue;
		if (medium->open) {
			try->wait = true;
			return arena_printf(look->arena, "%s: %s",
			    medium->disk->target, medium->why);
		}
		if (!medium->disk->optional)
			return arena_printf(look->arena,
			    "%s: %s: eject it, give it startupPolicy "
			    "'optional', or copy it there",
			    medium->disk->target, medium->why);
		plan->ejects[plan->eject_count++] = medium->disk->target;
	}
	return NULL;
}

const char *
strategy_check_cache(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;

	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct snap_disk *disk = storage->disks[i].disk;

		if (disk->backing || disk->readonly || disk->cache == NULL ||
		    storage->disks[i].way != STORAGE_WAY_SHARED ||
		    (disk->kind != SNAP_DISK_FILE &&
			disk->kind != SNAP_DISK_VOLUME) ||
		    strcmp(disk->cache, "unsafe") != 0)
			continue;
		return arena_printf(try->look->arena,
		    "%s has cache='unsafe', and what the guest wrote last may "
		    "not be there when the target reads it: give it "
		    "cache='none'",
		    disk->target);
	}
	return NULL;
}

/* Asked again it would say the same; another strategy may do. */
const char *
strategy_check_refused(struct strategy_try *try)
{
	const struct strategy_look *look = try->look;

	for (size_t i = 0; i < look->s->attempt_count; i++) {
		const struct snap_attempt *attempt = &look->s->attempts[i];

		if (attempt->refused != NULL &&
		    strcmp(attempt->uuid, look->vm->uuid) == 0 &&
		    strcmp(attempt->refused, strategy_name(try->strategy)) == 0)
			return arena_printf(look->arena,
			    "libvirt refused it (to %s): %s", attempt->to,
			    attempt->why != NULL ? attempt->why : "no reason");
	}
	return NULL;
}

const char *
strategy_check_sampled(struct strategy_try *try)
{
	if (!try->look->vm->unsampled || try->look->wish->at_once)
		return NULL;
	try->wait = true;
	return "how fast it writes to its memory has not been measured yet";
}

const struct strategy_rule strategy_live_shared_rules[] = {
    {"not-running", strategy_check_running},
    {"pinned", strategy_check_pins},
    {"reachable", strategy_check_reachable},
    {"snapshots", strategy_check_metadata},
    {"cpu", strategy_check_cpu},
    {"storage-shared", strategy_check_shared},
    {"media", strategy_check_media},
    {"cache", strategy_check_cache},
    {"refused", strategy_check_refused},
    {"abi-unknown", strategy_check_abi_known},
    {"dirty-rate", strategy_check_sampled},
    {NULL, NULL},
};

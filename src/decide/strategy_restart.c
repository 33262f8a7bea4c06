/*
 * Shut down here, started there.  It is refused where something of the guest would
 * stay behind or be lost (metadata, a saved state, a device), where the guest would
 * not stay off while it is carried over, and where its images cannot be read or
 * have no place to go.
 *
 *	 1 not-allowed
 *	 2 stopped        it is off, and such guests are not included
 *	 3 transient      there is no definition to start it from
 *	 4 anchored       by a device that only this host has
 *	 5 snapshots
 *	 6 managed-save
 *	 7 on-poweroff    it would not stay off
 *	 8 definition     it would not be what it is
 *	 9 cpu            that it names; one of its host's is another there
 *	10 media
 *	11 storage-path
 *	12 disk-kind
 *	13 disk-figures
 *	14 chain          images below that do not come along
 *	15 target-pool    where from and where to
 *	16 volume-taken
 *	17 pool-room
 *	18 abi-unknown
 */
#include "decide/strategy_look.h"

#include "base/buf.h"

#define RESTART_WHY_MAX 4096

static const char *
restart_check_stopped(struct strategy_try *try)
{
	if (snapshot_vm_active(try->look->vm) ||
	    try->look->wish->include_stopped)
		return NULL;
	return "it is shut off, and the policy leaves such guests "
	       "(select.include_stopped)";
}

static const char *
restart_check_persistent(struct strategy_try *try)
{
	return try->look->vm->persistent
	    ? NULL
	    : "it is transient: once it is off there is nothing to start";
}

static const char *
restart_check_anchors(struct strategy_try *try)
{
	const struct snap_vm *vm = try->look->vm;
	struct buf buf = BUF_INIT(RESTART_WHY_MAX);
	const char *text;

	if (vm->anchor_count == 0)
		return NULL;
	buf_adds(&buf, "it could not start elsewhere with ");
	for (size_t i = 0; i < vm->anchor_count; i++)
		buf_addf(&buf, "%s%s", i > 0 ? "; " : "", vm->anchors[i]);
	text = arena_strdup(try->look->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static const char *
restart_check_save(struct strategy_try *try)
{
	return try->look->vm->managed_save
	    ? "it has a saved state, which would be lost: start it, or remove "
	      "that (virsh managedsave-remove)"
	    : NULL;
}

static const char *
restart_check_poweroff(struct strategy_try *try)
{
	const struct snap_vm *vm = try->look->vm;

	return vm->restarts_on_poweroff && snapshot_vm_active(vm)
	    ? "it would not stay off: its on_poweroff is not destroy"
	    : NULL;
}

static const char *
restart_check_definition(struct strategy_try *try)
{
	const struct snap_vm *vm = try->look->vm;

	if (vm->defined_differs == NULL || !snapshot_vm_active(vm))
		return NULL;
	return arena_printf(try->look->arena,
	    "%s: a restart would start it from its definition",
	    vm->defined_differs);
}

const struct strategy_rule strategy_restart_rules[] = {
    {"stopped", restart_check_stopped},
    {"transient", restart_check_persistent},
    {"anchored", restart_check_anchors},
    {"snapshots", strategy_check_metadata},
    {"managed-save", restart_check_save},
    {"on-poweroff", restart_check_poweroff},
    {"definition", restart_check_definition},
    {"cpu", strategy_check_cpu},
    {"media", strategy_check_media},
    {"storage-path", strategy_check_path},
    {"disk-kind", strategy_check_kinds},
    {"disk-figures", strategy_check_surveyed},
    {"chain", strategy_check_chains},
    {"target-pool", strategy_check_pool},
    {"volume-taken", strategy_check_volume},
    {"pool-room", strategy_check_room},
    {"abi-unknown", strategy_check_abi_known},
    {NULL, NULL},
};

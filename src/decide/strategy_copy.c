/*
 * Live, with the disks that are local copied along.  What libvirt does not copy,
 * or copies into something else than it was, is refused; the rules about storage
 * come before those about room, because they name what a person can change.
 *
 *	 1 not-allowed
 *	 2 not-running
 *	 3 pinned
 *	 4 reachable
 *	 5 snapshots
 *	 6 cpu
 *	 7 nothing-local  all is shared: there is nothing to copy
 *	 8 media
 *	 9 cache          of the disks that are shared
 *	10 storage-path   the same storage at another path, or not known yet
 *	11 disk-kind      what kind of disk it is
 *	12 disk-figures   their sizes and formats are known
 *	13 target-pool    where it would go
 *	14 volume-taken
 *	15 pool-room
 *	16 refused
 *	17 abi-unknown
 *	18 dirty-rate
 */
#include "decide/strategy_look.h"

static const char *
copy_check_local(struct strategy_try *try)
{
	switch (try->look->storage->class) {
	case STORAGE_DISKLESS:
		return "nothing to copy: it has no disks";
	case STORAGE_SHARED:
		return "nothing to copy: its storage is shared";
	case STORAGE_MIXED:
	case STORAGE_LOCAL:
		break;
	}
	return NULL;
}

const struct strategy_rule strategy_live_copy_rules[] = {
    {"not-running", strategy_check_running},
    {"pinned", strategy_check_pins},
    {"reachable", strategy_check_reachable},
    {"snapshots", strategy_check_metadata},
    {"cpu", strategy_check_cpu},
    {"nothing-local", copy_check_local},
    {"media", strategy_check_media},
    {"cache", strategy_check_cache},
    {"storage-path", strategy_check_path},
    {"disk-kind", strategy_check_kinds},
    {"disk-figures", strategy_check_surveyed},
    {"chain", strategy_check_chains}, /* notes how; refuses nothing */
    {"target-pool", strategy_check_pool},
    {"volume-taken", strategy_check_volume},
    {"pool-room", strategy_check_room},
    {"refused", strategy_check_refused},
    {"abi-unknown", strategy_check_abi_known},
    {"dirty-rate", strategy_check_sampled},
    {NULL, NULL},
};

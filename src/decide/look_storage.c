/*
 * vm.storage, which is a class towards other hosts, in one word.  Finding it out
 * looks at each disk and several hosts; whoever evaluates many guests asks only
 * where an expression names it.
 */
#include "decide/look.h"
#include "plan/seen.h"

const char *
look_at_storage(const struct snapshot *s, const struct settings *settings,
    const struct snap_vm *vm)
{
	struct plan_storage found;

	plan_sees_storage(s, settings, vm, &found);
	return found.known ? storage_class_name(found.class) : NULL;
}

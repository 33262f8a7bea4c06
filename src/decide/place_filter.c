/*
 * The filters, in the order of enum place_rule: may this host take the guest?
 * The order is from what is cheap and final to what is subtle, because a person
 * reads the first reason only: that a host is cordoned matters more than that
 * it also lacks a bridge.
 *
 * Each filter gives NULL for "yes" or the reason in words: the numbers, and
 * where there is one, what to do.  What is not known is not assumed.
 *
 * What may change by itself is looked at last: memory that moves in flight
 * hold, and the word of another daemon.  Waiting only makes sense where nothing
 * else is in the way.
 */
#include "decide/guard.h"
#include "decide/place_look.h"

#include <string.h>

#include "base/units.h"

/* QEMU needs more than its guest sees: page tables, queues, buffers, threads.
 * 64 MiB and 1/128 of the guest's memory is what small and large guests were
 * seen to stay below without graphics; the host's reserve covers the rest. */
#define PLACE_OVERHEAD_BASE ((int64_t)64 << 20)
#define PLACE_OVERHEAD_SHARE 128

struct place_check {
	const struct place_look *look;
	const struct snap_host *host;
	struct place_verdict *verdict;
	enum place_rule rule; /* may be set by a check that has two */
	bool wait;            /* set: it may pass by itself */
};

int64_t
place_memory_need(int64_t memory)
{
	return memory + memory / PLACE_OVERHEAD_SHARE + PLACE_OVERHEAD_BASE;
}

int64_t
place_memory_left(const struct place_look *look, const struct snap_host *host)
{
	return host->memory_free - host->memory_arrived - host->reserve_memory -
	    look->ledger->memory[host - look->s->hosts];
}

static const char *
check_asked(struct place_check *check)
{
	const char *only_to = check->look->request->only_to;

	if (only_to == NULL || strcmp(only_to, check->host->name) == 0)
		return NULL;
	return arena_printf(
	    check->look->arena, "only %s was asked for", only_to);
}

static const char *
check_same_host(struct place_check *check)
{
	return check->host == check->look->source ? "it is there already"
						  : NULL;
}

static const char *
check_up(struct place_check *check)
{
	const struct snap_host *host = check->host;

	if (!host->up)
		return arena_printf(check->look->arena, "not connected%s%s",
		    host->down_why != NULL ? ": " : "",
		    host->down_why != NULL ? host->down_why : "");
	return host->known ? NULL : "not listed yet";
}

static const char *
check_silent(struct place_check *check)
{
	char text[UNITS_TEXT_SIZE];

	if (check->host->silent_ms < PLACE_SILENT_MS)
		return NULL;
	units_format_duration(check->host->silent_ms, text);
	return arena_printf(
	    check->look->arena, "has not answered for %s", text);
}

const char *
place_words_claim(struct arena *arena, const struct snap_host *host)
{
	if (host->claimed_by != NULL)
		return arena_printf(arena,
		    "another droverd acts on it (%s): stop one of the two",
		    host->claimed_by);
	return host->claim_open
	    ? "not known yet whether another droverd acts on it"
	    : NULL;
}

static const char *
check_claimed(struct place_check *check)
{
	return check->host->claimed_by != NULL
	    ? place_words_claim(check->look->arena, check->host)
	    : NULL;
}

static const char *
check_claim_known(struct place_check *check)
{
	check->wait = check->host->claim_open;
	return place_words_claim(check->look->arena, check->host);
}

static const char *
place_words_flag(struct place_check *check, const char *flag)
{
	const char *why = check->host->flag_why;

	if (why == NULL || why[0] == '\0')
		return flag;
	return arena_printf(check->look->arena, "%s (%s)", flag, why);
}

static const char *
check_maintenance(struct place_check *check)
{
	return check->host->maintenance
	    ? place_words_flag(check, "in maintenance")
	    : NULL;
}

static const char *
check_cordoned(struct place_check *check)
{
	if (check->host->cordoned)
		return place_words_flag(check, "cordoned");
	if (check->host->inbound_limit == 0)
		return "takes no moves (its limits.inbound is 0)";
	return NULL;
}

static const char *
check_host_uuid(struct place_check *check)
{
	const struct snap_host *source = check->look->source;

	if (source->host_uuid == NULL || check->host->host_uuid == NULL ||
	    strcmp(source->host_uuid, check->host->host_uuid) != 0)
		return NULL;
	return arena_printf(check->look->arena,
	    "has the host UUID of %s (%s): "
	    "set host_uuid in its libvirtd.conf",
	    source->name, source->host_uuid);
}

static const char *
check_taken(struct place_check *check)
{
	const struct place_look *look = check->look;
	const struct snap_vm *vm = look->request->vm;
	const struct snap_vm *there = look->taken[check->host - look->s->hosts];

	if (there == NULL)
		return NULL;
	if (strcmp(there->uuid, vm->uuid) != 0) {
		check->rule = PLACE_NAME_TAKEN;
		return arena_printf(look->arena,
		    "has another guest named %s "
		    "(%s, %s): rename one of them",
		    there->name, there->uuid, facts_state_name(there->state));
	}
	check->rule = PLACE_UUID_TAKEN;
	if (there->state == DOMAIN_SHUTOFF)
		return arena_printf(look->arena,
		    "has a definition of %s left "
		    "over (shut off): remove it with virsh -c %s undefine %s",
		    there->name, check->host->uri, there->uuid);
	return arena_printf(look->arena,
	    "has %s as well (%s): it must not run "
	    "twice, see to it by hand",
	    there->name, facts_state_name(there->state));
}

static const char *
place_words_network(struct place_check *check, const char *name)
{
	const struct snap_host *host = check->host;
	struct arena *arena = check->look->arena;

	if (name == NULL)
		return "the guest's NIC names no network";
	if (!host->networks_known)
		return arena_printf(arena,
		    "unknown whether it has the network "
		    "%s",
		    name);
	for (size_t i = 0; i < host->network_count; i++) {
		if (strcmp(host->networks[i].name, name) != 0)
			continue;
		if (host->networks[i].active)
			return NULL;
		return arena_printf(arena,
		    "network %s is not active: virsh "
		    "-c %s net-start %s",
		    name, host->uri, name);
	}
	return arena_printf(arena, "has no network %s", name);
}

static const char *
place_words_link(struct place_check *check, const char *what, const char *name)
{
	const struct snap_host *host = check->host;
	struct arena *arena = check->look->arena;

	check->rule = PLACE_BRIDGE;
	if (name == NULL)
		return arena_printf(arena, "the guest's NIC names no %s", what);
	if (!host->interfaces_known)
		return arena_printf(
		    arena, "unknown whether it has the %s %s", what, name);
	for (size_t i = 0; i < host->interface_count; i++) {
		if (strcmp(host->interfaces[i], name) == 0)
			return NULL;
	}
	return arena_printf(arena, "has no %s %s", what, name);
}

static const char *
place_words_nic(struct place_check *check, const struct snap_nic *nic)
{
	check->rule = PLACE_NETWORK;
	switch (nic->kind) {
	case SNAP_NIC_NETWORK:
		return place_words_network(check, nic->source);
	case SNAP_NIC_BRIDGE:
		return place_words_link(check, "bridge", nic->source);
	case SNAP_NIC_DIRECT:
		return place_words_link(check, "link", nic->source);
	case SNAP_NIC_USER:
		return NULL;
	case SNAP_NIC_OTHER:
		return arena_printf(check->look->arena,
		    "unknown whether it "
		    "can serve a NIC of type %s",
		    nic->source != NULL ? nic->source : "?");
	}
	return NULL;
}

/* Networks before bridges, as the rules say. */
static const char *
check_nics(struct place_check *check)
{
	const struct snap_vm *vm = check->look->request->vm;
	const char *link = NULL;

	for (size_t i = 0; i < vm->nic_count; i++) {
		const char *why = place_words_nic(check, &vm->nics[i]);

		if (why != NULL && check->rule == PLACE_NETWORK)
			return why;
		if (link == NULL)
			link = why;
	}
	check->rule = PLACE_BRIDGE;
	return link;
}

static const char *
check_machine(struct place_check *check)
{
	const struct snap_host *host = check->host;
	const char *machine = check->look->request->vm->abi.machine;

	if (machine == NULL || host->machine_count == 0)
		return NULL;
	for (size_t i = 0; i < host->machine_count; i++) {
		if (strcmp(host->machines[i], machine) == 0)
			return NULL;
	}
	return arena_printf(check->look->arena,
	    "its QEMU does not have the "
	    "machine type %s: update it, or give the guest an older type",
	    machine);
}

/* What is not known of the target's files does not hold anybody back: QEMU says
 * so when it starts there, and the guest stays where it is. */
static const char *
check_files(struct place_check *check)
{
	const struct snap_vm *vm = check->look->request->vm;
	const struct snap_host *host = check->host;

	for (size_t i = 0; i < vm->file_count; i++) {
		for (size_t j = 0; j < host->file_count; j++) {
			if (host->files[j].there != SNAP_VERDICT_REJECTED ||
			    strcmp(host->files[j].path, vm->files[i]) != 0)
				continue;
			return arena_printf(check->look->arena,
			    "has no %s, which the guest starts from%s",
			    vm->files[i],
			    vm->secure_boot ? " (secure boot)" : "");
		}
	}
	return NULL;
}

static const char *
check_placement(struct place_check *check)
{
	const struct snap_host *host = check->host;
	int64_t left = SNAPSHOT_UNKNOWN;
	bool wait = false;
	const char *why;

	if (host->memory_free != SNAPSHOT_UNKNOWN &&
	    host->memory_total != SNAPSHOT_UNKNOWN)
		left = place_memory_left(check->look, host);
	why = placement_refuse(check->look->placement, host, left, &wait);
	return wait ? NULL : why;
}

static const char *
check_placement_now(struct place_check *check)
{
	return placement_refuse(check->look->placement, check->host,
	    SNAPSHOT_UNKNOWN, &check->wait);
}

static const char *
place_words_memory(struct place_check *check)
{
	const struct place_look *look = check->look;
	const struct snap_host *host = check->host;
	size_t index = (size_t)(host - look->s->hosts);
	int moves = look->ledger->inbound[index];
	char need[UNITS_TEXT_SIZE], free[UNITS_TEXT_SIZE];
	char total[UNITS_TEXT_SIZE], kept[UNITS_TEXT_SIZE];
	char reserved[UNITS_TEXT_SIZE];
	const char *moves_words = "", *arrived_words = "";

	units_format_bytes(place_memory_need(look->request->vm->memory), need);
	units_format_bytes(host->memory_free, free);
	units_format_bytes(host->memory_total, total);
	units_format_bytes(host->reserve_memory, kept);
	units_format_bytes(look->ledger->memory[index], reserved);
	if (moves > 0)
		moves_words = arena_printf(look->arena,
		    "%s reserved by %d "
		    "move%s to it, ",
		    reserved, moves, moves > 1 ? "s" : "");
	if (host->memory_arrived > 0) {
		units_format_bytes(host->memory_arrived, reserved);
		arrived_words = arena_printf(
		    look->arena, "%s taken by guests just arrived, ", reserved);
	}
	return arena_printf(look->arena,
	    "needs %s, %s free of %s (%s%s%s kept "
	    "free)",
	    need, free, total, moves_words, arrived_words, kept);
}

static const char *
check_memory(struct place_check *check)
{
	const struct place_look *look = check->look;
	const struct snap_host *host = check->host;
	const struct snap_vm *vm = look->request->vm;
	int64_t arriving = host->memory_arrived;

	/* One that is off takes none until somebody starts it. */
	if (!snapshot_vm_active(vm))
		return NULL;
	if (vm->memory == SNAPSHOT_UNKNOWN)
		return "unknown how much memory the guest needs";
	if (host->memory_free == SNAPSHOT_UNKNOWN ||
	    host->memory_total == SNAPSHOT_UNKNOWN)
		return "unknown how much memory it has free";
	/* What has already arrived of a guest in flight is missing from the
	 * free memory and reserved as well.  How much that is nobody knows
	 * until it is there; so for a guest that fits if it is all of it, the
	 * refusal is not final (check_memory_now). */
	for (size_t i = 0; i < look->s->move_count; i++) {
		if (strcmp(look->s->moves[i].to, host->name) == 0)
			arriving += place_memory_need(look->s->moves[i].memory);
	}
	if (place_memory_left(look, host) + arriving >=
	    place_memory_need(vm->memory))
		return NULL;
	return place_words_memory(check);
}

static const char *
check_memory_now(struct place_check *check)
{
	const struct snap_vm *vm = check->look->request->vm;

	if (!snapshot_vm_active(vm))
		return NULL;
	if (place_memory_left(check->look, check->host) >=
	    place_memory_need(vm->memory))
		return NULL;
	check->wait = true;
	return place_words_memory(check);
}

static const char *
check_hugepages(struct place_check *check)
{
	const struct snap_vm *vm = check->look->request->vm;
	const struct snap_host *host = check->host;
	int64_t bytes = snapshot_hugepages_free(host, vm->hugepage_size);
	char need[UNITS_TEXT_SIZE], free[UNITS_TEXT_SIZE];

	if (!vm->hugepages || !snapshot_vm_active(vm) ||
	    bytes == SNAPSHOT_UNKNOWN || vm->memory <= bytes)
		return NULL;
	units_format_bytes(vm->memory, need);
	units_format_bytes(bytes, free);
	return arena_printf(check->look->arena,
	    "needs %s in huge pages, %s are free: reserve more of them (vm."
	    "nr_hugepages)",
	    need, free);
}

static const char *
check_guard(struct place_check *check)
{
	const struct place_request *request = check->look->request;

	if (request->guard == NULL)
		return NULL;
	return guard_refuse(
	    request->guard, request->vm, check->host, &check->rule);
}

static const char *
check_strategy(struct place_check *check)
{
	const struct place_look *look = check->look;
	struct strategy_result *strategy = &check->verdict->strategy;
	struct place_ledger *ledger = look->ledger;

	strategy_choose(look->arena, look->settings, look->s, check->host,
	    look->request->vm, look->request->wish, place_ledger_disk, ledger,
	    strategy);
	check->wait = strategy->wait;
	check->verdict->rank = strategy->rank;
	return strategy->found ? NULL : strategy_words(look->arena, strategy);
}

void
place_check_host(const struct place_look *look, const struct snap_host *host,
    struct place_verdict *out)
{
	static const struct {
		enum place_rule rule;
		const char *(*check)(struct place_check *check);
	} checks[] = {
	    {PLACE_NOT_ASKED, check_asked},
	    {PLACE_SAME_HOST, check_same_host},
	    {PLACE_HOST_DOWN, check_up},
	    {PLACE_HOST_SILENT, check_silent},
	    {PLACE_CLAIMED, check_claimed},
	    {PLACE_MAINTENANCE, check_maintenance},
	    {PLACE_CORDONED, check_cordoned},
	    {PLACE_FORBIDDEN, check_guard}, /* and what else policies say */
	    {PLACE_SAME_UUID, check_host_uuid},
	    {PLACE_NAME_TAKEN, check_taken}, /* and UUID_TAKEN */
	    {PLACE_NETWORK, check_nics},     /* and BRIDGE */
	    {PLACE_MACHINE, check_machine},
	    {PLACE_FIRMWARE, check_files},
	    {PLACE_PLACEMENT, check_placement},
	    {PLACE_MEMORY, check_memory},
	    {PLACE_HUGEPAGES, check_hugepages},
	    {PLACE_STRATEGY, check_strategy},
	    {PLACE_PLACEMENT, check_placement_now},
	    {PLACE_MEMORY, check_memory_now},
	    {PLACE_CLAIMED, check_claim_known},
	};

	*out = (struct place_verdict){.rule = PLACE_OK, .rank = SIZE_MAX};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct place_check check = {
		    look, host, out, checks[i].rule, false};

		out->why = checks[i].check(&check);
		out->wait = check.wait;
		if (out->why != NULL) {
			out->rule = check.rule;
			return;
		}
	}
}

const char *
place_rule_name(enum place_rule rule)
{
	switch (rule) {
	case PLACE_OK:
		return "ok";
	case PLACE_SAME_HOST:
		return "same-host";
	case PLACE_HOST_DOWN:
		return "host-down";
	case PLACE_HOST_SILENT:
		return "host-silent";
	case PLACE_CLAIMED:
		return "host-claimed";
	case PLACE_MAINTENANCE:
		return "maintenance";
	case PLACE_CORDONED:
		return "cordoned";
	case PLACE_EMPTYING:
		return "emptying";
	case PLACE_FORBIDDEN:
		return "forbidden";
	case PLACE_REQUIRED:
		return "required";
	case PLACE_GAIN:
		return "gain";
	case PLACE_SAME_UUID:
		return "same-host-uuid";
	case PLACE_NAME_TAKEN:
		return "name-taken";
	case PLACE_UUID_TAKEN:
		return "uuid-taken";
	case PLACE_NETWORK:
		return "network";
	case PLACE_BRIDGE:
		return "bridge";
	case PLACE_MACHINE:
		return "machine";
	case PLACE_FIRMWARE:
		return "firmware";
	case PLACE_PLACEMENT:
		return "placement";
	case PLACE_MEMORY:
		return "memory";
	case PLACE_HUGEPAGES:
		return "hugepages";
	case PLACE_STRATEGY:
		return "strategy";
	case PLACE_NOT_ASKED:
		return "not-asked";
	}
	return "ok";
}

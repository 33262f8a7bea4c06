/*
 * The site that tests of decisions start from.  Everything is as it should be
 * in it, so that a test says only what is wrong.
 */
#include "world.h"

#include <check.h>
#include <math.h>

#include "decide/expr.h"

static void
world_add_host(struct world *world, size_t index)
{
	struct arena *arena = world->arena;
	struct snap_host *host = &world->s.hosts[index];

	*host = (struct snap_host){
	    .name = arena_printf(arena, "kvm%zu", index + 1),
	    .uri = arena_printf(arena,
		"qemu+tls://kvm%zu.example.org/"
		"system",
		index + 1),
	    .up = true,
	    .known = true,
	    .host_uuid = arena_printf(
		arena, "00000000-0000-0000-0000-%012zu", index + 1),
	    .cpus = 16,
	    .memory_total = 64 * GIB,
	    .memory_free = 60 * GIB,
	    .reserve_memory = GIB,
	    .cpu_used = 4,
	    .cpu_smooth = 4,
	    .memory_smooth = 0.0625,
	    .psi_cpu = NAN,
	    .psi_memory = NAN,
	    .psi_io = NAN,
	    .outbound_limit = -1,
	    .inbound_limit = -1,
	    .pools_known = true,
	    .networks_known = true,
	    .interfaces_known = true,
	};
	host->pools = arena_array(arena, 4, sizeof(host->pools[0]));
	host->networks = arena_array(arena, 4, sizeof(host->networks[0]));
	host->networks[host->network_count++] =
	    (struct snap_network){"default", true, "virbr0"};
	host->interfaces = arena_array(arena, 4, sizeof(host->interfaces[0]));
	host->interfaces[host->interface_count++] = "br0";
	host->verdicts = arena_array(arena, 4, sizeof(host->verdicts[0]));
	host->verdicts[host->verdict_count++] =
	    (struct snap_abi_verdict){"abi", SNAP_VERDICT_OK, NULL};
}

void
world_init(struct world *world, size_t hosts)
{
	struct arena *arena = arena_new((size_t)64 << 20);

	*world = (struct world){.arena = arena};
	world->shared_paths[0] = "/srv/images";
	world->settings = (struct settings){
	    .limits = {6, 2, 2, 0},
	    .shared_paths = world->shared_paths,
	    .shared_path_count = 1,
	};
	world->settings.policies =
	    arena_array(arena, WORLD_MAX, sizeof(struct policy));
	world->s.arena = arena;
	world->s.hosts = arena_array(arena, hosts, sizeof(struct snap_host));
	world->s.host_count = hosts;
	for (size_t i = 0; i < hosts; i++)
		world_add_host(world, i);
	world->s.vms = arena_array(arena, WORLD_MAX, sizeof(struct snap_vm));
	world->s.moves =
	    arena_array(arena, WORLD_MAX, sizeof(struct snap_move));
	world->s.attempts =
	    arena_array(arena, WORLD_MAX, sizeof(struct snap_attempt));
}

void
world_clear(struct world *world)
{
	arena_free(world->arena);
}

struct snap_vm *
world_add_vm(struct world *world, size_t host, const char *name, int64_t memory)
{
	struct arena *arena = world->arena;
	struct snap_vm *vm = &world->s.vms[world->s.vm_count++];

	*vm = (struct snap_vm){
	    .name = name,
	    .uuid = arena_printf(
		arena, "aaaaaaaa-0000-0000-0000-%012zu", world->s.vm_count),
	    .host = host,
	    .state = DOMAIN_RUNNING,
	    .job = DOMAIN_JOB_NONE,
	    .persistent = true,
	    .vcpus = 2,
	    .memory = memory,
	    .cpu_used = 0.5,
	    .cpu_smooth = 0.5,
	    .abi = {.key = "abi",
		.arch = "x86_64",
		.machine = "pc-q35-7.2",
		.virt_type = "kvm"},
	};
	vm->disks = arena_array(arena, 4, sizeof(vm->disks[0]));
	vm->disks[vm->disk_count++] = (struct snap_disk){
	    .target = "vda",
	    .kind = SNAP_DISK_FILE,
	    .source = arena_printf(arena, "/srv/images/%s.qcow2", name),
	    .format = "qcow2",
	};
	vm->nics = arena_array(arena, 4, sizeof(vm->nics[0]));
	vm->nics[vm->nic_count++] = (struct snap_nic){SNAP_NIC_BRIDGE, "br0"};
	vm->pins = arena_array(arena, 4, sizeof(vm->pins[0]));
	return vm;
}

void
world_add_move(struct world *world, const struct snap_vm *vm, const char *to)
{
	world->s.moves[world->s.move_count++] =
	    (struct snap_move){.uuid = vm->uuid,
		.from = world->s.hosts[vm->host].name,
		.to = to,
		.memory = vm->memory};
}

void
world_add_attempt(struct world *world, const struct snap_vm *vm, const char *to,
    int failures, const char *why)
{
	world->s.attempts[world->s.attempt_count++] = (struct snap_attempt){
	    .uuid = vm->uuid, .to = to, .failures = failures, .why = why};
}

struct policy *
world_add_policy(struct world *world, const char *when)
{
	struct policy *policy =
	    &world->settings.policies[world->settings.policy_count++];
	static const enum expr_scope scopes[] = {
	    EXPR_SCOPE_HOST, EXPR_SCOPE_CLUSTER};
	static const struct expr_context context = {
	    .scopes = scopes, .scope_count = 2};
	struct policy_condition *condition =
	    arena_array(world->arena, 1, sizeof(*condition));
	struct err err = {0};
	unsigned column;

	condition->when = (struct policy_expr){
	    .expr = expr_compile(world->arena, when, &context, &column, &err),
	    .text = when,
	    .line = 9,
	};
	*policy = (struct policy){
	    .name = "maintenance",
	    .description = "",
	    .mode = POLICY_AUTO,
	    .conditions = condition,
	    .condition_count = 1,
	    .actions = POLICY_ACTION_MOVE,
	    .order = POLICY_ORDER_MEMORY_DESC,
	    .limit_total = -1,
	    .limit_per_source = -1,
	    .limit_per_target = -1,
	    .timeout_ms = 1800000,
	    .retries = 3,
	    .backoff_ms = 5000,
	    .file = "10-maintenance.yaml",
	    .line = 4,
	    .when_line = 9,
	};
	ck_assert_msg(condition->when.expr != NULL, "%s", err.msg);
	return policy;
}

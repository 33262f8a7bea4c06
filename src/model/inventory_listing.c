/*
 * A host's listing understood and kept.  Listings come often (each reconnect,
 * each safety re-read) and are mostly the same as the last one, so a guest's
 * XML is parsed only when it is not the text that was parsed before; of each
 * thing a fingerprint says whether anything changed that a decision could
 * depend on.
 *
 * XML that cannot be understood must not look like a guest without disks and
 * devices: such a guest is pinned, with the error as the reason.
 */
#include "model/inventory_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/copy.h"
#include "model/domxml.h"
#include "model/hash.h"

/* What parsing 4 MiB of XML can at most leave behind. */
#define LISTING_ARENA_MAX ((size_t)256 << 20)

void
inventory_domain_free(void *value)
{
	struct inventory_domain *domain = value;

	arena_free(domain->arena);
	arena_free(domain->label_arena);
	facts_survey_free(domain->survey);
	free(domain);
}

static struct inventory_domain *
inventory_domain_new(void)
{
	struct inventory_domain *domain = calloc(1, sizeof(*domain));

	if (domain == NULL)
		abort();
	inventory_domain_reset_meters(domain);
	domain->vm.dirty_rate = SNAPSHOT_UNKNOWN;
	domain->vm.dirty_rate_long = SNAPSHOT_UNKNOWN;
	domain->vm.memory_rss = SNAPSHOT_UNKNOWN;
	return domain;
}

/* Name, UUID and XML into a new arena of the domain's own. */
static void
inventory_domain_parse(
    struct inventory_domain *domain, const struct facts_domain *facts)
{
	struct arena *scratch = arena_new(LISTING_ARENA_MAX);
	struct snap_vm vm = {
	    .name = facts->name != NULL ? facts->name : facts->uuid,
	    .uuid = facts->uuid,
	    .vcpus = SNAPSHOT_UNKNOWN,
	    .memory = SNAPSHOT_UNKNOWN,
	    .hugepage_size = SNAPSHOT_UNKNOWN,
	    .abi.key = "unknown",
	};
	struct err err;
	const char *pin = NULL;

	if (facts->xml == NULL)
		pin = "its XML could not be read from the host";
	else if (domxml_parse_domain(scratch, facts->xml, &vm, &err) != 0)
		pin = arena_printf(
		    scratch, "its XML was not understood: %s", err.msg);
	if (pin == NULL && facts->defined_xml != NULL)
		domxml_compare_definition(scratch, facts->defined_xml, &vm);
	if (pin != NULL) {
		vm.pins = &pin;
		vm.pin_count = 1;
		vm.anchors = &pin;
		vm.anchor_count = 1;
	}
	vm.dirty_rate = domain->vm.dirty_rate;
	vm.dirty_rate_long = domain->vm.dirty_rate_long;
	vm.dirty_at = domain->vm.dirty_at;
	vm.dirty_long_at = domain->vm.dirty_long_at;
	vm.memory_rss = domain->vm.memory_rss;
	arena_free(domain->arena);
	domain->arena = arena_new(LISTING_ARENA_MAX);
	copy_vm(domain->arena, &vm, &domain->vm);
	domain->own_label_keys = domain->vm.label_keys;
	domain->own_label_values = domain->vm.label_values;
	domain->own_label_count = domain->vm.label_count;
	domain->settled = false;
	inventory_survey_settle(domain);
	domain->abi_key = NULL;
	if (domain->vm.abi.cpu_mode != NULL &&
	    domain->vm.abi.incomparable == NULL)
		domain->abi_key = domain->vm.abi.key;
	arena_free(scratch);
}

/*
 * The CPU of a guest that has its host's.  Hosts are asked about that one, not
 * about "host-passthrough", to which libvirt says yes without looking; and the
 * answer counts for guests from hosts with this very CPU.
 */
static void
inventory_settle_cpu(
    const struct inventory_host *host, struct inventory_domain *domain)
{
	const char *cpu = host->seen.cpu_xml;
	struct arena *arena = domain->arena;
	struct snap_abi *abi = &domain->vm.abi;
	uint64_t hash = hash_string(HASH_START, cpu);

	if (domain->abi_key == NULL ||
	    (abi->key != domain->abi_key &&
		hash == hash_string(HASH_START, abi->cpu_xml)))
		return;
	abi->cpu_xml = arena_strdup(arena, cpu);
	abi->incomparable = NULL;
	abi->key =
	    arena_printf(arena, "%s cpu %016" PRIx64, domain->abi_key, hash);
	if (cpu == NULL)
		abi->incomparable = arena_printf(arena,
		    "the guest's CPU cannot be compared: it is that of %s "
		    "(mode %s), whose capabilities do not name it",
		    host->config.name, abi->cpu_mode);
}

/* Another CPU without another address: a new machine, or new microcode. */
static void
inventory_settle_cpus(struct inventory_host *host)
{
	void *value;
	size_t i = 0;

	while (map_next(host->domains, &i, NULL, &value))
		inventory_settle_cpu(host, value);
}

static uint64_t
inventory_domain_print(const struct inventory_domain *domain)
{
	const struct snap_vm *vm = &domain->vm;
	uint64_t print = hash_string(HASH_START, vm->name);

	print = hash_number(print, vm->state);
	print = hash_number(print, vm->reason);
	print = hash_number(print, vm->job);
	print = hash_number(print, vm->persistent);
	print = hash_number(print, vm->autostart);
	print = hash_number(print, vm->snapshots);
	print = hash_number(print, vm->checkpoints);
	print = hash_number(print, vm->managed_save);
	print = hash_number(print, vm->relabels);
	return hash_number(print, (int64_t)domain->xml_hash);
}

bool
inventory_read_domain(
    struct inventory_host *host, const struct facts_domain *facts)
{
	struct inventory_domain *domain;
	uint64_t xml_hash, print;
	bool parse;

	if (facts->uuid == NULL)
		return false;
	domain = map_get(host->domains, facts->uuid);
	xml_hash = hash_string(
	    hash_string(HASH_START, facts->xml), facts->defined_xml);
	if (domain == NULL) {
		domain = inventory_domain_new();
		map_set(host->domains, facts->uuid, domain);
		parse = true;
	} else {
		parse = xml_hash != domain->xml_hash || facts->name == NULL ||
		    strcmp(facts->name, domain->vm.name) != 0;
	}
	if (parse) {
		inventory_domain_parse(domain, facts);
		inventory_settle_cpu(host, domain);
	}
	domain->xml_hash = xml_hash;
	domain->listed = true;
	domain->vm.state = facts->state;
	domain->vm.reason = facts->reason;
	domain->vm.job = facts->job;
	domain->vm.persistent = facts->persistent;
	domain->vm.autostart = facts->autostart;
	domain->vm.snapshots = facts->snapshots;
	domain->vm.checkpoints = facts->checkpoints;
	domain->vm.managed_save = facts->managed_save;
	domain->vm.relabels = facts->relabels;
	if (!snapshot_vm_active(&domain->vm)) {
		inventory_domain_reset_meters(domain);
		domain->sampled = false;
		domain->samples = 0;
		domain->vm.dirty_rate = SNAPSHOT_UNKNOWN;
		domain->vm.dirty_rate_long = SNAPSHOT_UNKNOWN;
		domain->vm.memory_rss = SNAPSHOT_UNKNOWN;
	}
	print = inventory_domain_print(domain);
	if (print == domain->print)
		return false;
	domain->print = print;
	return true;
}

/* Guests that the listing no longer has. */
static bool
inventory_sweep_domains(const struct inventory *inventory,
    struct inventory_host *host, struct mono now)
{
	bool changed = false;
	const char *uuid;
	void *value;
	size_t i = 0;

	while (map_next(host->domains, &i, &uuid, &value)) {
		struct inventory_domain *domain = value;

		if (domain->listed)
			continue;
		inventory_leave(inventory, host, domain, now);
		map_remove(host->domains, uuid);
		changed = true;
	}
	return changed;
}

static void
inventory_read_pools(
    struct arena *arena, const struct facts_host *facts, struct snap_host *seen)
{
	seen->pools_known = facts->pools_known;
	seen->pools =
	    arena_array(arena, facts->pool_count, sizeof(seen->pools[0]));
	for (size_t i = 0; i < facts->pool_count; i++) {
		const struct facts_pool *from = &facts->pools[i];
		struct snap_pool *pool = &seen->pools[i];

		pool->name = from->name;
		pool->active = from->active;
		pool->capacity = from->capacity;
		pool->available = from->available;
		/* Without type and source it proves nothing, and says so. */
		if (from->xml != NULL)
			domxml_parse_pool(arena, from->xml, pool, NULL);
	}
	seen->pool_count = facts->pool_count;
}

static void
inventory_read_networks(
    struct arena *arena, const struct facts_host *facts, struct snap_host *seen)
{
	seen->networks_known = facts->networks_known;
	seen->networks =
	    arena_array(arena, facts->network_count, sizeof(seen->networks[0]));
	for (size_t i = 0; i < facts->network_count; i++) {
		seen->networks[i] = (struct snap_network){
		    .name = facts->networks[i].name,
		    .active = facts->networks[i].active,
		    .bridge = facts->networks[i].bridge,
		};
	}
	seen->network_count = facts->network_count;
	seen->interfaces_known = facts->interfaces_known;
	seen->interfaces = copy_strings(arena,
	    (const char *const *)facts->interfaces, facts->interface_count);
	seen->interface_count = facts->interface_count;
}

/* All that decisions see of the listing, without room in pools. */
static uint64_t
inventory_host_print(const struct snap_host *seen)
{
	uint64_t print = hash_string(HASH_START, seen->host_uuid);

	print = hash_string(print, seen->cpu_xml);
	print = hash_number(print, seen->cpus);
	print = hash_number(print, seen->hypervisor_version);
	print = hash_number(print, seen->pools_known);
	for (size_t i = 0; i < seen->pool_count; i++) {
		print = hash_string(print, seen->pools[i].name);
		print = hash_number(print, seen->pools[i].active);
		print = hash_string(print, seen->pools[i].type);
		print = hash_string(print, seen->pools[i].path);
		print = hash_string(print, seen->pools[i].source);
	}
	print = hash_number(print, seen->networks_known);
	for (size_t i = 0; i < seen->network_count; i++) {
		print = hash_string(print, seen->networks[i].name);
		print = hash_number(print, seen->networks[i].active);
	}
	print = hash_number(print, seen->interfaces_known);
	for (size_t i = 0; i < seen->interface_count; i++)
		print = hash_string(print, seen->interfaces[i]);
	for (size_t i = 0; i < seen->machine_count; i++)
		print = hash_string(print, seen->machines[i]);
	return print;
}

/* Like free memory, no reason to decide anew. */
static void
inventory_read_pages(const struct facts_host *facts, struct snap_host *seen)
{
	seen->hugepages_free = facts->pages_known ? 0 : SNAPSHOT_UNKNOWN;
	for (size_t i = 0; facts->pages_known && i < facts->page_count; i++) {
		seen->pages[seen->page_count++] = facts->pages[i];
		seen->hugepages_free += facts->pages[i].free;
	}
}

bool
inventory_list_host(const struct inventory *inventory,
    struct inventory_host *host, struct facts_host *facts, struct mono now)
{
	struct arena *scratch = arena_new(LISTING_ARENA_MAX);
	struct snap_host seen = {.cpus = facts->cpus,
	    .hypervisor_version = facts->hypervisor_version > 0
		? facts->hypervisor_version
		: SNAPSHOT_UNKNOWN};
	bool changed = false;
	const char *uuid;
	void *value;
	size_t i = 0;

	if (facts->capabilities_xml != NULL)
		domxml_parse_capabilities(
		    scratch, facts->capabilities_xml, &seen, NULL);
	if (facts->host_uuid != NULL)
		seen.host_uuid = facts->host_uuid;
	inventory_read_pages(facts, &seen);
	inventory_read_pools(scratch, facts, &seen);
	inventory_read_networks(scratch, facts, &seen);
	arena_free(host->seen_arena);
	host->seen_arena = arena_new(LISTING_ARENA_MAX);
	copy_host(host->seen_arena, &seen, &host->seen);
	arena_free(scratch);

	while (map_next(host->domains, &i, &uuid, &value))
		((struct inventory_domain *)value)->listed = false;
	for (size_t d = 0; d < facts->domain_count; d++)
		changed |= inventory_read_domain(host, &facts->domains[d]);
	changed |= inventory_sweep_domains(inventory, host, now);
	inventory_settle_cpus(host);

	if (host->seen_print != inventory_host_print(&host->seen)) {
		host->seen_print = inventory_host_print(&host->seen);
		changed = true;
	}
	return changed;
}

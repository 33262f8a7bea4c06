/*
 * What is known of all hosts.  Each piece of news changes one host; nothing
 * here asks, waits or decides.
 *
 * Events are hints and a listing is the truth, so a listing replaces all that
 * was known of its host.  What people decided about a host (its flags) and what
 * was measured (load) is kept apart from what the host said, and outlives the
 * loss of the connection.  A host that was lost keeps its guests: they run on
 * as far as anyone knows, and a name that it holds is not free.
 */
#include "model/inventory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/inventory_impl.h"
#include "model/xmlnode.h"

#define INVENTORY_CONFIG_MAX ((size_t)4 << 20)

static void
inventory_verdict_free(void *value)
{
	struct inventory_verdict *verdict = value;

	free(verdict->why);
	free(verdict);
}

static void
inventory_set_string(char **where, const char *s)
{
	char *copy = str_dup(s);

	free(*where);
	*where = copy;
}

static void *
inventory_calloc(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size);

	if (p == NULL)
		abort();
	return p;
}

/* What the host was asked for, and could say otherwise when it comes back. */
static void
inventory_forget_answers(struct inventory_host *host)
{
	map_free(host->verdicts);
	host->verdicts = map_new(inventory_verdict_free);
	map_free(host->files);
	host->files = map_new(free);
}

/* All that the host said or that was measured; not its flags. */
static void
inventory_forget_seen(struct inventory_host *host)
{
	arena_free(host->seen_arena);
	host->seen_arena = NULL;
	host->seen = (struct snap_host){.cpus = SNAPSHOT_UNKNOWN,
	    .hypervisor_version = SNAPSHOT_UNKNOWN,
	    .hugepages_free = SNAPSHOT_UNKNOWN};
	host->seen_print = 0;
	map_free(host->domains);
	host->domains = map_new(inventory_domain_free);
	inventory_forget_answers(host);
	inventory_meter_reset(&host->cpu);
	host->cpu_smooth = host->memory_smooth = host->steal =
	    (struct smooth){0};
	host->memory_at = (struct mono){0};
	host->psi_at = (struct mono){0};
	host->memory_total = SNAPSHOT_UNKNOWN;
	host->memory_free = SNAPSHOT_UNKNOWN;
	host->memory_arrived = 0;
	host->up = false;
	host->known = false;
	host->silent_ms = 0;
	host->claim_open = false;
	inventory_set_string(&host->claimed_by, NULL);
	inventory_set_string(&host->down_why, "not connected yet");
}

static void
inventory_host_free(struct inventory_host *host)
{
	arena_free(host->config_arena);
	arena_free(host->seen_arena);
	map_free(host->domains);
	map_free(host->verdicts);
	map_free(host->files);
	free(host->down_why);
	free(host->flag_why);
	free(host->claimed_by);
	free(host);
}

struct inventory *
inventory_new(void)
{
	struct inventory *inventory = inventory_calloc(1, sizeof(*inventory));

	inventory->proofs = map_new(free);
	inventory->samples = map_new(free);
	inventory_labels_init(inventory);
	inventory->guests = map_new(free);
	return inventory;
}

void
inventory_free(struct inventory *inventory)
{
	if (inventory == NULL)
		return;
	for (size_t i = 0; i < inventory->host_count; i++)
		inventory_host_free(inventory->hosts[i]);
	free(inventory->hosts);
	map_free(inventory->proofs);
	map_free(inventory->samples);
	inventory_labels_clear(inventory);
	map_free(inventory->guests);
	free(inventory);
}

static int
inventory_compare_name(const void *name, const void *element)
{
	const struct inventory_host *const *host = element;

	return strcmp(name, (*host)->config.name);
}

struct inventory_host *
inventory_find(const struct inventory *inventory, const char *name)
{
	struct inventory_host **found;

	if (name == NULL || inventory->host_count == 0)
		return NULL;
	found = bsearch(name, inventory->hosts, inventory->host_count,
	    sizeof(inventory->hosts[0]), inventory_compare_name);
	return found != NULL ? *found : NULL;
}

/* Does the URI name no machine, or the one where it is used? */
static bool
inventory_uri_is_local(const char *uri)
{
	const char *start = strstr(uri, "://");
	char host[256];
	const char *at;
	size_t len;

	if (start == NULL)
		return true;
	start += strlen("://");
	len = strcspn(start, "/?");
	at = memchr(start, '@', len);
	if (at != NULL) {
		len -= (size_t)(at + 1 - start);
		start = at + 1;
	}
	if (len >= sizeof(host))
		return false;
	memcpy(host, start, len);
	host[len] = '\0';
	if (host[0] == '[')
		host[strcspn(host, "]")] = '\0';
	else
		host[strcspn(host, ":")] = '\0';
	return xmlnode_host_is_local(host[0] == '[' ? host + 1 : host);
}

static void
inventory_configure_host(
    struct inventory_host *host, const struct settings_host *settings)
{
	struct arena *arena = arena_new(INVENTORY_CONFIG_MAX);
	struct snap_host *config = &host->config;
	size_t count = settings->label_count;

	*config = (struct snap_host){
	    .name = arena_strdup(arena, settings->name),
	    .uri = arena_strdup(arena, settings->uri),
	    .uri_local = inventory_uri_is_local(settings->uri),
	    .reserve_memory = settings->reserve_memory,
	    .outbound_limit = settings->outbound,
	    .inbound_limit = settings->inbound,
	    .label_keys = arena_array(arena, count, sizeof(char *)),
	    .label_values = arena_array(arena, count, sizeof(char *)),
	    .label_count = count,
	};
	for (size_t i = 0; i < count; i++) {
		config->label_keys[i] =
		    arena_strdup(arena, settings->labels[i].key);
		config->label_values[i] =
		    arena_strdup(arena, settings->labels[i].value);
	}
	arena_free(host->config_arena);
	host->config_arena = arena;
}

void
inventory_configure(
    struct inventory *inventory, const struct settings *settings)
{
	struct inventory_host **hosts =
	    inventory_calloc(settings->host_count, sizeof(hosts[0]));

	for (size_t i = 0; i < settings->host_count; i++) {
		const struct settings_host *wanted = &settings->hosts[i];
		struct inventory_host *host =
		    inventory_find(inventory, wanted->name);

		if (host == NULL) {
			host = inventory_calloc(1, sizeof(*host));
			inventory_forget_seen(host);
		} else if (strcmp(host->config.uri, wanted->uri) != 0) {
			/* Another address may well be another machine. */
			inventory_forget_seen(host);
			inventory_proof_sweep(inventory, host, true);
		}
		inventory_configure_host(host, wanted);
		hosts[i] = host;
	}
	for (size_t i = 0; i < inventory->host_count; i++) {
		struct inventory_host *host = inventory->hosts[i];

		if (settings_find_host(settings, host->config.name) != NULL)
			continue;
		inventory_proof_sweep(inventory, host, true);
		inventory_host_free(host);
	}
	free(inventory->hosts);
	inventory->hosts = hosts;
	inventory->sample_ms = settings->sample_interval_ms;
	inventory->smoothing_ms = settings->smoothing_ms;
	inventory->host_count = settings->host_count;
	inventory_labels_configure(inventory, settings);
	inventory->version++;
}

static bool
inventory_apply_listed(struct inventory *inventory, struct inventory_host *host,
    struct inventory_event *event)
{
	bool changed;

	if (event->facts == NULL)
		return false;
	changed =
	    inventory_list_host(inventory, host, event->facts, event->now);
	inventory_shift_load(inventory, host, event->now);
	inventory_read_load(inventory, host, &event->facts->load, event->now);
	if (!host->up || !host->known)
		changed = true;
	host->up = true;
	host->known = true;
	inventory_set_string(&host->down_why, NULL);
	return changed;
}

static bool
inventory_apply_gone(const struct inventory *inventory,
    struct inventory_host *host, const struct inventory_event *event)
{
	struct inventory_domain *domain =
	    event->uuid != NULL ? map_get(host->domains, event->uuid) : NULL;

	if (domain == NULL)
		return false;
	inventory_leave(inventory, host, domain, event->now);
	return map_remove(host->domains, event->uuid);
}

static bool
inventory_apply_lost(struct inventory_host *host, const char *why)
{
	bool changed = host->up || host->down_why == NULL || why == NULL ||
	    strcmp(host->down_why, why) != 0;

	host->up = false;
	host->silent_ms = 0;
	inventory_set_string(
	    &host->down_why, why != NULL ? why : "connection lost");
	inventory_forget_answers(host);
	inventory_meter_reset(&host->cpu);
	return changed;
}

/* A decision asks only whether a host is silent. */
static bool
inventory_apply_silent(struct inventory_host *host, int64_t silent_ms)
{
	bool was = host->silent_ms >= SNAPSHOT_SILENT_MS;

	host->silent_ms = silent_ms;
	return was != (silent_ms >= SNAPSHOT_SILENT_MS);
}

static bool
inventory_apply_flag(
    struct inventory_host *host, const struct inventory_event *event)
{
	bool cordoned = event->cordoned || event->maintenance;
	bool changed = host->maintenance != event->maintenance ||
	    host->cordoned != cordoned;

	host->maintenance = event->maintenance;
	host->cordoned = cordoned;
	inventory_set_string(&host->flag_why, event->why);
	host->flag_since = cordoned ? event->since : (struct wall){0};
	return changed;
}

static bool
inventory_apply_claim(
    struct inventory_host *host, const struct inventory_event *event)
{
	const char *was = host->claimed_by != NULL ? host->claimed_by : "";
	const char *now = event->why != NULL ? event->why : "";
	bool changed = host->claim_open != event->open || strcmp(was, now) != 0;

	host->claim_open = event->open;
	inventory_set_string(&host->claimed_by, event->why);
	return changed;
}

static bool
inventory_apply_verdict(
    struct inventory_host *host, const struct inventory_event *event)
{
	struct inventory_verdict *verdict;
	const char *oldest;
	size_t i = 0;

	/* An answer that was under way when the host was lost. */
	if (!host->up || event->key == NULL)
		return false;
	if (event->verdict == SNAP_VERDICT_UNKNOWN)
		return map_remove(host->verdicts, event->key);
	verdict = map_get(host->verdicts, event->key);
	if (verdict != NULL && verdict->verdict == event->verdict) {
		inventory_set_string(&verdict->why, event->why);
		return false;
	}
	if (map_count(host->verdicts) >= INVENTORY_VERDICTS_MAX &&
	    map_next(host->verdicts, &i, &oldest, NULL))
		map_remove(host->verdicts, oldest);
	verdict = inventory_calloc(1, sizeof(*verdict));
	verdict->verdict = event->verdict;
	verdict->why = str_dup(event->why);
	map_set(host->verdicts, event->key, verdict);
	return true;
}

static bool
inventory_apply_to(struct inventory *inventory, struct inventory_host *host,
    struct inventory_event *event)
{
	bool changed;

	switch (event->news) {
	case INVENTORY_HOST_LISTED:
		changed = inventory_apply_listed(inventory, host, event);
		inventory_labels_settle(inventory, host);
		return inventory_proof_sweep(inventory, host, false) || changed;
	case INVENTORY_HOST_LOST:
		/* It may come back without what was mounted there. */
		changed = inventory_proof_sweep(inventory, host, true);
		return inventory_apply_lost(host, event->why) || changed;
	case INVENTORY_HOST_SILENT:
		return inventory_apply_silent(host, event->silent_ms);
	case INVENTORY_DOMAIN_READ:
		if (event->domain == NULL)
			return false;
		changed = inventory_read_domain(host, event->domain);
		inventory_labels_settle(inventory, host);
		inventory_shift_load(inventory, host, event->now);
		return changed;
	case INVENTORY_DOMAIN_GONE:
		return inventory_apply_gone(inventory, host, event);
	case INVENTORY_LOAD_READ:
		if (event->load != NULL)
			inventory_read_load(
			    inventory, host, event->load, event->now);
		return false;
	case INVENTORY_FLAG_SET:
		return inventory_apply_flag(host, event);
	case INVENTORY_ABI_CHECKED:
		return inventory_apply_verdict(host, event);
	case INVENTORY_SURVEYED:
		return inventory_survey_read(inventory, host, event);
	case INVENTORY_SAMPLED:
		return inventory_sample_read(host, event);
	case INVENTORY_PROVEN:
		return event->proof != NULL &&
		    inventory_proof_read(inventory, event->proof);
	case INVENTORY_FILE_SEEN:
		return inventory_file_read(host, event);
	case INVENTORY_ARRIVED:
		host->memory_arrived += event->memory;
		return true;
	case INVENTORY_CLAIMED:
		return inventory_apply_claim(host, event);
	}
	return false;
}

bool
inventory_apply(struct inventory *inventory, struct inventory_event *event)
{
	struct inventory_host *host = inventory_find(inventory, event->host);
	bool changed = false;

	if (host != NULL) {
		changed = inventory_apply_to(inventory, host, event);
		/* Also for what only `droverctl host show` would tell. */
		inventory->version++;
	}
	facts_host_free(event->facts);
	facts_domain_free(event->domain);
	if (event->load != NULL)
		facts_load_clear(event->load);
	facts_survey_free(event->survey);
	event->facts = NULL;
	event->domain = NULL;
	event->load = NULL;
	event->survey = NULL;
	return changed;
}

uint64_t
inventory_version(const struct inventory *inventory)
{
	return inventory->version;
}

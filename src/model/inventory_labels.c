/*
 * What is known of a guest beside what its host says: labels, and when it was last
 * moved.
 *
 * Labels have three sources, and the one nearest to a person's hand wins: what an
 * operator gave to the guest, then the guest's own metadata, then drover.yaml,
 * where the first entry that gives a key does.  They are merged when one of the
 * sources changes and not with every snapshot: patterns on the names of twenty
 * thousand guests would cost more than all the rest of it.
 */
#include <fnmatch.h>
#include <stdlib.h>

#include "base/label.h"
#include "base/str.h"
#include "model/copy.h"
#include "model/inventory_impl.h"

#define INVENTORY_RULES_ARENA_MAX ((size_t)64 << 20)
#define INVENTORY_LABELS_ARENA_MAX ((size_t)1 << 20)

static void
inventory_labels_free(void *map)
{
	map_free(map);
}

void
inventory_labels_init(struct inventory *inventory)
{
	inventory->labels = map_new(inventory_labels_free);
	inventory->moved = map_new(free);
}

void
inventory_labels_clear(struct inventory *inventory)
{
	map_free(inventory->labels);
	map_free(inventory->moved);
	arena_free(inventory->rules_arena);
}

static void
inventory_labels_merge(
    const struct inventory *inventory, struct inventory_domain *domain)
{
	const struct map *given = map_get(inventory->labels, domain->vm.uuid);
	struct label_list list = {.count = 0};
	const char *key;
	void *value;
	size_t at = 0;

	while (given != NULL && map_next(given, &at, &key, &value))
		label_add(&list, key, value);
	for (size_t i = 0; i < domain->own_label_count; i++)
		label_add(&list, domain->own_label_keys[i],
		    domain->own_label_values[i]);
	for (size_t r = 0; r < inventory->rule_count; r++) {
		const struct inventory_rule *rule = &inventory->rules[r];

		if (fnmatch(rule->match, domain->vm.name, 0) != 0)
			continue;
		for (size_t i = 0; i < rule->count; i++)
			label_add(&list, rule->keys[i], rule->values[i]);
	}
	arena_free(domain->label_arena);
	domain->label_arena = NULL;
	if (list.count > 0)
		domain->label_arena = arena_new(INVENTORY_LABELS_ARENA_MAX);
	domain->vm.label_count = list.count;
	domain->vm.label_keys = list.count == 0
	    ? NULL
	    : copy_strings(domain->label_arena, list.keys, list.count);
	domain->vm.label_values = list.count == 0
	    ? NULL
	    : copy_strings(domain->label_arena, list.values, list.count);
}

static void
inventory_labels_settle_domain(
    const struct inventory *inventory, struct inventory_domain *domain)
{
	const struct wall *moved = map_get(inventory->moved, domain->vm.uuid);

	inventory_labels_merge(inventory, domain);
	domain->vm.last_moved = moved != NULL ? *moved : (struct wall){0};
	domain->settled = true;
}

void
inventory_labels_settle(
    const struct inventory *inventory, struct inventory_host *host)
{
	void *value;
	size_t i = 0;

	while (map_next(host->domains, &i, NULL, &value)) {
		struct inventory_domain *domain = value;

		if (!domain->settled)
			inventory_labels_settle_domain(inventory, domain);
	}
}

void
inventory_labels_configure(
    struct inventory *inventory, const struct settings *settings)
{
	struct arena *arena = arena_new(INVENTORY_RULES_ARENA_MAX);
	struct inventory_rule *rules =
	    arena_array(arena, settings->guest_count, sizeof(rules[0]));
	void *value;

	for (size_t r = 0; r < settings->guest_count; r++) {
		const struct settings_guests *from = &settings->guests[r];
		struct inventory_rule *rule = &rules[r];

		rule->match = arena_strdup(arena, from->match);
		rule->count = from->label_count;
		rule->keys = arena_array(arena, rule->count, sizeof(char *));
		rule->values = arena_array(arena, rule->count, sizeof(char *));
		for (size_t i = 0; i < rule->count; i++) {
			rule->keys[i] =
			    arena_strdup(arena, from->labels[i].key);
			rule->values[i] =
			    arena_strdup(arena, from->labels[i].value);
		}
	}
	arena_free(inventory->rules_arena);
	inventory->rules_arena = arena;
	inventory->rules = rules;
	inventory->rule_count = settings->guest_count;
	for (size_t h = 0; h < inventory->host_count; h++) {
		size_t i = 0;

		while (map_next(inventory->hosts[h]->domains, &i, NULL, &value))
			inventory_labels_settle_domain(inventory, value);
	}
}

/* Wherever the guest is seen. */
static void
inventory_labels_show(struct inventory *inventory, const char *uuid)
{
	for (size_t h = 0; h < inventory->host_count; h++) {
		const struct map *domains = inventory->hosts[h]->domains;
		struct inventory_domain *domain = NULL;

		/* At the start many labels come, and no host has guests. */
		if (map_count(domains) > 0)
			domain = map_get(domains, uuid);
		if (domain != NULL)
			inventory_labels_settle_domain(inventory, domain);
	}
	inventory->version++;
}

void
inventory_set_label(struct inventory *inventory, const char *uuid,
    const char *key, const char *value)
{
	struct map *given = map_get(inventory->labels, uuid);

	if (given == NULL && value == NULL)
		return;
	if (given == NULL) {
		given = map_new(free);
		map_set(inventory->labels, uuid, given);
	}
	if (value != NULL)
		map_set(given, key, str_dup(value));
	else
		(void)map_remove(given, key);
	if (map_count(given) == 0)
		(void)map_remove(inventory->labels, uuid);
	inventory_labels_show(inventory, uuid);
}

const char *
inventory_get_label(
    const struct inventory *inventory, const char *uuid, const char *key)
{
	const struct map *given = map_get(inventory->labels, uuid);

	return given != NULL ? map_get(given, key) : NULL;
}

size_t
inventory_count_labels(const struct inventory *inventory, const char *uuid)
{
	const struct map *given = map_get(inventory->labels, uuid);

	return given != NULL ? map_count(given) : 0;
}

/* Room for one more: the guest that moved the longest ago gives way. */
static void
inventory_moved_make_room(struct inventory *inventory)
{
	const char *uuid, *oldest = NULL;
	int64_t oldest_ms = INT64_MAX;
	void *value;
	size_t i = 0;

	if (map_count(inventory->moved) < INVENTORY_MOVED_MAX)
		return;
	while (map_next(inventory->moved, &i, &uuid, &value)) {
		const struct wall *at = value;

		if (at->ms < oldest_ms) {
			oldest = uuid;
			oldest_ms = at->ms;
		}
	}
	if (oldest != NULL)
		(void)map_remove(inventory->moved, oldest);
}

void
inventory_set_moved(
    struct inventory *inventory, const char *uuid, struct wall at)
{
	struct wall *known = map_get(inventory->moved, uuid);

	if (known == NULL) {
		inventory_moved_make_room(inventory);
		known = malloc(sizeof(*known));
		if (known == NULL)
			abort();
		*known = at;
		map_set(inventory->moved, uuid, known);
	} else if (known->ms < at.ms) {
		*known = at;
	}
	inventory_labels_show(inventory, uuid);
}

/*
 * String keys to pointers, iterated in order of insertion.
 *
 * Decisions may not depend on hashing, so the entries live in an array in the
 * order in which they came, and the hash table only holds positions in it.
 * Removing leaves a hole, in the array as in the table: positions stay valid,
 * which is what allows removal while iterating.  Holes are closed when the
 * array is full and something is added.  The array is at most half as long as
 * the table, so a search always meets an empty slot.
 *
 * Running out of memory ends the process; no caller could go on.
 */
#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAP_FIRST_CAP 8
#define MAP_NONE SIZE_MAX

struct map_entry {
	char *key; /* NULL: a hole */
	void *value;
	uint64_t hash;
};

struct map {
	void (*free_value)(void *);
	struct map_entry *entries;
	size_t used;   /* entries and holes */
	size_t count;  /* entries */
	size_t cap;    /* a power of two */
	size_t *slots; /* 2 * cap; position + 1, 0 = empty */
};

/* FNV-1a, 64 bits (draft-eastlake-fnv). */
static uint64_t
map_hash(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *key != '\0'; key++) {
		hash ^= (unsigned char)*key;
		hash *= 0x100000001b3u;
	}
	return hash ^ (hash >> 32);
}

static size_t
map_find(const struct map *map, const char *key, uint64_t hash)
{
	size_t mask = map->cap * 2 - 1;

	if (map->cap == 0)
		return MAP_NONE;
	for (size_t i = (size_t)hash & mask; map->slots[i] != 0;
	     i = (i + 1) & mask) {
		size_t pos = map->slots[i] - 1;
		const struct map_entry *entry = &map->entries[pos];

		if (entry->key != NULL && entry->hash == hash &&
		    strcmp(entry->key, key) == 0)
			return pos;
	}
	return MAP_NONE;
}

static void
map_index(struct map *map, size_t pos)
{
	size_t mask = map->cap * 2 - 1;
	size_t i = (size_t)map->entries[pos].hash & mask;

	while (map->slots[i] != 0)
		i = (i + 1) & mask;
	map->slots[i] = pos + 1;
}

/* Closes the holes, and doubles the room when there were few of them. */
static void
map_make_room(struct map *map)
{
	size_t cap = map->cap, used = 0;
	struct map_entry *entries;

	if (cap == 0)
		cap = MAP_FIRST_CAP;
	else if (map->count > cap / 2)
		cap *= 2;
	entries = calloc(cap, sizeof(*entries));
	free(map->slots);
	map->slots = calloc(cap * 2, sizeof(*map->slots));
	if (entries == NULL || map->slots == NULL)
		abort();
	for (size_t i = 0; i < map->used; i++) {
		if (map->entries[i].key != NULL)
			entries[used++] = map->entries[i];
	}
	free(map->entries);
	map->entries = entries;
	map->used = used;
	map->cap = cap;
	for (size_t i = 0; i < used; i++)
		map_index(map, i);
}

struct map *
map_new(void (*free_value)(void *))
{
	struct map *map = calloc(1, sizeof(*map));

	if (map == NULL)
		abort();
	map->free_value = free_value;
	return map;
}

void
map_free(struct map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->used; i++) {
		struct map_entry *entry = &map->entries[i];

		if (entry->key == NULL)
			continue;
		free(entry->key);
		if (map->free_value != NULL && entry->value != NULL)
			map->free_value(entry->value);
	}
	free(map->entries);
	free(map->slots);
	free(map);
}

void
map_set(struct map *map, const char *key, void *value)
{
	uint64_t hash = map_hash(key);
	size_t pos = map_find(map, key, hash);
	char *copy;

	if (pos != MAP_NONE) {
		void *old = map->entries[pos].value;

		map->entries[pos].value = value;
		if (map->free_value != NULL && old != NULL && old != value)
			map->free_value(old);
		return;
	}
	copy = strdup(key);
	if (copy == NULL)
		abort();
	if (map->used == map->cap)
		map_make_room(map);
	pos = map->used++;
	map->entries[pos] = (struct map_entry){copy, value, hash};
	map->count++;
	map_index(map, pos);
}

void *
map_get(const struct map *map, const char *key)
{
	size_t pos = map_find(map, key, map_hash(key));

	return pos != MAP_NONE ? map->entries[pos].value : NULL;
}

/* Takes the entry out; false when there is none. */
static bool
map_detach(struct map *map, const char *key, void **value)
{
	size_t pos = map_find(map, key, map_hash(key));
	struct map_entry *entry;

	if (pos == MAP_NONE)
		return false;
	entry = &map->entries[pos];
	*value = entry->value;
	free(entry->key);
	*entry = (struct map_entry){0};
	map->count--;
	return true;
}

bool
map_remove(struct map *map, const char *key)
{
	void *value;

	if (!map_detach(map, key, &value))
		return false;
	if (map->free_value != NULL && value != NULL)
		map->free_value(value);
	return true;
}

void *
map_take(struct map *map, const char *key)
{
	void *value = NULL;

	(void)map_detach(map, key, &value);
	return value;
}

size_t
map_count(const struct map *map)
{
	return map->count;
}

bool
map_next(const struct map *map, size_t *i, const char **key, void **value)
{
	while (*i < map->used) {
		const struct map_entry *entry = &map->entries[(*i)++];

		if (entry->key == NULL)
			continue;
		if (key != NULL)
			*key = entry->key;
		if (value != NULL)
			*value = entry->value;
		return true;
	}
	return false;
}

#ifndef DROVER_BASE_MAP_H
#define DROVER_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * String keys to pointers.  Iteration is in order of insertion, never in hash
 * order, so that results do not depend on hashing.  The map copies its keys
 * and calls `free_value` (may be NULL) on values that it drops.
 */

struct map;

struct map *map_new(void (*free_value)(void *));
void map_free(struct map *map); /* NULL allowed */

/* Adds or replaces; the old value is freed. */
void map_set(struct map *map, const char *key, void *value);
void *map_get(const struct map *map, const char *key); /* NULL: none */
bool map_remove(struct map *map, const char *key);     /* frees the value */
void *map_take(struct map *map, const char *key);      /* does not free it */
size_t map_count(const struct map *map);

/* Iterates: `size_t i = 0; while (map_next(map, &i, &key, &value))`.  The entry
 * just returned may be removed inside the loop; nothing may be added. */
bool map_next(const struct map *map, size_t *i, const char **key, void **value);

#endif

/*
 * Reading a scenario's nodes.  Every mistake ends the program with the place: a
 * key that is misspelt would otherwise be a test that tests nothing.
 */
#include "scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

void
scenario_die(const struct scenario *scenario, const struct node *node,
    const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u:%u: ", scenario->file,
	    node != NULL ? node->line : 0, node != NULL ? node->column : 0);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

const char *
node_text(const struct node *map, const char *key)
{
	const struct node *node =
	    map != NULL && map->kind == NODE_MAP ? tree_get(map, key) : NULL;

	return node != NULL && node->kind == NODE_SCALAR ? node->text : NULL;
}

bool
node_true(const struct node *map, const char *key)
{
	const char *text = node_text(map, key);

	return text != NULL && strcmp(text, "true") == 0;
}

double
node_number(const struct node *map, const char *key, double absent)
{
	const char *text = node_text(map, key);

	return text != NULL ? strtod(text, NULL) : absent;
}

int64_t
node_bytes(const struct scenario *scenario, const struct node *map,
    const char *key, const char *absent)
{
	const char *text = node_text(map, key);
	struct err err;
	int64_t bytes;

	if (text == NULL)
		text = absent;
	if (strcmp(text, "unknown") == 0)
		return FACTS_UNKNOWN;
	if (units_parse_bytes(text, &bytes, &err) != 0)
		scenario_die(scenario, map, "%s: %s", key, err.msg);
	return bytes;
}

int64_t
node_duration(
    const struct scenario *scenario, const struct node *map, const char *key)
{
	const char *text = node_text(map, key);
	struct err err;
	int64_t ms;

	if (text == NULL)
		return 0;
	if (units_parse_duration(text, &ms, &err) != 0)
		scenario_die(scenario, map, "%s: %s", key, err.msg);
	return ms;
}

void
node_check_keys(const struct scenario *scenario, const struct node *map,
    const char *const *allowed)
{
	if (map->kind != NODE_MAP)
		scenario_die(scenario, map, "a mapping is expected here");
	for (const struct node *node = map->first; node != NULL;
	     node = node->next) {
		size_t i = 0;

		while (allowed[i] != NULL &&
		    strcmp(allowed[i], node->key->text) != 0)
			i++;
		if (allowed[i] == NULL)
			scenario_die(scenario, node->key, "unknown key %s",
			    node->key->text);
	}
}

const struct node *
node_first(const struct node *map, const char *key)
{
	const struct node *node = map != NULL ? tree_get(map, key) : NULL;

	return node != NULL && node->kind != NODE_SCALAR ? node->first : NULL;
}

size_t
node_count(const struct node *map, const char *key)
{
	size_t count = 0;

	for (const struct node *node = node_first(map, key); node != NULL;
	     node = node->next)
		count++;
	return count;
}

const char *
scenario_uuid(struct scenario *scenario, const char *guest)
{
	const struct node *guests = tree_get(scenario->root, "guests");
	const struct node *node =
	    guests != NULL ? tree_get(guests, guest) : NULL;
	const char *as = node_text(node, "as");
	size_t number = 1;

	if (node == NULL)
		scenario_die(scenario, scenario->root, "no guest %s", guest);
	if (as != NULL)
		return scenario_uuid(scenario, as);
	for (const struct node *other = guests->first; other != node;
	     other = other->next)
		number++;
	return arena_printf(
	    scenario->arena, "5ce0a410-0000-4000-8000-%012zu", number);
}

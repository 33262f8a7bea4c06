#ifndef DROVER_TESTS_SCENARIO_H
#define DROVER_TESTS_SCENARIO_H

#include "config/settings.h"
#include "config/tree.h"
#include "decide/evaluate.h"
#include "model/inventory.h"

/*
 * A scenario file (README in this folder) played into a real inventory: host
 * facts and XML as libvirt would give them, flags, losses, verdicts.  A mistake
 * in the file ends the program with its place.
 */

struct scenario {
	const char *file;
	char *text;
	struct tree *tree;
	const struct node *root;
	struct arena *arena;
	struct settings *settings;
	struct inventory *inventory;
	struct snapshot *snapshot;
	struct evaluate_input input;
};

void scenario_load(struct scenario *scenario, const char *path);
void scenario_free(struct scenario *scenario);

/* The first listing, and what passes until all is decided. */
#define SCENARIO_START_MS 1000000
#define SCENARIO_SAMPLE_MS 10000

void scenario_apply(struct scenario *scenario, struct inventory_event event,
    const char *host, int64_t ms);
/* For facts, whose receiver frees them; end the program without memory. */
void *scenario_calloc(size_t count, size_t size);
char *scenario_strdup(const char *s);
bool scenario_guest_is_on(const struct node *guest, const char *host);
/* Surveys, proofs, files: what hosts are asked for (scenario_answers.c). */
void scenario_answer(struct scenario *scenario);
/* Labels of guests, rules of placement (scenario_placement.c). */
void scenario_place(struct scenario *scenario);
/* All news of one host but what it says about CPUs (scenario_facts.c). */
void scenario_play_host(struct scenario *scenario, const struct node *host);

/* The UUID that the guest of this name in the file has. */
const char *scenario_uuid(struct scenario *scenario, const char *guest);

/* Reading nodes (scenario_node.c); a NULL node has nothing. */
const struct node *node_first(const struct node *map, const char *key);
size_t node_count(const struct node *map, const char *key);
const char *node_text(const struct node *map, const char *key);
bool node_true(const struct node *map, const char *key);
double node_number(const struct node *map, const char *key, double absent);
int64_t node_bytes(const struct scenario *scenario, const struct node *map,
    const char *key, const char *absent);
int64_t node_duration(
    const struct scenario *scenario, const struct node *map, const char *key);
/* Ends the program when the mapping has another key; `allowed` ends with
 * NULL. */
void node_check_keys(const struct scenario *scenario, const struct node *map,
    const char *const *allowed);
void scenario_die(const struct scenario *scenario, const struct node *node,
    const char *fmt, ...) __attribute__((format(printf, 3, 4), noreturn));

#endif

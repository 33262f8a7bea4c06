/*
 * What hosts and guests are asked for in addition to listings: figures of images,
 * files, and markers.  Every host has answered, except where the file says not.
 */
#include "scenario.h"

#include <stdio.h>
#include <string.h>

/* Figures of a disk that the file gives any of: { file: PATH, allocated,
 * capacity, found: POOL or "none" }; of the others they could not be read. */
static void
survey_add_disk(const struct scenario *scenario, struct facts_survey *survey,
    const struct node *disk, size_t number)
{
	struct facts_disk *out = &survey->disks[survey->disk_count];
	const char *path = node_text(disk, "file");
	const char *found = node_text(disk, "found");
	char target[16];

	if (path == NULL || node_text(disk, "allocated") == NULL)
		return;
	snprintf(target, sizeof(target), "vd%c", (char)('a' + number % 26));
	out->target = scenario_strdup(target);
	out->path = scenario_strdup(path);
	out->format = scenario_strdup(node_text(disk, "format") != NULL
		? node_text(disk, "format")
		: "qcow2");
	if (found == NULL || strcmp(found, "none") != 0) {
		out->pool = scenario_strdup(found != NULL ? found : "images");
		out->volume = scenario_strdup(strrchr(path, '/') + 1);
	}
	out->capacity = node_bytes(scenario, disk, "capacity", "10GiB");
	out->top_allocation = node_bytes(scenario, disk, "allocated", "0");
	out->allocation =
	    out->top_allocation + node_bytes(scenario, disk, "below", "0");
	survey->disk_count++;
}

/* Its memory was sampled, or there was a try, except with sampled: false. */
static void
sample(struct scenario *scenario, const struct node *host,
    const struct node *guest)
{
	if (node_text(guest, "sampled") != NULL && !node_true(guest, "sampled"))
		return;
	scenario_apply(scenario,
	    (struct inventory_event){.news = INVENTORY_SAMPLED,
		.uuid = scenario_uuid(scenario, guest->key->text)},
	    host->key->text, SCENARIO_START_MS);
}

/* Every guest is looked at, except with surveyed: false. */
static void
host_survey(struct scenario *scenario, const struct node *host)
{
	for (const struct node *guest = node_first(scenario->root, "guests");
	     guest != NULL; guest = guest->next) {
		struct facts_survey *survey;
		size_t number = 0;

		if (!scenario_guest_is_on(guest, host->key->text))
			continue;
		if (node_text(guest, "surveyed") != NULL &&
		    !node_true(guest, "surveyed")) {
			sample(scenario, host, guest);
			continue;
		}
		survey = scenario_calloc(1, sizeof(*survey));
		survey->uuid =
		    scenario_strdup(scenario_uuid(scenario, guest->key->text));
		survey->dirty_rate = node_text(guest, "dirty_rate") != NULL
		    ? node_bytes(scenario, guest, "dirty_rate", "0")
		    : FACTS_UNKNOWN;
		survey->disks = scenario_calloc(
		    node_count(guest, "disks"), sizeof(survey->disks[0]));
		for (const struct node *disk = node_first(guest, "disks");
		     disk != NULL; disk = disk->next)
			survey_add_disk(scenario, survey, disk, number++);
		scenario_apply(scenario,
		    (struct inventory_event){
			.news = INVENTORY_SURVEYED, .survey = survey},
		    host->key->text, SCENARIO_START_MS);
		sample(scenario, host, guest);
	}
}

/* Files that guests of other hosts need: "files: [ ... ]" are there, all others
 * are not, unless "files: unknown". */
static void
host_answer_file(const char *name, const char *path, void *arg)
{
	struct scenario *scenario = arg;
	const struct node *host =
	    tree_get(tree_get(scenario->root, "hosts"), name);
	const struct node *files = tree_get(host, "files");
	enum snap_verdict there = SNAP_VERDICT_REJECTED;

	if (files != NULL && files->kind == NODE_SCALAR)
		return;
	for (const struct node *file = node_first(host, "files"); file != NULL;
	     file = file->next) {
		if (strcmp(file->text, path) == 0)
			there = SNAP_VERDICT_OK;
	}
	scenario_apply(scenario,
	    (struct inventory_event){.news = INVENTORY_FILE_SEEN,
		.key = arena_strdup(scenario->arena, path),
		.verdict = there},
	    name, SCENARIO_START_MS);
}

/* proofs: [ { a: [HOST, POOL], b: [HOST, POOL], same: false } ] */
static void
scenario_apply_proofs(struct scenario *scenario)
{
	for (const struct node *node = node_first(scenario->root, "proofs");
	     node != NULL; node = node->next) {
		const struct node *a = node_first(node, "a");
		const struct node *b = node_first(node, "b");
		const char *same = node_text(node, "same");
		struct snap_proof proof;

		if (a == NULL || a->next == NULL || b == NULL ||
		    b->next == NULL)
			scenario_die(scenario, node, "a: [ HOST, POOL ], b:");
		proof = (struct snap_proof){a->text, a->next->text, b->text,
		    b->next->text,
		    same == NULL || strcmp(same, "true") == 0
			? SNAP_VERDICT_OK
			: SNAP_VERDICT_REJECTED};
		scenario_apply(scenario,
		    (struct inventory_event){
			.news = INVENTORY_PROVEN, .proof = &proof},
		    a->text, SCENARIO_START_MS);
	}
}

void
scenario_answer(struct scenario *scenario)
{
	for (const struct node *host = node_first(scenario->root, "hosts");
	     host != NULL; host = host->next)
		host_survey(scenario, host);
	scenario_apply_proofs(scenario);
	inventory_each_unseen_file(scenario->inventory,
	    (struct mono){SCENARIO_START_MS}, SCENARIO_SAMPLE_MS,
	    host_answer_file, scenario);
}

/*
 * Plays every scenario of a folder and compares what is decided with what the
 * file expects.
 *
 *	check_scenarios [-v] [FOLDER | FILE.yaml ...]
 *
 * -v prints each decision and plan as JSON, which is the quickest way to write
 * the expectations of a new one.  Without arguments the folder is
 * $top_srcdir/tests/scenarios.  The exit status is 0 when all hold, 1 when one
 * does not, 2 when a file is wrong.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define FILES_MAX 1000

static bool verbose;
static int failures;

static void fail(const struct scenario *scenario, const struct node *node,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
fail(const struct scenario *scenario, const struct node *node, const char *fmt,
    ...)
{
	va_list ap;

	failures++;
	printf("%s:%u: ", scenario->file, node->line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* A value that the expectation names must be this one. */
static void
expect_is(const struct scenario *scenario, const struct node *expected,
    const char *key, const char *value)
{
	const char *wanted = node_text(expected, key);

	if (wanted == NULL)
		return;
	if (value == NULL || strcmp(wanted, value) != 0)
		fail(scenario, expected, "%s: %s expected, it is %s", key,
		    wanted, value != NULL ? value : "nothing");
}

static void
expect_number(const struct scenario *scenario, const struct node *expected,
    const char *key, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	expect_is(scenario, expected, key, text);
}

static void
expect_part(const struct scenario *scenario, const struct node *expected,
    const char *key, const char *value)
{
	const char *wanted = node_text(expected, key);

	if (wanted == NULL)
		return;
	if (value == NULL || strstr(value, wanted) == NULL)
		fail(scenario, expected, "%s: \"%s\" expected in \"%s\"", key,
		    wanted, value != NULL ? value : "");
}

/* STRATEGY: RULE, or STRATEGY: a part of the reason. */
static void
expect_refusals(const struct scenario *scenario, const struct node *expected,
    const struct strategy_refusal *refusals, size_t count)
{
	for (const struct node *node = expected != NULL ? expected->first
							: NULL;
	     node != NULL; node = node->next) {
		const struct strategy_refusal *found = NULL;

		for (size_t i = 0; i < count; i++) {
			if (strcmp(strategy_name(refusals[i].strategy),
				node->key->text) == 0)
				found = &refusals[i];
		}
		if (found == NULL)
			fail(scenario, node, "%s is not refused",
			    node->key->text);
		else if (strcmp(found->rule, node->text) != 0 &&
		    strstr(found->why, node->text) == NULL)
			fail(scenario, node, "%s is refused by %s: %s",
			    node->key->text, found->rule, found->why);
	}
}

/* TARGET: POOL PATH */
static void
expect_disks(const struct scenario *scenario, const struct node *expected,
    const struct strategy_result *how)
{
	const struct node *disks = tree_get(expected, "disks");
	size_t wanted = 0;

	for (const struct node *node = disks != NULL ? disks->first : NULL;
	     node != NULL; node = node->next, wanted++) {
		bool found = false;

		for (size_t i = 0; i < how->disk_count; i++) {
			const struct strategy_disk *disk = &how->disks[i];
			char text[512];

			if (strcmp(disk->target, node->key->text) != 0)
				continue;
			found = true;
			snprintf(text, sizeof(text), "%s %s%s%s%s", disk->pool,
			    disk->dest_path,
			    disk->backing != NULL ? " over " : "",
			    disk->backing != NULL ? disk->backing : "",
			    disk->replace ? " replaced" : "");
			if (strcmp(text, node->text) != 0)
				fail(scenario, node, "%s goes to %s",
				    disk->target, text);
		}
		if (!found)
			fail(scenario, node, "%s does not go along",
			    node->key->text);
	}
	if (disks != NULL && wanted != how->disk_count)
		fail(scenario, disks, "%zu disks go along", how->disk_count);
}

static void
expect_ejects(const struct scenario *scenario, const struct node *expected,
    const struct strategy_result *how)
{
	const struct node *ejects = tree_get(expected, "ejects");
	size_t i = 0;

	for (const struct node *node = ejects != NULL ? ejects->first : NULL;
	     node != NULL; node = node->next, i++) {
		if (i >= how->eject_count ||
		    strcmp(how->ejects[i], node->text) != 0)
			fail(scenario, node, "%s is not ejected", node->text);
	}
	if (ejects != NULL && i != how->eject_count)
		fail(scenario, ejects, "%zu are ejected", how->eject_count);
}

static void
expect_rejections(const struct scenario *scenario, const struct node *expected,
    const struct place_choice *choice)
{
	for (const struct node *node = expected->first; node != NULL;
	     node = node->next) {
		const struct place_rejection *found = NULL;

		for (size_t i = 0; i < choice->rejection_count; i++) {
			if (strcmp(choice->rejections[i].host->name,
				node->key->text) == 0)
				found = &choice->rejections[i];
		}
		if (found == NULL)
			fail(scenario, node, "%s is not rejected",
			    node->key->text);
		else if (node->kind == NODE_MAP)
			expect_refusals(scenario, node, found->refusals,
			    found->refusal_count);
		else if (strcmp(place_rule_name(found->rule), node->text) != 0)
			fail(scenario, node, "%s is rejected by %s: %s",
			    node->key->text, place_rule_name(found->rule),
			    found->why);
	}
}

static void
expect_item(const struct scenario *scenario, const struct node *expected,
    const struct evaluate_item *item, int wave)
{
	static const char *const keys[] = {"fate", "to", "why", "handover",
	    "storage", "rejected", "wave", "strategy", "strategies", "disks",
	    "ejects", NULL};
	const struct place_choice *choice = &item->choice;
	const struct node *rejected;

	node_check_keys(scenario, expected, keys);
	rejected = tree_get(expected, "rejected");
	expect_is(scenario, expected, "fate", evaluate_fate_name(item->fate));
	expect_is(scenario, expected, "to",
	    choice->target != NULL ? choice->target->name : NULL);
	expect_part(scenario, expected, "why",
	    item->why != NULL ? item->why : choice->why);
	if (choice->target != NULL) {
		expect_is(scenario, expected, "handover",
		    choice->strategy.strict ? "strict" : "fast");
		expect_is(scenario, expected, "storage",
		    storage_class_name(choice->strategy.storage.class));
		expect_is(scenario, expected, "strategy",
		    strategy_name(choice->strategy.strategy));
		expect_disks(scenario, expected, &choice->strategy);
		expect_ejects(scenario, expected, &choice->strategy);
		expect_refusals(scenario, tree_get(expected, "strategies"),
		    choice->strategy.refusals, choice->strategy.refusal_count);
	}
	expect_number(scenario, expected, "wave", wave);
	if (rejected != NULL)
		expect_rejections(scenario, rejected, choice);
}

/* Each guest of the decision must be expected, and the other way around. */
static void
expect_guests(struct scenario *scenario, const struct node *expected,
    const struct plan_step *steps, size_t count)
{
	const struct node *guests = tree_get(expected, "guests");
	size_t expected_count = 0;

	for (const struct node *node = guests != NULL ? guests->first : NULL;
	     node != NULL; node = node->next) {
		const char *uuid = scenario_uuid(scenario, node->key->text);
		bool found = false;

		expected_count++;
		for (size_t i = 0; i < count; i++) {
			if (strcmp(steps[i].item.vm->uuid, uuid) != 0)
				continue;
			found = true;
			expect_item(
			    scenario, node, &steps[i].item, steps[i].wave);
		}
		if (!found)
			fail(scenario, node, "%s is not in the decision",
			    node->key->text);
	}
	if (expected_count != count)
		fail(scenario, expected,
		    "%zu guests expected, the decision "
		    "has %zu",
		    expected_count, count);
}

static void
print_json(json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2));

	puts(text);
	free(text);
	json_decref(json);
}

static void
expect_decision(struct scenario *scenario, const struct node *expected,
    const struct evaluate_decision *decision)
{
	static const char *const keys[] = {"policy", "act", "why", "starts",
	    "moving", "waiting", "blocked", "excepted", "order", "guests",
	    NULL};
	const struct node *order;
	struct plan_step *steps;
	size_t place = 0;

	node_check_keys(scenario, expected, keys);
	expect_is(scenario, expected, "policy", decision->policy->name);
	expect_is(scenario, expected, "act", decision->act ? "true" : "false");
	expect_part(scenario, expected, "why", decision->why);
	expect_number(scenario, expected, "starts", (int64_t)decision->starts);
	expect_number(scenario, expected, "moving", (int64_t)decision->moving);
	expect_number(
	    scenario, expected, "waiting", (int64_t)decision->waiting);
	expect_number(
	    scenario, expected, "blocked", (int64_t)decision->blocked);
	expect_number(
	    scenario, expected, "excepted", (int64_t)decision->excepted);
	order = tree_get(expected, "order");
	for (const struct node *node = order != NULL ? order->first : NULL;
	     node != NULL; node = node->next, place++) {
		if (place >= decision->item_count ||
		    strcmp(node->text, decision->items[place].vm->name) != 0)
			fail(scenario, node, "%s is not in place %zu",
			    node->text, place + 1);
	}
	steps = arena_array(
	    scenario->arena, decision->item_count, sizeof(steps[0]));
	for (size_t i = 0; i < decision->item_count; i++)
		steps[i].item = decision->items[i];
	expect_guests(scenario, expected, steps, decision->item_count);
}

static void
check_evaluation(struct scenario *scenario, const struct node *expected)
{
	const struct evaluation *evaluation =
	    evaluate(scenario->arena, &scenario->input);
	size_t found = 0, wanted = 0;

	for (size_t i = 0; verbose && i < evaluation->decision_count; i++)
		print_json(explain_decision(&evaluation->decisions[i]));
	for (const struct node *node = expected->first; node != NULL;
	     node = node->next) {
		if (strcmp(node->key->text, "wake") == 0) {
			int64_t ms = node_duration(scenario, expected, "wake");

			if (evaluation->wake.ms != scenario->input.now.ms + ms)
				fail(scenario, node,
				    "wake is in %" PRId64 " ms",
				    evaluation->wake.ms -
					scenario->input.now.ms);
			continue;
		}
		wanted++;
		for (size_t i = 0; i < evaluation->decision_count; i++) {
			const struct evaluate_decision *decision =
			    &evaluation->decisions[i];

			if (strcmp(decision->host->name, node->key->text) != 0)
				continue;
			found++;
			expect_decision(scenario, node, decision);
		}
	}
	if (found != wanted || found != evaluation->decision_count)
		fail(scenario, expected,
		    "%zu decisions expected, %zu found, "
		    "%zu made",
		    wanted, found, evaluation->decision_count);
}

static void
check_plan(struct scenario *scenario, const struct node *expected)
{
	static const char *const keys[] = {
	    "policy", "waves", "movable", "blocked", "guests", NULL};
	const struct snap_host *host =
	    snapshot_find_host(scenario->snapshot, expected->key->text);
	const struct plan *plan;

	node_check_keys(scenario, expected, keys);
	if (host == NULL)
		scenario_die(scenario, expected, "no such host");
	plan = plan_drain(scenario->arena, &scenario->input, host);
	if (verbose)
		print_json(explain_plan(plan));
	expect_is(scenario, expected, "policy",
	    plan->policy != NULL ? plan->policy->name : "none");
	expect_number(scenario, expected, "waves", plan->waves);
	expect_number(scenario, expected, "movable", (int64_t)plan->movable);
	expect_number(scenario, expected, "blocked", (int64_t)plan->blocked);
	expect_guests(scenario, expected, plan->steps, plan->step_count);
}

static void
check_file(const char *path)
{
	struct scenario scenario;
	const struct node *expected;
	int before = failures;

	scenario_load(&scenario, path);
	expected = tree_get(scenario.root, "expect");
	if (expected != NULL && expected->kind == NODE_MAP)
		check_evaluation(&scenario, expected);
	expected = tree_get(scenario.root, "plan");
	for (const struct node *node = expected != NULL ? expected->first
							: NULL;
	     node != NULL; node = node->next)
		check_plan(&scenario, node);
	printf("%s %s\n", failures == before ? "ok  " : "FAIL", path);
	scenario_free(&scenario);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
check_folder(const char *folder)
{
	static char *names[FILES_MAX];
	const struct dirent *entry;
	size_t count = 0;
	char path[1024];
	DIR *dir = opendir(folder);

	if (dir == NULL) {
		perror(folder);
		exit(2);
	}
	while ((entry = readdir(dir)) != NULL && count < FILES_MAX) {
		size_t len = strlen(entry->d_name);

		if (len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0)
			names[count++] = strdup(entry->d_name);
	}
	closedir(dir);
	if (count == 0) {
		fprintf(stderr, "%s: no scenarios\n", folder);
		exit(2);
	}
	qsort(names, count, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		check_file(path);
		free(names[i]);
	}
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("top_srcdir");
	char folder[512];
	int i = 1;

	if (i < argc && strcmp(argv[i], "-v") == 0) {
		verbose = true;
		i++;
	}
	if (i == argc) {
		snprintf(folder, sizeof(folder), "%s/tests/scenarios",
		    srcdir != NULL ? srcdir : ".");
		check_folder(folder);
	}
	for (; i < argc; i++) {
		size_t len = strlen(argv[i]);

		if (len > 5 && strcmp(argv[i] + len - 5, ".yaml") == 0)
			check_file(argv[i]);
		else
			check_folder(argv[i]);
	}
	return failures > 0;
}

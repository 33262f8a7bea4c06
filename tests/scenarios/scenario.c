/*
 * From a scenario file to a snapshot.  It goes through the same door as in the
 * daemon: the configuration through settings_parse(), hosts and guests as facts
 * with XML through inventory_apply().  So a scenario that was written from a
 * bug report covers all that is pure, not only the decision.
 *
 * Time is 1000 s at the first listing and 10 s later when it is decided, which
 * is enough for loads to be known.
 */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define FILE_MAX (1 << 20)
#define PENDING_MAX 4096

static const char default_policies[] = "version: 1\n"
				       "policies:\n"
				       "  - name: maintenance\n"
				       "    mode: auto\n"
				       "    when: { host: maintenance }\n";

/* Settings. */

static void
scenario_configure(struct scenario *scenario)
{
	const char *config = node_text(scenario->root, "config");
	const char *policies = node_text(scenario->root, "policies");
	struct buf made = BUF_INIT(FILE_MAX), faults = BUF_INIT(FILE_MAX);
	struct diag_list diags;

	if (config == NULL) {
		buf_adds(&made,
		    "version: 1\nstorage: { shared_paths: "
		    "[ /srv/images ] }\nhosts:\n");
		for (const struct node *host =
			 node_first(scenario->root, "hosts");
		     host != NULL; host = host->next) {
			buf_addf(&made,
			    "  - name: %s\n"
			    "    uri: \"qemu+tls://%s.example.org/system\"\n",
			    host->key->text, host->key->text);
			if (node_first(host, "labels") == NULL)
				continue;
			buf_adds(&made, "    labels:\n");
			for (const struct node *label =
				 node_first(host, "labels");
			     label != NULL; label = label->next)
				buf_addf(&made, "      %s: \"%s\"\n",
				    label->key->text, label->text);
		}
		config = buf_str(&made);
	}
	if (policies == NULL)
		policies = default_policies;
	struct settings_file files[] = {
	    {SETTINGS_MAIN, "drover.yaml", config, strlen(config)},
	    {SETTINGS_POLICIES, "10-maintenance.yaml", policies,
		strlen(policies)},
	};
	diag_init(&diags);
	scenario->settings = settings_parse(files, 2, "/etc/drover", &diags);
	if (scenario->settings == NULL) {
		diag_print(&diags, &faults);
		scenario_die(scenario, scenario->root, "%s", buf_str(&faults));
	}
	diag_free(&diags);
	buf_free(&made);
	buf_free(&faults);
}

/* Every host answers about CPU and machine, except as the file says. */

struct pending {
	size_t count;
	struct {
		const char *host, *key, *cpu_xml;
	} items[PENDING_MAX];
	struct arena *arena;
};

static void
verdict_collect(const char *host, const struct snap_abi *abi, void *arg)
{
	struct pending *pending = arg;

	if (pending->count == PENDING_MAX)
		return;
	pending->items[pending->count].host = host;
	pending->items[pending->count].cpu_xml =
	    arena_strdup(pending->arena, abi->cpu_xml);
	pending->items[pending->count++].key =
	    arena_strdup(pending->arena, abi->key);
}

static void
scenario_answer_abis(struct scenario *scenario)
{
	const struct node *hosts = tree_get(scenario->root, "hosts");
	struct pending *pending =
	    arena_alloc(scenario->arena, sizeof(*pending));

	pending->arena = scenario->arena;
	inventory_each_unchecked_abi(
	    scenario->inventory, verdict_collect, pending);
	for (size_t i = 0; i < pending->count; i++) {
		const char *name = pending->items[i].host;
		const struct node *host = tree_get(hosts, name);
		const char *why = node_text(host, "rejects");
		const char *cpu = node_text(host, "rejects_cpu");
		const char *cpu_xml = pending->items[i].cpu_xml;

		if (cpu != NULL && cpu_xml != NULL &&
		    strstr(cpu_xml, cpu) != NULL)
			why = arena_printf(
			    scenario->arena, "its CPU is no %s", cpu);
		if (node_true(host, "undecided"))
			continue;
		scenario_apply(scenario,
		    (struct inventory_event){.news = INVENTORY_ABI_CHECKED,
			.key = pending->items[i].key,
			.verdict = why != NULL ? SNAP_VERDICT_REJECTED
					       : SNAP_VERDICT_OK,
			.why = why},
		    name, SCENARIO_START_MS);
	}
}

/* Moves, attempts, holds, drains, leftovers. */

static void
scenario_add_leftovers(struct scenario *scenario)
{
	const struct node *root = scenario->root;
	struct snap_leftover *left = arena_array(
	    scenario->arena, node_count(root, "leftovers"), sizeof(*left));
	size_t count = 0;

	for (const struct node *node = node_first(root, "leftovers");
	     node != NULL; node = node->next)
		left[count++] = (struct snap_leftover){node_text(node, "host"),
		    node_text(node, "pool"), node_text(node, "volume"), NULL,
		    scenario_uuid(scenario, node_text(node, "guest"))};
	snapshot_set_leftovers(scenario->snapshot, left, count);
}

static void
scenario_take_snapshot(struct scenario *scenario)
{
	const struct node *root = scenario->root;
	struct arena *arena = scenario->arena;
	size_t moves = 0, attempts = 0;
	struct snap_move *move =
	    arena_array(arena, node_count(root, "moves"), sizeof(*move));
	struct snap_attempt *attempt =
	    arena_array(arena, node_count(root, "attempts"), sizeof(*attempt));

	for (const struct node *node = node_first(root, "moves"); node != NULL;
	     node = node->next) {
		const char *guest = node_text(node, "guest");

		move[moves++] =
		    (struct snap_move){.uuid = scenario_uuid(scenario, guest),
			.from = node_text(node, "from"),
			.to = node_text(node, "to"),
			.memory = node_bytes(scenario,
			    tree_get(tree_get(root, "guests"), guest), "memory",
			    "1GiB"),
			.disk = node_bytes(scenario, node, "disk", "0"),
			.pool = node_text(node, "pool")};
	}
	for (const struct node *node = node_first(root, "attempts");
	     node != NULL; node = node->next)
		attempt[attempts++] = (struct snap_attempt){
		    .uuid = scenario_uuid(scenario, node_text(node, "guest")),
		    .to = node_text(node, "to"),
		    .failures = (int)node_number(node, "failures", 1),
		    .why = node_text(node, "why"),
		    .refused = node_text(node, "refused")};
	scenario->snapshot =
	    inventory_snapshot(scenario->inventory, move, moves, attempt,
		attempts, (struct mono){SCENARIO_START_MS + SCENARIO_SAMPLE_MS},
		(struct wall){1795230010000});
	scenario_add_leftovers(scenario);
}

static void
scenario_make_input(struct scenario *scenario)
{
	const struct node *root = scenario->root;
	size_t holds = 0, drains = 0;
	struct evaluate_hold *hold = arena_array(
	    scenario->arena, node_count(root, "holds"), sizeof(*hold));
	struct evaluate_drain *drain = arena_array(
	    scenario->arena, node_count(root, "drains"), sizeof(*drain));
	struct mono now = {SCENARIO_START_MS + SCENARIO_SAMPLE_MS};

	for (const struct node *node = node_first(root, "holds"); node != NULL;
	     node = node->next)
		hold[holds++] = (struct evaluate_hold){
		    scenario_uuid(scenario, node_text(node, "guest")),
		    mono_add(now, node_duration(scenario, node, "for"))};
	for (const struct node *node = node_first(root, "drains"); node != NULL;
	     node = node->next)
		drain[drains++] =
		    (struct evaluate_drain){.host = node_text(node, "host"),
			.parallel = (int)node_number(node, "parallel", -1),
			.only_to = node_text(node, "to"),
			.include_stopped = node_true(node, "include_stopped")};
	scenario->input = (struct evaluate_input){
	    .settings = scenario->settings,
	    .snapshot = scenario->snapshot,
	    .drains = drain,
	    .drain_count = drains,
	    .holds = hold,
	    .hold_count = holds,
	    .now = now,
	};
}

static void
scenario_read(struct scenario *scenario, const char *path)
{
	struct buf text = BUF_INIT(FILE_MAX), faults = BUF_INIT(FILE_MAX);
	struct diag_list diags;
	char chunk[4096];
	size_t len;
	FILE *file = fopen(path, "r");

	if (file == NULL)
		scenario_die(scenario, NULL, "cannot be read");
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&text, chunk, len);
	fclose(file);
	len = text.len;
	scenario->text = buf_steal(&text);
	diag_init(&diags);
	scenario->tree =
	    tree_parse(scenario->file, scenario->text, len, &diags);
	diag_print(&diags, &faults);
	if (diag_any(&diags) || scenario->tree == NULL ||
	    scenario->tree->root == NULL)
		scenario_die(scenario, NULL, "%s", buf_str(&faults));
	diag_free(&diags);
	scenario->root = scenario->tree->root;
}

void
scenario_load(struct scenario *scenario, const char *path)
{
	static const char *const keys[] = {"about", "config", "policies",
	    "hosts", "guests", "moves", "attempts", "holds", "drains", "proofs",
	    "leftovers", "placement", "expect", "plan", NULL};

	*scenario = (struct scenario){.file = path};
	scenario->arena = arena_new((size_t)64 << 20);
	scenario_read(scenario, path);
	node_check_keys(scenario, scenario->root, keys);
	scenario_configure(scenario);
	scenario->inventory = inventory_new();
	inventory_configure(scenario->inventory, scenario->settings);
	for (const struct node *guest = node_first(scenario->root, "guests");
	     guest != NULL; guest = guest->next) {
		const char *on = node_text(guest, "on");

		if (on == NULL ||
		    tree_get(tree_get(scenario->root, "hosts"), on) == NULL)
			scenario_die(scenario, guest, "on: no such host");
	}
	for (const struct node *host = node_first(scenario->root, "hosts");
	     host != NULL; host = host->next)
		scenario_play_host(scenario, host);
	scenario_answer_abis(scenario);
	scenario_answer(scenario);
	scenario_take_snapshot(scenario);
	scenario_place(scenario);
	scenario_make_input(scenario);
}

void
scenario_free(struct scenario *scenario)
{
	snapshot_free(scenario->snapshot);
	inventory_free(scenario->inventory);
	settings_free(scenario->settings);
	tree_free(scenario->tree);
	free(scenario->text);
	arena_free(scenario->arena);
}

/*
 * Goes through the scenarios: no fault, each fault before each step, and pairs of
 * faults, for each strategy: live over shared storage, strict and fast, with and
 * without a definition; live with a disk that is copied; and restarts.
 *
 *	check_sim		all of it
 *	check_sim FILE
 *	check_sim VARIANT [STEP:FAULT]...
 *				one run, told step by step; a run that fails is
 *				printed as the latter and written as the former
 *
 * Where a fault would meet a state (apart from times) that the same fault has met
 * before, it is left out, unless SIM_ALL is set.  Of the pairs of faults of the
 * longer moves each second or third is run, all of them when SIM_FULL is set, and
 * fewer under a sanitizer.  SIM_DEPTH is the number of faults in a run (2),
 * SIM_ONLY a variant, SIM_SHOW_STUCK shows the runs that end with a person.
 *
 * Fast handover is simulated with QEMU's image lock only: without one it is not
 * chosen (decide/evaluate.h), since libvirt by itself can then run a guest twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define STEPS_MAX 6000
#define SEEN_SIZE (1U << 23)
#define SHOWN_MAX 12

static const struct variant variants[] = {
    {"strict", MOVE_LIVE_SHARED, true, true, false, false, false, 1},
    {"fast", MOVE_LIVE_SHARED, false, true, false, false, false, 1},
    {"strict-transient", MOVE_LIVE_SHARED, true, false, false, false, false, 1},
    {"fast-transient", MOVE_LIVE_SHARED, false, false, false, false, false, 1},
    {"copy", MOVE_LIVE_COPY, true, true, true, false, false, 1},
    {"copy-transient", MOVE_LIVE_COPY, true, false, true, false, false, 1},
    {"restart-local", MOVE_RESTART, true, true, true, false, false, 5},
    {"restart-forced", MOVE_RESTART, true, true, true, false, true, 8},
    {"restart-shared", MOVE_RESTART, true, true, false, false, false, 3},
    {"restart-off", MOVE_RESTART, true, true, true, true, false, 2},
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static struct sim sim;
static uint64_t *seen; /* (state, fault) */
static bool everything, full;
static unsigned long runs, states, stuck, failures, own;

static bool
is_new(uint64_t key)
{
	uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(mixed >> 40) & (SEEN_SIZE - 1);

	if (everything)
		return true;
	if (key == 0)
		key = 1;
	for (; seen[i] != 0; i = (i + 1) & (SEEN_SIZE - 1)) {
		if (seen[i] == key)
			return false;
	}
	if (states * 2 < SEEN_SIZE) {
		seen[i] = key;
		states++;
	}
	return true;
}

/* ---- runs ---- */

static void
print_scenario(FILE *out)
{
	fprintf(out, "  check_sim %s", sim.variant->name);
	for (int i = 0; i < sim.fault_count; i++)
		fprintf(out, " %d:%s", sim.faults[i].step,
		    sim_fault_name(sim.faults[i].kind));
	fprintf(out, "\n");
}

/* A file that can be replayed, edited and kept. */
static void
write_scenario(void)
{
	char name[64];
	FILE *out;

	(void)snprintf(name, sizeof(name), "check_sim-%lu.scenario", failures);
	out = fopen(name, "w");
	if (out == NULL)
		return;
	fprintf(out, "# %s\n%s\n", sim.violation, sim.variant->name);
	for (int i = 0; i < sim.fault_count; i++)
		fprintf(out, "%d:%s\n", sim.faults[i].step,
		    sim_fault_name(sim.faults[i].kind));
	fclose(out);
	fprintf(stderr, "  check_sim %s\n", name);
}

/*
 * After a single fault only a guest without a definition may be left to a person:
 * it leaves no trace when it ends, so that "it has gone from here to there" and "it
 * ran on here and ended", or "it never ran there" and "it ran there and ended", look
 * the same to a Drover that was away or cut off at that moment.
 */
static bool
is_undecidable(void)
{
	return !sim.variant->persistent;
}

static void
judge(void)
{
	runs++;
	if (sim.own_fault) {
		own++;
		return;
	}
	if (sim.violation[0] == '\0')
		judge_end(&sim);
	if (sim.drover.outcome == MOVE_STUCK) {
		stuck++;
		if (sim.fault_count < 2 && !is_undecidable())
			sim_violate(&sim, "stuck after a single fault: %s",
			    sim.drover.move->error);
		else if (getenv("SIM_SHOW_STUCK") != NULL)
			printf("stuck: %s\n", sim.drover.move->error),
			    print_scenario(stdout);
	}
	if (sim.violation[0] == '\0')
		return;
	if (failures++ < SHOWN_MAX) {
		fprintf(stderr, "FAILED: %s\n", sim.violation);
		print_scenario(stderr);
		if (!sim.verbose)
			write_scenario();
	}
}

/* Runs to the end.  Returns the number of steps. */
static int
run(const struct variant *variant, const struct fault *faults, int count)
{
	int steps;

	sim_init(&sim, variant, faults, count);
	while (sim_step(&sim) && sim.violation[0] == '\0') {
		if (sim.steps > STEPS_MAX)
			sim_violate(&sim, "it never comes to rest");
	}
	steps = sim.steps;
	judge();
	sim_clear(&sim);
	return steps;
}

/* Which faults are new before which step, after `count` given ones. */
struct plan {
	bool *fresh;
	int steps;
};

static struct plan
make_plan(const struct variant *variant, const struct fault *faults, int count)
{
	static bool fresh[(STEPS_MAX + 1) * FAULT_KINDS];
	struct plan plan = {fresh, 0};
	int from = count > 0 ? faults[count - 1].step : 0;

	memset(fresh, 0, sizeof(fresh));
	sim_init(&sim, variant, faults, count);
	do {
		uint64_t hash;

		plan.steps = sim.steps;
		if (sim.steps < from || sim.steps >= STEPS_MAX)
			continue;
		hash = sim_hash(&sim) ^ (uint64_t)count << 56;
		for (int k = 0; k < FAULT_KINDS; k++)
			fresh[sim.steps * FAULT_KINDS + k] =
			    judge_applies(variant, (enum fault_kind)k) &&
			    is_new(hash * UINT64_C(1000003) + (uint64_t)k + 1);
	} while (sim_step(&sim) && sim.steps < STEPS_MAX);
	sim_clear(&sim);
	return plan;
}

#ifdef __SANITIZE_ADDRESS__
#define SLOWER 8
#else
#define SLOWER 1
#endif

static bool
is_thinned(const struct variant *variant)
{
	static unsigned long pairs;

	return !full && !everything &&
	    ++pairs % (unsigned long)(variant->thin * SLOWER) != 0;
}

static void
explore(const struct variant *variant, struct fault *faults, int count, int max)
{
	struct plan plan;
	bool *fresh;
	size_t n;

	(void)run(variant, faults, count);
	if (count == max)
		return;
	plan = make_plan(variant, faults, count);
	n = (size_t)(plan.steps + 1) * FAULT_KINDS;
	fresh = malloc(n * sizeof(*fresh));
	if (fresh == NULL)
		abort();
	memcpy(fresh, plan.fresh, n * sizeof(*fresh));
	for (size_t i = 0; i < n; i++) {
		if (!fresh[i] || (count > 0 && is_thinned(variant)))
			continue;
		faults[count] = (struct fault){
		    (int)(i / FAULT_KINDS), (enum fault_kind)(i % FAULT_KINDS)};
		explore(variant, faults, count + 1, max);
	}
	free(fresh);
}

/* ---- one run by hand ---- */

static bool
parse_fault(const char *word, struct fault *out)
{
	const char *name = strchr(word, ':');

	for (int k = 0; name != NULL && k < FAULT_KINDS; k++) {
		if (strcmp(sim_fault_name((enum fault_kind)k), name + 1) != 0)
			continue;
		*out = (struct fault){atoi(word), (enum fault_kind)k};
		return true;
	}
	fprintf(stderr, "check_sim: %s: not STEP:FAULT\n", word);
	return false;
}

static int
replay(char **words, int count)
{
	struct fault faults[SIM_FAULTS_MAX];
	int n = 0;

	for (int i = 1; i < count && n < SIM_FAULTS_MAX; i++) {
		if (!parse_fault(words[i], &faults[n++]))
			return 2;
	}
	for (size_t v = 0; v < VARIANTS; v++) {
		if (strcmp(variants[v].name, words[0]) != 0)
			continue;
		sim.verbose = true;
		(void)run(&variants[v], faults, n);
		return failures > 0;
	}
	fprintf(stderr, "check_sim: %s: no such variant\n", words[0]);
	return 2;
}

/* Words, and comments to the end of the line. */
static int
replay_file(FILE *in)
{
	static char lines[SIM_FAULTS_MAX + 1][80];
	char *words[SIM_FAULTS_MAX + 1], line[256];
	int count = 0;

	while (
	    count <= SIM_FAULTS_MAX && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "#\n")] = '\0';
		if (sscanf(line, "%79s", lines[count]) == 1) {
			words[count] = lines[count];
			count++;
		}
	}
	fclose(in);
	if (count > 0)
		return replay(words, count);
	fprintf(stderr, "check_sim: no scenario\n");
	return 2;
}

int
main(int argc, char **argv)
{
	const char *depth = getenv("SIM_DEPTH"), *only = getenv("SIM_ONLY");
	int max = depth != NULL ? atoi(depth) : 2;
	FILE *file;

	everything = getenv("SIM_ALL") != NULL;
	full = getenv("SIM_FULL") != NULL;
	if (max < 0 || max > SIM_FAULTS_MAX)
		max = 2;
	if (argc == 2 && (file = fopen(argv[1], "r")) != NULL)
		return replay_file(file);
	if (argc > 1)
		return replay(argv + 1, argc - 1);
	seen = calloc(SEEN_SIZE, sizeof(*seen));
	if (seen == NULL)
		abort();
	for (size_t v = 0; v < VARIANTS; v++) {
		struct fault faults[SIM_FAULTS_MAX];
		unsigned long runs_before = runs, stuck_before = stuck;
		unsigned long own_before = own;

		if (only != NULL && strcmp(variants[v].name, only) != 0)
			continue;
		explore(&variants[v], faults, 0, max);
		printf("%-17s %7lu runs, %5lu for a person, %3lu in which "
		       "libvirt by itself ran an old copy\n",
		    variants[v].name, runs - runs_before, stuck - stuck_before,
		    own - own_before);
	}
	printf("%lu runs, %lu states with a fault, %lu failed\n", runs, states,
	    failures);
	free(seen);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * Goes through the scenarios: no fault, each fault before each step, and each pair
 * of faults, in strict and fast handover, with and without a definition.
 *
 *	check_sim		all of it
 *	check_sim VARIANT [STEP:FAULT]...
 *				one run, told step by step; what a failing run
 *				prints can be given here
 *
 * Where a fault would meet a state (apart from times) that the same fault has met
 * before, it is left out, unless SIM_ALL is set.  SIM_DEPTH is the number of faults
 * in a run (2), SIM_SHOW_STUCK shows the runs that end with a person.
 *
 * Fast handover is simulated with QEMU's image lock only: without one it is not
 * chosen (decide/evaluate.h), since libvirt by itself can then run a guest twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define STEPS_MAX 6000
#define SEEN_SIZE (1U << 22)
#define SHOWN_MAX 12

static const struct variant variants[] = {
    {"strict", true, true},
    {"fast", false, true},
    {"strict-transient", true, false},
    {"fast-transient", false, false},
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static struct sim sim;
static uint64_t *seen; /* (state, fault) */
static bool everything;
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

/* ---- what must hold at the end ---- */

static bool
had(enum fault_kind kind)
{
	for (int i = 0; i < sim.fault_count; i++) {
		if (sim.faults[i].kind == kind)
			return true;
	}
	return false;
}

/* The guest itself ended, or died with a QEMU. */
static bool
may_be_off(void)
{
	return sim.guest_ended || had(FAULT_SOURCE_QEMU_KILLED) ||
	    had(FAULT_TARGET_QEMU_KILLED);
}

static void
check_owner(int owner)
{
	const struct host *h = &sim.hosts[owner], *other = &sim.hosts[!owner];
	const char *name = owner == SIM_SOURCE ? "source" : "target";

	if (other->present)
		sim_violate(&sim,
		    "it is at the %s, but something is left at "
		    "the other host",
		    name);
	if (!h->present && (sim.variant->persistent || !may_be_off()))
		sim_violate(&sim, "it is not at the %s", name);
	if (!may_be_off() && !(h->qemu && h->cpus))
		sim_violate(&sim, "it does not run at the %s", name);
	if (h->present && h->defined != sim.variant->persistent)
		sim_violate(&sim, "its definition is not at the %s", name);
	if (h->present && sim.variant->persistent && !h->autostart)
		sim_violate(&sim, "autostart was lost");
}

static void
check_end(void)
{
	if (!sim.drover.ended) {
		sim_violate(&sim, "the move never ends: %s: %s",
		    move_state_name(sim.drover.move->state),
		    sim.drover.move->note);
		return;
	}
	switch (sim.drover.outcome) {
	case MOVE_COMPLETED:
		check_owner(SIM_TARGET);
		return;
	case MOVE_NO_OUTCOME:
	case MOVE_FAILED:
	case MOVE_ROLLED_BACK:
	case MOVE_ABORTED:
		check_owner(SIM_SOURCE);
		return;
	case MOVE_STUCK:
		return;
	}
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
		check_end();
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
			    is_new(hash * UINT64_C(1000003) + (uint64_t)k + 1);
	} while (sim_step(&sim) && sim.steps < STEPS_MAX);
	sim_clear(&sim);
	return plan;
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
		if (!fresh[i])
			continue;
		faults[count] = (struct fault){
		    (int)(i / FAULT_KINDS), (enum fault_kind)(i % FAULT_KINDS)};
		explore(variant, faults, count + 1, max);
	}
	free(fresh);
}

/* ---- one run by hand ---- */

static int
replay(int argc, char **argv)
{
	struct fault faults[SIM_FAULTS_MAX];
	int count = 0;

	for (int i = 2; i < argc && count < SIM_FAULTS_MAX; i++) {
		char *name = strchr(argv[i], ':');
		int kind = 0;

		while (name != NULL && kind < FAULT_KINDS &&
		    strcmp(sim_fault_name((enum fault_kind)kind), name + 1) !=
			0)
			kind++;
		if (name == NULL || kind == FAULT_KINDS) {
			fprintf(
			    stderr, "check_sim: %s: not STEP:FAULT\n", argv[i]);
			return 2;
		}
		faults[count++] =
		    (struct fault){atoi(argv[i]), (enum fault_kind)kind};
	}
	for (size_t v = 0; v < VARIANTS; v++) {
		if (strcmp(variants[v].name, argv[1]) != 0)
			continue;
		sim.verbose = true;
		(void)run(&variants[v], faults, count);
		return failures > 0;
	}
	fprintf(stderr, "check_sim: %s: no such variant\n", argv[1]);
	return 2;
}

int
main(int argc, char **argv)
{
	const char *depth = getenv("SIM_DEPTH");
	int max = depth != NULL ? atoi(depth) : 2;

	everything = getenv("SIM_ALL") != NULL;
	if (max < 0 || max > SIM_FAULTS_MAX)
		max = 2;
	if (argc > 1)
		return replay(argc, argv);
	seen = calloc(SEEN_SIZE, sizeof(*seen));
	if (seen == NULL)
		abort();
	for (size_t v = 0; v < VARIANTS; v++) {
		struct fault faults[SIM_FAULTS_MAX];
		unsigned long runs_before = runs, stuck_before = stuck;
		unsigned long own_before = own;

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

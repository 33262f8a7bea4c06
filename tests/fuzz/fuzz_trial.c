/*
 * Any bytes as a file of policy tests or, after a byte 's' and one for the units,
 * as a series: refused with positions, or what can be played, never a crash.
 */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trial/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge_series(const struct series *series, unsigned units)
{
	if (series->count == 0 || series->count > SERIES_SAMPLES_MAX ||
	    (series->unit & units) == 0)
		abort();
	for (size_t i = 0; i < series->count; i++) {
		double value = series->values[i];

		if (value < 0 || isinf(value) ||
		    (series->unit == SERIES_PERCENT && value > 1))
			abort();
	}
}

static void
try_series(struct arena *arena, const char *text, unsigned units)
{
	struct series series = {0};
	struct err err = {.code = ERR_NONE};
	size_t at = SIZE_MAX;

	if (series_parse(arena, text, units, &series, &at, &err) == 0)
		judge_series(&series, units);
	else if (at > strlen(text) || err.msg[0] == '\0')
		abort();
}

/* What is accepted makes a site whose parts fit together, now and later. */
static void
play(struct arena *arena, const struct trial *trial)
{
	const struct trial_case *c = &trial->cases[0];
	struct world world;

	world_init(&world, arena, trial, c);
	for (int i = 0; i < 3; i++) {
		const struct snapshot *s = &world.s;

		for (size_t h = 0; h < s->host_count; h++)
			if (s->hosts[h].cpu_smooth < 0 ||
			    s->hosts[h].cpu_smooth > s->hosts[h].cpus ||
			    s->hosts[h].memory_free >
				s->hosts[h].memory_total ||
			    (h > 0 &&
				strcmp(s->hosts[h - 1].name,
				    s->hosts[h].name) >= 0))
				abort();
		for (size_t v = 0; v < s->vm_count; v++)
			if (s->vms[v].host >= s->host_count ||
			    (v > 0 &&
				strcmp(s->vms[v - 1].uuid, s->vms[v].uuid) >=
				    0))
				abort();
		if (world_next(&world) <= world.now_ms)
			abort();
		world_set_time(&world, world_next(&world));
	}
	world_clear(&world);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((size_t)1 << 30);
	struct diag_list diags;
	struct trial *trial;

	diag_init(&diags);
	if (size > 2 && data[0] == 's' && (data[1] & 15) != 0) {
		try_series(arena,
		    arena_strndup(arena, (const char *)data + 2, size - 2),
		    data[1] & 15);
	} else {
		trial = trial_read(
		    "fuzz_test.yaml", (const char *)data, size, &diags);
		if ((trial == NULL) != diag_any(&diags))
			abort();
		for (size_t i = 0; i < diags.count; i++)
			if (diags.items[i].line == 0 ||
			    diags.items[i].column == 0)
				abort();
		if (trial != NULL)
			play(arena, trial);
		trial_free(trial);
	}
	diag_free(&diags);
	arena_free(arena);
	return 0;
}

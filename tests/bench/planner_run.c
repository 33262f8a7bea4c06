/*
 * Generates a cluster, balances it, and writes what Ganeti's htools need to judge
 * the outcome; ../bench/planner runs it.
 *
 *	planner_run HOSTS GUESTS SEED FOLDER [STEPS [whole]]
 *
 * Writes FOLDER/before, FOLDER/after (text data of htools), FOLDER/loads (-U)
 * and FOLDER/step-K, the cluster after K moves, for about STEPS values of K.
 * Prints: milliseconds, KiB of memory at most, moves, score before, score after.
 *
 * Hosts are alike, as htools take loads of guests as they are and not by what a
 * host has.  Guests differ in size, loads are log-normal, and placement is
 * skewed: hosts attract guests by weights that differ by e^2.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "plan/balance.h"

#define GIB ((int64_t)1 << 30)
#define HOST_CORES 64
#define HOST_MEMORY (512 * GIB)
#define HOST_DISK (8192 * GIB)

static uint64_t seed;

static double
draw(void) /* 0 <= x < 1; splitmix64 */
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static double
draw_normal(void)
{
	double u = 1 - draw();

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * draw());
}

static void
generate_guest(struct plan_guest *g, char *names, uint32_t at)
{
	static const int vcpus[] = {1, 1, 2, 2, 2, 4, 4, 8};
	static const int gib[] = {1, 2, 4};

	snprintf(names, 16, "g%05u", at);
	*g = (struct plan_guest){.name = names,
	    .uuid = names,
	    .runs = true,
	    .dirty_rate = -1,
	    .apart = PLAN_NONE};
	g->vcpus = vcpus[(int)(draw() * 8)];
	g->memory = GIB * g->vcpus * gib[(int)(draw() * 3)];
	g->cpu = fmin(0.12 * exp(draw_normal()), 0.95) * g->vcpus;
	if (draw() < 0.2) {
		g->disk = GIB * (20 + (int)(draw() * 300));
		g->way = PLAN_LIVE_COPY;
	}
}

static void
generate(struct plan_cluster *c, char *names, uint32_t hosts, uint32_t guests)
{
	double *weight = calloc(hosts, sizeof(*weight)), sum = 0;
	int64_t *given = calloc(hosts, sizeof(*given));

	c->hosts = calloc(hosts, sizeof(*c->hosts));
	c->guests = calloc(guests, sizeof(*c->guests));
	c->host_count = hosts;
	c->guest_count = guests;
	for (uint32_t h = 0; h < hosts; h++) {
		snprintf(names + 16 * h, 16, "h%04u", h);
		c->hosts[h] = (struct plan_host){.name = names + 16 * h,
		    .cpus = HOST_CORES,
		    .memory = HOST_MEMORY,
		    .disk = HOST_DISK,
		    .accepts = true,
		    .up = true,
		    .group = PLAN_NONE};
		weight[h] = sum += exp(draw_normal() * 0.6);
	}
	for (uint32_t i = 0; i < guests; i++) {
		struct plan_guest *g = &c->guests[i];
		uint32_t h = 0;

		generate_guest(g, names + 16 * (size_t)(hosts + i), i);
		do {
			double x = draw() * sum;

			for (h = 0; h + 1 < hosts && weight[h] <= x; h++)
				continue;
		} while (given[h] + g->memory > HOST_MEMORY);
		given[h] += g->memory;
		g->host = h;
		c->hosts[h].cpu_used += g->cpu;
	}
	free(weight);
	free(given);
}

static FILE *
open_file(const char *folder, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	return f;
}

static void
write_data(const struct plan_cluster *c, const char *folder, const char *name)
{
	FILE *f = open_file(folder, name);
	int64_t *given = calloc(c->host_count, sizeof(*given));

	for (uint32_t i = 0; i < c->guest_count; i++)
		given[c->guests[i].host] += c->guests[i].memory;
	fprintf(f, "group|uuid-1|preferred||\n\n");
	for (uint32_t h = 0; h < c->host_count; h++)
		fprintf(f, "%s|%lld|0|%lld|%lld|%lld|%d|N|uuid-1|1\n",
		    c->hosts[h].name, (long long)(HOST_MEMORY >> 20),
		    (long long)((HOST_MEMORY - given[h]) >> 20),
		    (long long)(HOST_DISK >> 20), (long long)(HOST_DISK >> 20),
		    HOST_CORES);
	fprintf(f, "\n");
	for (uint32_t i = 0; i < c->guest_count; i++) {
		const struct plan_guest *g = &c->guests[i];

		fprintf(f, "%s|%lld|1024|%d|running|Y|%s||ext||1\n", g->name,
		    (long long)(g->memory >> 20), g->vcpus,
		    c->hosts[g->host].name);
	}
	fprintf(f, "\n\n");
	fclose(f);
	free(given);
}

/* Loads as part of a host; of memory the scorer has free memory already. */
static void
write_loads(const struct plan_cluster *c, const char *folder)
{
	FILE *f = open_file(folder, "loads");

	for (uint32_t i = 0; i < c->guest_count; i++) {
		const struct plan_guest *g = &c->guests[i];

		fprintf(f, "%s %.9f 0 %.9f 0\n", g->name, g->cpu / HOST_CORES,
		    (double)g->disk / (double)HOST_DISK);
	}
	fclose(f);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int
main(int argc, char **argv)
{
	struct plan_cluster c = {0};
	struct plan_balance_options options = {0};
	struct plan_result r;
	struct rusage usage;
	struct arena *arena = arena_new((size_t)1 << 30);
	double begin, ms;
	uint32_t hosts, guests, steps, every;
	char *names;

	if (argc < 5) {
		fprintf(stderr,
		    "usage: planner_run HOSTS GUESTS SEED FOLDER "
		    "[STEPS [whole]]\n");
		return 2;
	}
	seed = strtoull(argv[3], NULL, 10);
	hosts = (uint32_t)atoi(argv[1]);
	guests = (uint32_t)atoi(argv[2]);
	names = calloc((size_t)hosts + guests, 16);
	generate(&c, names, hosts, guests);
	write_data(&c, argv[4], "before");
	write_loads(&c, argv[4]);
	options.whole = argc > 6;
	begin = now_ms();
	plan_balance(arena, &c, &options, &r);
	ms = now_ms() - begin;
	getrusage(RUSAGE_SELF, &usage);
	steps = argc > 5 ? (uint32_t)atoi(argv[5]) : 0;
	every = steps == 0 ? 0 : (r.move_count + steps - 1) / steps;
	for (uint32_t i = 0; i < r.move_count; i++) {
		char name[32];

		c.guests[r.moves[i].guest].host = r.moves[i].to;
		snprintf(name, sizeof(name), "step-%u", i + 1);
		if (every > 0 && (i + 1) % every == 0)
			write_data(&c, argv[4], name);
	}
	write_data(&c, argv[4], "after");
	printf("%.1f %ld %u %.8f %.8f\n", ms, usage.ru_maxrss, r.move_count,
	    r.score_before, r.score_after);
	arena_free(arena);
	free(c.hosts);
	free(c.guests);
	free(names);
	return 0;
}

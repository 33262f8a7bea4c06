/*
 * beacon - the witness inside a lab guest.
 *
 * A move is good when the guest can't tell that it happened.  This program is
 * the guest's own testimony, gathered where a lost page, a lost write or a
 * clock that jumps would hurt a real guest:
 *
 *  - a real-time thread counts every 10 ms against CLOCK_MONOTONIC and keeps
 *    the largest gap.  A stopped vCPU stops that clock too, so the gap shows
 *    a guest that was starved; the outage as others see it is ping-gap's;
 *  - a memory area of words derived from their place and generation is checked
 *    and rewritten without end: a page that was lost in a move comes back with
 *    an old generation, which is counted as stale words;
 *  - a ring of blocks on each disk receives sequence numbers with checksums,
 *    and the rest of the disk is compared with what was put there (disk.c).
 *
 * One line per TCP connection on port 7: a word in, key=value pairs out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"

#define TICK_NS 10000000LL /* the counter's beat: 10 ms */
#define RECORD_TICKS 20    /* a disk record each 200 ms */
#define PASS_SLICES 40     /* a memory pass takes 2 s, */
#define SLICE_TICKS 5      /* in slices of 50 ms */
#define BLOCK 4096
#define HOT_PAGES 128 /* written in each slice */
#define DIRTY_MIB 32  /* area that --dirty writes to */
#define PORT 7

static _Atomic uint64_t counter, skipped, backwards, stale_words, passes;
static _Atomic int64_t max_gap_ns;
static int64_t start_ns;
static uint64_t unopened; /* disks that are not what they should be */
static _Atomic unsigned burn_percent; /* of one processor, when asked to */
static uint64_t fill_mib, zeros_mib;  /* what the first disk was filled with */

static int64_t
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void
clock_sleep_until(int64_t ns)
{
	struct timespec ts = {
	    .tv_sec = ns / 1000000000LL,
	    .tv_nsec = ns % 1000000000LL,
	};

	while (
	    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		continue;
}

static uint64_t
word_mix(uint64_t place, uint64_t generation)
{
	return (place + 1) * 0x9e3779b97f4a7c15ULL ^
	    (generation + 1) * 0xc2b2ae3d27d4eb4fULL;
}

/* The counter.  Late ticks are counted as skipped, never made up for. */
static void *
tick_run(void *arg)
{
	struct sched_param prio = {.sched_priority = 50};
	int64_t last = clock_now(), next = last;
	uint64_t shadow = 0;

	(void)arg;
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &prio);
	for (;;) {
		int64_t now, gap;

		next += TICK_NS;
		clock_sleep_until(next);
		now = clock_now();
		gap = now - last;
		last = now;
		if (gap < 0 || counter != shadow)
			backwards++;
		if (gap > max_gap_ns)
			max_gap_ns = gap;
		if (now - next >= TICK_NS) {
			skipped += (uint64_t)((now - next) / TICK_NS);
			next = now;
		}
		shadow = ++counter;
	}
	return NULL;
}

/* Checks a word against its generation and writes the next one. */
static void
word_step(uint64_t *word, uint64_t place, uint64_t generation)
{
	if (*word != word_mix(place, generation))
		stale_words++;
	*word = word_mix(place, generation + 1);
}

/*
 * Checks and rewrites the area slice by slice, for ever, and with each slice
 * a word in each of some hot pages: pages whose translation stays cached are
 * those for which a fault in dirty tracking shows.
 */
static void *
memory_run(void *arg)
{
	size_t words = *(size_t *)arg * 1048576 / sizeof(uint64_t);
	size_t slice = words / PASS_SLICES + 1, at = 0;
	uint64_t *area = malloc(words * sizeof(*area));
	uint64_t *hot = calloc(HOT_PAGES, BLOCK);
	uint64_t generation = 0, hot_generation = 0;
	int64_t next = clock_now();

	if (area == NULL || hot == NULL)
		abort();
	for (size_t i = 0; i < words; i++)
		area[i] = word_mix(i, 0);
	for (size_t i = 0; i < HOT_PAGES; i++)
		hot[i * (BLOCK / 8)] = word_mix(i, 0);
	for (;;) {
		for (size_t i = 0; i < HOT_PAGES; i++)
			word_step(&hot[i * (BLOCK / 8)], i, hot_generation);
		hot_generation++;
		for (size_t n = 0; n < slice && at < words; n++, at++)
			word_step(&area[at], at, generation);
		if (at == words) {
			at = 0;
			generation++;
			passes++;
		}
		next += SLICE_TICKS * TICK_NS;
		if (next < clock_now())
			next = clock_now();
		clock_sleep_until(next);
	}
	return NULL;
}

/* The load that --dirty asks for: one word per page, checked as well. */
static void *
dirty_run(void *arg)
{
	size_t rate = *(size_t *)arg;
	size_t pages = DIRTY_MIB * 256, at = 0;
	size_t step = rate * 256 / (1000000000LL / TICK_NS) + 1;
	uint64_t *area = calloc(pages, BLOCK), generation = 0;
	int64_t next = clock_now();

	if (area == NULL)
		abort();
	for (;;) {
		for (size_t n = 0; n < step; n++) {
			uint64_t *word = &area[at * (BLOCK / 8)];

			if (*word != generation)
				stale_words++;
			*word = generation + 1;
			if (++at == pages) {
				at = 0;
				generation++;
			}
		}
		next += TICK_NS;
		if (next < clock_now())
			next = clock_now();
		clock_sleep_until(next);
	}
	return NULL;
}

/* The load that "burn N" asks for: busy for that part of each tick. */
static void *
burn_run(void *arg)
{
	(void)arg;
	for (;;) {
		int64_t start = clock_now();
		int64_t busy = TICK_NS * burn_percent / 100;

		while (clock_now() < start + busy)
			continue;
		clock_sleep_until(start + TICK_NS);
	}
	return NULL;
}

static void *
disk_run(void *arg)
{
	int64_t next = clock_now();

	(void)arg;
	for (;;) {
		disk_write_all(counter, clock_now());
		next += RECORD_TICKS * TICK_NS;
		if (next < clock_now())
			next = clock_now();
		clock_sleep_until(next);
	}
	return NULL;
}

static int
answer_status(char *out, size_t size)
{
	struct disk_figures disk[DISKS_MAX] = {0};
	uint64_t errors = unopened;

	for (size_t i = 0; i < disk_count(); i++) {
		disk[i] = disk_figures(i);
		errors += disk[i].errors;
	}
	return snprintf(out, size,
	    "counter=%llu uptime_ms=%lld max_gap_ms=%lld skipped=%llu "
	    "backwards=%llu stale_words=%llu memory_passes=%llu "
	    "disk_records=%llu disk_errors=%llu boot=%llu disk_first=%llu "
	    "disk2_records=%llu disk2_first=%llu\n",
	    (unsigned long long)counter,
	    (long long)((clock_now() - start_ns) / 1000000),
	    (long long)(max_gap_ns / 1000000), (unsigned long long)skipped,
	    (unsigned long long)backwards, (unsigned long long)stale_words,
	    (unsigned long long)passes, (unsigned long long)disk[0].records,
	    (unsigned long long)errors, (unsigned long long)disk[0].boot,
	    (unsigned long long)disk[0].first,
	    (unsigned long long)disk[1].records,
	    (unsigned long long)disk[1].first);
}

static int
answer_verify(char *out, size_t size)
{
	uint64_t bad, checked, errors = unopened;

	if (disk_count() == 0)
		return snprintf(out, size, "verify=nodisk checked=0 bad=0\n");
	bad = disk_verify_all(&checked);
	for (size_t i = 0; i < disk_count(); i++)
		errors += disk_figures(i).errors;
	return snprintf(out, size,
	    "verify=%s checked=%llu bad=%llu disk_records=%llu "
	    "disk_errors=%llu\n",
	    bad == 0 ? "ok" : "bad", (unsigned long long)checked,
	    (unsigned long long)bad,
	    (unsigned long long)disk_figures(0).records,
	    (unsigned long long)errors);
}

static int
answer_fill(char *out, size_t size)
{
	uint64_t checked, bad = disk_verify_fill(fill_mib, zeros_mib, &checked);

	return snprintf(out, size, "fill=%s checked=%llu bad=%llu\n",
	    bad == 0 ? "ok" : "bad", (unsigned long long)checked,
	    (unsigned long long)bad);
}

static void
answer_client(int fd)
{
	struct timeval limit = {.tv_sec = 5};
	char word[64] = "", out[512];
	size_t have = 0;
	int len;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	while (have < sizeof(word) - 1 && strchr(word, '\n') == NULL) {
		ssize_t n = read(fd, word + have, sizeof(word) - 1 - have);

		if (n <= 0)
			break;
		have += (size_t)n;
		word[have] = '\0';
	}
	word[strcspn(word, "\r\n")] = '\0';
	if (strcmp(word, "status") == 0) {
		len = answer_status(out, sizeof(out));
	} else if (strcmp(word, "verify") == 0) {
		len = answer_verify(out, sizeof(out));
	} else if (strcmp(word, "reset") == 0) {
		max_gap_ns = 0;
		len = snprintf(out, sizeof(out), "reset=ok\n");
	} else if (strncmp(word, "burn ", 5) == 0) {
		unsigned long percent = strtoul(word + 5, NULL, 10);

		burn_percent = percent < 100 ? (unsigned)percent : 100;
		len = snprintf(out, sizeof(out), "burn=%u\n", burn_percent);
	} else if (strcmp(word, "fill") == 0) {
		len = answer_fill(out, sizeof(out));
	} else if (strcmp(word, "poweroff") == 0 ||
	    strcmp(word, "reboot") == 0) {
		len = snprintf(out, sizeof(out), "%s=ok\n", word);
	} else {
		len = snprintf(out, sizeof(out), "error=unknown\n");
	}
	if (write(fd, out, (size_t)len) != len)
		return;
	if (strcmp(word, "poweroff") == 0 || strcmp(word, "reboot") == 0) {
		char end;

		shutdown(fd, SHUT_WR);
		(void)read(fd, &end, 1);
		reboot(word[0] == 'p' ? RB_POWER_OFF : RB_AUTOBOOT);
	}
}

static int
serve(void)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET,
	    .sin_port = htons(PORT),
	};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(fd, 16) != 0) {
		perror("beacon: port 7");
		return 1;
	}
	printf("beacon: ready\n");
	fflush(stdout);
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			continue;
		answer_client(client);
		close(client);
	}
}

static void
thread_start(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, arg) != 0)
		abort();
	pthread_detach(thread);
}

/* Opens "/dev/vda,/dev/vdb"; "-" is none. */
static void
disks_open(char *paths)
{
	for (char *save, *path = strtok_r(paths, ",", &save); path != NULL;
	     path = strtok_r(NULL, ",", &save))
		if (strcmp(path, "-") != 0 && !disk_open(path))
			unopened++;
	if (disk_count() > 0)
		thread_start(disk_run, NULL);
}

int
main(int argc, char **argv)
{
	static size_t area, dirty;

	if (argc != 6) {
		fprintf(stderr,
		    "usage: beacon DISK,DISK|- AREA_MIB DIRTY_MIB_PER_S "
		    "FILL_MIB ZEROS_MIB\n");
		return 2;
	}
	area = strtoul(argv[2], NULL, 10);
	dirty = strtoul(argv[3], NULL, 10);
	fill_mib = strtoul(argv[4], NULL, 10);
	zeros_mib = strtoul(argv[5], NULL, 10);
	start_ns = clock_now();
	disks_open(argv[1]);
	thread_start(tick_run, NULL);
	thread_start(burn_run, NULL);
	if (area > 0)
		thread_start(memory_run, &area);
	if (dirty > 0)
		thread_start(dirty_run, &dirty);
	return serve();
}

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
 *  - a ring of disk blocks receives sequence numbers with checksums, written
 *    through to the disk; the sequence goes on over a reboot, so a copied disk
 *    that lost its last writes is found as well.
 *
 * One line per TCP connection on port 7: a word in, key=value pairs out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 10000000LL /* the counter's beat: 10 ms */
#define RECORD_TICKS 20    /* a disk record each 200 ms */
#define PASS_SLICES 40     /* a memory pass takes 2 s, */
#define SLICE_TICKS 5      /* in slices of 50 ms */
#define BLOCK 4096
#define RING_MAX 1024 /* blocks: 4 MiB of any disk */
#define HOT_PAGES 128 /* written in each slice */
#define DIRTY_MIB 32  /* area that --dirty writes to */
#define PORT 7
#define MAGIC 0x6e6f636165626c64ULL

struct record {
	uint64_t magic;
	uint64_t seq;
	uint64_t boot;
	uint64_t counter;
	int64_t mono_ns;
	uint64_t fill[BLOCK / 8 - 6];
	uint64_t sum;
};

_Static_assert(sizeof(struct record) == BLOCK, "a record is one block");

static _Atomic uint64_t counter, skipped, backwards, stale_words, passes;
static _Atomic uint64_t disk_records, disk_errors, disk_boot;
static _Atomic int64_t max_gap_ns;
static int64_t start_ns;

static int disk_fd = -1;
static uint64_t ring_blocks;
static struct record *disk_block;
static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;

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

static uint64_t
record_sum(const struct record *r)
{
	const uint64_t *word = (const uint64_t *)r;
	uint64_t sum = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < BLOCK / 8 - 1; i++)
		sum = (sum ^ word[i]) * 0x100000001b3ULL;
	return sum;
}

static void
record_fill(struct record *r, uint64_t seq)
{
	r->magic = MAGIC;
	r->seq = seq;
	r->boot = disk_boot;
	r->counter = counter;
	r->mono_ns = clock_now();
	for (size_t i = 0; i < sizeof(r->fill) / sizeof(r->fill[0]); i++)
		r->fill[i] = word_mix(i, seq);
	r->sum = record_sum(r);
}

/* True when the slot of seq holds seq.  Caller holds disk_lock. */
static bool
record_holds(uint64_t seq)
{
	off_t at = (off_t)(seq % ring_blocks * BLOCK);

	return pread(disk_fd, disk_block, BLOCK, at) == BLOCK &&
	    disk_block->magic == MAGIC && disk_block->seq == seq &&
	    disk_block->sum == record_sum(disk_block);
}

/*
 * Counts the bad ones among the records that must be there.  The oldest slot
 * is left out: a write that was cut off may have torn it.
 */
static uint64_t
disk_verify(uint64_t *checked)
{
	uint64_t bad = 0, last = disk_records;
	uint64_t first = last + 2 > ring_blocks ? last + 2 - ring_blocks : 1;

	*checked = 0;
	for (uint64_t seq = first; seq <= last; seq++) {
		(*checked)++;
		if (!record_holds(seq))
			bad++;
	}
	return bad;
}

/* Opens the disk and finds where the sequence ended before this boot. */
static bool
disk_open(const char *path)
{
	uint64_t size, last = 0, boot = 0, checked;

	disk_fd = open(path, O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
	if (disk_fd < 0)
		return false;
	if (ioctl(disk_fd, BLKGETSIZE64, &size) != 0 || size < 4 * BLOCK ||
	    posix_memalign((void **)&disk_block, BLOCK, BLOCK) != 0)
		return false;
	ring_blocks = size / BLOCK;
	if (ring_blocks > RING_MAX)
		ring_blocks = RING_MAX;
	for (uint64_t i = 0; i < ring_blocks; i++) {
		if (pread(disk_fd, disk_block, BLOCK, (off_t)(i * BLOCK)) !=
		    BLOCK)
			return false;
		if (disk_block->magic != MAGIC ||
		    disk_block->sum != record_sum(disk_block) ||
		    disk_block->seq <= last)
			continue;
		last = disk_block->seq;
		boot = disk_block->boot;
	}
	disk_records = last;
	disk_boot = boot + 1;
	disk_errors = disk_verify(&checked);
	return true;
}

static void *
disk_run(void *arg)
{
	int64_t next = clock_now();

	(void)arg;
	for (;;) {
		uint64_t seq;
		off_t at;

		pthread_mutex_lock(&disk_lock);
		seq = disk_records + 1;
		at = (off_t)(seq % ring_blocks * BLOCK);
		record_fill(disk_block, seq);
		if (pwrite(disk_fd, disk_block, BLOCK, at) == BLOCK)
			disk_records = seq;
		else
			disk_errors++;
		pthread_mutex_unlock(&disk_lock);
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
	return snprintf(out, size,
	    "counter=%llu uptime_ms=%lld max_gap_ms=%lld skipped=%llu "
	    "backwards=%llu stale_words=%llu memory_passes=%llu "
	    "disk_records=%llu disk_errors=%llu boot=%llu\n",
	    (unsigned long long)counter,
	    (long long)((clock_now() - start_ns) / 1000000),
	    (long long)(max_gap_ns / 1000000), (unsigned long long)skipped,
	    (unsigned long long)backwards, (unsigned long long)stale_words,
	    (unsigned long long)passes, (unsigned long long)disk_records,
	    (unsigned long long)disk_errors, (unsigned long long)disk_boot);
}

static int
answer_verify(char *out, size_t size)
{
	uint64_t bad, checked;

	if (disk_fd < 0)
		return snprintf(out, size, "verify=nodisk checked=0 bad=0\n");
	pthread_mutex_lock(&disk_lock);
	bad = disk_verify(&checked);
	pthread_mutex_unlock(&disk_lock);
	return snprintf(out, size,
	    "verify=%s checked=%llu bad=%llu disk_records=%llu "
	    "disk_errors=%llu\n",
	    bad == 0 ? "ok" : "bad", (unsigned long long)checked,
	    (unsigned long long)bad, (unsigned long long)disk_records,
	    (unsigned long long)disk_errors);
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
	} else if (strcmp(word, "poweroff") == 0) {
		len = snprintf(out, sizeof(out), "poweroff=ok\n");
	} else {
		len = snprintf(out, sizeof(out), "error=unknown\n");
	}
	if (write(fd, out, (size_t)len) != len)
		return;
	if (strcmp(word, "poweroff") == 0) {
		shutdown(fd, SHUT_WR);
		(void)read(fd, word, sizeof(word));
		reboot(RB_POWER_OFF);
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

/* beacon DISK|- AREA_MIB DIRTY_MIB_PER_S */
int
main(int argc, char **argv)
{
	static size_t area, dirty;

	if (argc != 4) {
		fprintf(stderr, "usage: beacon DISK|- AREA_MIB DIRTY_RATE\n");
		return 2;
	}
	area = strtoul(argv[2], NULL, 10);
	dirty = strtoul(argv[3], NULL, 10);
	start_ns = clock_now();
	if (strcmp(argv[1], "-") != 0) {
		if (disk_open(argv[1])) {
			thread_start(disk_run, NULL);
		} else {
			disk_fd = -1;
			disk_errors++;
		}
	}
	thread_start(tick_run, NULL);
	if (area > 0)
		thread_start(memory_run, &area);
	if (dirty > 0)
		thread_start(dirty_run, &dirty);
	return serve();
}

/*
 * The ring: block `seq % blocks` holds record `seq`, with a checksum, written
 * through to the disk.  The sequence goes on over a reboot, so that a copied
 * disk that lost its last writes is found: whoever has seen the guest say
 * record 1000 must see it begin at 1000 or later, wherever it is booted next.
 * A block with an old number is stale, one whose checksum is wrong is torn.
 *
 * The filling is one byte value per MiB, a different one for each, so that a
 * MiB in the wrong place is found as well as a lost one.
 */
#define _GNU_SOURCE
#include "disk.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BLOCK 4096
#define RING_MAX 1024 /* blocks: 4 MiB of any disk */
#define MIB 1048576
#define FILL_AT 8 /* MiB: where the filling begins */
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

struct disk {
	int fd;
	uint64_t blocks; /* of the ring */
	struct disk_figures figures;
	struct record *block; /* scratch */
};

static struct disk disks[DISKS_MAX];
static size_t count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t
word_mix(uint64_t place, uint64_t seq)
{
	return (place + 1) * 0x9e3779b97f4a7c15ULL ^
	    (seq + 1) * 0xc2b2ae3d27d4eb4fULL;
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

static bool
record_read(struct disk *d, uint64_t slot)
{
	return pread(d->fd, d->block, BLOCK, (off_t)(slot * BLOCK)) == BLOCK;
}

/* True when what was read is a record. */
static bool
record_good(const struct disk *d)
{
	return d->block->magic == MAGIC &&
	    d->block->sum == record_sum(d->block);
}

/*
 * The oldest slot is left out: a write that was cut off may have torn it.
 * Caller holds the lock.
 */
static uint64_t
disk_verify(struct disk *d, uint64_t *checked)
{
	uint64_t bad = 0, last = d->figures.records;
	uint64_t first = last + 2 > d->blocks ? last + 2 - d->blocks : 1;

	for (uint64_t seq = first; seq <= last; seq++) {
		(*checked)++;
		if (!record_read(d, seq % d->blocks) || !record_good(d) ||
		    d->block->seq != seq)
			bad++;
	}
	return bad;
}

bool
disk_open(const char *path)
{
	struct disk *d = &disks[count];
	uint64_t size, checked = 0;

	if (count == DISKS_MAX)
		return false;
	d->fd = open(path, O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
	if (d->fd < 0)
		return false;
	if (ioctl(d->fd, BLKGETSIZE64, &size) != 0 || size < 4 * BLOCK ||
	    posix_memalign((void **)&d->block, BLOCK, BLOCK) != 0)
		return false;
	d->blocks = size / BLOCK < RING_MAX ? size / BLOCK : RING_MAX;
	for (uint64_t i = 0; i < d->blocks; i++) {
		if (!record_read(d, i))
			return false;
		if (!record_good(d) || d->block->seq <= d->figures.records)
			continue;
		d->figures.records = d->block->seq;
		d->figures.boot = d->block->boot;
	}
	d->figures.first = d->figures.records;
	d->figures.boot++;
	d->figures.errors = disk_verify(d, &checked);
	count++;
	return true;
}

size_t
disk_count(void)
{
	return count;
}

struct disk_figures
disk_figures(size_t disk)
{
	struct disk_figures out;

	pthread_mutex_lock(&lock);
	out = disks[disk].figures;
	pthread_mutex_unlock(&lock);
	return out;
}

static void
disk_write(struct disk *d, uint64_t counter, int64_t now_ns)
{
	struct record *r = d->block;
	uint64_t seq = d->figures.records + 1;

	r->magic = MAGIC;
	r->seq = seq;
	r->boot = d->figures.boot;
	r->counter = counter;
	r->mono_ns = now_ns;
	for (size_t i = 0; i < sizeof(r->fill) / sizeof(r->fill[0]); i++)
		r->fill[i] = word_mix(i, seq);
	r->sum = record_sum(r);
	if (pwrite(d->fd, r, BLOCK, (off_t)(seq % d->blocks * BLOCK)) == BLOCK)
		d->figures.records = seq;
	else
		d->figures.errors++;
}

void
disk_write_all(uint64_t counter, int64_t now_ns)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < count; i++)
		disk_write(&disks[i], counter, now_ns);
	pthread_mutex_unlock(&lock);
}

uint64_t
disk_verify_all(uint64_t *checked)
{
	uint64_t bad = 0;

	*checked = 0;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < count; i++)
		bad += disk_verify(&disks[i], checked);
	pthread_mutex_unlock(&lock);
	return bad;
}

uint64_t
disk_verify_fill(uint64_t fill, uint64_t zeros, uint64_t *checked)
{
	unsigned char *have = NULL, *want = NULL;
	uint64_t bad = 0;

	*checked = 0;
	if (count == 0 || posix_memalign((void **)&have, BLOCK, MIB) != 0 ||
	    posix_memalign((void **)&want, BLOCK, MIB) != 0)
		return fill + zeros;
	for (uint64_t i = 0; i < fill + zeros; i++) {
		off_t at = (off_t)((FILL_AT + i) * MIB);

		memset(want, i < fill ? (int)(i % 251 + 1) : 0, MIB);
		(*checked)++;
		if (pread(disks[0].fd, have, MIB, at) != MIB ||
		    memcmp(have, want, MIB) != 0)
			bad++;
	}
	free(have);
	free(want);
	return bad;
}

#ifndef DROVER_LAB_DISK_H
#define DROVER_LAB_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a guest's disks testify.  Each disk holds, from its beginning, a ring of
 * blocks that receive sequence numbers; the first may hold a filling besides,
 * written from outside before the guest was made (see ../lib/volume.sh).
 */

#define DISKS_MAX 2

struct disk_figures {
	uint64_t records; /* the last sequence number that is on the disk */
	uint64_t first;   /* the one that was found at this boot */
	uint64_t boot;    /* boots of this disk, this one included */
	uint64_t errors;  /* bad blocks at boot, and writes that failed */
};

/* Opens a disk and finds where its sequence ended before this boot. */
bool disk_open(const char *path);
size_t disk_count(void);
struct disk_figures disk_figures(size_t disk);

/* A record of each disk; `counter` is kept in it. */
void disk_write_all(uint64_t counter, int64_t now_ns);

/* Counts the bad ones among the records that must be there, of all disks. */
uint64_t disk_verify_all(uint64_t *checked);

/* Checks the first disk's filling, MiB for MiB: `fill` of data, `zeros` after
 * it.  Returns how many are not what was written. */
uint64_t disk_verify_fill(uint64_t fill, uint64_t zeros, uint64_t *checked);

#endif

/*
 * From a stream's data and holes to blocks.
 *
 * A sparse stream tells holes as the source's file system has them, in its own
 * grain, and a copy's holes differ from its original's.  So everything is laid
 * on one grid of 4 KiB: a block of zeros counts the same whether it came as
 * data or as a hole.  That makes the checksum comparable, and lets zeros that
 * were written out at the source become holes at the target.
 *
 * Zeros in the middle of data cost a message more as a hole than as data when
 * the run is short; there the source has paid for them already, so that the
 * copy never takes more than the source did.
 */
#include "hv/blocks.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_SHORT_RUN 8 /* 32 KiB */
#define BLOCKS_DIGEST_SIZE 32

struct blocks {
	int64_t length;
	int64_t offset; /* of the window */
	size_t used;    /* in the window */
	struct blocks_window *window;
	blocks_take_fn take;
	void *arg;
	gnutls_hash_hd_t hash;
};

static void
blocks_open_window(struct blocks *blocks)
{
	int64_t left = blocks->length - blocks->offset;
	struct blocks_window *window = blocks->window;

	blocks->used = 0;
	window->offset = blocks->offset;
	window->len =
	    left < (int64_t)BLOCKS_WINDOW ? (size_t)left : BLOCKS_WINDOW;
	memset(window->given, 0, sizeof(window->given));
	memset(window->full, 0, sizeof(window->full));
}

struct blocks *
blocks_new(int64_t length, struct blocks_window *window, blocks_take_fn take,
    void *arg)
{
	struct blocks *blocks = calloc(1, sizeof(*blocks));

	if (blocks == NULL ||
	    gnutls_hash_init(&blocks->hash, GNUTLS_DIG_SHA256) != 0)
		abort();
	blocks->length = length;
	blocks->window = window;
	blocks->take = take;
	blocks->arg = arg;
	blocks_open_window(blocks);
	return blocks;
}

struct blocks_window *
blocks_free(struct blocks *blocks)
{
	struct blocks_window *window = blocks->window;

	gnutls_hash_deinit(blocks->hash, NULL);
	free(blocks);
	return window;
}

int64_t
blocks_offset(const struct blocks *blocks)
{
	return blocks->offset + (int64_t)blocks->used;
}

static void
blocks_hash_number(struct blocks *blocks, int64_t number)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(number >> (56 - 8 * i));
	if (gnutls_hash(blocks->hash, bytes, sizeof(bytes)) != 0)
		abort();
}

static bool
blocks_is_zero(const char *data, size_t len)
{
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

/* The window is complete: what is in it? */
static bool
blocks_look(struct blocks *blocks)
{
	struct blocks_window *window = blocks->window;
	bool any = false;

	for (size_t at = 0; at < window->len; at += BLOCKS_SIZE) {
		size_t i = at / BLOCKS_SIZE;
		size_t len = window->len - at;

		if (len > BLOCKS_SIZE)
			len = BLOCKS_SIZE;
		if (!window->given[i] || blocks_is_zero(window->data + at, len))
			continue;
		window->full[i] = true;
		any = true;
		blocks_hash_number(blocks, window->offset + (int64_t)at);
		if (gnutls_hash(blocks->hash, window->data + at, len) != 0)
			abort();
	}
	return any;
}

static int
blocks_close_window(struct blocks *blocks, struct err *err)
{
	size_t len = blocks->window->len;

	if (blocks_look(blocks)) {
		struct blocks_window *next =
		    blocks->take(blocks->arg, blocks->window);

		blocks->window = next;
		if (next == NULL)
			return err_set(err, ERR_ABORTED, "ended half-way");
	}
	blocks->offset += (int64_t)len;
	blocks_open_window(blocks);
	return 0;
}

char *
blocks_room(struct blocks *blocks, size_t *len)
{
	*len = blocks->window->len - blocks->used;
	return blocks->window->data + blocks->used;
}

int
blocks_add(struct blocks *blocks, size_t len, struct err *err)
{
	size_t first = blocks->used / BLOCKS_SIZE;
	size_t end = (blocks->used + len + BLOCKS_SIZE - 1) / BLOCKS_SIZE;

	for (size_t i = first; i < end; i++)
		blocks->window->given[i] = true;
	blocks->used += len;
	if (blocks->used == blocks->window->len)
		return blocks_close_window(blocks, err);
	return 0;
}

int
blocks_add_hole(struct blocks *blocks, int64_t len, struct err *err)
{
	if (len < 0 || len > blocks->length - blocks_offset(blocks))
		return err_set(
		    err, ERR_INVALID, "a hole passes the image's end");
	while (len > 0) {
		size_t room = blocks->window->len - blocks->used;
		size_t part = len < (int64_t)room ? (size_t)len : room;

		memset(blocks->window->data + blocks->used, 0, part);
		blocks->used += part;
		len -= (int64_t)part;
		if (part == room && blocks_close_window(blocks, err) < 0)
			return -1;
	}
	return 0;
}

int
blocks_end(
    struct blocks *blocks, char sha256[BLOCKS_SHA256_SIZE], struct err *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[BLOCKS_DIGEST_SIZE];

	if (blocks_offset(blocks) != blocks->length)
		return err_set(err, ERR_INVALID,
		    "the image ended after %lld of %lld bytes",
		    (long long)blocks_offset(blocks),
		    (long long)blocks->length);
	blocks_hash_number(blocks, blocks->length);
	gnutls_hash_output(blocks->hash, digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		sha256[2 * i] = digits[digest[i] >> 4];
		sha256[2 * i + 1] = digits[digest[i] & 15];
	}
	sha256[2 * sizeof(digest)] = '\0';
	return 0;
}

bool
blocks_next_run(const struct blocks_window *window, size_t *start, size_t *end)
{
	size_t count = (window->len + BLOCKS_SIZE - 1) / BLOCKS_SIZE;
	size_t i = (*start + BLOCKS_SIZE - 1) / BLOCKS_SIZE, last;

	while (i < count && !window->full[i])
		i++;
	if (i >= count)
		return false;
	*start = i * BLOCKS_SIZE;
	last = i;
	for (i++; i < count && i - last <= BLOCKS_SHORT_RUN; i++) {
		if (window->full[i])
			last = i;
		else if (!window->given[i])
			break;
	}
	*end = (last + 1) * BLOCKS_SIZE;
	if (*end > window->len)
		*end = window->len;
	return true;
}

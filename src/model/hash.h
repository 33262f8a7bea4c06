#ifndef DROVER_MODEL_HASH_H
#define DROVER_MODEL_HASH_H

#include <stdint.h>
#include <string.h>

/*
 * FNV-1a, 64 bits (www.isthe.com/chongo/tech/comp/fnv): tells whether a text is
 * still the one seen before without keeping it.  Not for anything that an
 * adversary chooses, never for an order.
 */

#define HASH_START 0xcbf29ce484222325u

static inline uint64_t
hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

/* NULL and "" differ; so do ("a", "b") and ("ab", ""). */
static inline uint64_t
hash_string(uint64_t hash, const char *s)
{
	if (s == NULL)
		return hash_bytes(hash, "\1", 1);
	return hash_bytes(hash, s, strlen(s) + 1);
}

static inline uint64_t
hash_number(uint64_t hash, int64_t number)
{
	return hash_bytes(hash, &number, sizeof(number));
}

#endif

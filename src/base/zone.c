/*
 * TZif, read from somebody's disk and therefore not believed.
 *
 * A file is a header, a block with times of four bytes and, since version 2,
 * the same again with eight bytes and one line that tells the rule for what
 * comes after the last listed change.  The first block of such a file is only
 * measured and passed over.
 *
 * Of a block, what matters here are the changes and the offsets; names of
 * offsets, and whether a time was meant as standard time, do not.  Every count
 * is compared with what is left of the file before anything behind it is read,
 * so that a length is never trusted twice.
 *
 * Before the first change the first type holds; after the last, the rule, or
 * without one the last type for ever.
 */
#include "base/zone.h"

#include <stdbool.h>
#include <string.h>

#include "base/zone_rule.h"

#define HEADER_SIZE 44
#define TYPE_SIZE 6
#define RULE_MAX 200
#define OFFSET_MAX INT64_C(93599) /* RFC 9636: 25:59:59 */
#define OFFSET_MIN INT64_C(-89999)
#define DAY_S INT64_C(86400)

struct zone {
	size_t count;
	int64_t *times;   /* ascending, seconds since the epoch */
	int32_t *offsets; /* from then on */
	int32_t first;    /* before the first */
	bool has_rule;
	struct zone_rule rule;
};

/* What is left to be read. */
struct input {
	const uint8_t *at;
	size_t left;
};

struct header {
	uint8_t version;
	uint32_t utc_count, standard_count, leap_count;
	uint32_t time_count, type_count, char_count;
};

static int
refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID,
	    "not the compiled rules of a time zone: %s", what);
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static int64_t
get_i32(const uint8_t *p)
{
	return (int64_t)(get_u32(p) ^ UINT32_C(0x80000000)) -
	    INT64_C(0x80000000);
}

static int64_t
get_time(const uint8_t *p, size_t size)
{
	uint64_t n;

	if (size == 4)
		return get_i32(p);
	n = (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
	return n <= INT64_MAX ? (int64_t)n : -(int64_t)(UINT64_MAX - n) - 1;
}

/* The bytes, or NULL when there are not as many. */
static const uint8_t *
take(struct input *in, size_t size)
{
	const uint8_t *p = in->at;

	if (size > in->left)
		return NULL;
	in->at += size;
	in->left -= size;
	return p;
}

static int
read_header(struct input *in, struct header *out, struct err *err)
{
	const uint8_t *p = take(in, HEADER_SIZE);

	if (p == NULL || memcmp(p, "TZif", 4) != 0)
		return refuse(err, "it does not begin with TZif");
	out->version = p[4];
	if (p[4] != 0 && (p[4] < '2' || p[4] > '4'))
		return refuse(err, "its version is not 1 to 4");
	out->utc_count = get_u32(p + 20);
	out->standard_count = get_u32(p + 24);
	out->leap_count = get_u32(p + 28);
	out->time_count = get_u32(p + 32);
	out->type_count = get_u32(p + 36);
	out->char_count = get_u32(p + 40);
	if (out->time_count > ZONE_TIMES_MAX || out->type_count > 256 ||
	    out->char_count > 4096 || out->leap_count > 4096)
		return refuse(err, "it lists too much");
	if (out->type_count == 0 || out->char_count == 0)
		return refuse(err, "it lists no offset");
	if ((out->utc_count != 0 && out->utc_count != out->type_count) ||
	    (out->standard_count != 0 &&
		out->standard_count != out->type_count))
		return refuse(err, "its counts do not agree");
	return 0;
}

/* Passes over a block; the counts are small, sums do not overflow. */
static int
skip_block(struct input *in, const struct header *h, struct err *err)
{
	size_t size = h->time_count * (size_t)5 +
	    h->type_count * (size_t)TYPE_SIZE + h->char_count +
	    h->leap_count * (size_t)8 + h->standard_count + h->utc_count;

	return take(in, size) != NULL ? 0 : refuse(err, "it is cut short");
}

static int
read_types(const uint8_t *types, const struct header *h, const uint8_t *names,
    int32_t out[256], struct err *err)
{
	for (size_t i = 0; i < h->type_count; i++) {
		const uint8_t *type = types + i * TYPE_SIZE;
		int64_t offset = get_i32(type);

		if (offset < OFFSET_MIN || offset > OFFSET_MAX)
			return refuse(err, "an offset is more than a day");
		if (type[4] > 1)
			return refuse(err,
			    "an offset is neither of summer nor of standard "
			    "time");
		if (type[5] >= h->char_count ||
		    memchr(names + type[5], 0, h->char_count - type[5]) == NULL)
			return refuse(err, "an offset has no name");
		out[i] = (int32_t)offset;
	}
	return 0;
}

static int
read_block(struct input *in, const struct header *h, size_t time_size,
    struct arena *arena, struct zone *zone, struct err *err)
{
	const uint8_t *times = take(in, h->time_count * time_size);
	const uint8_t *indices = take(in, h->time_count);
	const uint8_t *types = take(in, h->type_count * (size_t)TYPE_SIZE);
	const uint8_t *names = take(in, h->char_count);
	int32_t offsets[256];

	if (times == NULL || indices == NULL || types == NULL ||
	    names == NULL || take(in, h->standard_count) == NULL ||
	    take(in, h->utc_count) == NULL)
		return refuse(err, "it is cut short");
	if (read_types(types, h, names, offsets, err) != 0)
		return -1;
	zone->first = offsets[0];
	zone->count = h->time_count;
	zone->times = arena_array(arena, zone->count, sizeof(*zone->times));
	zone->offsets = arena_array(arena, zone->count, sizeof(*zone->offsets));
	for (size_t i = 0; i < zone->count; i++) {
		zone->times[i] = get_time(times + i * time_size, time_size);
		if (i > 0 && zone->times[i] <= zone->times[i - 1])
			return refuse(err, "its changes are out of order");
		if (indices[i] >= h->type_count)
			return refuse(err, "a change leads to no offset");
		zone->offsets[i] = offsets[indices[i]];
	}
	return 0;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n", the last of the file */
static int
read_rule(struct input *in, struct zone *zone, struct err *err)
{
	const uint8_t *p = in->at;
	char text[RULE_MAX];

	if (in->left < 2 || p[0] != '\n' || p[in->left - 1] != '\n')
		return refuse(err, "the rule at its end is missing");
	if (in->left - 2 >= RULE_MAX)
		return refuse(err, "the rule at its end is too long");
	for (size_t i = 1; i < in->left - 1; i++)
		if (p[i] < ' ' || p[i] > '~')
			return refuse(err, "the rule at its end is no text");
	memcpy(text, p + 1, in->left - 2);
	text[in->left - 2] = '\0';
	if (text[0] == '\0')
		return 0;
	if (zone_rule_parse(&zone->rule, text, err) != 0)
		return -1;
	zone->has_rule = true;
	return 0;
}

const struct zone *
zone_parse(struct arena *arena, const void *data, size_t len, struct err *err)
{
	struct zone *zone = arena_alloc(arena, sizeof(*zone));
	struct input in = {data, len};
	struct header header;
	size_t time_size = 4;

	if (len > ZONE_SIZE_MAX) {
		refuse(err, "it is too large");
		return NULL;
	}
	if (read_header(&in, &header, err) != 0)
		return NULL;
	if (header.version != 0) {
		time_size = 8;
		if (skip_block(&in, &header, err) != 0 ||
		    read_header(&in, &header, err) != 0)
			return NULL;
	}
	if (header.leap_count > 0) {
		err_set(err, ERR_INVALID,
		    "this time zone counts leap seconds, and the clock of "
		    "this machine does not; use the one without \"right/\"");
		return NULL;
	}
	if (read_block(&in, &header, time_size, arena, zone, err) != 0)
		return NULL;
	if (time_size == 8 && read_rule(&in, zone, err) != 0)
		return NULL;
	if (time_size == 4 && in.left > 0) {
		refuse(err, "something follows its end");
		return NULL;
	}
	return zone;
}

/* ---- asking ---- */

static int64_t
seconds_of(struct wall t)
{
	return t.ms / 1000 - (t.ms % 1000 < 0);
}

static int64_t
look_up(const struct zone *zone, int64_t t, int64_t *out_until)
{
	size_t low = 0, high; /* the first change that is later than t */

	*out_until = INT64_MAX;
	if (zone == NULL)
		return 0;
	high = zone->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->times[middle] <= t)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->count && zone->has_rule)
		return zone_rule_offset(&zone->rule, t, out_until);
	if (low < zone->count)
		*out_until = zone->times[low];
	return low > 0 ? zone->offsets[low - 1] : zone->first;
}

int64_t
zone_offset_s(const struct zone *zone, struct wall t)
{
	int64_t until;

	return look_up(zone, seconds_of(t), &until);
}

struct wall
zone_next_change(const struct zone *zone, struct wall t)
{
	int64_t until;

	look_up(zone, seconds_of(t), &until);
	return (struct wall){
	    until <= INT64_MAX / 1000 ? until * 1000 : ZONE_NEVER};
}

void
zone_local(const struct zone *zone, struct wall t, int *weekday, int *minute)
{
	int64_t local = seconds_of(t) + zone_offset_s(zone, t);
	int64_t days = local / DAY_S - (local % DAY_S < 0);

	/* 1970-01-01 was a Thursday. */
	*weekday = (int)(((days + 3) % 7 + 7) % 7);
	*minute = (int)((local - days * DAY_S) / 60);
}

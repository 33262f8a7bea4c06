/*
 * The blocks that a copy is made of: holes and zeros are one, nothing that is
 * not zero is left out, and the checksum tells content from content only.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hv/blocks.h"

#define KIB 1024
#define SAMPLE (5 * BLOCKS_WINDOW + 3000)

/* What comes out at the other side. */
struct copy {
	char *data;
	size_t written; /* bytes */
	int windows, left;
};

static char *
bytes_new(size_t len)
{
	char *bytes = calloc(1, len + 1);

	ck_assert_ptr_nonnull(bytes);
	return bytes;
}

static struct blocks_window *
window_new(void)
{
	struct blocks_window *window = calloc(1, sizeof(*window));

	ck_assert_ptr_nonnull(window);
	return window;
}

static struct blocks_window *
take(void *arg, struct blocks_window *window)
{
	struct copy *copy = arg;
	size_t start = 0, end;

	copy->windows++;
	if (copy->left > 0 && copy->windows == copy->left) {
		free(window);
		return NULL;
	}
	for (; blocks_next_run(window, &start, &end); start = end) {
		memcpy(copy->data + window->offset + start,
		    window->data + start, end - start);
		copy->written += end - start;
	}
	return window;
}

static void
put(struct blocks *blocks, const char *data, size_t len)
{
	while (len > 0) {
		size_t room;
		char *at = blocks_room(blocks, &room);
		size_t part = len < room ? len : room;

		memcpy(at, data, part);
		ck_assert_int_eq(blocks_add(blocks, part, NULL), 0);
		data += part;
		len -= part;
	}
}

/* As a stream would: zeros of at least `grain` at its places are holes. */
static void
stream(const char *image, size_t len, size_t grain, struct copy *copy,
    char sha256[BLOCKS_SHA256_SIZE])
{
	struct blocks *blocks =
	    blocks_new((int64_t)len, window_new(), take, copy);
	char *zeros = bytes_new(grain);

	for (size_t at = 0; at < len; at += grain) {
		size_t part = len - at < grain ? len - at : grain;

		if (memcmp(image + at, zeros, part) == 0)
			ck_assert_int_eq(
			    blocks_add_hole(blocks, (int64_t)part, NULL), 0);
		else
			put(blocks, image + at, part);
	}
	ck_assert_int_eq(blocks_end(blocks, sha256, NULL), 0);
	free(blocks_free(blocks));
	free(zeros);
}

/* Data here and there: what is not zero in the sample. */
static char *
sample_new(void)
{
	static const struct {
		size_t at, len;
	} pieces[] = {
	    {0, 1},
	    {5000, 3},
	    {64 * KIB, 64 * KIB},
	    {BLOCKS_WINDOW - 10, 20},
	    {3 * BLOCKS_WINDOW + 123, 300 * KIB},
	    {SAMPLE - 1, 1},
	};
	char *image = bytes_new(SAMPLE);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		memset(image + pieces[i].at, (int)i + 1, pieces[i].len);
	return image;
}

START_TEST(a_copy_has_the_same_bytes_whatever_the_holes)
{
	static const size_t grains[] = {
	    1, 511, 4096, 5000, 64 * KIB, 1 << 20, BLOCKS_WINDOW + 1, SAMPLE};
	char *image = sample_new();
	char first[BLOCKS_SHA256_SIZE], sha256[BLOCKS_SHA256_SIZE];

	for (size_t i = 0; i < sizeof(grains) / sizeof(grains[0]); i++) {
		struct copy copy = {.data = bytes_new(SAMPLE)};

		stream(
		    image, SAMPLE, grains[i], &copy, i == 0 ? first : sha256);
		ck_assert_mem_eq(copy.data, image, SAMPLE);
		if (i > 0)
			ck_assert_str_eq(first, sha256);
		free(copy.data);
	}
	free(image);
}
END_TEST

START_TEST(windows_without_anything_are_not_taken)
{
	char *image = sample_new();
	struct copy copy = {.data = bytes_new(SAMPLE)};
	char sha256[BLOCKS_SHA256_SIZE];

	stream(image, SAMPLE, SAMPLE, &copy, sha256);
	/* Of windows 0 to 5 the third and the fifth are empty. */
	ck_assert_int_eq(copy.windows, 4);
	/* Written out zeros cost nothing but what lies between two pieces. */
	ck_assert_uint_le(copy.written, 64 * KIB + 300 * KIB + 16 * 4096);
	free(copy.data);
	free(image);
}
END_TEST

START_TEST(short_zeros_between_data_are_written_only_if_they_were_data)
{
	char *image = bytes_new(BLOCKS_WINDOW);
	struct copy copy = {.data = bytes_new(BLOCKS_WINDOW)};
	char sha256[BLOCKS_SHA256_SIZE];

	image[0] = 1;
	image[3 * BLOCKS_SIZE] = 1;
	image[40 * BLOCKS_SIZE] = 1;
	stream(image, BLOCKS_WINDOW, BLOCKS_WINDOW, &copy, sha256);
	ck_assert_uint_eq(copy.written, 5 * BLOCKS_SIZE);
	copy.written = 0;
	stream(image, BLOCKS_WINDOW, BLOCKS_SIZE, &copy, sha256);
	ck_assert_uint_eq(copy.written, 3 * BLOCKS_SIZE);
	free(copy.data);
	free(image);
}
END_TEST

START_TEST(the_checksum_tells_place_length_and_content)
{
	char sums[4][BLOCKS_SHA256_SIZE];
	char *image = bytes_new(SAMPLE);
	struct copy copy = {.data = bytes_new(SAMPLE)};

	image[10 * BLOCKS_SIZE] = 1;
	stream(image, SAMPLE, 4096, &copy, sums[0]);
	stream(image, SAMPLE - 1, 4096, &copy, sums[1]);
	image[10 * BLOCKS_SIZE] = 2;
	stream(image, SAMPLE, 4096, &copy, sums[2]);
	image[10 * BLOCKS_SIZE] = 0;
	image[11 * BLOCKS_SIZE] = 1;
	stream(image, SAMPLE, 4096, &copy, sums[3]);
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = i + 1; k < 4; k++)
			ck_assert_str_ne(sums[i], sums[k]);
	}
	free(copy.data);
	free(image);
}
END_TEST

START_TEST(an_image_of_no_bytes_ends_at_once)
{
	struct copy copy = {0};
	struct blocks *blocks = blocks_new(0, window_new(), take, &copy);
	char sha256[BLOCKS_SHA256_SIZE];

	ck_assert_int_eq(blocks_end(blocks, sha256, NULL), 0);
	ck_assert_int_eq(copy.windows, 0);
	free(blocks_free(blocks));
}
END_TEST

START_TEST(an_image_that_is_short_or_long_is_no_image)
{
	struct blocks *blocks = blocks_new(10000, window_new(), take, NULL);
	char sha256[BLOCKS_SHA256_SIZE];
	struct err err;

	ck_assert_int_eq(blocks_add_hole(blocks, 9999, NULL), 0);
	ck_assert_int_eq(blocks_end(blocks, sha256, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_int_eq(blocks_add_hole(blocks, 2, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_int_eq(blocks_add_hole(blocks, -1, &err), -1);
	ck_assert_int_eq(blocks_add_hole(blocks, 1, NULL), 0);
	ck_assert_int_eq(blocks_end(blocks, sha256, NULL), 0);
	free(blocks_free(blocks));
}
END_TEST

START_TEST(who_takes_windows_can_end_it)
{
	struct copy copy = {.data = bytes_new(SAMPLE), .left = 2};
	struct blocks *blocks = blocks_new(SAMPLE, window_new(), take, &copy);
	struct err err;
	size_t room;

	for (int i = 0; i < 2; i++) {
		memset(blocks_room(blocks, &room), 1, BLOCKS_WINDOW);
		ck_assert_uint_eq(room, BLOCKS_WINDOW);
		if (blocks_add(blocks, room, &err) < 0)
			break;
		ck_assert_int_eq(i, 0);
	}
	ck_assert_int_eq(err.code, ERR_ABORTED);
	ck_assert_ptr_null(blocks_free(blocks));
	free(copy.data);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("blocks");
	TCase *tc = tcase_create("blocks");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_copy_has_the_same_bytes_whatever_the_holes);
	tcase_add_test(tc, windows_without_anything_are_not_taken);
	tcase_add_test(
	    tc, short_zeros_between_data_are_written_only_if_they_were_data);
	tcase_add_test(tc, the_checksum_tells_place_length_and_content);
	tcase_add_test(tc, an_image_of_no_bytes_ends_at_once);
	tcase_add_test(tc, an_image_that_is_short_or_long_is_no_image);
	tcase_add_test(tc, who_takes_windows_can_end_it);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

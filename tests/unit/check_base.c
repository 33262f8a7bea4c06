/*
 * base/: errors, buffers, arenas and maps, at their edges.
 */
#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* err */

START_TEST(err_set_returns_minus_one_and_keeps_code_and_text)
{
	struct err err = {0};

	ck_assert_int_eq(err_set(&err, ERR_LIMIT, "%d of %s", 3, "x"), -1);
	ck_assert_int_eq(err.code, ERR_LIMIT);
	ck_assert_str_eq(err.msg, "3 of x");
	ck_assert_int_eq(err_set(NULL, ERR_IO, "nobody cares"), -1);
	ck_assert_int_eq(err_prefix(NULL, "nobody"), -1);
}
END_TEST

START_TEST(err_prefixes_outward)
{
	struct err err;

	err_set(&err, ERR_REFUSED, "no room");
	ck_assert_int_eq(err_prefix(&err, "migrate %s", "web1"), -1);
	ck_assert_int_eq(err_prefix(&err, "kvm2"), -1);
	ck_assert_str_eq(err.msg, "kvm2: migrate web1: no room");
	ck_assert_int_eq(err.code, ERR_REFUSED);
}
END_TEST

START_TEST(err_set_may_quote_its_own_message)
{
	struct err err;

	err_set(&err, ERR_IO, "inner");
	err_set(&err, ERR_INTERNAL, "outer (%s)", err.msg);
	ck_assert_str_eq(err.msg, "outer (inner)");
}
END_TEST

START_TEST(err_prefix_of_a_full_message_keeps_the_beginning)
{
	struct err err;
	char big[2000];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	err_set(&err, ERR_IO, "%s", big);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	err_prefix(&err, "kvm1");
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	ck_assert_int_eq(strncmp(err.msg, "kvm1: xxx", 9), 0);
	err_prefix(&err, "%s", big);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
}
END_TEST

/* Wherever the cut falls, what remains is whole characters. */
START_TEST(err_is_cut_between_characters)
{
	static const char *const chars[] = {
	    "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x82"};

	for (int c = 0; c < COUNT(chars); c++) {
		size_t width = strlen(chars[c]);

		for (size_t lead = 0; lead < 8; lead++) {
			struct err err;
			struct buf buf = BUF_INIT(4096);
			size_t len;

			for (size_t i = 0; i < lead; i++)
				buf_adds(&buf, "a");
			for (size_t i = 0; i < 900; i++)
				buf_adds(&buf, chars[c]);
			err_set(&err, ERR_IO, "%s", buf_str(&buf));
			len = strlen(err.msg);
			ck_assert_uint_eq((len - lead) % width, 0);
			ck_assert_uint_gt(len + width, sizeof(err.msg) - 1);
			ck_assert_int_eq(strncmp(err.msg, buf.data, len), 0);
			buf_free(&buf);
		}
	}
}
END_TEST

static const struct {
	const char *in;
	size_t size;
	const char *out;
} line_rows[] = {
    {"", 8, ""},
    {"plain", 8, "plain"},
    {"plain", 6, "plain"},
    {"plain", 5, "plai"},
    {"plain", 1, ""},
    {"two\nlines\n", 32, "two lines"},
    {"tab\tcr\r\n", 32, "tab cr"},
    {"del\x7f"
     "esc\x1b[0m",
	32, "del esc [0m"},
    {"trailing   ", 32, "trailing"},
    {"\n\n", 32, ""},
    {"\xc3\xa4", 3, "\xc3\xa4"},
    {"\xc3\xa4", 2, ""},
    {"a\xe2\x82\xac", 4, "a"},
    {"a\xe2\x82\xac", 5, "a\xe2\x82\xac"},
    {"\xf0\x9f\x90\x82", 4, ""},
    {"\xf0\x9f\x90\x82", 5, "\xf0\x9f\x90\x82"},
    {"\xf4\x8f\xbf\xbf", 8, "\xf4\x8f\xbf\xbf"},
    {"\xff\xfe", 8, "??"},
    {"\x80"
     "a",
	8, "?a"},
    {"\xc3", 8, "?"}, /* ends in the middle */
    {"\xe2\x82", 8, "??"},
    {"\xc3(", 8, "?("},
    {"\xc0\xaf", 8, "??"}, /* overlong '/' */
    {"\xe0\x80\xaf", 8, "???"},
    {"\xf0\x80\x80\xaf", 8, "????"},
    {"\xed\xa0\x80", 8, "???"},      /* a surrogate */
    {"\xf4\x90\x80\x80", 8, "????"}, /* above U+10FFFF */
    {"\xf5\x80\x80\x80", 8, "????"},
};

START_TEST(err_copy_line_makes_one_line_of_utf8)
{
	char out[64];
	size_t len;

	memset(out, 'Z', sizeof(out));
	len = err_copy_line(out, line_rows[_i].size, line_rows[_i].in);
	ck_assert_str_eq(out, line_rows[_i].out);
	ck_assert_uint_eq(len, strlen(line_rows[_i].out));
	ck_assert_int_eq(out[line_rows[_i].size], 'Z');
	ck_assert_uint_eq(err_copy_line(NULL, 0, "x"), 0);
}
END_TEST

START_TEST(err_codes_have_distinct_names)
{
	for (int a = ERR_NONE; a <= ERR_INTERNAL; a++) {
		const char *name = err_code_name((enum err_code)a);

		ck_assert_str_ne(name, "unknown");
		ck_assert_uint_eq(
		    strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		for (int b = ERR_NONE; b < a; b++) {
			ck_assert_str_ne(name, err_code_name((enum err_code)b));
		}
	}
	ck_assert_str_eq(err_code_name(ERR_NOT_FOUND), "not-found");
}
END_TEST

/* buf */

START_TEST(buf_collects_and_terminates)
{
	struct buf buf = BUF_INIT(1000);

	ck_assert_str_eq(buf_str(&buf), "");
	ck_assert_int_eq(buf_adds(&buf, "one "), 0);
	ck_assert_int_eq(buf_addf(&buf, "%d %s", 2, "three"), 0);
	ck_assert_int_eq(buf_add(&buf, " 4\0x", 2), 0);
	ck_assert_str_eq(buf_str(&buf), "one 2 three 4");
	ck_assert_uint_eq(buf.len, 13);
	buf_free(&buf);
	ck_assert_ptr_null(buf.data);
	ck_assert_int_eq(buf_adds(&buf, "again"), 0);
	ck_assert_str_eq(buf_str(&buf), "again");
	buf_free(&buf);
}
END_TEST

START_TEST(buf_keeps_bytes_that_are_not_text)
{
	struct buf buf = BUF_INIT(10);

	ck_assert_int_eq(buf_add(&buf, "a\0b", 3), 0);
	ck_assert_int_eq(buf_add(&buf, NULL, 0), 0);
	ck_assert_uint_eq(buf.len, 3);
	ck_assert_int_eq(memcmp(buf.data, "a\0b", 4), 0);
	buf_free(&buf);
}
END_TEST

START_TEST(buf_takes_exactly_its_maximum)
{
	struct buf buf = BUF_INIT(5);

	ck_assert_int_eq(buf_adds(&buf, "12345"), 0);
	ck_assert(!buf.overflow);
	ck_assert_int_eq(buf_adds(&buf, ""), 0);
	ck_assert_int_eq(buf_adds(&buf, "6"), -1);
	ck_assert(buf.overflow);
	ck_assert_str_eq(buf_str(&buf), "12345");
	buf_free(&buf);
}
END_TEST

START_TEST(buf_refuses_everything_after_an_overflow)
{
	struct buf buf = BUF_INIT(6);

	ck_assert_int_eq(buf_addf(&buf, "%s", "abc"), 0);
	ck_assert_int_eq(buf_addf(&buf, "%s", "defg"), -1);
	ck_assert_int_eq(buf_adds(&buf, "d"), -1);
	ck_assert_int_eq(buf_addf(&buf, "%c", 'd'), -1);
	ck_assert_str_eq(buf_str(&buf), "abc");
	ck_assert_ptr_null(buf_steal(&buf));
	ck_assert(!buf.overflow);
	ck_assert_int_eq(buf_adds(&buf, "fresh"), 0);
	buf_clear(&buf);
	ck_assert_str_eq(buf_str(&buf), "");
	ck_assert_int_eq(buf_adds(&buf, "1234567"), -1);
	buf_clear(&buf);
	ck_assert_int_eq(buf_adds(&buf, "123456"), 0);
	buf_free(&buf);
}
END_TEST

START_TEST(buf_with_no_maximum_stated_takes_nothing)
{
	struct buf buf = {0};

	ck_assert_int_eq(buf_adds(&buf, "a"), -1);
	ck_assert(buf.overflow);
	buf_free(&buf);
}
END_TEST

START_TEST(buf_survives_lengths_near_the_end_of_size_t)
{
	struct buf buf = BUF_INIT(SIZE_MAX);

	ck_assert_int_eq(buf_adds(&buf, "a"), 0);
	ck_assert_int_eq(buf_add(&buf, "x", SIZE_MAX), -1);
	ck_assert_str_eq(buf_str(&buf), "a");
	buf_free(&buf);
}
END_TEST

START_TEST(buf_steal_gives_a_string_also_when_empty)
{
	struct buf buf = BUF_INIT(8);
	cleanup_free char *empty = buf_steal(&buf);
	cleanup_free char *text = NULL;

	ck_assert_str_eq(empty, "");
	buf_adds(&buf, "text");
	text = buf_steal(&buf);
	ck_assert_str_eq(text, "text");
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.len, 0);
}
END_TEST

START_TEST(buf_grows_in_small_steps)
{
	struct buf buf = BUF_INIT(100000);
	int wrong = 0;

	for (int i = 0; i < 10000; i++)
		(void)buf_addf(&buf, "%d", i % 10);
	ck_assert_uint_eq(buf.len, 10000);
	for (size_t i = 0; i < buf.len; i++)
		wrong += buf.data[i] != '0' + (int)(i % 10);
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_le(buf.cap, 100001);
	buf_free(&buf);
}
END_TEST

/* arena */

START_TEST(arena_memory_is_zeroed_aligned_and_apart)
{
	struct arena *arena = arena_new(64 << 20);
	unsigned char *pieces[600];
	int dirty = 0;

	for (int i = 0; i < COUNT(pieces); i++) {
		size_t size = (size_t)(i * 37 % 9000);
		unsigned char *p = arena_alloc(arena, size);

		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t b = 0; b < size; b++)
			dirty += p[b] != 0;
		memset(p, i & 0xff, size);
		pieces[i] = p;
	}
	for (int i = 0; i < COUNT(pieces); i++) {
		for (size_t b = 0; b < (size_t)(i * 37 % 9000); b++)
			dirty += pieces[i][b] != (i & 0xff);
	}
	ck_assert_int_eq(dirty, 0);
	ck_assert_uint_gt(arena_used(arena), 0);
	arena_free(arena);
	arena_free(NULL);
}
END_TEST

START_TEST(arena_strings)
{
	struct arena *arena = arena_new(1 << 20);
	char big[5000];

	memset(big, 'b', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	ck_assert_ptr_null(arena_strdup(arena, NULL));
	ck_assert_str_eq(arena_strdup(arena, ""), "");
	ck_assert_str_eq(arena_strdup(arena, "web1"), "web1");
	ck_assert_str_eq(arena_strndup(arena, "web1", 3), "web");
	ck_assert_str_eq(arena_strndup(arena, "web1", 99), "web1");
	ck_assert_str_eq(arena_printf(arena, "%s-%d", "a", 7), "a-7");
	ck_assert_str_eq(arena_printf(arena, "%s", big), big);
	ck_assert_str_eq(arena_printf(arena, "%.127s", big), big + 4872);
	ck_assert_str_eq(arena_printf(arena, "%.128s", big), big + 4871);
	ck_assert_ptr_ne(arena_alloc(arena, 0), arena_alloc(arena, 0));
	arena_free(arena);
}
END_TEST

START_TEST(arena_takes_exactly_its_maximum)
{
	struct arena *arena = arena_new(100);

	memset(arena_alloc(arena, 60), 1, 60);
	ck_assert_uint_le(arena_used(arena), 100);
	memset(arena_array(arena, 4, 9), 2, 36);
	ck_assert_uint_eq(arena_used(arena), 100);
	arena_free(arena);
}
END_TEST

/* These three end the process by abort(). */
START_TEST(arena_aborts_past_its_maximum)
{
	struct arena *arena = arena_new(100);

	(void)arena_alloc(arena, 101);
	exit(0);
}
END_TEST

START_TEST(arena_aborts_when_the_sum_passes_its_maximum)
{
	struct arena *arena = arena_new(100);

	for (int i = 0; i < 20; i++)
		(void)arena_alloc(arena, 10);
	exit(0);
}
END_TEST

START_TEST(arena_aborts_when_a_product_overflows)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)arena_array(arena, SIZE_MAX / 2, 3);
	exit(0);
}
END_TEST

/* map */

static int map_freed;

static void
count_free(void *value)
{
	map_freed++;
	free(value);
}

static int *
number_new(int n)
{
	int *p = malloc(sizeof(*p));

	ck_assert_ptr_nonnull(p);
	*p = n;
	return p;
}

START_TEST(map_sets_gets_replaces_and_removes)
{
	struct map *map = map_new(count_free);
	int *taken;

	map_freed = 0;
	ck_assert_ptr_null(map_get(map, "a"));
	ck_assert(!map_remove(map, "a"));
	ck_assert_ptr_null(map_take(map, "a"));
	map_set(map, "a", number_new(1));
	map_set(map, "", number_new(2));
	ck_assert_uint_eq(map_count(map), 2);
	ck_assert_int_eq(*(int *)map_get(map, "a"), 1);
	ck_assert_int_eq(*(int *)map_get(map, ""), 2);

	map_set(map, "a", number_new(3));
	ck_assert_int_eq(map_freed, 1);
	ck_assert_uint_eq(map_count(map), 2);
	ck_assert_int_eq(*(int *)map_get(map, "a"), 3);
	map_set(map, "a", map_get(map, "a")); /* itself: not freed */
	ck_assert_int_eq(*(int *)map_get(map, "a"), 3);

	taken = map_take(map, "a");
	ck_assert_int_eq(*taken, 3);
	ck_assert_int_eq(map_freed, 1);
	free(taken);
	ck_assert(map_remove(map, ""));
	ck_assert_int_eq(map_freed, 2);
	ck_assert_uint_eq(map_count(map), 0);
	map_set(map, "left", number_new(4));
	map_free(map);
	ck_assert_int_eq(map_freed, 3);
	map_free(NULL);
}
END_TEST

START_TEST(map_copies_its_keys)
{
	struct map *map = map_new(NULL);
	char key[] = "web1";
	int value = 1;

	map_set(map, key, &value);
	key[3] = '2';
	ck_assert_ptr_eq(map_get(map, "web1"), &value);
	ck_assert_ptr_null(map_get(map, "web2"));
	map_free(map);
}
END_TEST

START_TEST(map_iterates_in_order_of_insertion)
{
	struct map *map = map_new(NULL);
	int values[500];
	const char *key;
	void *value;
	size_t i = 0;
	int expect = 0;

	for (int n = 0; n < COUNT(values); n++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "k%d", n * 7919 % 500);
		values[n] = n;
		map_set(map, name, &values[n]);
	}
	map_set(map, "k0", &values[0]); /* replacing does not move */
	while (map_next(map, &i, &key, &value)) {
		char name[16];

		(void)snprintf(name, sizeof(name), "k%d", expect * 7919 % 500);
		ck_assert_str_eq(key, name);
		ck_assert_int_eq(*(int *)value, expect);
		expect++;
	}
	ck_assert_int_eq(expect, 500);
	ck_assert(!map_next(map, &i, NULL, NULL));
	map_free(map);
}
END_TEST

START_TEST(map_allows_removal_while_iterating)
{
	struct map *map = map_new(count_free);
	const char *key;
	void *value;
	size_t i = 0;
	int seen = 0;

	map_freed = 0;
	for (int n = 0; n < 100; n++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", n);
		map_set(map, name, number_new(n));
	}
	while (map_next(map, &i, &key, &value)) {
		ck_assert_int_eq(*(int *)value, seen);
		if (seen++ % 2 == 0)
			ck_assert(map_remove(map, key));
	}
	ck_assert_int_eq(seen, 100);
	ck_assert_uint_eq(map_count(map), 50);
	ck_assert_int_eq(map_freed, 50);
	ck_assert_ptr_null(map_get(map, "0"));
	ck_assert_int_eq(*(int *)map_get(map, "99"), 99);
	map_free(map);
}
END_TEST

START_TEST(map_stays_right_under_long_churn)
{
	struct map *map = map_new(NULL);
	static int present[64], value;
	unsigned int dice = 1;
	size_t count = 0;

	for (int n = 0; n < 20000; n++) {
		char name[16];
		unsigned int k;

		dice = dice * 1103515245u + 12345u;
		k = dice >> 16 & 63;
		(void)snprintf(name, sizeof(name), "guest-%u", k);
		if ((dice >> 24 & 1) != 0) {
			map_set(map, name, &value);
			count += !present[k];
			present[k] = 1;
		} else {
			if (map_remove(map, name) != present[k])
				ck_abort_msg("%s at step %d", name, n);
			count -= (size_t)present[k];
			present[k] = 0;
		}
		if (map_count(map) != count ||
		    (map_get(map, name) != NULL) != present[k])
			ck_abort_msg("wrong after %d steps at %s", n, name);
	}
	map_free(map);
}
END_TEST

START_TEST(rfc_3339_times_are_read)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"2026-11-21T03:00:00.123456789Z", INT64_C(1795230000123)},
	    {"2026-11-21T04:30:00.5+01:30", INT64_C(1795230000500)},
	    {"2026-11-20T22:00:00-05:00", INT64_C(1795230000000)},
	    {"2024-02-29 23:59:60z", INT64_C(1709251200000)},
	    {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
	    {"1969-12-31T23:59:59.999Z", -1},
	};
	static const char *const bad[] = {"", "2026-11-21", "2026-11-21T03:00Z",
	    "2026-11-21T03:00:00", "2026-11-21T24:00:00Z",
	    "2026-11-21T03:60:00Z", "2026-11-21T03:00:61Z",
	    "2026-02-29T00:00:00Z", "2026-00-01T00:00:00Z",
	    "2026-13-01T00:00:00Z", "2026-11-31T00:00:00Z",
	    "2026-11-21T03:00:00.Z", "2026-11-21T03:00:00+1:00",
	    "2026-11-21T03:00:00+24:00", "2026-11-21T03:00:00Zx",
	    " 2026-11-21T03:00:00Z", "2026-11-21T03:00:00+01"};
	char again[CLOCK_RFC3339_SIZE];
	struct wall t;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(wall_parse(good[i].text, &t), "%s", good[i].text);
		ck_assert_msg(t.ms == good[i].ms, "%s: %lld", good[i].text,
		    (long long)t.ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!wall_parse(bad[i], &t), "%s", bad[i]);
	for (int64_t ms = INT64_C(-62167219200000);
	     ms < INT64_C(253402300799999); ms += INT64_C(7654321987654)) {
		wall_format((struct wall){ms}, again);
		ck_assert(wall_parse(again, &t));
		ck_assert_int_eq(t.ms, ms);
	}
}
END_TEST

static Suite *
suite_base(void)
{
	Suite *suite = suite_create("base");
	TCase *tc = tcase_create("err");

	tcase_add_test(tc, err_set_returns_minus_one_and_keeps_code_and_text);
	tcase_add_test(tc, err_prefixes_outward);
	tcase_add_test(tc, err_set_may_quote_its_own_message);
	tcase_add_test(tc, err_prefix_of_a_full_message_keeps_the_beginning);
	tcase_add_test(tc, err_is_cut_between_characters);
	tcase_add_loop_test(
	    tc, err_copy_line_makes_one_line_of_utf8, 0, COUNT(line_rows));
	tcase_add_test(tc, err_codes_have_distinct_names);
	suite_add_tcase(suite, tc);

	tc = tcase_create("buf");
	tcase_add_test(tc, buf_collects_and_terminates);
	tcase_add_test(tc, buf_keeps_bytes_that_are_not_text);
	tcase_add_test(tc, buf_takes_exactly_its_maximum);
	tcase_add_test(tc, buf_refuses_everything_after_an_overflow);
	tcase_add_test(tc, buf_with_no_maximum_stated_takes_nothing);
	tcase_add_test(tc, buf_survives_lengths_near_the_end_of_size_t);
	tcase_add_test(tc, buf_steal_gives_a_string_also_when_empty);
	tcase_add_test(tc, buf_grows_in_small_steps);
	suite_add_tcase(suite, tc);

	tc = tcase_create("arena");
	tcase_add_test(tc, arena_memory_is_zeroed_aligned_and_apart);
	tcase_add_test(tc, arena_strings);
	tcase_add_test(tc, arena_takes_exactly_its_maximum);
	tcase_add_test_raise_signal(tc, arena_aborts_past_its_maximum, SIGABRT);
	tcase_add_test_raise_signal(
	    tc, arena_aborts_when_the_sum_passes_its_maximum, SIGABRT);
	tcase_add_test_raise_signal(
	    tc, arena_aborts_when_a_product_overflows, SIGABRT);
	suite_add_tcase(suite, tc);

	tc = tcase_create("map");
	tcase_add_test(tc, map_sets_gets_replaces_and_removes);
	tcase_add_test(tc, map_copies_its_keys);
	tcase_add_test(tc, map_iterates_in_order_of_insertion);
	tcase_add_test(tc, map_allows_removal_while_iterating);
	tcase_add_test(tc, map_stays_right_under_long_churn);
	tcase_add_test(tc, rfc_3339_times_are_read);
	suite_add_tcase(suite, tc);

	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite_base());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

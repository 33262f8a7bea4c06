/*
 * Time zones of windows are found on the disk, once each, and a name that is
 * none is a fault with its place and a suggestion.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/zone.h"
#include "config/zones.h"

static char dir[64];
static struct settings settings;
static struct policy policy;
static struct policy_window windows[3];
static struct diag_list diags;
static struct buf said;

static void
write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void
set_up(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check_zones.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	settings = (struct settings){.arena = arena_new((size_t)16 << 20),
	    .policies = &policy,
	    .policy_count = 1};
	memset(windows, 0, sizeof(windows));
	policy = (struct policy){.file = "p.yaml", .windows = windows};
	diag_init(&diags);
	said = BUF_INIT(65536);
}

static void
tear_down(void)
{
	static const char *const names[] = {
	    "pipe", "Text", "Area/Town", "Area"};
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)remove(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
	arena_free(settings.arena);
	diag_free(&diags);
	buf_free(&said);
}

static void
add(const char *time_zone)
{
	windows[policy.window_count] = (struct policy_window){
	    .time_zone = time_zone, .line = 7 + (unsigned)policy.window_count};
	policy.window_count++;
}

static const char *
fill(const char *folder)
{
	zones_fill(&settings, folder, &diags);
	diag_print(&diags, &said);
	return buf_str(&said);
}

START_TEST(each_zone_is_read_once_and_utc_needs_none)
{
	add("Europe/Berlin");
	add(NULL);
	add("Europe/Berlin");
	ck_assert_str_eq(fill(ZONES_FOLDER), "");
	ck_assert_ptr_nonnull(windows[0].zone);
	ck_assert_ptr_null(windows[1].zone);
	ck_assert_ptr_eq(windows[0].zone, windows[2].zone);
	ck_assert_int_eq(
	    zone_offset_s(windows[0].zone, (struct wall){1751328000000}), 7200);
}
END_TEST

static const struct {
	const char *name, *said;
} wrong[] = {
    {"Europe/Berln",
	"p.yaml:7:1: time_zone: there is no time zone \"Europe/Berln\" "
	"(did you mean \"Europe/Berlin\"?)\n"},
    {"europe/berlin",
	"p.yaml:7:1: time_zone: there is no time zone \"europe/berlin\" "
	"(did you mean \"Europe/Berlin\"?)\n"},
    {"Berlin",
	"p.yaml:7:1: time_zone: there is no time zone \"Berlin\" "
	"(did you mean \"Europe/Berlin\"?)\n"},
    {"Qqqq/Xxxxxxxx",
	"p.yaml:7:1: time_zone: there is no time zone \"Qqqq/Xxxxxxxx\" "
	"(write it as in Europe/Berlin)\n"},
    {"right/Europe/Berlin",
	"p.yaml:7:1: time_zone: /usr/share/zoneinfo/right/Europe/Berlin: this "
	"time zone counts leap seconds, and the clock of this machine does "
	"not; use the one without \"right/\"\n"},
};

START_TEST(a_name_that_is_none_is_a_fault_with_a_suggestion)
{
	add(wrong[_i].name);
	ck_assert_str_eq(fill(ZONES_FOLDER), wrong[_i].said);
	ck_assert_ptr_null(windows[0].zone);
}
END_TEST

static const char *const outside[] = {"../Europe/Berlin", "/etc/localtime",
    "Europe/../Europe/Berlin", "Europe//Berlin", "Europe/", "Europe", "",
    "tzdata.zi", "Europe/Berlin\n", "./UTC"};

START_TEST(only_names_of_zones_become_paths)
{
	add(outside[_i]);
	ck_assert_ptr_nonnull(
	    strstr(fill(ZONES_FOLDER), "there is no time zone"));
	ck_assert_ptr_null(windows[0].zone);
}
END_TEST

START_TEST(what_is_no_zone_is_refused)
{
	char path[256];

	write_file("Text", "not a zone");
	snprintf(path, sizeof(path), "%s/pipe", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	add("Text");
	add("pipe");
	fill(dir);
	ck_assert_ptr_nonnull(strstr(buf_str(&said),
	    "/Text: not the compiled rules of a time zone: it does not begin "
	    "with TZif\n"));
	ck_assert_ptr_nonnull(strstr(
	    buf_str(&said), "p.yaml:8:1: time_zone: there is no time zone"));
}
END_TEST

START_TEST(a_machine_without_zones_is_told_what_to_install)
{
	add("Europe/Berlin");
	ck_assert_ptr_nonnull(strstr(fill(dir), "install tzdata\n"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("zones");
	TCase *tc = tcase_create("zones");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, each_zone_is_read_once_and_utc_needs_none);
	tcase_add_loop_test(tc,
	    a_name_that_is_none_is_a_fault_with_a_suggestion, 0,
	    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_loop_test(tc, only_names_of_zones_become_paths, 0,
	    (int)(sizeof(outside) / sizeof(outside[0])));
	tcase_add_test(tc, what_is_no_zone_is_refused);
	tcase_add_test(tc, a_machine_without_zones_is_told_what_to_install);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * Reading a configuration from folders: which files are taken, and that what is
 * not taken is said.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/files.h"

static char dir[64];

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
make_dir(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
set_up(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check_files.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	write_file("drover.yaml", "version: 1\nsocket: s\n");
}

static void
tear_down(void)
{
	static const char *const names[] = {"drover.yaml", "hosts.d/20-b.yaml",
	    "hosts.d/10-a.yaml", "hosts.d/.x.yaml", "hosts.d/c.yaml~",
	    "hosts.d/d.yml", "hosts.d/pipe.yaml", "policies.d/a.yaml"};
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/hosts.d", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/policies.d", dir);
	rmdir(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct settings *
load(struct buf *said)
{
	struct settings *settings;
	struct diag_list diags;
	char path[256];

	snprintf(path, sizeof(path), "%s/drover.yaml", dir);
	diag_init(&diags);
	settings = files_load_settings(path, &diags);
	ck_assert(diag_any(&diags) == (settings == NULL));
	buf_clear(said);
	diag_print(&diags, said);
	diag_free(&diags);
	return settings;
}

START_TEST(a_main_file_alone_is_enough)
{
	struct buf said = BUF_INIT(65536);
	struct settings *s = load(&said);
	char path[256];

	ck_assert_msg(s != NULL, "%s", buf_str(&said));
	snprintf(path, sizeof(path), "%s/s", dir);
	ck_assert_str_eq(s->socket, path);
	settings_free(s);
	buf_free(&said);
}
END_TEST

START_TEST(fragments_are_read_and_leftovers_are_not)
{
	struct buf said = BUF_INIT(65536);
	struct settings *s;

	make_dir("hosts.d");
	make_dir("policies.d");
	write_file("hosts.d/20-b.yaml",
	    "hosts: [ { name: b, uri: \"qemu+tcp://b/system\" } ]\n");
	write_file("hosts.d/10-a.yaml",
	    "hosts: [ { name: a, uri: \"qemu+tcp://a/system\" } ]\n");
	write_file("hosts.d/.x.yaml", "broken: [\n");
	write_file("hosts.d/c.yaml~", "broken: [\n");
	write_file("policies.d/a.yaml",
	    "version: 1\npolicies:\n"
	    "  - { name: p, mode: auto, when: { host: maintenance } }\n");
	s = load(&said);
	ck_assert_msg(s != NULL, "%s", buf_str(&said));
	ck_assert_uint_eq(s->host_count, 2);
	ck_assert_uint_eq(s->policy_count, 1);
	settings_free(s);
	buf_free(&said);
}
END_TEST

START_TEST(what_is_not_read_is_said)
{
	struct buf said = BUF_INIT(65536);
	char path[256];

	make_dir("hosts.d");
	write_file("hosts.d/d.yml", "hosts: []\n");
	ck_assert_ptr_null(load(&said));
	ck_assert_ptr_nonnull(strstr(buf_str(&said),
	    "hosts.d/d.yml: is not read; its name must end with .yaml\n"));

	/* A pipe that nobody writes to must not hang the load. */
	snprintf(path, sizeof(path), "%s/hosts.d/pipe.yaml", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(load(&said));
	ck_assert_ptr_nonnull(
	    strstr(buf_str(&said), "hosts.d/pipe.yaml: is not a file\n"));

	snprintf(path, sizeof(path), "%s/drover.yaml", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_null(load(&said));
	ck_assert_ptr_nonnull(strstr(buf_str(&said),
	    "drover.yaml: cannot be read: No such file or directory\n"));
	buf_free(&said);
}
END_TEST

START_TEST(faults_name_the_file)
{
	struct buf said = BUF_INIT(65536);

	make_dir("hosts.d");
	write_file("hosts.d/10-a.yaml", "hosts: [ { name: a } ]\n");
	ck_assert_ptr_null(load(&said));
	ck_assert_ptr_nonnull(strstr(
	    buf_str(&said), "/hosts.d/10-a.yaml:1:10: hosts[0].uri: missing"));
	buf_free(&said);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("files");
	TCase *tcase = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_main_file_alone_is_enough);
	tcase_add_test(tcase, fragments_are_read_and_leftovers_are_not);
	tcase_add_test(tcase, what_is_not_read_is_said);
	tcase_add_test(tcase, faults_name_the_file);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

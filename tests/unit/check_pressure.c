/*
 * Pressure, with libvirt's functions replaced by a host that has one pool at
 * most: what is made of the kernel's files, and that the pool is gone after
 * every call, whatever failed in it.
 */

#include <check.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/conn.h"
#include "hv/pressure.h"
#include "hv/statedir.h"

#define FILES 3

static struct hv_conn conn = {.busy = PTHREAD_MUTEX_INITIALIZER};
static const char *const names[FILES] = {"cpu", "memory", "io"};

/* What the host is like. */
static const char *texts[FILES];
static bool has_pool, read_only;
static int error_code, error_errno; /* of the creation; 0: it works */

/* What is out. */
static int made, ended, pools, volumes, streams, finished, aborted;
static size_t sent; /* of the file that is downloaded */
static int downloading;
static bool cut; /* in the middle of a download */
static virError last;

/* ---- libvirt, as far as it is used ---- */

static void
host_says(int code, int number)
{
	static char text[] = "so it says";

	last = (virError){.code = code, .int1 = number, .message = text};
}

virErrorPtr
virGetLastError(void)
{
	return last.code != 0 ? &last : NULL;
}

virErrorPtr
virSaveLastError(void)
{
	virErrorPtr copy = calloc(1, sizeof(*copy));

	ck_assert_ptr_nonnull(copy);
	*copy = last;
	return copy;
}

void
virFreeError(virErrorPtr error)
{
	free(error);
}

int
virConnectIsAlive(virConnectPtr vir)
{
	(void)vir;
	return 1;
}

virStoragePoolPtr
virStoragePoolLookupByName(virConnectPtr vir, const char *name)
{
	(void)vir;
	ck_assert_str_eq(name, PRESSURE_POOL);
	if (!has_pool) {
		host_says(VIR_ERR_NO_STORAGE_POOL, 0);
		return NULL;
	}
	pools++;
	return (virStoragePoolPtr)&has_pool;
}

virStoragePoolPtr
virStoragePoolCreateXML(virConnectPtr vir, const char *xml, unsigned int flags)
{
	(void)vir;
	ck_assert_uint_eq(flags, 0);
	ck_assert_ptr_nonnull(strstr(xml, "<name>" PRESSURE_POOL "</name>"));
	ck_assert_ptr_nonnull(strstr(xml, "<path>/proc/pressure</path>"));
	if (has_pool)
		error_code = VIR_ERR_OPERATION_FAILED;
	if (error_code != 0) {
		host_says(error_code, error_errno);
		return NULL;
	}
	made++;
	pools++;
	has_pool = true;
	return (virStoragePoolPtr)&has_pool;
}

int
virStoragePoolDestroy(virStoragePoolPtr pool)
{
	ck_assert_ptr_eq(pool, &has_pool);
	if (read_only) {
		host_says(VIR_ERR_OPERATION_DENIED, 0);
		return -1;
	}
	/* libvirt keeps a pool of which a volume is streamed. */
	ck_assert_int_eq(streams, 0);
	ended++;
	has_pool = false;
	return 0;
}

int
virStoragePoolFree(virStoragePoolPtr pool)
{
	ck_assert_ptr_eq(pool, &has_pool);
	pools--;
	return 0;
}

virStorageVolPtr
virStorageVolLookupByName(virStoragePoolPtr pool, const char *name)
{
	ck_assert_ptr_eq(pool, &has_pool);
	for (int i = 0; i < FILES; i++) {
		if (texts[i] != NULL && strcmp(name, names[i]) == 0) {
			volumes++;
			return (virStorageVolPtr)&texts[i];
		}
	}
	host_says(VIR_ERR_NO_STORAGE_VOL, 0);
	return NULL;
}

int
virStorageVolFree(virStorageVolPtr volume)
{
	ck_assert_ptr_nonnull(volume);
	volumes--;
	return 0;
}

virStreamPtr
virStreamNew(virConnectPtr vir, unsigned int flags)
{
	(void)vir;
	(void)flags;
	streams++;
	return (virStreamPtr)&streams;
}

int
virStorageVolDownload(virStorageVolPtr volume, virStreamPtr stream,
    unsigned long long offset, unsigned long long length, unsigned int flags)
{
	ck_assert_ptr_eq(stream, &streams);
	ck_assert_uint_eq(flags, 0);
	ck_assert_uint_eq(offset, 0);
	/* To the end: libvirt takes such a file for an empty one. */
	ck_assert_uint_eq(length, 0);
	downloading = (int)((const char **)volume - texts);
	sent = 0;
	return 0;
}

/* In pieces, as a network does. */
int
virStreamRecv(virStreamPtr stream, char *data, size_t max)
{
	const char *text = texts[downloading];
	size_t left = strlen(text) - sent;

	ck_assert_ptr_eq(stream, &streams);
	if (cut && sent > 0) {
		host_says(VIR_ERR_RPC, 0);
		return -1;
	}
	if (max > 20)
		max = 20;
	if (left > max)
		left = max;
	memcpy(data, text + sent, left);
	sent += left;
	return (int)left;
}

int
virStreamFinish(virStreamPtr stream)
{
	ck_assert_ptr_eq(stream, &streams);
	finished++;
	return 0;
}

int
virStreamAbort(virStreamPtr stream)
{
	ck_assert_ptr_eq(stream, &streams);
	aborted++;
	return 0;
}

int
virStreamFree(virStreamPtr stream)
{
	ck_assert_ptr_eq(stream, &streams);
	streams--;
	return 0;
}

/* ---- the tests ---- */

static void
setup(void)
{
	conn.vir = (virConnectPtr)&conn;
	texts[0] = "some avg10=98.82 avg60=82.48 avg300=67.99 total=155092384\n"
		   "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
	texts[1] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
		   "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
	texts[2] = "some avg10=0.37 avg60=0.23 avg300=0.67 total=438059235\n"
		   "full avg10=0.10 avg60=0.20 avg300=0.00 total=124074828\n";
	has_pool = read_only = cut = false;
	error_code = error_errno = 0;
	made = ended = pools = volumes = streams = finished = aborted = 0;
	last = (virError){0};
}

/* Nothing of ours is left, here or there. */
static void
teardown(void)
{
	ck_assert_int_eq(pools, 0);
	ck_assert_int_eq(volumes, 0);
	ck_assert_int_eq(streams, 0);
	ck_assert(!has_pool || read_only);
	ck_assert_int_eq(pthread_mutex_trylock(&conn.busy), 0);
	(void)pthread_mutex_unlock(&conn.busy);
}

static bool
is_near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void
read_well(void)
{
	struct facts_load load;
	struct err err = {0};

	ck_assert_msg(pressure_read(&conn, &load, &err) == 0, "%s", err.msg);
	ck_assert(load.pressure_only);
	ck_assert_uint_eq(load.domain_count, 0);
	ck_assert_msg(is_near(load.psi_cpu, 0.8248), "%g", load.psi_cpu);
	ck_assert(is_near(load.psi_memory, 0));
	ck_assert(is_near(load.psi_io, 0.0023));
}

static void
read_badly(enum err_code code, const char *why)
{
	struct facts_load load = {.psi_cpu = 7};
	struct err err = {0};

	ck_assert_int_eq(pressure_read(&conn, &load, &err), -1);
	ck_assert_int_eq(err.code, code);
	ck_assert_str_eq(err.msg, why);
	ck_assert(load.psi_cpu > 6);
	ck_assert_int_eq(made, ended);
}

START_TEST(the_last_minute_of_each_file_is_read)
{
	read_well();
	ck_assert_int_eq(finished, FILES);
	ck_assert_int_eq(made, 1);
	ck_assert_int_eq(ended, 1);
}
END_TEST

START_TEST(nobody_lists_the_pool)
{
	ck_assert(statedir_is_name(PRESSURE_POOL));
}
END_TEST

START_TEST(what_a_killed_process_has_left_goes_first)
{
	has_pool = true;
	read_well();
	ck_assert_int_eq(made, 1);
	ck_assert_int_eq(ended, 2);
}
END_TEST

START_TEST(what_is_left_goes_without_a_reading)
{
	struct err err = {0};

	ck_assert_int_eq(pressure_read(&conn, NULL, &err), 0);
	ck_assert_int_eq(ended, 0);
	has_pool = true;
	ck_assert_int_eq(pressure_read(&conn, NULL, &err), 0);
	ck_assert_int_eq(ended, 1);
	ck_assert_int_eq(made, 0);
}
END_TEST

START_TEST(a_reading_that_is_cut_leaves_nothing)
{
	cut = true;
	read_badly(ERR_REFUSED, "/proc/pressure/cpu: so it says");
	ck_assert_int_eq(aborted, 1);
}
END_TEST

START_TEST(a_file_that_is_not_there_leaves_nothing)
{
	texts[2] = NULL;
	read_badly(ERR_NOT_FOUND, "/proc/pressure/io: so it says");
}
END_TEST

START_TEST(a_file_that_says_something_else_leaves_nothing)
{
	texts[1] = "";
	read_badly(
	    ERR_INVALID, "/proc/pressure/memory: it is in no known form");
}
END_TEST

START_TEST(a_file_that_does_not_end_is_given_up)
{
	static char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	texts[0] = text;
	read_badly(ERR_LIMIT, "/proc/pressure/cpu: it does not end");
	ck_assert_int_eq(aborted, 1);
	ck_assert_int_eq(finished, 0);
}
END_TEST

START_TEST(a_kernel_without_it_is_told_from_other_errors)
{
	error_code = VIR_ERR_SYSTEM_ERROR;
	error_errno = ENOENT;
	read_badly(ERR_NOT_FOUND,
	    "no /proc/pressure there; boot its kernel with psi=1");
	error_errno = EACCES;
	read_badly(ERR_REFUSED, "so it says");
}
END_TEST

START_TEST(a_connection_that_may_only_read_is_refused)
{
	error_code = VIR_ERR_OPERATION_DENIED;
	read_only = has_pool = true;
	read_badly(ERR_REFUSED, "so it says");
	ck_assert_int_eq(made, 0);
}
END_TEST

START_TEST(only_the_kernels_form_is_understood)
{
	static const struct {
		const char *text;
		double value; /* NAN: not understood */
	} cases[] = {
	    {"some avg10=0.00 avg60=1.50 avg300=0.00 total=0", 0.015},
	    {"some avg10=0.00 avg60=100.00 avg300=0.00 total=0", 1},
	    {"some avg10=0.00 avg60=100.01 avg300=0.00 total=0", 1},
	    {"some avg60=7.5\n", 0.075},
	    {"full avg10=0.00 avg60=1.50 avg300=0.00 total=0", NAN},
	    {"some avg10=0.00\nfull avg10=0.00 avg60=1.50", NAN},
	    {"some avg60=", NAN},
	    {"some avg60=.5", NAN},
	    {"some avg60=5", NAN},
	    {"some avg60=5.", NAN},
	    {"some avg60=-1.0", NAN},
	    {"some avg60=nan", NAN},
	    {"some avg60=1000.0", NAN},
	    {"some avg60=1,5", NAN},
	    {"some", NAN},
	    {"", NAN},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = -1;
		bool known = pressure_parse(cases[i].text, &value);

		ck_assert_msg(
		    known == !isnan(cases[i].value), "%s", cases[i].text);
		ck_assert_msg(is_near(value, known ? cases[i].value : -1),
		    "%s: %g", cases[i].text, value);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pressure");
	TCase *tcase = tcase_create("pressure");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_last_minute_of_each_file_is_read);
	tcase_add_test(tcase, nobody_lists_the_pool);
	tcase_add_test(tcase, what_a_killed_process_has_left_goes_first);
	tcase_add_test(tcase, what_is_left_goes_without_a_reading);
	tcase_add_test(tcase, a_reading_that_is_cut_leaves_nothing);
	tcase_add_test(tcase, a_file_that_is_not_there_leaves_nothing);
	tcase_add_test(tcase, a_file_that_says_something_else_leaves_nothing);
	tcase_add_test(tcase, a_file_that_does_not_end_is_given_up);
	tcase_add_test(tcase, a_kernel_without_it_is_told_from_other_errors);
	tcase_add_test(tcase, a_connection_that_may_only_read_is_refused);
	tcase_add_test(tcase, only_the_kernels_form_is_understood);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

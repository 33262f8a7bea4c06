/*
 * Statistics of guests, with libvirt's functions replaced: how many calls they
 * take, what is made of the figures, and what an old libvirt is asked instead.
 */

#include <check.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hv/conn.h"
#include "hv/stats.h"

#define GUESTS 200
#define PARAMS_MAX 32

static struct hv_conn conn = {.busy = PTHREAD_MUTEX_INITIALIZER};
static int calls, error_code;
static unsigned asked_groups, asked_flags;
static int guests;
static virTypedParameter params[PARAMS_MAX];
static int param_count;

/* ---- libvirt, as far as it is used ---- */

static virDomainPtr
domain_of(int number)
{
	return (virDomainPtr)(uintptr_t)(number + 1);
}

int
virConnectGetAllDomainStats(virConnectPtr vir, unsigned int groups,
    virDomainStatsRecordPtr **out, unsigned int flags)
{
	(void)vir;
	calls++;
	asked_groups = groups;
	asked_flags = flags;
	if (error_code != 0)
		return -1;
	*out = calloc((size_t)guests + 1, sizeof(**out));
	ck_assert_ptr_nonnull(*out);
	for (int i = 0; i < guests; i++) {
		(*out)[i] = calloc(1, sizeof(***out));
		ck_assert_ptr_nonnull((*out)[i]);
		(*out)[i]->dom = domain_of(i);
		(*out)[i]->params = params;
		(*out)[i]->nparams = param_count;
	}
	return guests;
}

void
virDomainStatsRecordListFree(virDomainStatsRecordPtr *list)
{
	for (size_t i = 0; list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

int
virConnectListAllDomains(
    virConnectPtr vir, virDomainPtr **out, unsigned int flags)
{
	(void)vir;
	ck_assert_uint_eq(flags, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	calls++;
	*out = calloc((size_t)guests + 1, sizeof(**out));
	ck_assert_ptr_nonnull(*out);
	for (int i = 0; i < guests; i++)
		(*out)[i] = domain_of(i);
	return guests;
}

int
virDomainGetInfo(virDomainPtr domain, virDomainInfoPtr info)
{
	(void)domain;
	calls++;
	*info = (virDomainInfo){.cpuTime = 7};
	return 0;
}

int
virDomainFree(virDomainPtr domain)
{
	(void)domain;
	return 0;
}

/* From what the client has, without asking. */
int
virDomainGetUUIDString(virDomainPtr domain, char *out)
{
	(void)snprintf(out, VIR_UUID_STRING_BUFLEN,
	    "aaaaaaaa-0000-0000-0000-%012u", (unsigned)(uintptr_t)domain);
	return 0;
}

int
virConnectIsAlive(virConnectPtr vir)
{
	(void)vir;
	return 1;
}

virErrorPtr
virGetLastError(void)
{
	static virError error;

	error = (virError){.code = error_code};
	return error_code != 0 ? &error : NULL;
}

/* ---- the tests ---- */

static void
setup(void)
{
	conn.vir = (virConnectPtr)&conn;
	calls = error_code = param_count = 0;
	guests = 1;
}

static void
told(const char *name, unsigned long long value)
{
	virTypedParameter *p = &params[param_count++];

	*p = (virTypedParameter){.type = VIR_TYPED_PARAM_ULLONG};
	(void)snprintf(p->field, sizeof(p->field), "%s", name);
	p->value.ul = value;
}

static void
told_count(const char *name, unsigned value)
{
	virTypedParameter *p = &params[param_count++];

	*p = (virTypedParameter){.type = VIR_TYPED_PARAM_UINT};
	(void)snprintf(p->field, sizeof(p->field), "%s", name);
	p->value.ui = value;
}

static struct facts_load
read_stats(bool disks)
{
	struct facts_load load;
	struct err err = {0};

	ck_assert_msg(
	    stats_guests(&conn, disks, &load, &err) == 0, "%s", err.msg);
	ck_assert(load.guests_only);
	ck_assert_uint_eq(load.domain_count, (size_t)guests);
	return load;
}

START_TEST(two_hundred_guests_take_one_call)
{
	struct facts_load load;

	guests = GUESTS;
	load = read_stats(true);
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(load.domains[GUESTS - 1].uuid,
	    "aaaaaaaa-0000-0000-0000-000000000200");
	facts_load_clear(&load);
}
END_TEST

START_TEST(disks_are_asked_for_when_wanted_and_nobody_is_waited_for)
{
	struct facts_load load = read_stats(false);

	ck_assert(!load.disks);
	ck_assert_uint_eq(asked_groups & VIR_DOMAIN_STATS_BLOCK, 0);
	ck_assert_uint_ne(asked_groups & VIR_DOMAIN_STATS_CPU_TOTAL, 0);
	ck_assert_uint_ne(
	    asked_flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT, 0);
	facts_load_clear(&load);
	load = read_stats(true);
	ck_assert(load.disks);
	ck_assert_uint_ne(asked_groups & VIR_DOMAIN_STATS_BLOCK, 0);
	facts_load_clear(&load);
}
END_TEST

START_TEST(figures_of_all_devices_are_added)
{
	struct facts_load load;

	told("cpu.time", 100);
	told("cpu.user", 9);
	told("vcpu.0.time", 40);
	told("vcpu.0.delay", 3);
	told("vcpu.1.time", 50);
	told("vcpu.1.delay", 4);
	told("vcpu.1.halt_wait.time", 9); /* no processor time */
	told_count("net.count", 2);
	told("net.0.rx.bytes", 1);
	told("net.0.tx.bytes", 2);
	told("net.0.rx.pkts", 99);
	told("net.1.rx.bytes", 4);
	told("net.1.tx.bytes", 8);
	told_count("block.count", 1);
	told("block.0.rd.reqs", 16);
	told("block.0.wr.reqs", 32);
	told("block.0.fl.reqs", 99);
	load = read_stats(true);
	ck_assert_int_eq(load.domains[0].cpu_ns, 100);
	ck_assert_int_eq(load.domains[0].vcpu_ns, 90);
	ck_assert_int_eq(load.domains[0].delay_ns, 7);
	ck_assert_int_eq(load.domains[0].net_bytes, 15);
	ck_assert_int_eq(load.domains[0].disk_requests, 48);
	facts_load_clear(&load);
}
END_TEST

START_TEST(what_is_not_told_is_unknown_and_no_device_is_none)
{
	struct facts_load load;

	told_count("block.count", 0);
	told_count("net.count", 1);
	told("net.0.rx.bytes", 1);
	load = read_stats(true);
	ck_assert_int_eq(load.domains[0].cpu_ns, FACTS_UNKNOWN);
	ck_assert_int_eq(load.domains[0].vcpu_ns, 0);
	ck_assert_int_eq(load.domains[0].delay_ns, FACTS_UNKNOWN);
	ck_assert_int_eq(load.domains[0].net_bytes, FACTS_UNKNOWN);
	ck_assert_int_eq(load.domains[0].disk_requests, 0);
	facts_load_clear(&load);
}
END_TEST

START_TEST(without_such_statistics_each_guest_is_asked)
{
	struct facts_load load;

	error_code = VIR_ERR_NO_SUPPORT;
	guests = 3;
	load = read_stats(true);
	ck_assert(!load.disks);
	ck_assert_int_eq(calls, 2 + guests);
	ck_assert_int_eq(load.domains[2].cpu_ns, 7);
	ck_assert_int_eq(load.domains[2].net_bytes, FACTS_UNKNOWN);
	facts_load_clear(&load);
}
END_TEST

START_TEST(another_error_is_one)
{
	struct facts_load load;
	struct err err = {0};

	error_code = VIR_ERR_INTERNAL_ERROR;
	ck_assert_int_eq(stats_guests(&conn, false, &load, &err), -1);
	ck_assert_int_eq(err.code, ERR_REFUSED);
	ck_assert_int_eq(calls, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stats");
	TCase *tcase = tcase_create("stats");
	SRunner *runner;
	int failed;

	/* What is not replaced here keeps its errors per thread. */
	if (virInitialize() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, two_hundred_guests_take_one_call);
	tcase_add_test(
	    tcase, disks_are_asked_for_when_wanted_and_nobody_is_waited_for);
	tcase_add_test(tcase, figures_of_all_devices_are_added);
	tcase_add_test(
	    tcase, what_is_not_told_is_unknown_and_no_device_is_none);
	tcase_add_test(tcase, without_such_statistics_each_guest_is_asked);
	tcase_add_test(tcase, another_error_is_one);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

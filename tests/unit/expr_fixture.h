#ifndef DROVER_TESTS_EXPR_FIXTURE_H
#define DROVER_TESTS_EXPR_FIXTURE_H

/*
 * What the tests of expressions look at: values for a few names, the rest
 * unknown.  Three answers are no answers: disk.iops is not a number, net has
 * the type of another, and psi.io is a string that is NULL.
 */

#include <math.h>
#include <string.h>

#include "decide/expr.h"

static const enum expr_scope fixture_scopes[] = {EXPR_SCOPE_HOST, EXPR_SCOPE_VM,
    EXPR_SCOPE_TARGET, EXPR_SCOPE_CLUSTER, EXPR_SCOPE_EVENT};

static const char *const fixture_databases[] = {"db1", "db2"};
static const char *const fixture_pools[] = {"fast", "slow"};
static const struct expr_list fixture_lists[] = {
    {.name = "databases",
	.type = EXPR_STRING,
	.count = 2,
	.strings = fixture_databases},
    {.name = "nobody", .type = EXPR_STRING},
};
static const struct expr_list fixture_pool_list = {
    .type = EXPR_STRING, .count = 2, .strings = fixture_pools};

static const struct expr_context fixture_context = {
    .scopes = fixture_scopes,
    .scope_count = 5,
    .lists = fixture_lists,
    .list_count = 2,
};

static inline struct expr_value
fixture_host(unsigned index, const char *label)
{
	struct expr_value cpu = expr_value_number(EXPR_PERCENT, 0.91);

	cpu.for_ms = 6 * 60000;
	switch ((enum expr_host_name)index) {
	case EXPR_HOST_NAME:
		return expr_value_string("kvm1");
	case EXPR_HOST_UP:
		return expr_value_bool(true);
	case EXPR_HOST_MAINTENANCE:
		return expr_value_bool(false);
	case EXPR_HOST_CPU:
		return cpu;
	case EXPR_HOST_MEMORY:
		return expr_value_number(EXPR_PERCENT, 0.5);
	case EXPR_HOST_MEMORY_FREE:
		return expr_value_number(EXPR_BYTES, 4294967296.0);
	case EXPR_HOST_SWAP_IN:
		return expr_value_number(EXPR_RATE, 10485760);
	case EXPR_HOST_VMS:
		return expr_value_number(EXPR_NUMBER, 12);
	case EXPR_HOST_POOLS:
		return expr_value_list(&fixture_pool_list);
	case EXPR_HOST_LABELS:
		return expr_value_string(
		    strcmp(label, "rack") == 0 ? "r1" : NULL);
	case EXPR_HOST_PSI_IO:
		return expr_value_string(NULL);
	case EXPR_HOST_CORDONED:
	case EXPR_HOST_STEAL:
	case EXPR_HOST_PSI_CPU:
	case EXPR_HOST_PSI_MEMORY:
	case EXPR_HOST_ALERTS:
	case EXPR_HOST_COUNT:
		break;
	}
	return expr_value_unknown();
}

static inline struct expr_value
fixture_vm(unsigned index, const char *label)
{
	switch ((enum expr_vm_name)index) {
	case EXPR_VM_NAME:
		return expr_value_string("web1");
	case EXPR_VM_STATE:
		return expr_value_string("running");
	case EXPR_VM_MEMORY:
		return expr_value_number(EXPR_BYTES, 2147483648.0);
	case EXPR_VM_VCPUS:
		return expr_value_number(EXPR_NUMBER, 4);
	case EXPR_VM_DIRTY_RATE:
		return expr_value_number(EXPR_RATE, 104857600);
	case EXPR_VM_AGE:
		return expr_value_number(EXPR_DURATION, 2 * 3600000.0);
	case EXPR_VM_DISK_IOPS:
		return expr_value_number(EXPR_NUMBER, (double)NAN);
	case EXPR_VM_NET:
		return expr_value_number(EXPR_BYTES, 1);
	case EXPR_VM_LABELS:
		return expr_value_string(
		    strcmp(label, "app-tier") == 0 ? "front end" : NULL);
	case EXPR_VM_CPU:
	case EXPR_VM_STORAGE:
	case EXPR_VM_DISK_ALLOCATED:
	case EXPR_VM_HOSTDEV_COUNT:
	case EXPR_VM_LAST_MOVED:
	case EXPR_VM_COUNT:
		break;
	}
	return expr_value_unknown();
}

static inline struct expr_value
fixture_lookup(
    enum expr_scope scope, unsigned index, const char *label, void *arg)
{
	unsigned *asked = arg;

	if (asked != NULL)
		(*asked)++;
	switch (scope) {
	case EXPR_SCOPE_HOST:
		return fixture_host(index, label);
	case EXPR_SCOPE_VM:
		return fixture_vm(index, label);
	case EXPR_SCOPE_TARGET:
		if (index == EXPR_TARGET_CPU_AFTER)
			return expr_value_number(EXPR_PERCENT, 0.6);
		break;
	case EXPR_SCOPE_CLUSTER:
		if (index == EXPR_CLUSTER_HOSTS_UP)
			return expr_value_number(EXPR_NUMBER, 3);
		break;
	case EXPR_SCOPE_EVENT:
		if (index == EXPR_EVENT_TYPE)
			return expr_value_string("DiskFailing");
		break;
	}
	return expr_value_unknown();
}

#endif

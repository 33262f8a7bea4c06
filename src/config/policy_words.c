/*
 * The words of the language for what is stored as an enum, for records,
 * explanations and tables.
 */

#include "config/policy.h"

const char *
policy_mode_name(enum policy_mode mode)
{
	switch (mode) {
	case POLICY_OFF:
		return "off";
	case POLICY_OBSERVE:
		return "observe";
	case POLICY_APPROVE:
		return "approve";
	case POLICY_AUTO:
		break;
	}
	return "auto";
}

const char *
policy_order_name(enum policy_order order)
{
	switch (order) {
	case POLICY_ORDER_MEMORY_ASC:
		return "smallest-first";
	case POLICY_ORDER_MEMORY_DESC:
		return "largest-first";
	case POLICY_ORDER_BUSIEST:
		return "busiest-first";
	case POLICY_ORDER_CHEAPEST:
		return "cheapest-first";
	case POLICY_ORDER_NAME:
		break;
	}
	return "name";
}

const char *
policy_subject_name(enum policy_subject subject)
{
	switch (subject) {
	case POLICY_SUBJECT_VM:
		return "vm";
	case POLICY_SUBJECT_CLUSTER:
		return "cluster";
	case POLICY_SUBJECT_EVENT:
		return "event";
	case POLICY_SUBJECT_HOST:
		break;
	}
	return "host";
}

const char *
policy_use_name(enum policy_use use)
{
	switch (use) {
	case POLICY_USE_LIVE_SHARED:
		return "live-shared";
	case POLICY_USE_LIVE_COPY:
		return "live-copy";
	case POLICY_USE_RESTART:
		return "restart";
	case POLICY_USE_SKIP:
		return "skip";
	case POLICY_USE_DEFAULT:
		break;
	}
	return "default";
}

const char *
policy_handover_name(enum policy_handover handover)
{
	switch (handover) {
	case POLICY_HANDOVER_FAST:
		return "fast";
	case POLICY_HANDOVER_STRICT:
		return "strict";
	case POLICY_HANDOVER_DEFAULT:
		break;
	}
	return "default";
}

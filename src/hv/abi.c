/*
 * Can this host give a guest the same virtual hardware?
 *
 * Two questions, both answered by the host's own libvirt: domain capabilities
 * can be made for the guest's emulator, machine type and kind of
 * virtualisation, and its hypervisor can provide the guest's CPU.  The latter
 * depends on emulator and kind; TCG and KVM on one machine give opposite
 * answers.
 *
 * A guest that has its host's CPU as it is can go where the host's CPU has all
 * of it.  That is a comparison of two hosts' CPUs: a hypervisor never provides
 * all that its host has (the features that only an operating system sees), and
 * asked for it would refuse the CPU of its own host.
 *
 * libvirt reports "no" and "cannot tell" through the same channel.  A "no" is
 * a property of the host and keeps a guest from it; "cannot tell" is an error
 * and decides nothing.  The error codes below are the ones that mean "no";
 * everything else, above all a broken connection, is "cannot tell".
 */
#include "hv/abi.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "hv/conn.h"

static bool
abi_is_verdict(virErrorPtr error)
{
	if (error == NULL || error->domain == VIR_FROM_RPC ||
	    error->domain == VIR_FROM_REMOTE)
		return false;
	switch (error->code) {
	case VIR_ERR_CPU_INCOMPATIBLE:
	case VIR_ERR_CONFIG_UNSUPPORTED:
	case VIR_ERR_INVALID_ARG:
	case VIR_ERR_NO_SUPPORT: /* by the driver, or for this architecture */
		return true;
	case VIR_ERR_INTERNAL_ERROR:
		return error->message != NULL &&
		    strstr(error->message, "Unknown CPU model") != NULL;
	case VIR_ERR_SYSTEM_ERROR:
		return error->message != NULL &&
		    strstr(error->message, "Cannot check QEMU binary") != NULL;
	default:
		return false;
	}
}

/* Turns libvirt's last error into a verdict (0) or into *err (-1). */
static int
abi_judge(struct hv_conn *conn, struct hv_abi_verdict *out, struct err *err)
{
	bool verdict = abi_is_verdict(virGetLastError());
	struct err told;

	(void)conn_fail(conn, &told);
	if (!verdict || told.code == ERR_UNREACHABLE) {
		if (err != NULL)
			*err = told;
		return -1;
	}
	out->ok = false;
	(void)err_copy_line(out->why, sizeof(out->why), told.msg);
	return 0;
}

/* libvirt tells a host's <cpu> from a guest's in the same way. */
static bool
abi_is_host_cpu(const char *cpu_xml)
{
	return strstr(cpu_xml, "<arch>") != NULL;
}

int
abi_check(struct hv_conn *conn, const char *emulator, const char *arch,
    const char *machine, const char *virt_type, const char *cpu_xml,
    struct hv_abi_verdict *out, struct err *err)
{
	CONN_HOLD(conn);
	char *capabilities;

	capabilities = virConnectGetDomainCapabilities(
	    conn->vir, emulator, arch, machine, virt_type, 0);
	if (capabilities == NULL)
		return abi_judge(conn, out, err);
	free(capabilities);

	if (cpu_xml != NULL) {
		const unsigned int flags =
		    VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE;
		int rc = abi_is_host_cpu(cpu_xml)
		    ? virConnectCompareCPU(conn->vir, cpu_xml, flags)
		    : virConnectCompareHypervisorCPU(conn->vir, emulator, arch,
			  machine, virt_type, cpu_xml, flags);

		if (rc == VIR_CPU_COMPARE_ERROR)
			return abi_judge(conn, out, err);
		if (rc == VIR_CPU_COMPARE_INCOMPATIBLE) {
			out->ok = false;
			(void)err_copy_line(out->why, sizeof(out->why),
			    "the host cannot provide the guest's CPU");
			return 0;
		}
	}
	out->ok = true;
	out->why[0] = '\0';
	return 0;
}

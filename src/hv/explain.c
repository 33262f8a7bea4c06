/*
 * What libvirt and QEMU say, put so that a person knows what to do.
 *
 * The hypervisor's messages name the symptom at the layer that tripped over
 * it: a missing bridge is an MTU that cannot be read, a forgotten disk file is
 * a monitor that hung up.  Error codes do not help, most of these are
 * "internal error".  So the text itself is looked at, by a table of
 * substrings.
 *
 * A row matches when all of its substrings occur.  The first row that matches
 * wins, so a symptom that travels inside another message ("qemu unexpectedly
 * closed the monitor: ... Could not open ...") stands above its wrapper.
 *
 * Two questions decide what a drain does next.  `permanent`: the same move to
 * the same target fails again until a person acts, so it is not repeated.
 * `any_target`: the cause lies with the guest or its source, so no other
 * target is tried either.
 */
#include "hv/explain.h"

#include <stddef.h>
#include <string.h>

#define EXPLAIN_NEEDLES 3

enum { PASSES, STAYS };            /* .permanent */
enum { THIS_TARGET, ALL_TARGETS }; /* .any_target */

struct row {
	const char *needles[EXPLAIN_NEEDLES];
	struct hv_explanation says;
};

/* clang-format off */
static const struct row rows[] = {
/* Is somebody else using the disk?  Nothing may hide this one. */
{ { "Failed to get \"write\" lock" }, { "image-locked",
	"Another QEMU process holds the disk image open for writing; the guest "
	"may be running in two places.",
	"Find out where the guest runs before anything else; never force it.",
	STAYS, ALL_TARGETS } },
{ { "Failed to get shared \"write\" lock" }, { "image-locked",
	"Another QEMU process holds the disk image open for writing; the guest "
	"may be running in two places.",
	"Find out where the guest runs before anything else; never force it.",
	STAYS, ALL_TARGETS } },

/* Storage. */
{ { "cache other than none or directsync" }, { "unsafe-cache",
	"A disk uses a cache mode that may leave stale data behind when the "
	"guest changes hosts.",
	"Set cache='none' or 'directsync' on the disk and restart the guest.",
	STAYS, ALL_TARGETS } },
{ { "Migration without shared storage is unsafe" }, { "unsafe-storage",
	"libvirt sees a disk on a file system that it takes for local to the "
	"source host.",
	"Put the disk on storage that both hosts share, or move the guest with "
	"its disks copied.", STAYS, ALL_TARGETS } },
{ { "no storage pool with matching target path" }, { "no-pool",
	"The target has no active storage pool over the directory that the "
	"disk is to be copied to.",
	"Define and start a pool with this target path on the target host.",
	STAYS, THIS_TARGET } },
{ { "Source and target image have different sizes" }, { "size-mismatch",
	"The target already has a volume of this name with another size, left "
	"over from an earlier move or owned by another guest.",
	"Check what the volume is; if nobody needs it, delete it and refresh "
	"the pool.", STAYS, THIS_TARGET } },
{ { "pre-creation", "incremental", "not supported" }, { "no-backing-file",
	"The disk's backing file or its top image does not exist on the "
	"target.",
	"Copy the backing chain to the target first, or flatten the disk.",
	STAYS, THIS_TARGET } },
{ { "Cannot access storage file" }, { "no-file",
	"The target cannot read a disk or ISO image of the guest: it is not "
	"there, or its owner and permissions forbid it.",
	"Provide the file on the target, eject it, or correct its permissions "
	"(NFS root_squash included).", STAYS, THIS_TARGET } },
{ { "Could not open '", "Permission denied" }, { "file-permission",
	"QEMU on the target may not open a disk image of the guest.",
	"Correct the owner and permissions of the image, or the security "
	"profile of the target.", STAYS, THIS_TARGET } },
{ { "Could not open '", "No such file" }, { "no-file",
	"A disk image of the guest does not exist on the target, although its "
	"storage pool may still list it.",
	"Refresh the target's pool and make the file visible there.",
	STAYS, THIS_TARGET } },

/* Network. */
{ { "Cannot get interface MTU on" }, { "no-bridge",
	"The bridge that the guest is attached to does not exist on the "
	"target.",
	"Create the bridge on the target, or attach the guest to one that both "
	"hosts have.", STAYS, THIS_TARGET } },
{ { "no network with matching name" }, { "no-network",
	"The libvirt network that the guest uses is not defined on the "
	"target.",
	"Define and start the network on the target.", STAYS, THIS_TARGET } },
{ { "network '", "is not active" }, { "network-inactive",
	"The libvirt network that the guest uses is not started on the "
	"target.",
	"Start the network on the target and let it start by itself.",
	STAYS, THIS_TARGET } },

/* Identity. */
{ { "is already defined with uuid" }, { "name-taken",
	"The target already has a definition with the guest's name or UUID: a "
	"leftover of an earlier move, or a clone.",
	"Make sure that it runs nowhere, then undefine it on the target or "
	"rename it.", STAYS, THIS_TARGET } },
{ { "already exists with uuid" }, { "name-taken",
	"The target already has a definition with the guest's name or UUID: a "
	"leftover of an earlier move, or a clone.",
	"Make sure that it runs nowhere, then undefine it on the target or "
	"rename it.", STAYS, THIS_TARGET } },
{ { "is already active as" }, { "name-taken",
	"The target already runs a guest with this UUID.",
	"Find out which of the two is the real one before anything else.",
	STAYS, THIS_TARGET } },
{ { "migrate guest to the same host" }, { "same-host-uuid",
	"Source and target report the same host UUID, as machines cloned from "
	"one image or with an empty SMBIOS do.",
	"Give every host its own host_uuid in libvirtd.conf and restart "
	"libvirtd.", STAYS, THIS_TARGET } },

/* The way from source to target. */
{ { "unable to connect to server at", ":491", "refused" }, {
	"migration-port-closed",
	"The target refuses connections to its migration ports.",
	"Open TCP 49152-49215 between the hosts.", STAYS, THIS_TARGET } },
{ { "unable to connect to server at", ":492", "refused" }, {
	"migration-port-closed",
	"The target refuses connections to its migration ports.",
	"Open TCP 49152-49215 between the hosts.", STAYS, THIS_TARGET } },
{ { "unable to connect to server at", ":491", "No route" }, {
	"migration-port-rejected",
	"There is no route to the target's migration ports, or a firewall "
	"answers so.",
	"Check the address in migrate_uri, the routing, and the firewall for "
	"TCP 49152-49215.", STAYS, THIS_TARGET } },
{ { "unable to connect to server at", ":492", "No route" }, {
	"migration-port-rejected",
	"There is no route to the target's migration ports, or a firewall "
	"answers so.",
	"Check the address in migrate_uri, the routing, and the firewall for "
	"TCP 49152-49215.", STAYS, THIS_TARGET } },
{ { "unable to connect to server at", ":491", "timed out" }, {
	"migration-port-silent",
	"The target's migration ports do not answer; usually a firewall drops "
	"the packets.",
	"Open TCP 49152-49215 between the hosts.", STAYS, THIS_TARGET } },
{ { "unable to connect to server at", ":492", "timed out" }, {
	"migration-port-silent",
	"The target's migration ports do not answer; usually a firewall drops "
	"the packets.",
	"Open TCP 49152-49215 between the hosts.", STAYS, THIS_TARGET } },
{ { "unable to connect to server at" }, { "peer-unreachable",
	"The source host cannot reach the target's libvirt daemon.",
	"Open TCP 16509 or 16514 from source to target, and check that its "
	"libvirtd listens there.", PASSES, THIS_TARGET } },
{ { "Unable to resolve address" }, { "peer-name-unknown",
	"The source host cannot resolve the target's name.",
	"Set the host's migrate_uri to an address, or add the name to DNS or "
	"/etc/hosts on the source.", STAYS, THIS_TARGET } },
{ { "hostname on destination resolved to localhost" }, {
	"peer-name-localhost",
	"The target's own name resolves to its loopback address there.",
	"Set the host's migrate_uri to an address, or correct /etc/hosts on "
	"the target.", STAYS, THIS_TARGET } },
{ { "Host key verification failed" }, { "ssh-host-key",
	"The source's root does not know the target's ssh host key.",
	"Log in once by ssh from source to target as root, or distribute the "
	"host keys.", STAYS, THIS_TARGET } },
{ { "ssh", "Permission denied" }, { "ssh-denied",
	"The source's root may not log in to the target by ssh.",
	"Put root's public key of the source into the target's "
	"authorized_keys.", STAYS, THIS_TARGET } },
{ { "ssh: connect to host" }, { "ssh-unreachable",
	"The source cannot reach the target by ssh.",
	"Check the name, the route and the ssh service of the target.",
	PASSES, THIS_TARGET } },
{ { "Unable to access credentials" }, { "no-certificates",
	"TLS was asked for, and QEMU's certificates are missing on one of the "
	"hosts.",
	"Install QEMU's own certificates (/etc/pki/qemu) on both hosts; "
	"libvirt's do not count.", STAYS, THIS_TARGET } },
{ { "Cannot read CA certificate" }, { "no-certificates",
	"TLS was asked for, and libvirt's certificates are missing on one of "
	"the hosts.",
	"Install /etc/pki/CA/cacert.pem and the host's own certificate.",
	STAYS, THIS_TARGET } },
{ { "VIR_MIGRATE_TLS" }, { "tls-forced",
	"The host accepts only encrypted migration (migrate_tls_force).",
	"Set up QEMU's TLS certificates for migration, or lift "
	"migrate_tls_force in its qemu.conf.", STAYS, THIS_TARGET } },
{ { "authentication failed" }, { "auth-failed",
	"The libvirt daemon refuses the credentials that it was shown.",
	"Check certificates, SASL accounts or ssh keys for this connection.",
	STAYS, THIS_TARGET } },

/* The guest on that machine. */
{ { "missing features" }, { "cpu-features",
	"The target's CPU lacks features that the guest has been given.",
	"Use another host, or give the guest a CPU model that all hosts "
	"provide.", STAYS, THIS_TARGET } },
{ { "does not provide required features" }, { "cpu-features",
	"The target's CPU lacks features that the guest has been given.",
	"Use another host, or give the guest a CPU model that all hosts "
	"provide.", STAYS, THIS_TARGET } },
{ { "guest CPU doesn't match specification" }, { "cpu-features",
	"The target's CPU or QEMU cannot provide the guest's CPU as defined.",
	"Use another host, or give the guest a CPU model that all hosts "
	"provide.", STAYS, THIS_TARGET } },
{ { "Unknown CPU model" }, { "cpu-unknown",
	"The target's libvirt does not know the guest's CPU model.",
	"Update libvirt on the target, or give the guest an older model.",
	STAYS, THIS_TARGET } },
{ { "does not match source" }, { "abi-changed",
	"The definition made for the target differs from the source in "
	"something that the guest can see.",
	"Move the guest with its definition unchanged, or by restart.",
	STAYS, ALL_TARGETS } },
{ { "Emulator '", "does not support machine type" }, { "machine-type",
	"QEMU on the target does not have the guest's machine type.",
	"Update QEMU on the target, or restart the guest with a machine type "
	"that all hosts have.", STAYS, THIS_TARGET } },
{ { "the machine '", "is not supported by emulator" }, { "machine-type",
	"QEMU on the target does not have the guest's machine type.",
	"Update QEMU on the target, or restart the guest with a machine type "
	"that all hosts have.", STAYS, THIS_TARGET } },
{ { "unsupported machine type" }, { "machine-type",
	"QEMU on the target does not have the guest's machine type.",
	"Update QEMU on the target, or restart the guest with a machine type "
	"that all hosts have.", STAYS, THIS_TARGET } },
{ { "Cannot check QEMU binary" }, { "no-emulator",
	"The guest's emulator does not exist under its path on the target.",
	"Install the same emulator on the target, or correct the guest's "
	"<emulator>.", STAYS, THIS_TARGET } },
{ { "Security driver model", "is not available" }, { "security-driver",
	"Source and target do not run the same security driver (AppArmor, "
	"SELinux).",
	"Use the same security_driver on all hosts.", STAYS, THIS_TARGET } },
{ { "Unable to find security driver for model" }, { "security-driver",
	"Source and target do not run the same security driver (AppArmor, "
	"SELinux).",
	"Use the same security_driver on all hosts.", STAYS, THIS_TARGET } },
{ { "hugetlbfs filesystem is not mounted" }, { "no-hugepages",
	"The guest wants huge pages and the target has no hugetlbfs mounted.",
	"Reserve huge pages on the target, mount hugetlbfs and restart "
	"libvirtd.", STAYS, THIS_TARGET } },
{ { "ostcopy is not supported" }, { "no-postcopy",
	"QEMU on the target may not use userfaultfd, which post-copy needs.",
	"Set vm.unprivileged_userfaultfd=1 on the target, or move without "
	"post-copy.", STAYS, THIS_TARGET } },
{ { "Cannot allocate memory" }, { "no-memory",
	"The target has not enough memory to take the guest in.",
	"Choose another target, or free memory there.", PASSES, THIS_TARGET } },

/* The guest itself. */
{ { "cannot migrate domain with", "snapshot" }, { "snapshots",
	"The guest has snapshots, whose records libvirt does not migrate.",
	"Delete the snapshots, or remove their metadata.",
	STAYS, ALL_TARGETS } },
{ { "cannot migrate a domain with <hostdev" }, { "passthrough",
	"The guest uses a device of the source host directly.",
	"Detach the device, or move the guest by restart to a host that has "
	"its twin.", STAYS, ALL_TARGETS } },
{ { "host device passthrough" }, { "passthrough",
	"The guest uses a device of the source host directly.",
	"Detach the device, or move the guest by restart to a host that has "
	"its twin.", STAYS, ALL_TARGETS } },
{ { "domain is not running" }, { "not-running",
	"The guest does not run any more; it ended or its QEMU process "
	"crashed.",
	"Look at the guest and at its QEMU log on the source.",
	STAYS, ALL_TARGETS } },
{ { "cannot acquire state change lock" }, { "busy",
	"Another operation holds the guest: a backup, a snapshot, or a call "
	"that hangs.",
	"Wait for it to end; if it does not, look at the guest's QEMU "
	"process.", PASSES, ALL_TARGETS } },

/* What happened on the way. */
{ { "canceled by client" }, { "aborted",
	"The move was aborted on request.",
	"Nothing to do; start it again when wanted.", PASSES, ALL_TARGETS } },
{ { "in post-copy phase" }, { "postcopy-broken",
	"The connection between the hosts broke after the guest had moved but "
	"before all of its memory had.",
	"Resume the post-copy migration; destroy the guest on neither host.",
	PASSES, ALL_TARGETS } },
{ { "Unable to write to socket" }, { "target-qemu-died",
	"QEMU on the target ended while it received the guest.",
	"Read /var/log/libvirt/qemu/ for this guest on the target.",
	PASSES, THIS_TARGET } },
{ { "Unable to read from migration socket" }, { "target-qemu-died",
	"QEMU on the target ended while it received the guest.",
	"Read /var/log/libvirt/qemu/ for this guest on the target.",
	PASSES, THIS_TARGET } },
{ { "client socket is closed" }, { "target-daemon-lost",
	"The target's libvirt daemon ended or froze during the move.",
	"Check the guest on both hosts and the target's libvirtd.",
	PASSES, THIS_TARGET } },
{ { "Lost connection to destination host" }, { "target-daemon-lost",
	"The source lost the target's libvirt daemon or the network to it.",
	"Check the guest on both hosts, and the network between them.",
	PASSES, THIS_TARGET } },
{ { "keepalive timeout" }, { "daemon-silent",
	"A libvirt daemon stopped answering.",
	"Check the host's load, its network and its libvirtd.",
	PASSES, THIS_TARGET } },
{ { "End of file" }, { "daemon-or-qemu-died",
	"The process at the other end went away: QEMU crashed or was killed "
	"for memory, or the libvirt daemon ended.",
	"Read the guest's QEMU log and the host's kernel log.",
	PASSES, THIS_TARGET } },
{ { "process exited while connecting to monitor" }, { "qemu-start",
	"QEMU on the target ended while it started.",
	"Read /var/log/libvirt/qemu/ for this guest on the target.",
	STAYS, THIS_TARGET } },
{ { "qemu unexpectedly closed the monitor" }, { "qemu-start",
	"QEMU on the target ended while it started.",
	"Read /var/log/libvirt/qemu/ for this guest on the target.",
	STAYS, THIS_TARGET } },
{ { "unexpectedly failed" }, { "migration-failed",
	"QEMU gave the migration up without a reason that libvirt passes on.",
	"Read /var/log/libvirt/qemu/ for this guest on both hosts.",
	PASSES, THIS_TARGET } },
{ { "Failed to connect socket to" }, { "daemon-down",
	"The libvirt daemon does not run on this host.",
	"Start libvirtd (or virtqemud) there.", PASSES, THIS_TARGET } },
};
/* clang-format on */

static const struct hv_explanation explain_other = {
    "other",
    NULL,
    NULL,
    PASSES,
    THIS_TARGET,
};

static int
explain_row_matches(const struct row *row, const char *message)
{
	for (size_t i = 0; i < EXPLAIN_NEEDLES; i++) {
		if (row->needles[i] != NULL &&
		    strstr(message, row->needles[i]) == NULL)
			return 0;
	}
	return 1;
}

const struct hv_explanation *
hv_explain(const char *message)
{
	if (message == NULL)
		return &explain_other;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (explain_row_matches(&rows[i], message))
			return &rows[i].says;
	}
	return &explain_other;
}

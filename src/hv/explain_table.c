/*
 * What libvirt and QEMU say, row by row; explain.c says how a row is found.
 *
 * The first row that matches wins, so a symptom that travels inside another
 * message ("qemu unexpectedly closed the monitor: ... Could not open ...")
 * stands above its wrapper.  What is between quotes is not there to be found,
 * but for addresses.
 *
 * Texts are those of libvirt 9.0 and QEMU 7.2.
 */
#include "hv/explain_table.h"

enum { PASSES, STAYS };            /* .permanent */
enum { THIS_TARGET, ALL_TARGETS }; /* .any_target */

/* clang-format off */
const struct explain_row explain_rows[] = {
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
	"Name its directory in shared_paths if it is shared, or allow "
	"live-copy.", STAYS, ALL_TARGETS } },
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
{ { "No space left on device" }, { "no-space",
	"The storage pool at the target ran full while the guest's disk was "
	"copied to it.",
	"Make room in the target's pool, or choose a target with more of it.",
	STAYS, THIS_TARGET } },
{ { "failed due to I/O error" }, { "guest-io-error",
	"The guest was stopped by an error of its disk while it was on its "
	"way.",
	"Look at the guest's storage on the source; the guest waits there "
	"until it is resumed.", STAYS, ALL_TARGETS } },
{ { "Image is corrupt" }, { "image-corrupt",
	"QEMU finds a disk image of the guest damaged.",
	"Check the image with qemu-img check while the guest is off.",
	STAYS, ALL_TARGETS } },
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

{ { "storage volume", "exists already" }, { "volume-taken",
	"The target's pool already has a volume of this name.",
	"Check whose it is; if nobody needs it, delete it.",
	STAYS, THIS_TARGET } },
{ { "Storage volume not found" }, { "no-volume",
	"A volume of the guest is not in the pool, or the pool does not know "
	"of it yet.",
	"Refresh the pool and see whether the file is there.",
	STAYS, THIS_TARGET } },
{ { "Storage pool not found" }, { "no-pool",
	"A storage pool that the guest's disks need is not defined on the "
	"target.",
	"Define and start the pool on the target.", STAYS, THIS_TARGET } },
{ { "storage pool '", "is not active" }, { "pool-inactive",
	"A storage pool that the guest's disks need is not started on the "
	"target.",
	"Start the pool on the target and let it start by itself.",
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
{ { "Unable to find an unused port in range" }, { "no-free-port",
	"All migration ports of the target are taken by other migrations.",
	"Move fewer guests to it at once; widen migration_port_max in its "
	"qemu.conf.", PASSES, THIS_TARGET } },
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
{ { "nable to find any firmware to satisfy" }, { "no-firmware",
	"The target has no firmware image that fits the guest (UEFI, secure "
	"boot).",
	"Install the same firmware package (ovmf) on the target.",
	STAYS, THIS_TARGET } },
{ { "nable to find any master var store" }, { "no-firmware",
	"The guest's firmware image is not on the target, or not known to its "
	"libvirt.",
	"Install the same firmware package (ovmf) on the target.",
	STAYS, THIS_TARGET } },
{ { "TPM version", "is not supported" }, { "no-tpm",
	"The target cannot emulate the TPM that the guest has.",
	"Install swtpm on the target.", STAYS, THIS_TARGET } },
{ { "Could not run '", "exitstatus", "Check error log" }, { "tpm-failed",
	"The emulator of the guest's TPM did not accept the state that it was "
	"given.",
	"Read its log below /var/log/swtpm/libvirt/qemu on the target.",
	STAYS, THIS_TARGET } },
{ { "TSC frequency", "TSC scaling is not supported" }, { "tsc-frequency",
	"The guest's clock rate is fixed to one that the target's CPU cannot "
	"give.",
	"Use another host, or move the guest by restart without a fixed TSC "
	"frequency.", STAYS, THIS_TARGET } },
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
{ { "cannot migrate a domain with <" }, { "passthrough",
	"The guest uses a device of the source host directly.",
	"Detach the device, or move the guest by restart to a host that has "
	"its twin.", STAYS, ALL_TARGETS } },
{ { "host device passthrough" }, { "passthrough",
	"The guest uses a device of the source host directly.",
	"Detach the device, or move the guest by restart to a host that has "
	"its twin.", STAYS, ALL_TARGETS } },
{ { "State blocked by non-migratable device" }, { "not-migratable",
	"A device of the guest cannot be migrated by QEMU.",
	"Detach the device, or move the guest by restart.",
	STAYS, ALL_TARGETS } },
{ { "migration with ", " is not supported" }, { "not-migratable",
	"A device of the guest (virtiofs, shmem, a transient disk) cannot be "
	"migrated.",
	"Detach the device, or move the guest by restart.",
	STAYS, ALL_TARGETS } },
{ { "cannot be migrated" }, { "not-migratable",
	"A device of the guest (vDPA, shmem) cannot be migrated.",
	"Detach the device, or move the guest by restart.",
	STAYS, ALL_TARGETS } },
{ { "cannot migrate domain with I/O error" }, { "guest-io-error",
	"The guest is stopped by an error of its disk.",
	"Look at the guest's storage on the source and resume the guest.",
	STAYS, ALL_TARGETS } },
{ { "cannot migrate domain: " }, { "not-migratable",
	"QEMU names something of the guest that cannot be migrated.",
	"Detach the device, or move the guest by restart.",
	STAYS, ALL_TARGETS } },
{ { "already in active block job" }, { "disk-busy",
	"A disk of the guest is being copied or merged already.",
	"Wait for that job to end, or end it (virsh blockjob --abort).",
	PASSES, ALL_TARGETS } },
{ { "guest agent is not configured" }, { "no-agent",
	"The guest has no channel for an agent.",
	"Nothing to do: its power button is used instead.",
	STAYS, ALL_TARGETS } },
{ { "guest agent is not connected" }, { "no-agent",
	"The agent does not run in the guest.",
	"Start qemu-guest-agent in the guest; its power button is used "
	"instead.", PASSES, ALL_TARGETS } },
{ { "uest agent is not responding" }, { "no-agent",
	"The agent in the guest does not answer.",
	"Look at the guest; its power button is used instead.",
	PASSES, ALL_TARGETS } },
{ { "guest agent is not available" }, { "no-agent",
	"The agent in the guest does not answer.",
	"Look at the guest; its power button is used instead.",
	PASSES, ALL_TARGETS } },
{ { "Domain not found" }, { "gone",
	"The host does not know the guest (any more).",
	"Find out where the guest is defined.", STAYS, ALL_TARGETS } },
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
{ { "aborted on request" }, { "aborted",
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
/* Rows above tell the full pool and the image of another size. */
{ { "migration of disk", "failed: " }, { "copy-broken",
	"The copy of a disk to the target broke off: the target's QEMU ended, "
	"the connection was lost, or a disk could not be read or written.",
	"Read /var/log/libvirt/qemu/ for this guest on both hosts, and their "
	"kernel logs for errors of disks.", PASSES, THIS_TARGET } },
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
{ { "qemu unexpectedly closed the monitor:" }, { "qemu-start",
	"QEMU on the target ended while it started.",
	"Read /var/log/libvirt/qemu/ for this guest on the target.",
	STAYS, THIS_TARGET } },
/* Without a word of its own it was ended from outside. */
{ { "qemu unexpectedly closed the monitor" }, { "target-qemu-died",
	"QEMU on the target was ended while it received the guest.",
	"Look for the out-of-memory killer in the target's kernel log.",
	PASSES, THIS_TARGET } },
{ { "unexpectedly failed" }, { "migration-failed",
	"QEMU gave the migration up without a reason that libvirt passes on.",
	"Read /var/log/libvirt/qemu/ for this guest on both hosts.",
	PASSES, THIS_TARGET } },
{ { "Failed to connect socket to" }, { "daemon-down",
	"The libvirt daemon does not run on this host.",
	"Start libvirtd (or virtqemud) there.", PASSES, THIS_TARGET } },
};
/* clang-format on */

const size_t explain_row_count = sizeof(explain_rows) / sizeof(explain_rows[0]);

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hv/explain.h"

/* Messages as libvirt 9.0 and QEMU 7.2 word them. */
/* clang-format off */
static const struct {
	const char *message;
	const char *token;
	int permanent, any_target;
} cases[] = {
{ "Unsafe migration: Migration without shared storage is unsafe",
	"unsafe-storage", 1, 1 },
{ "Unsafe migration: Migration may lead to data corruption if disks use "
	"cache other than none or directsync", "unsafe-cache", 1, 1 },
{ "operation failed: no storage pool with matching target path '/srv/x'",
	"no-pool", 1, 0 },
{ "internal error: qemu unexpectedly closed the monitor: "
	"2026-11-21T03:00:00Z qemu-system-x86_64: -blockdev {...}: Could not "
	"open '/srv/x/web1.qcow2': No such file or directory",
	"no-file", 1, 0 },
{ "internal error: process exited while connecting to monitor: "
	"qemu-system-x86_64: Could not open '/srv/x': No such file or "
	"directory", "no-file", 1, 0 },
{ "Could not open '/srv/x': Permission denied", "file-permission", 1, 0 },
{ "internal error: unable to execute QEMU command 'blockdev-mirror': "
	"Source and target image have different sizes", "size-mismatch", 1,
	0 },
{ "Operation not supported: pre-creation of storage targets for "
	"incremental storage migration is not supported", "no-backing-file",
	1, 0 },
{ "Cannot access storage file '/srv/iso/x.iso' (as uid:64055, gid:64055): "
	"No such file or directory", "no-file", 1, 0 },
{ "Cannot get interface MTU on 'br0': No such device", "no-bridge", 1, 0 },
{ "Network not found: no network with matching name 'lan'", "no-network", 1,
	0 },
{ "Requested operation is not valid: network 'lan' is not active",
	"network-inactive", 1, 0 },
{ "operation failed: domain 'web1' is already defined with uuid "
	"680fd844-cebb-45f4-aea1-4178ccd989cf", "name-taken", 1, 0 },
{ "operation failed: domain 'web1' already exists with uuid "
	"680fd844-cebb-45f4-aea1-4178ccd989cf", "name-taken", 1, 0 },
{ "Requested operation is not valid: domain is already active as 'web1'",
	"name-taken", 1, 0 },
{ "internal error: Attempt to migrate guest to the same host "
	"222e657a-842a-4a70-a830-ec60a5b6a577", "same-host-uuid", 1, 0 },
{ "unable to connect to server at '10.0.0.2:49152': Connection refused",
	"migration-port-closed", 1, 0 },
{ "unable to connect to server at '10.0.0.2:49215': Connection refused",
	"migration-port-closed", 1, 0 },
{ "unable to connect to server at '10.0.0.2:49152': No route to host",
	"migration-port-rejected", 1, 0 },
{ "unable to connect to server at '10.0.0.2:49201': No route to host",
	"migration-port-rejected", 1, 0 },
{ "unable to connect to server at '10.0.0.2:49152': Connection timed out",
	"migration-port-silent", 1, 0 },
{ "unable to connect to server at '10.0.0.2:49210': Connection timed out",
	"migration-port-silent", 1, 0 },
{ "operation failed: Failed to connect to remote libvirt URI "
	"qemu+tcp://kvm2/system: unable to connect to server at "
	"'kvm2:16509': Connection refused", "peer-unreachable", 0, 0 },
{ "unable to connect to server at 'kvm2:16514': No route to host",
	"peer-unreachable", 0, 0 },
{ "Unable to resolve address 'kvm2' service '49152': Name or service not "
	"known", "peer-name-unknown", 1, 0 },
{ "internal error: hostname on destination resolved to localhost, but "
	"migration requires an FQDN", "peer-name-localhost", 1, 0 },
{ "Cannot recv data: Host key verification failed.: Connection reset by "
	"peer", "ssh-host-key", 1, 0 },
{ "Cannot recv data: root@kvm2: Permission denied (publickey) ssh",
	"ssh-denied", 1, 0 },
{ "Cannot recv data: ssh: connect to host kvm2 port 22: Connection timed "
	"out", "ssh-unreachable", 0, 0 },
{ "Unable to access credentials /etc/pki/qemu/ca-cert.pem: No such file or "
	"directory", "no-certificates", 1, 0 },
{ "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or "
	"directory", "no-certificates", 1, 0 },
{ "Operation not supported: this libvirtd instance allows migration only "
	"with VIR_MIGRATE_TLS flag", "tls-forced", 1, 0 },
{ "authentication failed: Failed to verify peer's certificate",
	"auth-failed", 1, 0 },
{ "operation failed: guest CPU doesn't match specification: missing "
	"features: avx512f,pcid", "cpu-features", 1, 0 },
{ "the CPU is incompatible with host CPU: Host CPU does not provide required "
	"features: vme, pcid", "cpu-features", 1, 0 },
{ "operation failed: guest CPU doesn't match specification: extra features: "
	"vmx", "cpu-features", 1, 0 },
{ "internal error: Unknown CPU model Foo", "cpu-unknown", 1, 0 },
{ "unsupported configuration: Target CPU model (null) does not match source "
	"EPYC", "abi-changed", 1, 1 },
{ "invalid argument: the machine 'pc-q35-9.9' is not supported by emulator "
	"'/usr/bin/qemu-system-x86_64'", "machine-type", 1, 0 },
{ "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does "
	"not support machine type 'pc-q35-9.9'", "machine-type", 1, 0 },
{ "qemu-system-x86_64: unsupported machine type: 'pc-q35-9.9'",
	"machine-type", 1, 0 },
{ "Cannot check QEMU binary /usr/bin/nope: No such file or directory",
	"no-emulator", 1, 0 },
{ "unsupported configuration: Security driver model 'apparmor' is not "
	"available", "security-driver", 1, 0 },
{ "unsupported configuration: Unable to find security driver for model "
	"selinux", "security-driver", 1, 0 },
{ "internal error: hugetlbfs filesystem is not mounted or disabled by "
	"administrator config", "no-hugepages", 1, 0 },
{ "internal error: unable to execute QEMU command "
	"'migrate-set-capabilities': Postcopy is not supported",
	"no-postcopy", 1, 0 },
{ "cannot set up guest memory 'pc.ram': Cannot allocate memory",
	"no-memory", 0, 0 },
{ "Requested operation is not valid: cannot migrate domain with 2 snapshots",
	"snapshots", 1, 1 },
{ "Requested operation is not valid: cannot migrate a domain with <hostdev "
	"mode='subsystem' type='pci'>", "passthrough", 1, 1 },
{ "Requested operation is not valid: domain is not running", "not-running",
	1, 1 },
{ "Timed out during operation: cannot acquire state change lock (held by "
	"monitor=remoteDispatchDomainSuspend)", "busy", 0, 1 },
{ "aborted on request", "aborted", 0, 1 },
{ "operation aborted: job 'migration out' canceled by client", "aborted", 0,
	1 },
{ "operation failed: job 'migration in' failed in post-copy phase",
	"postcopy-broken", 0, 1 },
{ "operation failed: job 'migration out' failed: Unable to write to socket: "
	"Broken pipe", "target-qemu-died", 0, 0 },
{ "internal error: client socket is closed", "target-daemon-lost", 0, 0 },
{ "operation failed: Lost connection to destination host",
	"target-daemon-lost", 0, 0 },
{ "internal error: connection closed due to keepalive timeout",
	"daemon-silent", 0, 0 },
{ "internal error: End of file from qemu monitor", "daemon-or-qemu-died", 0,
	0 },
{ "End of file while reading data: Input/output error",
	"daemon-or-qemu-died", 0, 0 },
{ "internal error: qemu unexpectedly closed the monitor: "
	"qemu-system-x86_64: something new", "qemu-start", 1, 0 },
{ "internal error: qemu unexpectedly closed the monitor",
	"target-qemu-died", 0, 0 },
{ "operation failed: migration of disk vda failed: No space left on device",
	"no-space", 1, 0 },
{ "operation failed: migration of disk vda failed: Source and target image "
	"have different sizes", "size-mismatch", 1, 0 },
{ "operation failed: migration of disk vda failed: Input/output error",
	"copy-broken", 0, 0 },
{ "operation failed: job 'migration out' failed due to I/O error",
	"guest-io-error", 1, 1 },
{ "qemu-system-x86_64: -blockdev {\"node-name\":\"x\"}: Image is corrupt; "
	"cannot be opened read/write", "image-corrupt", 1, 1 },
{ "storage volume 'a.qcow2' exists already", "volume-taken", 1, 0 },
{ "Storage volume not found: no storage vol with matching path '/srv/x'",
	"no-volume", 1, 0 },
{ "Storage pool not found: no storage pool with matching name 'p'",
	"no-pool", 1, 0 },
{ "Requested operation is not valid: storage pool 'p' is not active",
	"pool-inactive", 1, 0 },
{ "internal error: Unable to find an unused port in range 'migration' "
	"(49152-49215)", "no-free-port", 0, 0 },
{ "operation failed: Unable to find any firmware to satisfy 'efi'",
	"no-firmware", 1, 0 },
{ "operation failed: unable to find any master var store for loader: "
	"/usr/share/OVMF/x.fd", "no-firmware", 1, 0 },
{ "unsupported configuration: TPM version '2.0' is not supported", "no-tpm",
	1, 0 },
{ "internal error: Could not run '/usr/bin/swtpm_setup'. exitstatus: 1; "
	"Check error log '/var/log/swtpm/libvirt/qemu/x-swtpm.log' for "
	"details.", "tpm-failed", 1, 0 },
{ "unsupported configuration: Requested TSC frequency 2100000 Hz is outside "
	"tolerance range ([1, 2] Hz) around host frequency 2 Hz and TSC "
	"scaling is not supported by the host CPU", "tsc-frequency", 1, 0 },
{ "Operation not supported: vDPA devices cannot be migrated",
	"not-migratable", 1, 1 },
{ "Requested operation is not valid: migration with transient disk is not "
	"supported", "not-migratable", 1, 1 },
{ "Requested operation is not valid: cannot migrate domain with I/O error",
	"guest-io-error", 1, 1 },
{ "internal error: cannot migrate domain: Migration disabled: x",
	"not-migratable", 1, 1 },
{ "Requested operation is not valid: cannot migrate a domain with <interface "
	"type='hostdev'>", "passthrough", 1, 1 },
{ "internal error: unable to execute QEMU command 'migrate': State blocked "
	"by non-migratable device '0000:00:05.0/x'", "not-migratable", 1,
	1 },
{ "Requested operation is not valid: migration with virtiofs device is not "
	"supported", "not-migratable", 1, 1 },
{ "block copy still active: disk 'vda' already in active block job",
	"disk-busy", 0, 1 },
{ "argument unsupported: QEMU guest agent is not configured", "no-agent", 1,
	1 },
{ "Guest agent is not responding: QEMU guest agent is not connected",
	"no-agent", 0, 1 },
{ "Guest agent is not responding: Guest agent not available for now",
	"no-agent", 0, 1 },
{ "Domain not found: no domain with matching uuid "
	"'680fd844-cebb-45f4-aea1-4178ccd989cf' (web1)", "gone", 1, 1 },
{ "internal error: process exited while connecting to monitor: "
	"qemu-system-x86_64: something new", "qemu-start", 1, 0 },
{ "operation failed: job 'migration out' unexpectedly failed",
	"migration-failed", 0, 0 },
{ "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file "
	"or directory", "daemon-down", 0, 0 },
{ "internal error: process exited while connecting to monitor: Failed to "
	"get \"write\" lock\nIs another process using the image [/srv/x]?",
	"image-locked", 1, 1 },
{ "Failed to get shared \"write\" lock", "image-locked", 1, 1 },
};
/* clang-format on */

START_TEST(every_known_message_is_explained)
{
	const struct hv_explanation *got = hv_explain(cases[_i].message);

	ck_assert_str_eq(got->token, cases[_i].token);
	ck_assert_ptr_nonnull(got->cause);
	ck_assert_ptr_nonnull(got->remedy);
	ck_assert_int_eq(got->permanent, cases[_i].permanent);
	ck_assert_int_eq(got->any_target, cases[_i].any_target);
}
END_TEST

START_TEST(cause_and_remedy_are_one_sentence_each)
{
	const struct hv_explanation *got = hv_explain(cases[_i].message);

	ck_assert_ptr_nonnull(got->cause);
	ck_assert_int_eq(got->cause[strlen(got->cause) - 1], '.');
	ck_assert_int_eq(got->remedy[strlen(got->remedy) - 1], '.');
	ck_assert_ptr_null(strchr(got->cause, '\n'));
	ck_assert_ptr_null(strchr(got->remedy, '\n'));
}
END_TEST

/* What stands between quotes was written by whoever owns the guest. */
START_TEST(a_name_or_path_does_not_decide)
{
	/* clang-format off */
	static const struct {
		const char *message, *token;
	} tricks[] = {
	{ "operation failed: domain 'canceled by client' is already defined "
		"with uuid 680fd844-cebb-45f4-aea1-4178ccd989cf",
		"name-taken" },
	{ "Cannot access storage file '/srv/Failed to get \"write\" lock': No "
		"such file or directory", "no-file" },
	{ "Cannot access storage file '/srv/in post-copy phase/': 'x'",
		"no-file" },
	{ "process exited while connecting to monitor: -blockdev {\"filename\":"
		"\"/srv/missing features/{}\"}: Could not open '/srv/x': No such "
		"file or directory", "no-file" },
	{ "something about 'cannot acquire state change lock'", "other" },
	{ "unable to connect to server at 'kvm2:49152 refused': whatever",
		"peer-unreachable" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++)
		ck_assert_str_eq(
		    hv_explain(tricks[i].message)->token, tricks[i].token);
}
END_TEST

START_TEST(a_message_of_any_length_is_read)
{
	static char text[8192];

	for (size_t len = 2000; len < 2100; len++) {
		memset(text, '\'', len);
		text[len] = '\0';
		ck_assert_str_eq(hv_explain(text)->token, "other");
		memset(text, 'x', len);
		text[0] = '{';
		text[len - 1] = '}';
		ck_assert_str_eq(hv_explain(text)->token, "other");
		memcpy(text, "'1.2.3.4", 8);
		memcpy(text + len - 3, ":1'", 3);
		ck_assert_str_eq(hv_explain(text)->token, "other");
	}
}
END_TEST

START_TEST(an_unknown_message_is_not_guessed_at)
{
	const char *const unknown[] = {
	    "", "something nobody ever saw", "unable to", NULL};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		const struct hv_explanation *got = hv_explain(unknown[i]);

		ck_assert_str_eq(got->token, "other");
		ck_assert_ptr_null(got->cause);
		ck_assert_ptr_null(got->remedy);
		ck_assert_int_eq(got->permanent, 0);
		ck_assert_int_eq(got->any_target, 0);
	}
}
END_TEST

int
main(void)
{
	const int count = (int)(sizeof(cases) / sizeof(cases[0]));
	Suite *suite = suite_create("explain");
	TCase *tc = tcase_create("explain");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, every_known_message_is_explained, 0, count);
	tcase_add_loop_test(
	    tc, cause_and_remedy_are_one_sentence_each, 0, count);
	tcase_add_test(tc, a_name_or_path_does_not_decide);
	tcase_add_test(tc, a_message_of_any_length_is_read);
	tcase_add_test(tc, an_unknown_message_is_not_guessed_at);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

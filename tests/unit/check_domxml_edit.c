#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/domxml.h"
#include "model/domxml_edit.h"

/* As libvirt writes it, but for the quotes. */
static const char guest[] =
    "<!-- made by hand -->\n"
    "<domain xmlns:qemu=\"http://libvirt.org/schemas/domain/qemu/1.0\" "
    "type=\"kvm\">\n"
    "  <name>web &amp; more</name>\n"
    "  <memory unit=\"KiB\">1024</memory>\n"
    "  <devices>\n"
    "    <disk type=\"file\" device=\"disk\">\n"
    "      <driver name=\"qemu\" type=\"qcow2\" cache=\"none\"/>\n"
    "      <source file=\"/srv/a.qcow2\" startupPolicy=\"optional\" "
    "index=\"2\">\n"
    "        <seclabel model=\"dac\" relabel=\"no\"/>\n"
    "        <slices/>\n"
    "        <encryption format=\"luks\">\n"
    "          <secret type=\"passphrase\" uuid=\"0\"/>\n"
    "        </encryption>\n"
    "      </source>\n"
    "      <backingStore type=\"block\" index=\"3\">\n"
    "        <format type=\"raw\"/>\n"
    "        <source dev=\"/dev/vg/base\"/>\n"
    "        <backingStore/>\n"
    "      </backingStore>\n"
    "      <target dev=\"vda\" bus=\"virtio\"/>\n"
    "    </disk>\n"
    "    <disk type=\"block\" device=\"disk\">\n"
    "      <driver name=\"qemu\" type=\"raw\"/>\n"
    "      <source dev=\"/dev/vg/b\"/>\n"
    "      <target dev=\"vdb\" bus=\"virtio\"/>\n"
    "    </disk>\n"
    "    <disk type=\"volume\" device=\"disk\">\n"
    "      <source pool=\"default\" volume=\"c.raw\" mode=\"direct\"/>\n"
    "      <target dev=\"vdc\" bus=\"virtio\"/>\n"
    "    </disk>\n"
    "    <disk type=\"network\" device=\"disk\">\n"
    "      <driver name=\"qemu\" type=\"raw\" discard=\"ignore\"/>\n"
    "      <auth username=\"u\"><secret type=\"ceph\" uuid=\"1\"/></auth>\n"
    "      <source protocol=\"rbd\" name=\"p/d\">\n"
    "        <host name=\"mon\"/>\n"
    "      </source>\n"
    "      <target dev=\"vdd\" bus=\"virtio\"/>\n"
    "    </disk>\n"
    "    <disk type=\"volume\" device=\"cdrom\">\n"
    "      <driver name=\"qemu\" type=\"raw\"/>\n"
    "      <source pool=\"iso\" volume=\"deb.iso\"/>\n"
    "      <backingStore/>\n"
    "      <target dev=\"sda\" bus=\"sata\" tray=\"open\"/>\n"
    "      <readonly/>\n"
    "    </disk>\n"
    "    <graphics type=\"vnc\" passwd=\"s3cret\"/>\n"
    "  </devices>\n"
    "  <!-- and this stays -->\n"
    "  <qemu:commandline>\n"
    "    <qemu:arg value=\"-no-hpet\"/>\n"
    "  </qemu:commandline>\n"
    "</domain>\n";

static struct err err;
static char *out;

static void
setup(void)
{
	err = (struct err){0};
	out = NULL;
}

static void
teardown(void)
{
	free(out);
}

static void
edit(struct domxml_edit how)
{
	out = domxml_edit(guest, &how, 1, &err);
	ck_assert_msg(out != NULL, "%s", err.msg);
}

/* The guest with one piece of its text replaced, or fail. */
static void
expect(const char *before, const char *after)
{
	char want[sizeof(guest) + 1024];
	const char *at = strstr(guest, before);

	ck_assert_ptr_nonnull(at);
	(void)snprintf(want, sizeof(want), "%.*s%s%s", (int)(at - guest), guest,
	    after, at + strlen(before));
	ck_assert_str_eq(out, want);
}

START_TEST(nothing_to_change_changes_nothing)
{
	out = domxml_edit(guest, NULL, 0, &err);
	ck_assert_str_eq(out, guest);
}
END_TEST

START_TEST(a_new_path_leaves_labels_and_encryption_and_drops_the_chain)
{
	edit((struct domxml_edit){.target = "vda", .path = "/new/<a>&'\".q"});
	expect("      <source file=\"/srv/a.qcow2\" startupPolicy=\"optional\" "
	       "index=\"2\">\n"
	       "        <seclabel model=\"dac\" relabel=\"no\"/>\n"
	       "        <slices/>\n"
	       "        <encryption format=\"luks\">\n"
	       "          <secret type=\"passphrase\" uuid=\"0\"/>\n"
	       "        </encryption>\n"
	       "      </source>\n"
	       "      <backingStore type=\"block\" index=\"3\">\n"
	       "        <format type=\"raw\"/>\n"
	       "        <source dev=\"/dev/vg/base\"/>\n"
	       "        <backingStore/>\n"
	       "      </backingStore>\n",
	    "      <source startupPolicy=\"optional\" "
	    "file=\"/new/&lt;a&gt;&amp;'&quot;.q\">\n"
	    "        <seclabel model=\"dac\" relabel=\"no\"/>\n"
	    "        <encryption format=\"luks\">\n"
	    "          <secret type=\"passphrase\" uuid=\"0\"/>\n"
	    "        </encryption>\n"
	    "      </source>\n");
}
END_TEST

START_TEST(a_block_device_becomes_a_file)
{
	edit((struct domxml_edit){
	    .target = "vdb", .path = "/new/b.qcow2", .format = "qcow2"});
	expect("    <disk type=\"block\" device=\"disk\">\n"
	       "      <driver name=\"qemu\" type=\"raw\"/>\n"
	       "      <source dev=\"/dev/vg/b\"/>\n",
	    "    <disk type=\"file\" device=\"disk\">\n"
	    "      <driver name=\"qemu\" type=\"qcow2\"/>\n"
	    "      <source file=\"/new/b.qcow2\"/>\n");
}
END_TEST

START_TEST(a_volume_becomes_a_file_and_gets_the_driver_it_lacks)
{
	edit((struct domxml_edit){
	    .target = "vdc", .path = "/new/c.raw", .thin = true});
	expect("    <disk type=\"volume\" device=\"disk\">\n"
	       "      <source pool=\"default\" volume=\"c.raw\" "
	       "mode=\"direct\"/>\n",
	    "    <disk type=\"file\" device=\"disk\">\n"
	    "      <driver name=\"qemu\" discard=\"unmap\" "
	    "detect_zeroes=\"unmap\"/>\n"
	    "      <source file=\"/new/c.raw\"/>\n");
}
END_TEST

START_TEST(a_network_source_loses_its_hosts_and_its_authentication)
{
	edit((struct domxml_edit){.target = "vdd", .path = "/new/d.raw"});
	expect("    <disk type=\"network\" device=\"disk\">\n"
	       "      <driver name=\"qemu\" type=\"raw\" "
	       "discard=\"ignore\"/>\n"
	       "      <auth username=\"u\"><secret type=\"ceph\" uuid=\"1\"/>"
	       "</auth>\n"
	       "      <source protocol=\"rbd\" name=\"p/d\">\n"
	       "        <host name=\"mon\"/>\n"
	       "      </source>\n",
	    "    <disk type=\"file\" device=\"disk\">\n"
	    "      <driver name=\"qemu\" type=\"raw\" discard=\"ignore\"/>\n"
	    "      <source file=\"/new/d.raw\">\n"
	    "      </source>\n");
}
END_TEST

START_TEST(thin_overrules_what_the_driver_says)
{
	edit((struct domxml_edit){.target = "vdd", .thin = true});
	expect("discard=\"ignore\"/>",
	    "discard=\"unmap\" detect_zeroes=\"unmap\"/>");
}
END_TEST

START_TEST(a_format_alone_changes_the_driver_alone)
{
	edit((struct domxml_edit){.target = "vda", .format = "raw"});
	expect("type=\"qcow2\" cache", "type=\"raw\" cache");
}
END_TEST

START_TEST(a_new_image_below_ends_the_chain_that_was_known)
{
	edit((struct domxml_edit){.target = "vda", .backing = "/new/base"});
	expect("      <backingStore type=\"block\" index=\"3\">\n"
	       "        <format type=\"raw\"/>\n"
	       "        <source dev=\"/dev/vg/base\"/>\n"
	       "        <backingStore/>\n"
	       "      </backingStore>\n",
	    "      <backingStore type=\"file\">\n"
	    "        <format type=\"raw\"/>\n"
	    "        <source file=\"/new/base\"/>\n"
	    "      </backingStore>\n");
}
END_TEST

START_TEST(an_image_below_that_is_as_it_was_keeps_its_chain)
{
	struct domxml_edit first = {
	    .target = "vda", .backing = "/b", .backing_format = "qcow2"};
	char *once = domxml_edit(guest, &first, 1, &err);
	char *deep, *at;

	ck_assert_ptr_nonnull(once);
	ck_assert_ptr_nonnull(strstr(once, "<format type=\"qcow2\"/>"));
	at = strstr(once, "</backingStore>");
	ck_assert_ptr_nonnull(at);
	deep = malloc(strlen(once) + 64);
	ck_assert_ptr_nonnull(deep);
	(void)sprintf(deep, "%.*s<backingStore type=\"dir\"/>%s",
	    (int)(at - once), once, at);
	out = domxml_edit(deep, &first, 1, &err);
	ck_assert_str_eq(out, deep);
	free(once);
	free(deep);
}
END_TEST

START_TEST(an_image_below_is_put_where_there_was_none)
{
	edit((struct domxml_edit){.target = "vdb",
	    .path = "/new/top",
	    .backing = "/new/base",
	    .backing_format = "raw"});
	expect("    <disk type=\"block\" device=\"disk\">\n"
	       "      <driver name=\"qemu\" type=\"raw\"/>\n"
	       "      <source dev=\"/dev/vg/b\"/>\n",
	    "    <disk type=\"file\" device=\"disk\">\n"
	    "      <driver name=\"qemu\" type=\"raw\"/>\n"
	    "      <source file=\"/new/top\"/>"
	    "<backingStore type=\"file\"><format type=\"raw\"/>"
	    "<source file=\"/new/base\"/></backingStore>\n");
}
END_TEST

START_TEST(an_image_below_without_a_format_is_refused)
{
	struct domxml_edit how = {.target = "vdb", .backing = "/new/base"};

	ck_assert_ptr_null(domxml_edit(guest, &how, 1, &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_str_eq(
	    err.msg, "disk vdb: the format of the image below is not known");
}
END_TEST

START_TEST(an_ejected_drive_is_empty_and_closed)
{
	edit((struct domxml_edit){.target = "sda", .eject = true});
	expect("    <disk type=\"volume\" device=\"cdrom\">\n"
	       "      <driver name=\"qemu\" type=\"raw\"/>\n"
	       "      <source pool=\"iso\" volume=\"deb.iso\"/>\n"
	       "      <backingStore/>\n"
	       "      <target dev=\"sda\" bus=\"sata\" tray=\"open\"/>\n",
	    "    <disk type=\"file\" device=\"cdrom\">\n"
	    "      <driver name=\"qemu\" type=\"raw\"/>\n"
	    "      <target dev=\"sda\" bus=\"sata\"/>\n");
}
END_TEST

START_TEST(a_disk_is_not_ejected)
{
	struct domxml_edit how = {.target = "vda", .eject = true};

	ck_assert_ptr_null(domxml_edit(guest, &how, 1, &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "disk vda: "));
}
END_TEST

START_TEST(several_disks_change_at_once)
{
	const struct domxml_edit how[] = {
	    {.target = "vda", .path = "/new/a", .thin = true},
	    {.target = "vdc", .path = "/new/c"},
	    {.target = "sda", .eject = true},
	};
	struct arena *arena = arena_new(1 << 20);
	struct snap_vm vm = {0};

	out = domxml_edit(guest, how, 3, &err);
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(domxml_parse_domain(arena, out, &vm, &err), 0);
	ck_assert_uint_eq(vm.disk_count, 5);
	ck_assert_str_eq(vm.disks[0].source, "/new/a");
	ck_assert_str_eq(vm.disks[1].source, "/dev/vg/b");
	ck_assert_str_eq(vm.disks[2].source, "/new/c");
	ck_assert_int_eq(vm.disks[2].kind, SNAP_DISK_FILE);
	ck_assert_int_eq(vm.disks[4].kind, SNAP_DISK_EMPTY);
	ck_assert_ptr_nonnull(strstr(out, "passwd=\"s3cret\""));
	ck_assert_ptr_nonnull(strstr(out, "<qemu:arg value=\"-no-hpet\"/>"));
	arena_free(arena);
}
END_TEST

START_TEST(a_disk_that_is_not_there_is_named)
{
	struct domxml_edit how = {.target = "vdz", .path = "/x"};

	ck_assert_ptr_null(domxml_edit(guest, &how, 1, &err));
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_str_eq(err.msg, "the guest has no disk vdz");
}
END_TEST

START_TEST(what_is_no_domain_is_refused)
{
	const char *const wrong[] = {"", "<pool/>", "<domain>",
	    "<!DOCTYPE domain [<!ENTITY a \"b\">]><domain>&a;</domain>"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err = (struct err){0};
		ck_assert_ptr_null(domxml_edit(wrong[i], NULL, 0, &err));
		ck_assert_int_eq(err.code, ERR_INVALID);
	}
}
END_TEST

START_TEST(a_path_that_xml_cannot_hold_is_refused)
{
	const char *const wrong[] = {"", "/a\nb", "/a\x01", "/a\xff", "/a\x7f"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct domxml_edit how = {.target = "vda", .path = wrong[i]};

		err = (struct err){0};
		ck_assert_ptr_null(domxml_edit(guest, &how, 1, &err));
		ck_assert_int_eq(err.code, ERR_INVALID);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("domxml_edit");
	TCase *tc = tcase_create("domxml_edit");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_to_change_changes_nothing);
	tcase_add_test(
	    tc, a_new_path_leaves_labels_and_encryption_and_drops_the_chain);
	tcase_add_test(tc, a_block_device_becomes_a_file);
	tcase_add_test(
	    tc, a_volume_becomes_a_file_and_gets_the_driver_it_lacks);
	tcase_add_test(
	    tc, a_network_source_loses_its_hosts_and_its_authentication);
	tcase_add_test(tc, thin_overrules_what_the_driver_says);
	tcase_add_test(tc, a_format_alone_changes_the_driver_alone);
	tcase_add_test(tc, a_new_image_below_ends_the_chain_that_was_known);
	tcase_add_test(tc, an_image_below_that_is_as_it_was_keeps_its_chain);
	tcase_add_test(tc, an_image_below_is_put_where_there_was_none);
	tcase_add_test(tc, an_image_below_without_a_format_is_refused);
	tcase_add_test(tc, an_ejected_drive_is_empty_and_closed);
	tcase_add_test(tc, a_disk_is_not_ejected);
	tcase_add_test(tc, several_disks_change_at_once);
	tcase_add_test(tc, a_disk_that_is_not_there_is_named);
	tcase_add_test(tc, what_is_no_domain_is_refused);
	tcase_add_test(tc, a_path_that_xml_cannot_hold_is_refused);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

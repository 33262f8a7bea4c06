/*
 * Labels of guests, from where they stand to what a snapshot shows; and when a
 * guest was last moved.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/label.h"
#include "config/settings.h"
#include "model/inventory.h"
#include "model/view.h"

#define A "aaaaaaaa-0000-0000-0000-000000000001"
#define B "bbbbbbbb-0000-0000-0000-000000000002"
#define OURS "<drover:labels xmlns:drover='urn:drover:1'>"

static struct inventory *inventory;
static struct snapshot *s;
static char text[2048];

static struct settings_host hosts[] = {
    {.name = "kvm1", .uri = "qemu+tcp://10.0.0.1/system"},
    {.name = "kvm2", .uri = "qemu+tcp://10.0.0.2/system"},
};
static struct settings_label web[] = {{"app", "web"}, {"tier", "front"}};
static struct settings_label rest[] = {{"app", "other"}, {"team", "x"}};
static struct settings_guests guests[] = {
    {.match = "web*", .labels = web, .label_count = 2},
    {.match = "*", .labels = rest, .label_count = 2},
};

static void
configure(size_t guest_count)
{
	struct settings settings = {.hosts = hosts,
	    .host_count = 2,
	    .guests = guests,
	    .guest_count = guest_count};

	inventory_configure(inventory, &settings);
}

static void
setup(void)
{
	inventory = inventory_new();
	s = NULL;
	configure(0);
}

static void
teardown(void)
{
	snapshot_free(s);
	inventory_free(inventory);
}

static char *
copy(const char *from)
{
	char *result = strdup(from);

	ck_assert_ptr_nonnull(result);
	return result;
}

static bool
see(const char *host, const char *uuid, const char *name, const char *metadata)
{
	struct facts_domain *domain = calloc(1, sizeof(*domain));
	char xml[2048];

	ck_assert_ptr_nonnull(domain);
	snprintf(xml, sizeof(xml),
	    "<domain type='kvm'><name>%s</name><metadata>%s</metadata>"
	    "<memory unit='KiB'>1024</memory><vcpu>2</vcpu><os><type "
	    "arch='x86_64' machine='q35'>hvm</type></os></domain>",
	    name, metadata);
	*domain = (struct facts_domain){.name = copy(name),
	    .uuid = copy(uuid),
	    .state = DOMAIN_RUNNING,
	    .job = DOMAIN_JOB_NONE,
	    .xml = copy(xml)};
	return inventory_apply(inventory,
	    &(struct inventory_event){
		.news = INVENTORY_DOMAIN_READ, .host = host, .domain = domain});
}

static void
list(const char *host)
{
	struct facts_host *facts = calloc(1, sizeof(*facts));

	ck_assert_ptr_nonnull(facts);
	(void)inventory_apply(inventory,
	    &(struct inventory_event){
		.news = INVENTORY_HOST_LISTED, .host = host, .facts = facts});
}

static const struct snap_vm *
look(const char *uuid)
{
	snapshot_free(s);
	s = inventory_snapshot(
	    inventory, NULL, 0, NULL, 0, (struct mono){1}, (struct wall){0});
	return snapshot_find_vm(s, uuid);
}

/* "app=web tier=front" */
static const char *
labels_of(const char *uuid)
{
	const struct snap_vm *vm = look(uuid);
	size_t used = 0;

	text[0] = '\0';
	ck_assert_ptr_nonnull(vm);
	for (size_t i = 0; i < vm->label_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%s%s=%s", i > 0 ? " " : "", vm->label_keys[i],
		    vm->label_values[i]);
	return text;
}

/* ---- metadata ---- */

static const struct {
	const char *metadata, *labels;
} metadata[] = {
    {"", ""},
    {OURS "<drover:label name='tier'>db</drover:label>"
	  "<drover:label name='app'>web</drover:label></drover:labels>",
	"app=web tier=db"},
    /* As `virsh metadata` writes it: the namespace on the outer one. */
    {OURS "<label name='app'> web </label></drover:labels>", "app=web"},
    {"<labels xmlns='urn:drover:1'><label name='app'>web</label></labels>",
	"app=web"},
    {"<x:labels xmlns:x='urn:other'><label name='app'>no</label></x:labels>"
     "<labels><label name='app'>no</label></labels>" OURS
     "<label name='app'>yes</label></drover:labels>",
	"app=yes"},
    {OURS "<x:label xmlns:x='urn:other' name='a'>no</x:label>"
	  "<label name='b'>yes</label></drover:labels>",
	"b=yes"},
    {OURS "<label name='app'>first</label><label name='app'>second</label>"
	  "</drover:labels>",
	"app=first"},
    {OURS "<label>x</label><label name=''>x</label><label name='a'/>"
	  "<label name='a b'>x</label><label name='a-'>x</label>"
	  "<label name='fine'>x</label></drover:labels>",
	"fine=x"},
};

START_TEST(metadata_of_our_namespace_gives_labels)
{
	list("kvm1");
	(void)see("kvm1", A, "web1", metadata[_i].metadata);
	ck_assert_str_eq(labels_of(A), metadata[_i].labels);
}
END_TEST

START_TEST(other_metadata_is_a_change)
{
	list("kvm1");
	ck_assert(see("kvm1", A, "web1", metadata[1].metadata));
	ck_assert(!see("kvm1", A, "web1", metadata[1].metadata));
	ck_assert(see("kvm1", A, "web1", metadata[2].metadata));
	ck_assert_str_eq(labels_of(A), "app=web");
}
END_TEST

START_TEST(no_guest_has_more_labels_than_allowed)
{
	struct label_list many = {.count = 0};
	char keys[LABELS_MAX + 9][8];

	for (size_t i = 0; i < LABELS_MAX + 9; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%03zu", LABELS_MAX - i);
		label_add(&many, keys[i], "x");
	}
	ck_assert_uint_eq(many.count, LABELS_MAX);
	for (size_t i = 1; i < many.count; i++)
		ck_assert_int_lt(strcmp(many.keys[i - 1], many.keys[i]), 0);
}
END_TEST

/* ---- who wins ---- */

START_TEST(an_operators_label_goes_before_metadata_and_that_before_the_settings)
{
	const char *own = OURS "<label name='app'>own</label>"
			       "<label name='zone'>a</label></drover:labels>";

	list("kvm1");
	(void)see("kvm1", A, "web1", own);
	(void)see("kvm1", B, "db1", "");
	ck_assert_str_eq(labels_of(A), "app=own zone=a");
	configure(2);
	ck_assert_str_eq(labels_of(A), "app=own team=x tier=front zone=a");
	ck_assert_str_eq(labels_of(B), "app=other team=x");
	inventory_set_label(inventory, A, "app", "mine");
	inventory_set_label(inventory, A, "new", "1");
	ck_assert_str_eq(
	    labels_of(A), "app=mine new=1 team=x tier=front zone=a");
	inventory_set_label(inventory, A, "app", NULL);
	inventory_set_label(inventory, A, "new", NULL);
	inventory_set_label(inventory, A, "tier", NULL);
	ck_assert_str_eq(labels_of(A), "app=own team=x tier=front zone=a");
	configure(0);
	ck_assert_str_eq(labels_of(A), "app=own zone=a");
}
END_TEST

START_TEST(a_label_holds_before_the_guest_is_seen_and_where_it_goes)
{
	inventory_set_label(inventory, A, "app", "mine");
	list("kvm1");
	list("kvm2");
	(void)see("kvm1", A, "web1", "");
	ck_assert_str_eq(labels_of(A), "app=mine");
	(void)inventory_apply(inventory,
	    &(struct inventory_event){
		.news = INVENTORY_DOMAIN_GONE, .host = "kvm1", .uuid = A});
	(void)see("kvm2", A, "web1", "");
	ck_assert_str_eq(labels_of(A), "app=mine");
	/* A name that matches otherwise. */
	configure(2);
	(void)see("kvm2", A, "db1", "");
	ck_assert_str_eq(labels_of(A), "app=mine team=x");
}
END_TEST

START_TEST(labels_are_shown)
{
	json_t *view;

	list("kvm1");
	(void)see("kvm1", A, "web1", "");
	inventory_set_label(inventory, A, "app", "web");
	inventory_set_moved(inventory, A, (struct wall){1000});
	(void)look(A);
	view = view_vm(s, &s->vms[0], false);
	ck_assert_str_eq(json_string_value(json_object_get(
			     json_object_get(view, "labels"), "app")),
	    "web");
	ck_assert_str_eq(json_string_value(json_object_get(view, "last_moved")),
	    "1970-01-01T00:00:01.000Z");
	json_decref(view);
}
END_TEST

/* ---- when it was moved ---- */

START_TEST(the_newest_move_of_a_guest_counts)
{
	list("kvm1");
	inventory_set_moved(inventory, A, (struct wall){500});
	(void)see("kvm1", A, "web1", "");
	(void)see("kvm1", B, "db1", "");
	ck_assert_int_eq(look(A)->last_moved.ms, 500);
	ck_assert_int_eq(look(B)->last_moved.ms, 0);
	inventory_set_moved(inventory, A, (struct wall){900});
	inventory_set_moved(inventory, A, (struct wall){700});
	ck_assert_int_eq(look(A)->last_moved.ms, 900);
	/* Also when its definition is another. */
	(void)see("kvm1", A, "web1", metadata[1].metadata);
	ck_assert_int_eq(look(A)->last_moved.ms, 900);
}
END_TEST

/* ---- their form ---- */

START_TEST(a_label_has_a_form)
{
	struct err err = {0};
	char longest[LABEL_VALUE_MAX + 2];

	memset(longest, 'x', sizeof(longest));
	longest[LABEL_VALUE_MAX + 1] = '\0';
	ck_assert_int_eq(label_check_key("example.org/app_1-x", &err), 0);
	ck_assert_int_eq(label_check_key("", &err), -1);
	ck_assert_int_eq(label_check_key("a=b", &err), -1);
	ck_assert_int_eq(label_check_key("app-", &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "\"app-\" is not the name"));
	longest[LABEL_KEY_MAX + 1] = '\0';
	ck_assert_int_eq(label_check_key(longest, &err), -1);
	longest[LABEL_KEY_MAX + 1] = 'x';
	ck_assert_int_eq(label_check_value("w\xc3\xa4hrung = 1", &err), 0);
	ck_assert_int_eq(label_check_value("", &err), -1);
	ck_assert_int_eq(label_check_value("a\nb", &err), -1);
	ck_assert_int_eq(label_check_value(longest, &err), -1);
	longest[LABEL_VALUE_MAX] = '\0';
	ck_assert_int_eq(label_check_value(longest, &err), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("labels");
	TCase *tc = tcase_create("labels");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, metadata_of_our_namespace_gives_labels, 0,
	    (int)(sizeof(metadata) / sizeof(metadata[0])));
	tcase_add_test(tc, other_metadata_is_a_change);
	tcase_add_test(tc, no_guest_has_more_labels_than_allowed);
	tcase_add_test(tc,
	    an_operators_label_goes_before_metadata_and_that_before_the_settings);
	tcase_add_test(
	    tc, a_label_holds_before_the_guest_is_seen_and_where_it_goes);
	tcase_add_test(tc, labels_are_shown);
	tcase_add_test(tc, the_newest_move_of_a_guest_counts);
	tcase_add_test(tc, a_label_has_a_form);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

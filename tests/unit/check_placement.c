/*
 * Rules of placement: who may meet whom, who must be with whom, on which hosts,
 * and what is only wished.  The guest is web1 on kvm1; without a rule it goes to
 * kvm2, by name.
 */
#include <check.h>
#include <string.h>

#include "decide/place.h"
#include "decide/placement.h"
#include "placement_fixture.h"

static struct world w;
static struct snap_vm *vm;
static struct place_ledger *ledger;
static struct strategy_wish wish;
static struct place_request request;
static struct place_choice choice;

static void
setup(void)
{
	world_init(&w, 4);
	vm = placement_label_guest(
	    &w, world_add_vm(&w, 0, "web1", 8 * GIB), "app", "web");
	ledger = NULL;
	wish = strategy_wish_of(&w.settings, NULL);
	wish.count = 1;
	request = (struct place_request){
	    .vm = vm, .retries = 3, .wish = &wish, .leaving = true};
}

static void
teardown(void)
{
	world_clear(&w);
}

static struct snap_vm *
add_web(size_t host, const char *name)
{
	return placement_label_guest(
	    &w, world_add_vm(&w, host, name, 8 * GIB), "app", "web");
}

static void
choose(void)
{
	if (ledger == NULL)
		ledger = place_ledger_new(w.arena, &w.s);
	place_choose(w.arena, &w.settings, &w.s, ledger, &request, &choice);
}

static void
expect_target(const char *name)
{
	choose();
	ck_assert_msg(choice.target != NULL, "%s", choice.why);
	ck_assert_msg(strcmp(choice.target->name, name) == 0, "%s", choice.why);
}

/* That kvm2 is rejected by the rule, in these words. */
static void
expect_refused(const char *why)
{
	const struct place_rejection *found = NULL;

	choose();
	for (size_t i = 0; i < choice.rejection_count; i++)
		if (choice.rejections[i].host == &w.s.hosts[1])
			found = &choice.rejections[i];
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(place_rule_name(found->rule), "placement");
	ck_assert_str_eq(found->why, why);
}

/* ---- apart ---- */

START_TEST(guests_of_one_value_are_kept_on_different_hosts)
{
	add_web(1, "web2");
	placement_add_rule(&w, PLACEMENT_APART, "app");
	expect_refused(
	    "keeps web1 and web2 (label app=web) on different hosts: "
	    "web2 is there (rule keep, 10-x.yaml:7)");
	expect_target("kvm3");
}
END_TEST

START_TEST(other_values_and_guests_without_the_label_may_meet)
{
	placement_label_guest(&w, world_add_vm(&w, 1, "db1", GIB), "app", "db");
	(void)world_add_vm(&w, 1, "plain", GIB);
	placement_add_rule(&w, PLACEMENT_APART, "app");
	expect_target("kvm2");
	vm->label_count = 0;
	ledger = NULL;
	add_web(1, "web2");
	expect_target("kvm2");
}
END_TEST

START_TEST(a_rule_is_about_the_guests_that_it_selects)
{
	struct placement *rule;

	add_web(1, "web2");
	rule = placement_add_rule(&w, PLACEMENT_APART, "app");
	rule->vms = placement_compile(&w, "name != \"web2\"", false);
	expect_target("kvm2");
	ledger = NULL;
	rule->vms = placement_compile(&w, "memory > 8GiB", false);
	expect_target("kvm2");
	/* What is not known is not true. */
	ledger = NULL;
	rule->vms = placement_compile(&w, "labels.none = \"x\"", false);
	expect_target("kvm2");
	ledger = NULL;
	rule->vms = placement_compile(&w, "memory >= 8GiB", false);
	expect_target("kvm3");
}
END_TEST

START_TEST(a_guest_that_is_on_its_way_is_there_already)
{
	world_add_move(&w, add_web(2, "web2"), "kvm2");
	placement_add_rule(&w, PLACEMENT_APART, "app");
	expect_refused(
	    "keeps web1 and web2 (label app=web) on different hosts: "
	    "web2 is on its way there (rule keep, 10-x.yaml:7)");
	/* kvm3, which it leaves, would be free later. */
	expect_target("kvm4");
}
END_TEST

START_TEST(what_leaves_is_waited_for)
{
	struct snap_vm *web2 = add_web(1, "web2");

	w.s.host_count = 3;
	world_add_move(&w, web2, "kvm3");
	placement_add_rule(&w, PLACEMENT_APART, "app");
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert(choice.wait);
	ck_assert_str_eq(choice.why,
	    "no host can take it yet: kvm2: keeps web1 and web2 (label "
	    "app=web) on different hosts: web2 is still there (rule keep, "
	    "10-x.yaml:7); kvm3: keeps web1 and web2 (label app=web) on "
	    "different hosts: web2 is on its way there (rule keep, "
	    "10-x.yaml:7)");
}
END_TEST

START_TEST(guests_that_leave_together_are_not_sent_to_one_host)
{
	struct snap_vm *web2 = add_web(0, "web2"), *web3 = add_web(0, "web3");

	placement_add_rule(&w, PLACEMENT_APART, "app");
	expect_target("kvm2");
	place_ledger_book(ledger, &w.s, vm, choice.target, &choice.strategy);
	request.vm = web2;
	expect_target("kvm3");
	place_ledger_book(ledger, &w.s, web2, choice.target, &choice.strategy);
	request.vm = web3;
	expect_target("kvm4");
	place_ledger_book(ledger, &w.s, web3, choice.target, &choice.strategy);
	request.vm = add_web(0, "web4");
	ledger->placement = NULL; /* it knows nothing of a new guest */
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert(!choice.wait);
}
END_TEST

START_TEST(a_definition_left_behind_is_not_the_guest)
{
	struct snap_vm *left = add_web(1, "web2"), *web2 = add_web(2, "web2");

	web2->uuid = left->uuid;
	left->state = DOMAIN_SHUTOFF;
	placement_add_rule(&w, PLACEMENT_APART, "app");
	expect_target("kvm2");
}
END_TEST

START_TEST(a_soft_rule_sends_elsewhere_and_does_not_forbid)
{
	placement_add_rule(&w, PLACEMENT_APART, "app")->hard = false;
	add_web(1, "web2");
	expect_target("kvm3");
	ck_assert_uint_eq(choice.rejection_count, 1);
	w.s.host_count = 2;
	ledger = NULL;
	expect_target("kvm2");
	w.s.host_count = 3;
	w.s.hosts[2].cpu_used = 15; /* a later step */
	ledger = NULL;
	expect_target("kvm3");
	ck_assert_str_eq(choice.why,
	    "kvm3 rather than kvm2: fewer wishes of placement are broken (0 "
	    "against 1: keeps web1 and web2 (label app=web) on different "
	    "hosts: web2 is there (rule keep, 10-x.yaml:7))");
}
END_TEST

/* ---- together ---- */

START_TEST(a_guest_goes_where_the_others_are)
{
	add_web(2, "web2");
	add_web(2, "web3");
	placement_add_rule(&w, PLACEMENT_TOGETHER, "app");
	expect_refused("keeps web1 and web2 (label app=web) on one host: web2 "
		       "is on kvm3 (rule keep, 10-x.yaml:7)");
	expect_target("kvm3");
}
END_TEST

START_TEST(others_on_several_hosts_keep_nobody)
{
	add_web(2, "web2");
	add_web(3, "web3");
	placement_add_rule(&w, PLACEMENT_TOGETHER, "app");
	expect_target("kvm2");
}
END_TEST

START_TEST(of_those_that_leave_the_first_chooses_and_the_others_follow)
{
	struct snap_vm *web2 = add_web(0, "web2");

	placement_add_rule(&w, PLACEMENT_TOGETHER, "app");
	expect_target("kvm2");
	place_ledger_book(ledger, &w.s, vm, &w.s.hosts[3], &choice.strategy);
	request.vm = web2;
	expect_refused("keeps web2 and web1 (label app=web) on one host: web1 "
		       "is on its way to kvm4 (rule keep, 10-x.yaml:7)");
	expect_target("kvm4");
}
END_TEST

START_TEST(those_that_leave_together_need_room_together)
{
	add_web(0, "web2");
	placement_add_rule(&w, PLACEMENT_TOGETHER, "app");
	w.s.hosts[1].memory_free = 16 * GIB;
	w.s.hosts[2].memory_free = 18 * GIB;
	w.s.host_count = 3;
	expect_refused("keeps 2 guests (label app=web) on one host: they need "
		       "16.3 GiB, 15.0 GiB free (rule keep, 10-x.yaml:7)");
	expect_target("kvm3");
}
END_TEST

START_TEST(one_alone_does_not_leave_the_others)
{
	add_web(0, "web2");
	placement_add_rule(&w, PLACEMENT_TOGETHER, "app");
	request.leaving = false;
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert_str_eq(choice.why,
	    "no host can take it: kvm2, kvm3, kvm4: keeps web1 and web2 "
	    "(label app=web) on one host: web2 is on kvm1 (rule keep, "
	    "10-x.yaml:7)");
	/* A host in maintenance is being emptied. */
	w.s.hosts[0].maintenance = true;
	ledger = NULL;
	expect_target("kvm2");
}
END_TEST

/* ---- hosts ---- */

START_TEST(a_guest_goes_to_hosts_of_the_rule_only)
{
	struct placement *rule = placement_add_rule(&w, PLACEMENT_HOSTS, NULL);

	placement_label_host(&w, 1, "licensed", "no");
	placement_label_host(&w, 3, "licensed", "yes");
	rule->vms = placement_compile(&w, "name like \"web*\"", false);
	rule->hosts = placement_compile(&w, "labels.licensed = \"yes\"", true);
	expect_refused("is none of the hosts for web1, of which "
		       "\"labels.licensed = \"yes\"\" must be true (rule keep, "
		       "10-x.yaml:7)");
	/* kvm3 has no such label. */
	expect_target("kvm4");
	rule->hard = false;
	w.s.host_count = 3;
	ledger = NULL;
	expect_target("kvm2");
}
END_TEST

/* ---- spread ---- */

START_TEST(guests_are_spread_over_the_values_of_a_label)
{
	placement_label_host(&w, 1, "rack", "r1");
	placement_label_host(&w, 2, "rack", "r1");
	placement_label_host(&w, 3, "rack", "r2");
	(void)world_add_vm(&w, 2, "a", GIB);
	(void)world_add_vm(&w, 1, "b", GIB);
	(void)world_add_vm(&w, 3, "c", GIB);
	placement_add_rule(&w, PLACEMENT_SPREAD, "rack")->name = "racks";
	w.s.hosts[3].cpu_used = 15; /* a later step */
	expect_target("kvm4");
	ck_assert_str_eq(choice.why,
	    "kvm4 rather than kvm2: fewer guests of rule racks in rack r2 than "
	    "in r1 (1 against 2)");
	/* Those that will be there count. */
	world_add_move(&w, &w.s.vms[1], "kvm4");
	world_add_move(&w, &w.s.vms[2], "kvm4");
	w.s.hosts[3].inbound_limit = 1000;
	ledger = NULL;
	expect_target("kvm2");
}
END_TEST

START_TEST(a_host_without_the_label_comes_last)
{
	placement_label_host(&w, 3, "rack", "r2");
	(void)world_add_vm(&w, 3, "a", GIB);
	placement_add_rule(&w, PLACEMENT_SPREAD, "rack")->name = "racks";
	expect_target("kvm4");
	ck_assert_str_eq(choice.why,
	    "kvm4 rather than kvm2: it has the label rack (r2), by which rule "
	    "racks spreads");
}
END_TEST

START_TEST(a_host_can_be_asked_alone)
{
	struct place_rejection answer;

	add_web(1, "web2");
	placement_add_rule(&w, PLACEMENT_APART, "app");
	ledger = place_ledger_new(w.arena, &w.s);
	place_check(w.arena, &w.settings, &w.s, ledger, &request, &w.s.hosts[1],
	    &answer);
	ck_assert_int_eq(answer.rule, PLACE_PLACEMENT);
	place_check(w.arena, &w.settings, &w.s, ledger, &request, &w.s.hosts[2],
	    &answer);
	ck_assert_int_eq(answer.rule, PLACE_OK);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("placement");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, guests_of_one_value_are_kept_on_different_hosts);
	tcase_add_test(tc, other_values_and_guests_without_the_label_may_meet);
	tcase_add_test(tc, a_rule_is_about_the_guests_that_it_selects);
	tcase_add_test(tc, a_guest_that_is_on_its_way_is_there_already);
	tcase_add_test(tc, what_leaves_is_waited_for);
	tcase_add_test(tc, guests_that_leave_together_are_not_sent_to_one_host);
	tcase_add_test(tc, a_definition_left_behind_is_not_the_guest);
	tcase_add_test(tc, a_soft_rule_sends_elsewhere_and_does_not_forbid);
	tcase_add_test(tc, a_guest_goes_where_the_others_are);
	tcase_add_test(tc, others_on_several_hosts_keep_nobody);
	tcase_add_test(
	    tc, of_those_that_leave_the_first_chooses_and_the_others_follow);
	tcase_add_test(tc, those_that_leave_together_need_room_together);
	tcase_add_test(tc, one_alone_does_not_leave_the_others);
	tcase_add_test(tc, a_guest_goes_to_hosts_of_the_rule_only);
	tcase_add_test(tc, guests_are_spread_over_the_values_of_a_label);
	tcase_add_test(tc, a_host_without_the_label_comes_last);
	tcase_add_test(tc, a_host_can_be_asked_alone);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

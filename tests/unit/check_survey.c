/*
 * Who is looked at, in which order, and who is left alone.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/survey.h"
#include "base/log.h"
#include "base/str.h"
#include "fake_hv.h"

#define DEADLINE_MS 20000
#define GUESTS 4

static struct loop *loop;
static struct workers *workers;
static struct settings *settings;
static struct inventory *inventory;
static struct link *link_;
static struct survey *survey;
static int answered, moving; /* number of the guest, or 0 */
static int64_t age_ms, rest_ms;

static const char config[] =
    "version: 1\n"
    "site: lab\n"
    "hosts:\n"
    "  - { name: kvm1, uri: qemu+tcp://kvm1.example.org/system }\n"
    "  - { name: kvm2, uri: qemu+tcp://kvm2.example.org/system }\n";

static const char *
uuid(int n)
{
	static char texts[GUESTS + 1][HV_UUID_SIZE];

	(void)snprintf(
	    texts[n], sizeof(texts[n]), "aaaaaaaa-0000-0000-0000-%012d", n);
	return texts[n];
}

/* ---- wires ---- */

static struct link *
find_link(const char *host, void *arg)
{
	(void)arg;
	return strcmp(host, "kvm1") == 0 ? link_ : NULL;
}

static bool
is_moving(const char *which, void *arg)
{
	(void)arg;
	return moving != 0 && strcmp(which, uuid(moving)) == 0;
}

static struct snapshot *
look(void *arg)
{
	(void)arg;
	return inventory_snapshot(
	    inventory, NULL, 0, NULL, 0, clock_mono_now(), clock_wall_now());
}

static void
on_answered(void *arg)
{
	(void)arg;
	answered++;
}

static void
on_listed(const char *host, struct facts_host *facts, void *arg)
{
	(void)host;
	(void)arg;
	facts_host_free(facts);
}

static void
on_lost(const char *host, const char *why, void *arg)
{
	(void)host;
	(void)why;
	(void)arg;
}

static void
on_load(const char *host, struct facts_load *load, void *arg)
{
	(void)host;
	(void)arg;
	facts_load_clear(load);
	free(load);
}

static void
on_silent(const char *host, int64_t ms, void *arg)
{
	(void)host;
	(void)ms;
	(void)arg;
}

static const struct link_callbacks callbacks = {
    .listed = on_listed, .lost = on_lost, .load = on_load, .silent = on_silent};

/* ---- waiting ---- */

struct until {
	bool (*holds)(void);
	struct loop_timer *timer;
	struct mono deadline;
};

static void
until_look(void *arg)
{
	struct until *until = arg;

	if (until->holds() || mono_before(until->deadline, clock_mono_now()))
		loop_stop(loop);
	else
		loop_timer_set(until->timer, 2);
}

#define run_until(holds) run_until_(holds, #holds, __LINE__)
static void
run_until_(bool (*holds)(void), const char *name, int line)
{
	struct until until = {
	    holds, NULL, mono_add(clock_mono_now(), DEADLINE_MS)};

	until.timer = loop_timer_new(loop, until_look, &until);
	loop_timer_set(until.timer, 0);
	ck_assert_int_eq(loop_run(loop), 0);
	loop_timer_free(until.timer);
	ck_assert_msg(holds(), "line %d: %s did not come", line, name);
}

static bool
is_up(void)
{
	return link_is_up(link_);
}
static bool
all_closed(void)
{
	return fake_closed() == fake_opened();
}

/* ---- building ---- */

static void
setup(void)
{
	struct settings_file file = {
	    SETTINGS_MAIN, "drover.yaml", config, strlen(config)};
	struct diag_list diags;

	log_set_level(LOG_LEVEL_ERROR);
	fake_reset();
	answered = moving = 0;
	age_ms = 1000000;
	rest_ms = 1000000;
	diag_init(&diags);
	settings = settings_parse(&file, 1, "/tmp", &diags);
	ck_assert_ptr_nonnull(settings);
	diag_free(&diags);
	inventory = inventory_new();
	inventory_configure(inventory, settings);
	loop = loop_new();
	workers = workers_new(loop);
	link_ = link_new(loop, workers, &fake_hv, "kvm1", "fake://kvm1", 0,
	    &callbacks, NULL);
	run_until(is_up);
}

static void
begin(void)
{
	survey = survey_new(&(struct survey_deps){.loop = loop,
	    .inventory = inventory,
	    .link = find_link,
	    .moving = is_moving,
	    .look = look,
	    .answered = on_answered,
	    .age_ms = age_ms,
	    .look_ms = 10,
	    .rest_ms = rest_ms});
}

static void
teardown(void)
{
	for (int i = 0; i < FAKE_CALLS; i++)
		fake_let_go((enum fake_call)i);
	survey_free(survey);
	survey = NULL;
	link_close(link_);
	run_until(all_closed);
	workers_free(workers, DEADLINE_MS);
	loop_free(loop);
	inventory_free(inventory);
	settings_free(settings);
	ck_assert_int_eq(fake_misused(), 0);
}

static void
fill(struct facts_domain *domain, int n, bool local, enum domain_state state,
    enum domain_job job)
{
	char xml[512];

	(void)snprintf(xml, sizeof(xml),
	    "<domain type='kvm'><name>vm%d</name><memory unit='KiB'>1024"
	    "</memory><devices>%s</devices></domain>",
	    n,
	    local ? "<disk type='file' device='disk'><source "
		    "file='/images/a'/><target dev='vda'/></disk>"
		  : "");
	*domain = (struct facts_domain){.name = str_dup("vm"),
	    .uuid = str_dup(uuid(n)),
	    .state = state,
	    .job = job,
	    .persistent = true,
	    .xml = str_dup(xml)};
}

/* Guest n, running or off, with a local disk or none. */
static void
add(int n, bool local, enum domain_state state, enum domain_job job)
{
	struct facts_domain *domain = calloc(1, sizeof(*domain));

	ck_assert_ptr_nonnull(domain);
	fill(domain, n, local, state, job);
	(void)inventory_apply(inventory,
	    &(struct inventory_event){.news = INVENTORY_DOMAIN_READ,
		.host = "kvm1",
		.now = clock_mono_now(),
		.domain = domain});
}

static void
list(void)
{
	struct facts_host *facts = calloc(1, sizeof(*facts));

	ck_assert_ptr_nonnull(facts);
	facts->load.memory_total = facts->load.memory_free = FACTS_UNKNOWN;
	(void)inventory_apply(inventory,
	    &(struct inventory_event){.news = INVENTORY_HOST_LISTED,
		.host = "kvm1",
		.now = clock_mono_now(),
		.facts = facts});
}

static int
surveys(void)
{
	return fake_begun(FAKE_SURVEY);
}

/* How often this guest was looked at; `sampled`: its memory. */
static int
times(int n, bool sampled)
{
	char text[HV_UUID_SIZE + 1];
	int count = 0;

	(void)snprintf(text, sizeof(text), "%s%s", uuid(n), sampled ? "+" : "");
	for (int i = 0; fake_surveyed(i) != NULL; i++)
		count += strcmp(fake_surveyed(i), text) == 0;
	return count;
}

static struct snapshot *seen;
static const struct snap_vm *
guest(int n)
{
	snapshot_free(seen);
	seen = look(NULL);
	return snapshot_find_vm(seen, uuid(n));
}

static bool
first_is_surveyed(void)
{
	bool is = guest(1)->surveyed;

	snapshot_free(seen);
	seen = NULL;
	return is;
}
static bool
first_is_sampled(void)
{
	bool is = guest(1)->dirty_rate != SNAPSHOT_UNKNOWN;

	snapshot_free(seen);
	seen = NULL;
	return is;
}

/* ---- tests ---- */

START_TEST(figures_come_into_the_inventory)
{
	fake_set_survey("/images/a", 4096, 1 << 20);
	list();
	add(1, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	begin();
	run_until(first_is_surveyed);
	run_until(first_is_sampled);
	ck_assert_int_eq(guest(1)->disks[0].allocation, 4096);
	ck_assert_int_eq(guest(1)->dirty_rate, 1 << 20);
	snapshot_free(seen);
	seen = NULL;
	ck_assert_int_ge(answered, 1);
}
END_TEST

static struct mono later;
static bool
time_has_passed(void)
{
	return mono_before(later, clock_mono_now());
}

START_TEST(what_is_fresh_is_not_asked_again)
{
	fake_set_survey("/images/a", 4096, 1 << 20);
	list();
	add(1, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	begin();
	run_until(first_is_surveyed);
	run_until(first_is_sampled);
	later = mono_add(clock_mono_now(), 200);
	run_until(time_has_passed);
	/* A short sample and a long one. */
	ck_assert_int_eq(times(1, true), 2);
	ck_assert_int_le(times(1, false), 1);
}
END_TEST

static bool
asked_again(void)
{
	return times(1, true) > 2;
}

START_TEST(what_is_old_is_asked_again)
{
	fake_set_survey("/images/a", 4096, 1 << 20);
	age_ms = 20;
	list();
	add(1, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	begin();
	run_until(asked_again);
}
END_TEST

static bool
one_was_surveyed(void)
{
	return surveys() > 0;
}

START_TEST(a_guest_without_local_disks_is_only_sampled)
{
	fake_set_survey(NULL, FACTS_UNKNOWN, 1 << 20);
	list();
	add(1, false, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	begin();
	run_until(first_is_sampled);
	ck_assert_int_eq(times(1, false), 0);
}
END_TEST

START_TEST(a_guest_that_is_off_is_not_sampled)
{
	fake_set_survey("/images/a", 4096, 1 << 20);
	list();
	add(1, true, DOMAIN_SHUTOFF, DOMAIN_JOB_NONE);
	begin();
	run_until(first_is_surveyed);
	later = mono_add(clock_mono_now(), 100);
	run_until(time_has_passed);
	ck_assert_int_eq(times(1, true), 0);
}
END_TEST

START_TEST(guests_that_are_busy_or_moving_are_left_alone)
{
	fake_set_survey("/images/a", 4096, 1 << 20);
	list();
	add(1, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	add(2, true, DOMAIN_RUNNING, DOMAIN_JOB_ACTIVE);
	add(3, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	moving = 3;
	begin();
	run_until(first_is_sampled);
	later = mono_add(clock_mono_now(), 100);
	run_until(time_has_passed);
	ck_assert_int_eq(times(2, false) + times(2, true), 0);
	ck_assert_int_eq(times(3, false) + times(3, true), 0);
}
END_TEST

static bool
all_were_sampled(void)
{
	int count = 0;

	for (int n = 1; n <= GUESTS; n++)
		count += times(n, true) > 0;
	return count == GUESTS;
}

START_TEST(one_at_a_time_is_looked_at_and_one_is_sampled)
{
	fake_set_survey("/images/a", 4096, 1 << 20);
	list();
	for (int n = 1; n <= GUESTS; n++)
		add(n, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	begin();
	run_until(all_were_sampled);
	ck_assert_int_le(fake_most_inside(FAKE_SURVEY), 2);
}
END_TEST

static bool
some_wait(void)
{
	return fake_inside(FAKE_SURVEY) == 2;
}

START_TEST(whom_somebody_asked_about_is_next)
{
	int at[GUESTS + 1] = {0};

	fake_set_survey("/images/a", 4096, 1 << 20);
	list();
	fake_hold(FAKE_SURVEY);
	for (int n = 1; n <= GUESTS; n++)
		add(n, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	begin();
	run_until(some_wait);
	survey_ask(survey, uuid(GUESTS));
	later = mono_add(clock_mono_now(), 50);
	run_until(time_has_passed);
	fake_let_go(FAKE_SURVEY);
	run_until(all_were_sampled);
	for (int i = 0, place = 1; fake_surveyed(i) != NULL; i++) {
		for (int n = 1; n <= GUESTS; n++) {
			char text[HV_UUID_SIZE + 1];

			(void)snprintf(text, sizeof(text), "%s+", uuid(n));
			if (strcmp(fake_surveyed(i), text) == 0 && at[n] == 0)
				at[n] = place++;
		}
	}
	ck_assert_int_eq(at[1], 1);
	ck_assert_int_eq(at[GUESTS], 2);
}
END_TEST

START_TEST(who_cannot_be_read_holds_no_decision_up_and_rests)
{
	fake_fail(FAKE_SURVEY, 1000000, ERR_REFUSED, "no such file");
	list();
	add(1, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	begin();
	run_until(first_is_surveyed);
	later = mono_add(clock_mono_now(), 200);
	run_until(time_has_passed);
	ck_assert_int_le(times(1, false), 1);
	ck_assert_int_le(times(1, true), 1);
	ck_assert_int_eq(guest(1)->disks[0].allocation, SNAPSHOT_UNKNOWN);
	ck_assert(!guest(1)->unsampled);
	snapshot_free(seen);
	seen = NULL;
}
END_TEST

START_TEST(who_was_not_reached_is_asked_again_after_a_rest)
{
	fake_set_survey("/images/a", 4096, 1 << 20);
	fake_fail(FAKE_SURVEY, 3, ERR_UNREACHABLE, "connection reset");
	rest_ms = 30;
	list();
	add(1, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	begin();
	run_until(first_is_sampled);
	run_until(first_is_surveyed);
}
END_TEST

START_TEST(a_host_that_another_daemon_acts_on_is_left_alone)
{
	list();
	add(1, true, DOMAIN_RUNNING, DOMAIN_JOB_NONE);
	(void)inventory_apply(inventory,
	    &(struct inventory_event){.news = INVENTORY_CLAIMED,
		.host = "kvm1",
		.now = clock_mono_now(),
		.why = "another"});
	begin();
	later = mono_add(clock_mono_now(), 100);
	run_until(time_has_passed);
	ck_assert(!one_was_surveyed());
	(void)inventory_apply(inventory,
	    &(struct inventory_event){.news = INVENTORY_CLAIMED,
		.host = "kvm1",
		.now = clock_mono_now()});
	run_until(one_was_surveyed);
}
END_TEST

/* kvm2 has a guest with this in its drive. */
static void
list_second(void)
{
	struct facts_host *facts = calloc(1, sizeof(*facts));

	ck_assert_ptr_nonnull(facts);
	facts->load.memory_total = facts->load.memory_free = FACTS_UNKNOWN;
	facts->domains = calloc(1, sizeof(facts->domains[0]));
	ck_assert_ptr_nonnull(facts->domains);
	facts->domain_count = 1;
	facts->domains[0] = (struct facts_domain){.name = str_dup("vm"),
	    .uuid = str_dup(uuid(1)),
	    .state = DOMAIN_RUNNING,
	    .persistent = true,
	    .xml = str_dup("<domain type='kvm'><name>vm</name><memory "
			   "unit='KiB'>1024</memory><devices><disk type='file' "
			   "device='cdrom'><source file='/iso/setup.iso'/>"
			   "<target dev='sda'/><readonly/></disk></devices>"
			   "</domain>")};
	(void)inventory_apply(inventory,
	    &(struct inventory_event){.news = INVENTORY_HOST_LISTED,
		.host = "kvm2",
		.now = clock_mono_now(),
		.facts = facts});
}

static enum snap_verdict
medium_at_first(void)
{
	enum snap_verdict there = SNAP_VERDICT_UNKNOWN;
	struct snapshot *s = look(NULL);

	for (size_t i = 0; i < s->hosts[0].file_count; i++) {
		if (strcmp(s->hosts[0].files[i].path, "/iso/setup.iso") == 0)
			there = s->hosts[0].files[i].there;
	}
	snapshot_free(s);
	return there;
}

static bool
medium_is_known(void)
{
	return medium_at_first() != SNAP_VERDICT_UNKNOWN;
}

START_TEST(media_of_guests_elsewhere_are_looked_for)
{
	fake_set_files("/iso/");
	list();
	list_second();
	begin();
	run_until(medium_is_known);
	ck_assert_int_eq(medium_at_first(), SNAP_VERDICT_OK);
	later = mono_add(clock_mono_now(), 100);
	run_until(time_has_passed);
	ck_assert_int_eq(fake_begun(FAKE_HAS_FILE), 1);
}
END_TEST

START_TEST(a_medium_that_is_not_there_is_known_not_to_be)
{
	fake_set_files("/other/");
	list();
	list_second();
	begin();
	run_until(medium_is_known);
	ck_assert_int_eq(medium_at_first(), SNAP_VERDICT_REJECTED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("survey");
	TCase *tc = tcase_create("survey");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, figures_come_into_the_inventory);
	tcase_add_test(tc, what_is_fresh_is_not_asked_again);
	tcase_add_test(tc, what_is_old_is_asked_again);
	tcase_add_test(tc, a_guest_without_local_disks_is_only_sampled);
	tcase_add_test(tc, a_guest_that_is_off_is_not_sampled);
	tcase_add_test(tc, guests_that_are_busy_or_moving_are_left_alone);
	tcase_add_test(tc, one_at_a_time_is_looked_at_and_one_is_sampled);
	tcase_add_test(tc, whom_somebody_asked_about_is_next);
	tcase_add_test(tc, who_cannot_be_read_holds_no_decision_up_and_rests);
	tcase_add_test(tc, who_was_not_reached_is_asked_again_after_a_rest);
	tcase_add_test(tc, a_host_that_another_daemon_acts_on_is_left_alone);
	tcase_add_test(tc, media_of_guests_elsewhere_are_looked_for);
	tcase_add_test(tc, a_medium_that_is_not_there_is_known_not_to_be);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

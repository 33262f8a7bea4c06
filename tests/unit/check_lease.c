/*
 * Two daemons' leases on the hosts of one fake: what each of them takes the
 * hosts for.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/lease.h"
#include "base/log.h"
#include "fake_hv.h"

#define DEADLINE_MS 20000
#define HOSTS 2

/* One daemon, as far as leases see it. */
struct side {
	struct lease *lease;
	struct inventory *inventory;
	struct link *links[HOSTS];
	bool tells[HOSTS]; /* listings reach the lease */
	bool busy[HOSTS];
	int claimed, released, changed, unclaimed;
	bool let_go;
};

static struct loop *loop;
static struct workers *workers;
static struct settings *settings;
static struct side a, b;

static const char config[] =
    "version: 1\n"
    "site: lab\n"
    "hosts:\n"
    "  - { name: kvm1, uri: qemu+tcp://kvm1.example.org/system }\n"
    "  - { name: kvm2, uri: qemu+tcp://kvm2.example.org/system }\n";

static int
number(const char *host)
{
	return host[strlen(host) - 1] - '1';
}

/* ---- wires ---- */

static struct link *
find_link(const char *host, void *arg)
{
	struct side *side = arg;

	return side->links[number(host)];
}

static bool
is_busy(const char *host, void *arg)
{
	struct side *side = arg;

	return side->busy[number(host)];
}

static void
on_changed(void *arg)
{
	struct side *side = arg;

	side->changed++;
}

static void
on_news(const char *host, const char *by, void *arg)
{
	struct side *side = arg;

	(void)host;
	side->claimed += by != NULL;
	side->released += by == NULL;
}

static void
on_unclaimed(const char *host, void *arg)
{
	struct side *side = arg;

	(void)host;
	side->unclaimed++;
}

static void
on_listed(const char *host, struct facts_host *facts, void *arg)
{
	struct side *side = arg;

	(void)inventory_apply(side->inventory,
	    &(struct inventory_event){.news = INVENTORY_HOST_LISTED,
		.host = host,
		.now = clock_mono_now(),
		.facts = facts});
	if (side->tells[number(host)])
		lease_listed(side->lease, host);
}

static void
on_lost(const char *host, const char *why, void *arg)
{
	(void)host;
	(void)why;
	(void)arg;
}

static void
on_silent(const char *host, int64_t ms, void *arg)
{
	(void)host;
	(void)ms;
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
on_event(const char *host, const struct hv_event *event, void *arg)
{
	(void)host;
	(void)event;
	(void)arg;
}

static const struct link_callbacks callbacks = {
    .listed = on_listed,
    .lost = on_lost,
    .silent = on_silent,
    .load = on_load,
    .event = on_event,
};

/* ---- building ---- */

static void
begin(struct side *side, const char *owner, int64_t renew_ms, int64_t ttl_ms)
{
	*side = (struct side){0};
	side->inventory = inventory_new();
	inventory_configure(side->inventory, settings);
	side->lease = lease_new(&(struct lease_deps){.loop = loop,
	    .inventory = side->inventory,
	    .owner = owner,
	    .link = find_link,
	    .busy = is_busy,
	    .changed = on_changed,
	    .news = on_news,
	    .unclaimed = on_unclaimed,
	    .arg = side,
	    .renew_ms = renew_ms,
	    .ttl_ms = ttl_ms});
}

static void
connect_host(struct side *side, int host)
{
	char name[8], uri[32];

	(void)snprintf(name, sizeof(name), "kvm%d", host);
	(void)snprintf(uri, sizeof(uri), "fake://kvm%d", host);
	side->tells[host - 1] = true;
	side->links[host - 1] =
	    link_new(loop, workers, &fake_hv, name, uri, 0, &callbacks, side);
}

/* As a kill would: marks stay. */
static void
end(struct side *side)
{
	lease_free(side->lease);
	side->lease = NULL;
	for (int i = 0; i < HOSTS; i++) {
		if (side->links[i] != NULL)
			link_close(side->links[i]);
		side->links[i] = NULL;
	}
	inventory_free(side->inventory);
	side->inventory = NULL;
}

static void
setup(void)
{
	struct settings_file file = {
	    SETTINGS_MAIN, "drover.yaml", config, strlen(config)};
	struct diag_list diags;

	log_set_level(LOG_LEVEL_ERROR);
	fake_reset();
	loop = loop_new();
	workers = workers_new(loop);
	diag_init(&diags);
	settings = settings_parse(&file, 1, "/tmp", &diags);
	ck_assert_ptr_nonnull(settings);
	diag_free(&diags);
	a = b = (struct side){0};
}

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
all_closed(void)
{
	return fake_closed() == fake_opened();
}

static void
teardown(void)
{
	for (int i = 0; i < FAKE_CALLS; i++)
		fake_let_go((enum fake_call)i);
	if (a.lease != NULL)
		end(&a);
	if (b.lease != NULL)
		end(&b);
	run_until(all_closed);
	workers_free(workers, DEADLINE_MS);
	loop_free(loop);
	settings_free(settings);
	ck_assert_int_eq(fake_misused(), 0);
}

/* ---- what a side takes a host for ---- */

enum seen { SEEN_NOTHING, SEEN_OPEN, SEEN_CLAIMED, SEEN_FREE };

static enum seen
see(const struct side *side, int host)
{
	struct snapshot *s = inventory_snapshot(side->inventory, NULL, 0, NULL,
	    0, clock_mono_now(), clock_wall_now());
	const struct snap_host *h = &s->hosts[host - 1];
	enum seen seen = !h->known  ? SEEN_NOTHING
	    : h->claimed_by != NULL ? SEEN_CLAIMED
	    : h->claim_open         ? SEEN_OPEN
				    : SEEN_FREE;

	snapshot_free(s);
	return seen;
}

static bool
owns(const char *owner, int host)
{
	return strcmp(fake_mark(host).owner, owner) == 0;
}

static bool
a_has_kvm1(void)
{
	return see(&a, 1) == SEEN_FREE && owns("a", 1);
}
static bool
a_has_kvm2(void)
{
	return see(&a, 2) == SEEN_FREE && owns("a", 2);
}
static bool
b_has_kvm1(void)
{
	return see(&b, 1) == SEEN_FREE && owns("b", 1);
}
static bool
b_has_kvm2(void)
{
	return see(&b, 2) == SEEN_FREE && owns("b", 2);
}
static bool
b_sees_kvm1_claimed(void)
{
	return see(&b, 1) == SEEN_CLAIMED;
}
static bool
a_sees_kvm1_open(void)
{
	return see(&a, 1) == SEEN_OPEN;
}
static bool
a_sees_kvm1_free(void)
{
	return see(&a, 1) == SEEN_FREE;
}

/* ---- one ---- */

START_TEST(a_host_is_open_until_it_has_answered)
{
	fake_hold(FAKE_CLAIM);
	begin(&a, "a", 20, 2000);
	connect_host(&a, 1);
	run_until(a_sees_kvm1_open);
	fake_let_go(FAKE_CLAIM);
	run_until(a_has_kvm1);
	ck_assert_int_ge(a.changed, 1);
	ck_assert_int_eq(a.claimed + a.released, 0);
	ck_assert_int_eq(a.unclaimed, 1);
}
END_TEST

START_TEST(a_mark_of_ours_counts_no_longer_when_it_cannot_be_renewed)
{
	begin(&a, "a", 20, 200);
	connect_host(&a, 1);
	run_until(a_has_kvm1);
	fake_hold(FAKE_CLAIM);
	run_until(a_sees_kvm1_open);
	fake_let_go(FAKE_CLAIM);
	run_until(a_has_kvm1);
	/* That of the first answer was told, and is no news any more. */
	ck_assert_int_eq(a.unclaimed, 1);
}
END_TEST

START_TEST(a_restarted_daemon_has_its_old_mark_at_once)
{
	fake_set_mark(1, "a", 12345);
	begin(&a, "a", 20, 1000000);
	connect_host(&a, 1);
	run_until(a_has_kvm1);
	ck_assert_int_ne(fake_mark(1).beat, 12345);
	ck_assert_int_eq(a.claimed, 0);
}
END_TEST

START_TEST(a_host_that_keeps_no_marks_is_used_without_a_guard)
{
	fake_fail(FAKE_CLAIM, 1000000, ERR_REFUSED, "no secret driver");
	begin(&a, "a", 20, 200);
	connect_host(&a, 1);
	run_until(a_sees_kvm1_free);
	ck_assert(owns("", 1));
}
END_TEST

START_TEST(a_host_that_was_only_away_is_not_taken_for_one_without_marks)
{
	fake_fail(FAKE_CLAIM, 3, ERR_UNREACHABLE, "connection reset");
	begin(&a, "a", 20, 2000);
	connect_host(&a, 1);
	run_until(a_has_kvm1);
}
END_TEST

/* ---- two ---- */

static struct mono enough;
static int64_t last_beat;
static int beats;

/* The mark has been renewed many times, for longer than its time to live. */
static bool
a_has_lived_on(void)
{
	int64_t beat = fake_mark(1).beat;

	ck_assert_int_eq(see(&b, 1), SEEN_CLAIMED);
	beats += beat != last_beat;
	last_beat = beat;
	return beats > 20 && mono_before(enough, clock_mono_now());
}

START_TEST(a_mark_that_is_renewed_is_never_taken)
{
	begin(&a, "a", 50, 2000);
	connect_host(&a, 1);
	run_until(a_has_kvm1);
	begin(&b, "b", 50, 2000);
	connect_host(&b, 1);
	run_until(b_sees_kvm1_claimed);
	ck_assert_int_eq(b.claimed, 1);
	enough = mono_add(clock_mono_now(), 2500);
	run_until(a_has_lived_on);
	ck_assert(a_has_kvm1());
	ck_assert_int_eq(b.claimed, 1);
	ck_assert_int_eq(b.released, 0);
}
END_TEST

START_TEST(a_mark_that_stands_still_is_taken_over)
{
	begin(&a, "a", 20, 200);
	connect_host(&a, 1);
	run_until(a_has_kvm1);
	end(&a);
	begin(&b, "b", 20, 200);
	connect_host(&b, 1);
	run_until(b_sees_kvm1_claimed);
	run_until(b_has_kvm1);
	ck_assert_int_eq(b.claimed, 1);
	ck_assert_int_eq(b.released, 1);
}
END_TEST

static bool
has_asked_often(void)
{
	return fake_begun(FAKE_CLAIM) > 10;
}

START_TEST(stillness_is_seen_not_computed_from_the_beat)
{
	/* A beat of another clock, long past. */
	fake_set_mark(1, "a", -1000000000);
	begin(&b, "b", 10, 1000000);
	connect_host(&b, 1);
	run_until(has_asked_often);
	ck_assert_int_eq(see(&b, 1), SEEN_CLAIMED);
	ck_assert(owns("a", 1));
}
END_TEST

static void
on_let_go(void *arg)
{
	struct side *side = arg;

	side->let_go = true;
}
static bool
a_has_let_go(void)
{
	return a.let_go;
}

START_TEST(a_host_that_was_let_go_is_taken_by_the_other_at_once)
{
	begin(&a, "a", 20, 1000000);
	connect_host(&a, 1);
	run_until(a_has_kvm1);
	begin(&b, "b", 20, 1000000);
	connect_host(&b, 1);
	run_until(b_sees_kvm1_claimed);
	lease_release(a.lease, on_let_go, &a);
	run_until(a_has_let_go);
	run_until(b_has_kvm1);
	ck_assert_int_eq(b.released, 1);
	ck_assert_int_eq(b.unclaimed, 0);
}
END_TEST

START_TEST(a_host_that_moves_of_ours_need_is_not_let_go)
{
	begin(&a, "a", 20, 1000000);
	connect_host(&a, 1);
	connect_host(&a, 2);
	run_until(a_has_kvm1);
	run_until(a_has_kvm2);
	a.busy[0] = true;
	lease_release(a.lease, on_let_go, &a);
	run_until(a_has_let_go);
	ck_assert(owns("a", 1));
	ck_assert(owns("", 2));
	ck_assert_int_eq(see(&a, 1), SEEN_OPEN);
	ck_assert_int_eq(see(&a, 2), SEEN_OPEN);
}
END_TEST

static bool
a_is_asking(void)
{
	return fake_inside(FAKE_CLAIM) > 0;
}

START_TEST(a_renewal_under_way_does_not_outlive_the_release)
{
	begin(&a, "a", 10, 1000000);
	connect_host(&a, 1);
	run_until(a_has_kvm1);
	fake_hold(FAKE_CLAIM);
	run_until(a_is_asking);
	lease_release(a.lease, on_let_go, &a);
	ck_assert(!a.let_go);
	fake_let_go(FAKE_CLAIM);
	run_until(a_has_let_go);
	ck_assert(owns("", 1));
}
END_TEST

static bool
b_is_connected_again(void)
{
	return b.links[0] != NULL && link_generation(b.links[0]) > 1;
}
static bool
both_have_asked(void)
{
	return a_has_kvm1() && see(&b, 1) == SEEN_CLAIMED;
}

START_TEST(a_mark_that_the_host_forgot_goes_back_to_whom_it_was)
{
	begin(&a, "a", 500, 3000);
	connect_host(&a, 1);
	run_until(a_has_kvm1);
	begin(&b, "b", 500, 3000);
	connect_host(&b, 1);
	run_until(b_sees_kvm1_claimed);
	fake_set_mark(1, "", 0);
	fake_break("it restarts");
	run_until(b_is_connected_again);
	run_until(both_have_asked);
	ck_assert_int_eq(b.released, 0);
}
END_TEST

START_TEST(of_two_that_hold_a_part_each_one_gets_all)
{
	begin(&a, "a", 20, 2000);
	begin(&b, "b", 20, 2000);
	connect_host(&a, 1);
	connect_host(&b, 2);
	run_until(a_has_kvm1);
	run_until(b_has_kvm2);
	connect_host(&a, 2);
	connect_host(&b, 1);
	run_until(a_has_kvm2);
	ck_assert(a_has_kvm1());
	ck_assert_int_eq(see(&b, 1), SEEN_CLAIMED);
	ck_assert_int_ne(see(&b, 2), SEEN_FREE);
}
END_TEST

START_TEST(a_host_that_the_other_does_not_want_is_taken_back)
{
	begin(&a, "a", 20, 300);
	begin(&b, "b", 20, 300);
	connect_host(&a, 1);
	connect_host(&b, 2);
	run_until(a_has_kvm1);
	run_until(b_has_kvm2);
	connect_host(&b, 1);
	run_until(b_sees_kvm1_claimed);
	run_until(b_has_kvm2);
	ck_assert_int_eq(see(&b, 1), SEEN_CLAIMED);
}
END_TEST

/* ---- who one is ---- */

START_TEST(an_owner_is_the_same_after_a_restart_and_another_one_elsewhere)
{
	char dir[] = "/tmp/check_lease.XXXXXX",
	     other[] = "/tmp/check_lease.XXXXXX", command[128];
	char first[LEASE_OWNER_SIZE], again[LEASE_OWNER_SIZE];
	char elsewhere[LEASE_OWNER_SIZE];
	struct err err = {0};

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_ptr_nonnull(mkdtemp(other));
	ck_assert_int_eq(lease_make_owner(dir, "lab", first, &err), 0);
	ck_assert_int_eq(lease_make_owner(dir, "lab", again, &err), 0);
	ck_assert_int_eq(lease_make_owner(other, "lab", elsewhere, &err), 0);
	ck_assert_str_eq(first, again);
	ck_assert_str_ne(first, elsewhere);
	ck_assert_int_eq(strncmp(first, "lab at ", 7), 0);
	ck_assert_ptr_nonnull(strstr(first, dir));
	/* What would break the host's file is replaced. */
	ck_assert_int_eq(lease_make_owner(dir, "<a&b>", first, &err), 0);
	ck_assert_int_eq(strncmp(first, "_a_b_ at ", 9), 0);
	snprintf(command, sizeof(command), "rm -rf '%s' '%s'", dir, other);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(a_state_directory_that_cannot_be_written_is_an_error)
{
	char owner[LEASE_OWNER_SIZE];
	struct err err = {0};

	ck_assert_int_eq(
	    lease_make_owner("/nonexistent/drover", "lab", owner, &err), -1);
	ck_assert_int_eq(err.code, ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.msg, "/nonexistent/drover/owner"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lease");
	TCase *tc = tcase_create("lease");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_host_is_open_until_it_has_answered);
	tcase_add_test(
	    tc, a_mark_of_ours_counts_no_longer_when_it_cannot_be_renewed);
	tcase_add_test(tc, a_restarted_daemon_has_its_old_mark_at_once);
	tcase_add_test(tc, a_host_that_keeps_no_marks_is_used_without_a_guard);
	tcase_add_test(
	    tc, a_host_that_was_only_away_is_not_taken_for_one_without_marks);
	tcase_add_test(tc, a_mark_that_is_renewed_is_never_taken);
	tcase_add_test(tc, a_mark_that_stands_still_is_taken_over);
	tcase_add_test(tc, stillness_is_seen_not_computed_from_the_beat);
	tcase_add_test(
	    tc, a_host_that_was_let_go_is_taken_by_the_other_at_once);
	tcase_add_test(tc, a_host_that_moves_of_ours_need_is_not_let_go);
	tcase_add_test(tc, a_renewal_under_way_does_not_outlive_the_release);
	tcase_add_test(
	    tc, a_mark_that_the_host_forgot_goes_back_to_whom_it_was);
	tcase_add_test(tc, of_two_that_hold_a_part_each_one_gets_all);
	tcase_add_test(tc, a_host_that_the_other_does_not_want_is_taken_back);
	suite_add_tcase(suite, tc);
	tc = tcase_create("owner");
	tcase_add_test(
	    tc, an_owner_is_the_same_after_a_restart_and_another_one_elsewhere);
	tcase_add_test(
	    tc, a_state_directory_that_cannot_be_written_is_an_error);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#ifndef DROVER_TESTS_EXECUTOR_FIXTURE_H
#define DROVER_TESTS_EXECUTOR_FIXTURE_H

/*
 * The acting half of the daemon, built as daemon.c does, on a real store, real
 * links and workers, and a site of hosts in memory (fake_site.h).  Included once
 * per test program.
 */

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/labels.h"
#include "act/pilot.h"
#include "base/log.h"
#include "base/map.h"
#include "events_fixture.h"
#include "fake_site.h"

#define DEADLINE_S 30
#define LOOK_MS 5

static char dir[64];
static char database[96];
static sqlite3 *second; /* another eye on the database */

static struct settings *settings;
static struct loop *loop;
static struct workers *workers;
static struct store *store;
static struct announce *announce;
static struct inventory *inventory;
static struct map *links;
static struct leftovers *leftovers;
static struct executor *executor;
static struct drains *drains;
static struct flags *flags;
static struct modes *modes;
static struct decisions *decisions;
static struct pilot *pilot;
static bool with_pilot;

static int ended_count;
static enum move_outcome last_outcome;
static char last_error[768];
static int news_count;

static const char config[] =
    "version: 1\n"
    "site: lab\n"
    "storage: { shared_paths: [ /srv/images ] }\n"
    "limits: { total: 6, per_source: 4, per_target: 4 }\n"
    "hosts:\n"
    "  - { name: kvm1, uri: qemu+tcp://kvm1.example.org/system }\n"
    "  - { name: kvm2, uri: qemu+tcp://kvm2.example.org/system }\n"
    "  - { name: kvm3, uri: qemu+tcp://kvm3.example.org/system }\n"
    "receivers:\n"
    "  - { name: ops, type: cloudevents, url: http://127.0.0.1:9/ops }\n"
    "  - { name: chat, type: cloudevents, url: http://127.0.0.1:9/chat,\n"
    "      events: [ move.* ] }\n";

static const char policies[] =
    "version: 1\n"
    "policies:\n"
    "  - name: maintenance\n"
    "    mode: auto\n"
    "    when: { host: maintenance }\n"
    "    on_failure: { retries: 2, backoff: 50ms }\n";

/* More policies, in the same file. */
static const char *extra_policies = "";

static inline struct settings *
parse_settings(void)
{
	char text[2048];
	struct settings_file files[] = {
	    {SETTINGS_MAIN, "drover.yaml", config, strlen(config)},
	    {SETTINGS_POLICIES, "10-maintenance.yaml", text, 0},
	};
	struct diag_list diags;
	struct settings *s;

	snprintf(text, sizeof(text), "%s%s", policies, extra_policies);
	files[1].len = strlen(text);

	diag_init(&diags);
	s = settings_parse(files, 2, dir, &diags);
	ck_assert_msg(
	    s != NULL, "%zu faults in the configuration", diags.count);
	diag_free(&diags);
	return s;
}

/* ---- wires ---- */

static inline struct link *
find_link(const char *host, void *arg)
{
	(void)arg;
	return map_get(links, host);
}

static inline void
apply(struct inventory_event *event)
{
	bool guest = event->news == INVENTORY_DOMAIN_READ ||
	    event->news == INVENTORY_DOMAIN_GONE;

	event->now = clock_mono_now();
	if (!inventory_apply(inventory, event) || pilot == NULL)
		return;
	if (guest)
		pilot_guest_changed(pilot, event->host);
	else
		pilot_changed(pilot);
}

static inline void
on_listed(const char *host, struct facts_host *facts, void *arg)
{
	(void)arg;
	apply(&(struct inventory_event){
	    .news = INVENTORY_HOST_LISTED, .host = host, .facts = facts});
	executor_host_news(executor, host);
}

static inline void
on_lost(const char *host, const char *why, void *arg)
{
	(void)arg;
	apply(&(struct inventory_event){
	    .news = INVENTORY_HOST_LOST, .host = host, .why = why});
}

static inline void
on_domain(const char *host, struct facts_domain *domain, void *arg)
{
	(void)arg;
	apply(&(struct inventory_event){
	    .news = INVENTORY_DOMAIN_READ, .host = host, .domain = domain});
}

static inline void
on_domain_gone(const char *host, const char *uuid, void *arg)
{
	(void)arg;
	apply(&(struct inventory_event){
	    .news = INVENTORY_DOMAIN_GONE, .host = host, .uuid = uuid});
}

static inline void
on_load(const char *host, struct facts_load *load, void *arg)
{
	(void)arg;
	apply(&(struct inventory_event){
	    .news = INVENTORY_LOAD_READ, .host = host, .load = load});
}

static inline void
on_silent(const char *host, int64_t silent_ms, void *arg)
{
	(void)arg;
	apply(&(struct inventory_event){.news = INVENTORY_HOST_SILENT,
	    .host = host,
	    .silent_ms = silent_ms});
}

static inline void
on_hv_event(const char *host, const struct hv_event *event, void *arg)
{
	(void)arg;
	executor_hv_event(executor, host, event);
}

static inline void
on_ended(const struct executor_report *report, void *arg)
{
	struct link *from = find_link(report->move->from, arg);
	struct link *to = find_link(report->move->to, arg);

	ended_count++;
	last_outcome = report->move->outcome;
	snprintf(last_error, sizeof(last_error), "%s", report->move->error);
	if (from != NULL)
		link_reread(from, report->move->uuid);
	if (to != NULL)
		link_reread(to, report->move->uuid);
	if (pilot != NULL)
		pilot_move_ended(pilot, report);
}

static inline void
on_news(const struct store_event *event, void *arg)
{
	(void)event;
	(void)arg;
	news_count++;
}

static inline void
on_flag(const struct store_flag *flag, void *arg)
{
	(void)arg;
	(void)inventory_apply(inventory,
	    &(struct inventory_event){.news = INVENTORY_FLAG_SET,
		.host = flag->host,
		.now = clock_mono_now(),
		.maintenance = flag->maintenance,
		.cordoned = flag->cordoned,
		.why = flag->reason,
		.since = flag->since});
	if (pilot == NULL)
		return;
	if (!flag->maintenance) {
		drains_cancel(drains, flag->host);
		pilot_retry(pilot, flag->host);
	} else {
		(void)drains_start(drains, flag->host,
		    &(struct drains_options){
			.parallel = -1, .reason = flag->reason, .by = flag->by},
		    NULL);
	}
	pilot_changed(pilot);
}

static inline bool
is_moving(const char *uuid, void *arg)
{
	struct executor_report report;

	(void)arg;
	return executor_find_guest(executor, uuid, &report);
}

/* ---- waiting ---- */

struct until {
	bool (*holds)(void);
	struct loop_timer *timer;
	int64_t end;
};

static inline void
until_look(void *arg)
{
	struct until *until = arg;

	if (until->holds() || clock_mono_now().ms >= until->end)
		loop_stop(loop);
	else
		loop_timer_set(until->timer, LOOK_MS);
}

/* Runs the loop until the condition holds, and fails when it never does. */
#define run_until(holds) run_until_(holds, #holds, __LINE__)
static inline void
run_until_(bool (*holds)(void), const char *name, int line)
{
	struct until until = {
	    holds, NULL, clock_mono_now().ms + DEADLINE_S * 1000};

	until.timer = loop_timer_new(loop, until_look, &until);
	loop_timer_set(until.timer, 0);
	ck_assert_int_eq(loop_run(loop), 0);
	loop_timer_free(until.timer);
	ck_assert_msg(holds(), "line %d: %s did not come", line, name);
}

/* ---- building up and taking down ---- */

static inline void
must(int rc, const struct err *err)
{
	ck_assert_msg(rc >= 0, "%s", err->msg);
}

static inline void
build_links(void)
{
	static const struct link_callbacks callbacks = {.listed = on_listed,
	    .lost = on_lost,
	    .domain = on_domain,
	    .domain_gone = on_domain_gone,
	    .load = on_load,
	    .silent = on_silent,
	    .event = on_hv_event};

	for (size_t i = 0; i < settings->host_count; i++)
		map_set(links, settings->hosts[i].name,
		    link_new(loop, workers, &site_ops, settings->hosts[i].name,
			settings->hosts[i].uri, 10000, &callbacks, NULL));
}

static inline void
build(void)
{
	struct err err = {0};

	store = store_open(dir, &err);
	ck_assert_msg(store != NULL, "%s", err.msg);
	loop = loop_new();
	workers = workers_new(loop);
	inventory = inventory_new();
	inventory_configure(inventory, settings);
	links = map_new(NULL);
	announce = announce_new(store, settings);
	announce_listen(announce, on_news, NULL);
	leftovers = leftovers_new(&(struct leftovers_deps){.loop = loop,
				      .store = store,
				      .link = find_link,
				      .is_moving = is_moving},
	    &err);
	ck_assert_msg(leftovers != NULL, "%s", err.msg);
	executor = executor_new(&(struct executor_deps){.loop = loop,
	    .store = store,
	    .announce = announce,
	    .leftovers = leftovers,
	    .link = find_link,
	    .ended = on_ended});
	must(executor_recover(executor, &err), &err);
	must(labels_load(store, inventory, &err), &err);
	drains = drains_new(store, announce, executor);
	must(drains_load(drains, &err), &err);
	modes = modes_new(store, announce);
	must(modes_load(modes, &err), &err);
	decisions = decisions_new(store, announce);
	must(decisions_load(decisions, &err), &err);
	decisions_configure(decisions, settings);
	flags = flags_new(store, announce, on_flag, NULL);
	must(flags_load(flags, &err), &err);
	if (with_pilot) {
		pilot = pilot_new(&(struct pilot_deps){.loop = loop,
		    .inventory = inventory,
		    .executor = executor,
		    .drains = drains,
		    .flags = flags,
		    .decisions = decisions,
		    .modes = modes,
		    .link = find_link});
		must(pilot_load(pilot, store, &err), &err);
		pilot_configure(pilot, settings);
	}
	build_links();
}

static inline bool
workers_are_idle(void)
{
	for (size_t i = 0; i < settings->host_count; i++) {
		if (workers_pending(workers, settings->hosts[i].name) > 0)
			return false;
	}
	return true;
}

/* As a kill would: nothing is ended, nothing more is written. */
static inline void
take_down(void)
{
	const char *name;
	void *value;
	size_t i = 0;

	executor_close(executor);
	site_detach();
	while (map_next(links, &i, &name, &value))
		link_close(value);
	map_free(links);
	links = map_new(NULL);
	/* Closing goes on in the background. */
	run_until(workers_are_idle);
	workers_free(workers, DEADLINE_S * 1000);
	loop_drain(loop);
	pilot_free(pilot);
	pilot = NULL;
	flags_free(flags);
	decisions_free(decisions);
	modes_free(modes);
	drains_free(drains);
	executor_free(executor);
	leftovers_free(leftovers);
	announce_free(announce);
	map_free(links);
	inventory_free(inventory);
	loop_free(loop);
	events_check_store(store);
	store_close(store);
}

static inline void
setup(void)
{
	strcpy(dir, "/tmp/check_executor.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(database, sizeof(database), "%s/drover.db", dir);
	log_set_level(getenv("DROVER_TEST_LOG") != NULL ? LOG_LEVEL_DEBUG
							: LOG_LEVEL_ERROR);
	site_reset();
	settings = parse_settings();
	ended_count = news_count = 0;
	last_outcome = MOVE_NO_OUTCOME;
	build();
	ck_assert_int_eq(
	    sqlite3_open_v2(database, &second,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL),
	    SQLITE_OK);
	(void)sqlite3_busy_timeout(second, 10000);
}

static inline void
teardown(void)
{
	char command[128];

	(void)sqlite3_close(second);
	take_down();
	settings_free(settings);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static inline bool
all_hosts_are_up(void)
{
	const char *name;
	void *value;
	size_t i = 0;
	bool up = true;

	while (map_next(links, &i, &name, &value))
		up = up && link_is_up(value);
	return up;
}

/* ---- the database, seen from elsewhere ---- */

/* From the moves' threads as well, so that it does not use Check. */
static inline int64_t
ask(const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t value = -1;

	if (sqlite3_prepare_v2(second, sql, -1, &stmt, NULL) != SQLITE_OK)
		return -2;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return value;
}

static inline void
change(const char *sql)
{
	ck_assert_msg(sqlite3_exec(second, sql, NULL, NULL, NULL) == SQLITE_OK,
	    "%s: %s", sql, sqlite3_errmsg(second));
}

#define count_events(type)                                                     \
	ask("SELECT COUNT(*) FROM events WHERE type = 'drover." type "'")
#define count_outbox(type)                                                     \
	ask("SELECT COUNT(*) FROM outbox JOIN events ON seq = event_seq "      \
	    "WHERE type = 'drover." type "'")

static inline int
run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif

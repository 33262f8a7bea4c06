/*
 * Builds the daemon's objects up, wires news to those whom they concern, and
 * takes everything down in reverse.
 *
 * Deciding begins only when each host has been listed or has failed once (or
 * BEGIN_MS after the start): right after a start an unconnected host is not yet a
 * host that is down.
 */
#include "daemon.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "act/labels.h"
#include "base/log.h"
#include "config/files.h"
#include "flagfiles.h"
#include "news.h"
#include "notify/conditions.h"
#include "sdnotify.h"

#define BEGIN_MS 10000
#define GRACE_MS 1000
#define RELEASE_MS 1000 /* for hosts to take back their marks */

/* ---- flags ---- */

static void
show_flag(const struct store_flag *flag, void *arg)
{
	struct daemon *d = arg;

	(void)inventory_apply(d->inventory,
	    &(struct inventory_event){.news = INVENTORY_FLAG_SET,
		.host = flag->host,
		.now = clock_mono_now(),
		.maintenance = flag->maintenance,
		.cordoned = flag->cordoned,
		.why = flag->reason,
		.since = flag->since});
}

static void
on_flag(const struct store_flag *flag, void *arg)
{
	struct daemon *d = arg;
	struct err err = {0};

	show_flag(flag, d);
	if (d->pilot == NULL)
		return;
	if (!flag->maintenance) {
		drains_cancel(d->drains, flag->host);
		pilot_retry(d->pilot, flag->host);
	} else if (settings_find_host(d->settings, flag->host) != NULL &&
	    drains_start(d->drains, flag->host,
		&(struct drains_options){
		    .parallel = -1, .reason = flag->reason, .by = flag->by},
		&err) < 0) {
		log_error("drain", "%s", err.msg);
	}
	pilot_changed(d->pilot);
}

/* ---- results ---- */

static void
on_move_ended(const struct executor_report *report, void *arg)
{
	struct daemon *d = arg;
	struct link *from = news_find_link(report->move->from, d);
	struct link *to = news_find_link(report->move->to, d);

	if (report->move->outcome == MOVE_COMPLETED) {
		d->completed++;
		/* Proven; the source's own news of it may lag behind. */
		(void)inventory_apply(d->inventory,
		    &(struct inventory_event){.news = INVENTORY_DOMAIN_GONE,
			.host = report->move->from,
			.now = clock_mono_now(),
			.uuid = report->move->uuid});
		/* The target's free memory was read before it came. */
		if (report->memory > 0)
			(void)inventory_apply(d->inventory,
			    &(struct inventory_event){.news = INVENTORY_ARRIVED,
				.host = report->move->to,
				.now = clock_mono_now(),
				.memory = place_memory_need(report->memory)});
	} else {
		d->failed++;
	}
	if (from != NULL)
		link_reread(from, report->move->uuid);
	if (to != NULL)
		link_reread(to, report->move->uuid);
	pilot_move_ended(d->pilot, report);
}

static bool
is_moving(const char *uuid, void *arg)
{
	struct daemon *d = arg;
	struct executor_report report;

	return executor_find_guest(d->executor, uuid, &report);
}

static void
on_event(const struct store_event *event, void *arg)
{
	struct daemon *d = arg;

	deliver_kick(d->deliver);
	if (d->server != NULL)
		server_push_event(d->server, event);
}

/* ---- configuration ---- */

static struct settings *
load(const char *path, char **out_faults, struct err *err)
{
	struct diag_list diags;
	struct settings *s;
	struct buf text = BUF_INIT(1 << 20);

	diag_init(&diags);
	s = files_load_settings(path, &diags);
	if (s == NULL) {
		diag_print(&diags, &text);
		if (out_faults != NULL)
			*out_faults = buf_steal(&text);
		(void)err_set(err, ERR_INVALID,
		    "%s: %zu fault%s in the "
		    "configuration",
		    path, diags.count, diags.count == 1 ? "" : "s");
	}
	buf_free(&text);
	diag_free(&diags);
	return s;
}

static void
reject(struct daemon *d, const char *faults, const struct err *err)
{
	free(d->rejected);
	d->rejected = strdup(faults != NULL ? faults : err->msg);
	log_error("config",
	    "reload refused, the running configuration stays: "
	    "%s",
	    err->msg);
	for (const char *p = faults; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, "\n");

		log_error("config", "%.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
	(void)announce_event(d->announce, "config.rejected", "config",
	    json_pack("{s:s, s:s*}", "error", err->msg, "faults", faults),
	    NULL);
	announce_flush(d->announce);
}

/* What was refused is repaired. */
static void
accept_again(struct daemon *d)
{
	const struct settings *s = d->settings;
	struct err err = {0};

	if (announce_event(d->announce, "config.accepted", "config",
		json_pack("{s:I, s:I, s:I}", "hosts", (json_int_t)s->host_count,
		    "policies", (json_int_t)s->policy_count, "receivers",
		    (json_int_t)s->receiver_count),
		&err) < 0)
		log_error("config", "%s", err.msg);
	announce_flush(d->announce);
}

struct reload_moves {
	const struct settings *now, *next;
	struct err *err;
};

/* A host that a move needs must stay who it is: another machine under its name
 * would say "no such guest", and that would be believed. */
static void
check_host_stays(const struct reload_moves *r, const char *host,
    const struct executor_report *report)
{
	const struct settings_host *now = settings_find_host(r->now, host);
	const struct settings_host *next = settings_find_host(r->next, host);

	if (now == NULL || (next != NULL && strcmp(now->uri, next->uri) == 0))
		return;
	/* A dead host may go: what is not configured is not believed either. */
	if (next == NULL && report->idle)
		return;
	(void)err_set(r->err, ERR_CONFLICT,
	    "%s %s while %s moves from %s to %s "
	    "(move %" PRId64 "): try again when that has ended",
	    host, next == NULL ? "is removed" : "gets another URI",
	    report->move->name, report->move->from, report->move->to,
	    report->id);
}

static void
check_move_stays(const struct executor_report *report, void *arg)
{
	check_host_stays(arg, report->move->from, report);
	check_host_stays(arg, report->move->to, report);
}

static int
check_moves_stay(
    const struct daemon *d, const struct settings *next, struct err *err)
{
	struct reload_moves r = {d->settings, next, err};

	executor_each(d->executor, check_move_stays, &r);
	return err->code == ERR_NONE ? 0 : -1;
}

int
daemon_reload(struct daemon *d, char **out_faults, struct err *err)
{
	struct err mine = {0};
	char *faults = NULL;
	struct settings *s = load(d->config_path, &faults, &mine), *old;
	struct inbound_token token = {{0}};
	bool repaired = d->rejected != NULL;

	if (s == NULL || settings_check_reload(d->settings, s, &mine) < 0 ||
	    check_moves_stay(d, s, &mine) < 0 ||
	    inbound_read_token(s, &token, &mine) < 0) {
		reject(d, faults, &mine);
		settings_free(s);
		if (out_faults != NULL)
			*out_faults = faults;
		else
			free(faults);
		return err_set(err, mine.code, "%s", mine.msg);
	}
	old = d->settings;
	d->settings = s;
	d->loaded = clock_wall_now();
	free(d->rejected);
	d->rejected = NULL;
	inventory_configure(d->inventory, s);
	announce_configure(d->announce, s);
	deliver_configure(d->deliver, s);
	keeper_configure(d->keeper, s);
	news_match_links(d, old);
	decisions_configure(d->decisions, s);
	pilot_configure(d->pilot, s);
	marker_configure(d->marker, s);
	alerts_configure(d->alerts, s);
	inbound_set_token(d->inbound, &token);
	explicit_bzero(&token, sizeof(token));
	settings_free(old);
	/* Flags of hosts that are new to the configuration take effect. */
	flags_each(d->flags, show_flag, d);
	log_info("config", "%s: loaded, %zu hosts, %zu policies",
	    d->config_path, s->host_count, s->policy_count);
	if (repaired)
		accept_again(d);
	return 0;
}

static void
end_now(void *arg)
{
	struct daemon *d = arg;

	loop_stop(d->loop);
}

static void
end_part(void *arg)
{
	struct daemon *d = arg;

	if (--d->still == 0)
		loop_stop(d->loop);
}

static void
on_signal(int signo, void *arg)
{
	struct daemon *d = arg;

	if (signo == SIGHUP) {
		sdnotify("RELOADING=1");
		(void)daemon_reload(d, NULL, NULL);
		sdnotify("READY=1");
		return;
	}
	if (d->ending != NULL) { /* asked twice */
		loop_stop(d->loop);
		return;
	}
	log_info("daemon",
	    "%s: ending; %zu moves go on in libvirt and are "
	    "taken up again at the next start",
	    strsignal(signo), executor_count(d->executor));
	sdnotify("STOPPING=1");
	d->ending = loop_timer_new(d->loop, end_now, d);
	loop_timer_set(d->ending, RELEASE_MS);
	d->still = 2;
	marker_release(d->marker, end_part, d);
	lease_release(d->lease, end_part, d);
}

/* ---- marks ---- */

struct need {
	const char *host;
	bool found;
};

static void
look_for_need(const struct executor_report *report, void *arg)
{
	struct need *need = arg;

	need->found = need->found ||
	    strcmp(report->move->from, need->host) == 0 ||
	    strcmp(report->move->to, need->host) == 0;
}

static bool
is_needed(const char *host, void *arg)
{
	struct daemon *d = arg;
	struct need need = {host, false};

	executor_each(d->executor, look_for_need, &need);
	return need.found;
}

/* ---- building ---- */

static int
build_core(struct daemon *d, struct err *err)
{
	d->store = store_open(d->settings->state_dir, err);
	if (d->store == NULL)
		return -1;
	d->loop = loop_new();
	if (d->loop == NULL)
		return err_set(err, ERR_IO, "the event loop cannot be made");
	if (hv_libvirt_start(err) < 0)
		return -1;
	d->workers = workers_new(d->loop);
	d->inventory = inventory_new();
	inventory_configure(d->inventory, d->settings);
	d->links = map_new(NULL);
	d->heard = map_new(NULL);
	d->busy = busy_new(d->loop, news_find_link, d);
	d->announce = announce_new(d->store, d->settings);
	d->deliver = deliver_new(d->loop, d->store, d->settings, err);
	if (d->deliver == NULL)
		return -1;
	deliver_attach(d->deliver, d->announce);
	announce_listen(d->announce, on_event, d);
	d->keeper =
	    keeper_new(d->loop, d->store, d->announce, d->settings, err);
	return d->keeper != NULL ? 0 : -1;
}

static void
on_host_changed(void *arg)
{
	struct daemon *d = arg;

	pilot_changed(d->pilot);
}

static struct snapshot *
look_around(void *arg)
{
	struct daemon *d = arg;

	return pilot_snapshot(d->pilot);
}

static int
build_lease(struct daemon *d, struct err *err)
{
	char owner[LEASE_OWNER_SIZE];

	if (lease_make_owner(
		d->settings->state_dir, d->settings->site, owner, err) < 0)
		return -1;
	d->lease = lease_new(&(struct lease_deps){.loop = d->loop,
	    .inventory = d->inventory,
	    .owner = owner,
	    .link = news_find_link,
	    .busy = is_needed,
	    .changed = on_host_changed,
	    .news = news_claim,
	    .unclaimed = news_unclaimed,
	    .arg = d});
	return 0;
}

static int
build_acting(struct daemon *d, struct err *err)
{
	d->leftovers = leftovers_new(&(struct leftovers_deps){.loop = d->loop,
					 .store = d->store,
					 .link = news_find_link,
					 .is_moving = is_moving,
					 .arg = d},
	    err);
	if (d->leftovers == NULL)
		return -1;
	d->executor = executor_new(&(struct executor_deps){.loop = d->loop,
	    .store = d->store,
	    .announce = d->announce,
	    .leftovers = d->leftovers,
	    .link = news_find_link,
	    .ended = on_move_ended,
	    .arg = d});
	if (executor_recover(d->executor, err) < 0)
		return -1;
	if (labels_load(d->store, d->inventory, err) < 0)
		return -1;
	d->drains = drains_new(d->store, d->announce, d->executor);
	if (drains_load(d->drains, err) < 0)
		return -1;
	d->modes = modes_new(d->store, d->announce);
	if (modes_load(d->modes, err) < 0)
		return -1;
	d->decisions = decisions_new(d->store, d->announce);
	if (decisions_load(d->decisions, err) < 0)
		return -1;
	decisions_configure(d->decisions, d->settings);
	d->flags = flags_new(d->store, d->announce, on_flag, d);
	if (flags_load(d->flags, err) < 0)
		return -1;
	d->marker = marker_new(&(struct marker_deps){.loop = d->loop,
	    .inventory = d->inventory,
	    .store = d->store,
	    .link = news_find_link,
	    .look = look_around,
	    .answered = on_host_changed,
	    .arg = d});
	marker_configure(d->marker, d->settings);
	d->alerts = alerts_new(&(struct alerts_deps){.loop = d->loop,
				   .store = d->store,
				   .changed = on_host_changed,
				   .arg = d},
	    d->settings, err);
	if (d->alerts == NULL)
		return -1;
	d->pilot = pilot_new(&(struct pilot_deps){.loop = d->loop,
	    .inventory = d->inventory,
	    .executor = d->executor,
	    .drains = d->drains,
	    .flags = d->flags,
	    .decisions = d->decisions,
	    .modes = d->modes,
	    .marker = d->marker,
	    .leftovers = d->leftovers,
	    .alerts = d->alerts,
	    .link = news_find_link,
	    .arg = d});
	if (pilot_load(d->pilot, d->store, err) < 0)
		return -1;
	pilot_configure(d->pilot, d->settings);
	return build_lease(d, err);
}

static int
build_doors(struct daemon *d, struct err *err)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (loop_on_signal(d->loop, signals[i], on_signal, d) < 0)
			return err_set(
			    err, ERR_INTERNAL, "signal %d", signals[i]);
	}
	d->backend = backend_make(d);
	d->server = server_new(d->loop, d->settings->socket,
	    d->settings->socket_group, &d->backend, err);
	if (d->server == NULL)
		return -1;
	if (inbound_open(d->loop, d->settings, &d->backend, &d->inbound, err) <
	    0)
		return -1;
	if (flagfiles_watch(d, err) < 0)
		return -1;
	news_match_links(d, NULL);
	d->begin = loop_timer_new(d->loop, news_begin, d);
	loop_timer_set(d->begin, BEGIN_MS);
	/* The last run ended with one that was rejected; it is repaired. */
	if (conditions_would_end(d->store, "config.accepted", NULL))
		accept_again(d);
	deliver_kick(d->deliver);
	return 0;
}

struct daemon *
daemon_new(const char *config_path, char **out_faults, struct err *err)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->config_path = strdup(config_path)) == NULL)
		abort();
	LIST_INIT(&d->tests);
	d->started = d->loaded = clock_wall_now();
	d->started_mono = clock_mono_now();
	d->settings = load(config_path, out_faults, err);
	if (d->settings == NULL || build_core(d, err) < 0 ||
	    build_acting(d, err) < 0 || build_doors(d, err) < 0) {
		daemon_free(d);
		return NULL;
	}
	return d;
}

int
daemon_run(struct daemon *d)
{
	log_info("daemon",
	    "started: %zu hosts, %zu policies, %zu moves taken "
	    "up, socket %s",
	    d->settings->host_count, d->settings->policy_count,
	    executor_count(d->executor), d->settings->socket);
	sdnotify("READY=1");
	return loop_run(d->loop);
}

void
daemon_free(struct daemon *d)
{
	if (d == NULL)
		return;
	backend_end_tests(d);
	inbound_free(d->inbound);
	server_free(d->server);
	d->server = NULL; /* later news are pushed to nobody */
	watchdir_free(d->watchdir);
	if (d->executor != NULL)
		executor_close(d->executor);
	pilot_close(d->pilot);
	if (d->links != NULL)
		news_close_links(d);
	if (d->workers != NULL)
		workers_free(d->workers, GRACE_MS);
	if (d->loop != NULL)
		loop_drain(d->loop);
	loop_timer_free(d->begin);
	loop_timer_free(d->ending);
	lease_free(d->lease);
	pilot_free(d->pilot);
	alerts_free(d->alerts);
	marker_free(d->marker);
	flags_free(d->flags);
	decisions_free(d->decisions);
	modes_free(d->modes);
	drains_free(d->drains);
	executor_free(d->executor);
	leftovers_free(d->leftovers);
	keeper_free(d->keeper);
	if (d->deliver != NULL)
		deliver_free(d->deliver);
	backend_free_tests(d);
	announce_free(d->announce);
	map_free(d->links);
	map_free(d->heard);
	busy_free(d->busy);
	inventory_free(d->inventory);
	if (d->loop != NULL)
		loop_free(d->loop);
	if (d->store != NULL)
		store_close(d->store);
	settings_free(d->settings);
	free(d->rejected);
	free(d->config_path);
	free(d);
}

/*
 * Builds the daemon's objects up, wires news to those whom they concern, and
 * takes everything down in reverse.
 *
 * Deciding begins only when each host has been listed or has failed once (or
 * BEGIN_MS after the start): right after a start an unconnected host is not yet a
 * host that is down.
 */
#include "daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/files.h"
#include "sdnotify.h"

#define BEGIN_MS 10000
#define GRACE_MS 1000

/* Compared by address. */
static const char HEARD_UP[] = "up", HEARD_DOWN[] = "down";

static struct link *
find_link(const char *host, void *arg)
{
	struct daemon *d = arg;

	return map_get(d->links, host);
}

/* ---- beginning ---- */

static void
begin(void *arg)
{
	struct daemon *d = arg;

	if (d->begun)
		return;
	d->begun = true;
	loop_timer_clear(d->begin);
	pilot_begin(d->pilot);
}

static void
begin_when_all_known(struct daemon *d)
{
	if (!d->begun && map_count(d->heard) == d->settings->host_count)
		begin(d);
}

/* ---- news from hosts ---- */

static void
announce_host(struct daemon *d, const char *type, const char *host,
    const char *why)
{
	struct err err = { 0 };
	char subject[160];

	(void)snprintf(subject, sizeof(subject), "host/%s", host);
	if (announce_event(d->announce, type, subject,
	    json_pack("{s:s, s:s*}", "host", host, "why", why), &err) < 0)
		log_error("host", "%s: %s: %s", host, type, err.msg);
	announce_flush(d->announce);
}

/* What was last heard from a host: NULL nothing, "up" or "down". */
static const char *
heard(const struct daemon *d, const char *host)
{
	return map_get(d->heard, host);
}

static void
set_heard(struct daemon *d, const char *host, const char *what)
{
	map_set(d->heard, host, (void *)(uintptr_t)what);
}

static void
on_listed(const char *host, struct facts_host *facts, void *arg)
{
	struct daemon *d = arg;
	const char *before = heard(d, host);
	bool changed;

	for (size_t i = 0; i < facts->domain_count; i++)
		busy_note(d->busy, host, &facts->domains[i]);
	changed = inventory_apply(d->inventory, &(struct inventory_event){
	    .news = INVENTORY_HOST_LISTED, .host = host,
	    .now = clock_mono_now(), .facts = facts });
	set_heard(d, host, HEARD_UP);
	if (before == HEARD_DOWN)
		announce_host(d, "host.recovered", host, NULL);
	if (before != HEARD_UP)
		executor_host_news(d->executor, host);
	begin_when_all_known(d);
	if (changed)
		pilot_changed(d->pilot);
}

static void
on_lost(const char *host, const char *why, void *arg)
{
	struct daemon *d = arg;
	const char *before = heard(d, host);

	(void)inventory_apply(d->inventory, &(struct inventory_event){
	    .news = INVENTORY_HOST_LOST, .host = host,
	    .now = clock_mono_now(), .why = why });
	set_heard(d, host, HEARD_DOWN);
	if (before != HEARD_DOWN) {
		log_warn("host", "%s: lost: %s", host, why);
		announce_host(d, "host.lost", host, why);
	}
	begin_when_all_known(d);
	pilot_changed(d->pilot);
}

static void
apply(struct daemon *d, struct inventory_event *event)
{
	event->now = clock_mono_now();
	if (inventory_apply(d->inventory, event))
		pilot_changed(d->pilot);
}

static void
on_domain(const char *host, struct facts_domain *domain, void *arg)
{
	struct daemon *d = arg;

	busy_note(d->busy, host, domain);
	apply(arg, &(struct inventory_event){ .host = host,
	    .news = INVENTORY_DOMAIN_READ, .domain = domain });
}

static void
on_domain_gone(const char *host, const char *uuid, void *arg)
{
	struct daemon *d = arg;

	busy_forget(d->busy, host, uuid);
	apply(d, &(struct inventory_event){ .host = host,
	    .news = INVENTORY_DOMAIN_GONE, .uuid = uuid });
}

static void
on_load(const char *host, struct facts_load *load, void *arg)
{
	apply(arg, &(struct inventory_event){ .host = host,
	    .news = INVENTORY_LOAD_READ, .load = load });
}

static void
on_silent(const char *host, int64_t silent_ms, void *arg)
{
	apply(arg, &(struct inventory_event){ .host = host,
	    .news = INVENTORY_HOST_SILENT, .silent_ms = silent_ms });
}

static void
on_hv_event(const char *host, const struct hv_event *event, void *arg)
{
	struct daemon *d = arg;

	log_debug("event", "%s: %s: %s", host, event->name, event->detail);
	executor_hv_event(d->executor, host, event);
}

static const struct link_callbacks link_callbacks = {
	.listed = on_listed,
	.lost = on_lost,
	.domain = on_domain,
	.domain_gone = on_domain_gone,
	.load = on_load,
	.silent = on_silent,
	.event = on_hv_event,
};

/* Links for the hosts of the settings: new ones made, others closed; one whose
 * URI has changed is made anew. */
static void
match_links(struct daemon *d, const struct settings *old)
{
	const struct settings *s = d->settings;
	const char *name;
	void *value;
	size_t i = 0;

	while (map_next(d->links, &i, &name, &value)) {
		const struct settings_host *now = settings_find_host(s, name);
		const struct settings_host *was = old != NULL ?
		    settings_find_host(old, name) : NULL;

		if (now != NULL && was != NULL &&
		    strcmp(now->uri, was->uri) == 0) {
			link_set_sample_interval(value, s->sample_interval_ms);
			continue;
		}
		link_close(value);
		map_remove(d->links, name);
		map_remove(d->heard, name);
	}
	for (i = 0; i < s->host_count; i++) {
		const struct settings_host *h = &s->hosts[i];

		if (map_get(d->links, h->name) == NULL)
			map_set(d->links, h->name, link_new(d->loop,
			    d->workers, &hv_libvirt, h->name, h->uri,
			    s->sample_interval_ms, &link_callbacks, d));
	}
}

/* ---- flags ---- */

static void
show_flag(const struct store_flag *flag, void *arg)
{
	struct daemon *d = arg;

	(void)inventory_apply(d->inventory, &(struct inventory_event){
	    .news = INVENTORY_FLAG_SET, .host = flag->host,
	    .now = clock_mono_now(), .maintenance = flag->maintenance,
	    .cordoned = flag->cordoned, .why = flag->reason,
	    .since = flag->since });
}

static void
on_flag(const struct store_flag *flag, void *arg)
{
	struct daemon *d = arg;
	struct err err = { 0 };

	show_flag(flag, d);
	if (d->pilot == NULL)
		return;
	if (!flag->maintenance) {
		drains_cancel(d->drains, flag->host);
		pilot_retry(d->pilot, flag->host);
	} else if (settings_find_host(d->settings, flag->host) != NULL &&
	    drains_start(d->drains, flag->host, &(struct drains_options){
	    .parallel = -1, .reason = flag->reason, .by = flag->by },
	    &err) < 0) {
		log_error("drain", "%s", err.msg);
	}
	pilot_changed(d->pilot);
}

static void
read_boot_id(char *out, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

/* The boot is part of it: after a boot /run is empty, which is nobody's wish. */
static void
file_flag_by(const char *path, const char *name, char *out, size_t size)
{
	char boot[64];

	read_boot_id(boot, sizeof(boot));
	(void)snprintf(out, size, "file %s/%s (boot %s)", path, name, boot);
}

static void
on_flag_file(const char *name, bool present, void *arg)
{
	struct daemon *d = arg;
	const struct store_flag *now = flags_get(d->flags, name);
	const char *path = d->settings->maintenance_dir;
	struct store_flag flag = { .host = name, .source = "file",
		.maintenance = present };
	struct err err = { 0 };
	char by[512];

	if (settings_find_host(d->settings, name) == NULL) {
		if (present)
			log_warn("flag", "%s/%s: no host of that name is "
			    "configured", path, name);
		return;
	}
	if (present && now != NULL && now->maintenance)
		return;
	if (!present && (now == NULL || strcmp(now->source, "file") != 0))
		return;
	file_flag_by(path, name, by, sizeof(by));
	flag.by = by;
	if (flags_set(d->flags, &flag, &err) < 0)
		log_error("flag", "%s", err.msg);
}

/* Flags that a file had set, and whose file was removed while we were away. */
static void
check_flag_file(const struct store_flag *flag, void *arg)
{
	struct daemon *d = arg;
	char by[512];

	if (strcmp(flag->source, "file") != 0 || d->watchdir == NULL ||
	    watchdir_has(d->watchdir, flag->host))
		return;
	file_flag_by(watchdir_path(d->watchdir), flag->host, by, sizeof(by));
	if (strcmp(by, flag->by) == 0)
		on_flag_file(flag->host, false, d);
	else
		log_warn("flag", "%s: in maintenance by a file that is gone "
		    "since a reboot; clear it with droverctl host undrain %s",
		    flag->host, flag->host);
}

static int
watch_flags(struct daemon *d, struct err *err)
{
	if (d->settings->maintenance_dir == NULL)
		return 0;
	d->watchdir = watchdir_new(d->loop, d->settings->maintenance_dir,
	    on_flag_file, d, err);
	if (d->watchdir == NULL)
		return -1;
	flags_each(d->flags, check_flag_file, d);
	return 0;
}

/* ---- results ---- */

static void
on_move_ended(const struct executor_report *report, void *arg)
{
	struct daemon *d = arg;
	struct link *from = find_link(report->move->from, d);
	struct link *to = find_link(report->move->to, d);

	if (report->move->outcome == MOVE_COMPLETED) {
		d->completed++;
		/* Proven; the source's own news of it may lag behind. */
		(void)inventory_apply(d->inventory, &(struct inventory_event){
		    .news = INVENTORY_DOMAIN_GONE, .host = report->move->from,
		    .now = clock_mono_now(), .uuid = report->move->uuid });
	} else {
		d->failed++;
	}
	if (from != NULL)
		link_reread(from, report->move->uuid);
	if (to != NULL)
		link_reread(to, report->move->uuid);
	pilot_move_ended(d->pilot, report);
}

static void
on_executor_changed(void *arg)
{
	(void)arg;	/* progress is read by those who ask */
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
		(void)err_set(err, ERR_INVALID, "%s: %zu fault%s in the "
		    "configuration", path, diags.count,
		    diags.count == 1 ? "" : "s");
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
	log_error("config", "reload refused, the running configuration stays: "
	    "%s", err->msg);
	for (const char *p = faults; p != NULL && *p != '\0'; ) {
		size_t n = strcspn(p, "\n");

		log_error("config", "%.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
	(void)announce_event(d->announce, "config.rejected", "config",
	    json_pack("{s:s, s:s*}", "error", err->msg, "faults", faults),
	    NULL);
	announce_flush(d->announce);
}

int
daemon_reload(struct daemon *d, char **out_faults, struct err *err)
{
	struct err mine = { 0 };
	char *faults = NULL;
	struct settings *s = load(d->config_path, &faults, &mine), *old;

	if (s == NULL || settings_check_reload(d->settings, s, &mine) < 0) {
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
	match_links(d, old);
	pilot_configure(d->pilot, s);
	settings_free(old);
	/* Flags of hosts that are new to the configuration take effect. */
	flags_each(d->flags, show_flag, d);
	log_info("config", "%s: loaded, %zu hosts, %zu policies",
	    d->config_path, s->host_count, s->policy_count);
	return 0;
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
	log_info("daemon", "%s: ending; %zu moves go on in libvirt and are "
	    "taken up again at the next start", strsignal(signo),
	    executor_count(d->executor));
	sdnotify("STOPPING=1");
	loop_stop(d->loop);
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
	d->busy = busy_new(d->loop, find_link, d);
	d->announce = announce_new(d->store, d->settings);
	d->deliver = deliver_new(d->loop, d->store, d->settings, err);
	if (d->deliver == NULL)
		return -1;
	announce_listen(d->announce, on_event, d);
	return 0;
}

static int
build_acting(struct daemon *d, struct err *err)
{
	d->executor = executor_new(&(struct executor_deps){
	    .loop = d->loop, .store = d->store, .announce = d->announce,
	    .link = find_link, .ended = on_move_ended,
	    .changed = on_executor_changed, .arg = d });
	if (executor_recover(d->executor, err) < 0)
		return -1;
	d->drains = drains_new(d->store, d->announce, d->executor);
	if (drains_load(d->drains, err) < 0)
		return -1;
	d->flags = flags_new(d->store, d->announce, on_flag, d);
	if (flags_load(d->flags, err) < 0)
		return -1;
	d->pilot = pilot_new(&(struct pilot_deps){
	    .loop = d->loop, .inventory = d->inventory,
	    .executor = d->executor, .drains = d->drains, .flags = d->flags,
	    .link = find_link, .arg = d });
	pilot_configure(d->pilot, d->settings);
	return 0;
}

static int
build_doors(struct daemon *d, struct err *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (loop_on_signal(d->loop, signals[i], on_signal, d) < 0)
			return err_set(err, ERR_INTERNAL, "signal %d",
			    signals[i]);
	}
	d->backend = backend_make(d);
	d->server = server_new(d->loop, d->settings->socket,
	    d->settings->socket_group, &d->backend, err);
	if (d->server == NULL)
		return -1;
	if (watch_flags(d, err) < 0)
		return -1;
	match_links(d, NULL);
	d->begin = loop_timer_new(d->loop, begin, d);
	loop_timer_set(d->begin, BEGIN_MS);
	deliver_kick(d->deliver);
	return 0;
}

struct daemon *
daemon_new(const char *config_path, char **out_faults, struct err *err)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->config_path = strdup(config_path)) == NULL)
		abort();
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
	log_info("daemon", "started: %zu hosts, %zu policies, %zu moves taken "
	    "up, socket %s", d->settings->host_count,
	    d->settings->policy_count, executor_count(d->executor),
	    d->settings->socket);
	sdnotify("READY=1");
	return loop_run(d->loop);
}

static void
close_links(struct daemon *d)
{
	const char *name;
	void *value;
	size_t i = 0;

	while (map_next(d->links, &i, &name, &value))
		link_close(value);
	map_free(d->links);
	d->links = map_new(NULL);
}

void
daemon_free(struct daemon *d)
{
	if (d == NULL)
		return;
	server_free(d->server);
	watchdir_free(d->watchdir);
	if (d->executor != NULL)
		executor_close(d->executor);
	if (d->links != NULL)
		close_links(d);
	if (d->workers != NULL)
		workers_free(d->workers, GRACE_MS);
	if (d->loop != NULL)
		loop_drain(d->loop);
	loop_timer_free(d->begin);
	pilot_free(d->pilot);
	flags_free(d->flags);
	drains_free(d->drains);
	executor_free(d->executor);
	if (d->deliver != NULL)
		deliver_free(d->deliver);
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

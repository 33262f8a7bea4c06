/*
 * News from hosts: what the links tell goes into the inventory, and from there
 * to those whom it concerns; that a host was lost or is back is announced.
 *
 * What was last heard from each host is kept apart from the inventory, because
 * the announcements must come in pairs: a host that fails at its first
 * connection is lost, one that is listed for the first time has not recovered.
 * The same record says when deciding may begin: each host has been listed or
 * has failed once.
 */
#include "news.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "notify/conditions.h"

/* Compared by address. */
static const char HEARD_UP[] = "up", HEARD_DOWN[] = "down";

/* ---- beginning ---- */

void
news_begin(void *arg)
{
	struct daemon *d = arg;

	if (d->begun)
		return;
	d->begun = true;
	loop_timer_clear(d->begin);
	leftovers_begin(d->leftovers);
	pilot_begin(d->pilot);
}

static void
begin_when_all_known(struct daemon *d)
{
	if (!d->begun && map_count(d->heard) == d->settings->host_count)
		news_begin(d);
}

/* ---- what a host says ---- */

static void
announce_host(
    struct daemon *d, const char *type, const char *host, const char *why)
{
	struct err err = {0};
	char subject[160];

	(void)snprintf(subject, sizeof(subject), "host/%s", host);
	if (announce_event(d->announce, type, subject,
		json_pack("{s:s, s:s*}", "host", host, "why", why), &err) < 0)
		log_error("host", "%s: %s: %s", host, type, err.msg);
	announce_flush(d->announce);
}

/* Was it said in an earlier run that something is wrong with the host, of which
 * this would be the end? */
static bool
would_end(const struct daemon *d, const char *type, const char *host)
{
	json_t *data = json_pack("{s:s}", "host", host);
	bool ends = conditions_would_end(d->store, type, data);

	json_decref(data);
	return ends;
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
	changed = inventory_apply(d->inventory,
	    &(struct inventory_event){.news = INVENTORY_HOST_LISTED,
		.host = host,
		.now = clock_mono_now(),
		.facts = facts});
	lease_listed(d->lease, host);
	marker_listed(d->marker, host);
	set_heard(d, host, HEARD_UP);
	if (before == HEARD_DOWN ||
	    (before == NULL && would_end(d, "host.recovered", host)))
		announce_host(d, "host.recovered", host, NULL);
	if (before != HEARD_UP) {
		executor_host_news(d->executor, host);
		leftovers_host_news(d->leftovers, host);
	}
	begin_when_all_known(d);
	if (changed)
		pilot_changed(d->pilot);
}

static void
on_lost(const char *host, const char *why, void *arg)
{
	struct daemon *d = arg;
	const char *before = heard(d, host);

	(void)inventory_apply(d->inventory,
	    &(struct inventory_event){.news = INVENTORY_HOST_LOST,
		.host = host,
		.now = clock_mono_now(),
		.why = why});
	set_heard(d, host, HEARD_DOWN);
	if (before != HEARD_DOWN) {
		log_warn("host", "%s: lost: %s", host, why);
		announce_host(d, "host.lost", host, why);
	}
	begin_when_all_known(d);
	pilot_changed(d->pilot);
}

void
news_claim(const char *host, const char *by, void *arg)
{
	struct daemon *d = arg;
	struct err err = {0};
	char subject[160];

	(void)snprintf(subject, sizeof(subject), "host/%s", host);
	if (announce_event(d->announce,
		by != NULL ? "host.claimed" : "host.released", subject,
		json_pack("{s:s, s:s*}", "host", host, "by", by), &err) < 0)
		log_error("host", "%s: %s", host, err.msg);
	announce_flush(d->announce);
}

void
news_unclaimed(const char *host, void *arg)
{
	if (would_end(arg, "host.released", host))
		news_claim(host, NULL, arg);
}

static void
apply(struct daemon *d, struct inventory_event *event)
{
	event->now = clock_mono_now();
	if (inventory_apply(d->inventory, event))
		pilot_changed(d->pilot);
}

static void
apply_guest(struct daemon *d, struct inventory_event *event)
{
	event->now = clock_mono_now();
	if (inventory_apply(d->inventory, event))
		pilot_guest_changed(d->pilot, event->host);
}

static void
on_domain(const char *host, struct facts_domain *domain, void *arg)
{
	struct daemon *d = arg;

	busy_note(d->busy, host, domain);
	apply_guest(d,
	    &(struct inventory_event){
		.host = host, .news = INVENTORY_DOMAIN_READ, .domain = domain});
}

static void
on_domain_gone(const char *host, const char *uuid, void *arg)
{
	struct daemon *d = arg;

	busy_forget(d->busy, host, uuid);
	apply_guest(d,
	    &(struct inventory_event){
		.host = host, .news = INVENTORY_DOMAIN_GONE, .uuid = uuid});
}

static void
on_load(const char *host, struct facts_load *load, void *arg)
{
	struct daemon *d = arg;

	apply(arg,
	    &(struct inventory_event){
		.host = host, .news = INVENTORY_LOAD_READ, .load = load});
	/* What was in it is the inventory's now; the box is not. */
	free(load);
	pilot_sampled(d->pilot);
}

static void
on_silent(const char *host, int64_t silent_ms, void *arg)
{
	apply(arg,
	    &(struct inventory_event){.host = host,
		.news = INVENTORY_HOST_SILENT,
		.silent_ms = silent_ms});
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

/* ---- links ---- */

struct link *
news_find_link(const char *host, void *arg)
{
	struct daemon *d = arg;

	return map_get(d->links, host);
}

void
news_match_links(struct daemon *d, const struct settings *old)
{
	const struct settings *s = d->settings;
	const char *name;
	void *value;
	size_t i = 0;

	while (map_next(d->links, &i, &name, &value)) {
		const struct settings_host *now = settings_find_host(s, name);
		const struct settings_host *was =
		    old != NULL ? settings_find_host(old, name) : NULL;

		if (now != NULL && was != NULL &&
		    strcmp(now->uri, was->uri) == 0) {
			link_set_sample_interval(value, s->sample_interval_ms);
			link_set_pressure(value, s->pressure);
			continue;
		}
		lease_forget(d->lease, name);
		link_close(value);
		/* The name is the key in links: it goes last. */
		map_remove(d->heard, name);
		map_remove(d->links, name);
	}
	for (i = 0; i < s->host_count; i++) {
		const struct settings_host *h = &s->hosts[i];

		struct link *link;

		if (map_get(d->links, h->name) != NULL)
			continue;
		link = link_new(d->loop, d->workers, &hv_libvirt, h->name,
		    h->uri, s->sample_interval_ms, &link_callbacks, d);
		link_set_pressure(link, s->pressure);
		map_set(d->links, h->name, link);
	}
}

void
news_close_links(struct daemon *d)
{
	const char *name;
	void *value;
	size_t i = 0;

	while (map_next(d->links, &i, &name, &value))
		link_close(value);
	map_free(d->links);
	d->links = map_new(NULL);
}

/*
 * What a host has, kept fresh: the listing, single guests, and load.
 *
 * Two reads of one guest must not overtake each other, or the older would win.
 * So there is at most one read per guest on its way; a hint that comes
 * meanwhile makes one more follow.  While a listing is on its way no guest is
 * read (it follows after), and a read that a listing caught on its way is made
 * again instead of being believed.
 *
 * The full listing runs again every minute (give or take a tenth, so that
 * hosts do not keep step), which repairs whatever events failed to tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hv/link_state.h"

struct link_reread {
	bool in_flight;
	bool again; /* one more must follow */
	bool stale; /* the one in flight is not to be believed */
};

/* The item of any of the reads here. */
struct read_item {
	struct link *link;
	uint64_t generation;
	struct err err;
	char uuid[HV_UUID_SIZE];
	struct facts_host *host;
	struct facts_domain *domain;
	struct facts_load *load;
	bool disks;
};

static struct read_item *
read_item_new(struct link *link)
{
	struct read_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
		abort();
	item->link = link;
	item->generation = link->generation;
	return item;
}

static void
read_item_free(struct read_item *item)
{
	facts_host_free(item->host);
	facts_domain_free(item->domain);
	if (item->load != NULL)
		facts_load_clear(item->load);
	free(item->load);
	free(item);
}

/* The call was not made, or its answer means nothing any more. */
static bool
read_is_void(const struct read_item *item, const struct err *err)
{
	return err->code != ERR_NONE ||
	    !link_is_current(item->link, item->generation);
}

/* Single guests. */

static void link_read_domain_done(void *arg, const struct err *err);

static void
link_read_work_domain(const struct hv_ops *ops, struct hv_conn *conn, void *arg)
{
	struct read_item *item = arg;

	item->domain = ops->domain(conn, item->uuid, &item->err);
}

static void
link_read_domain(
    struct link *link, const char *uuid, struct link_reread *reread)
{
	struct read_item *item = read_item_new(link);

	(void)snprintf(item->uuid, sizeof(item->uuid), "%s", uuid);
	reread->in_flight = true;
	reread->again = false;
	reread->stale = false;
	link_call(link, WORKERS_NORMAL, link_read_work_domain,
	    link_read_domain_done, item);
}

static void
link_read_domain_deliver(struct link *link, struct read_item *item)
{
	struct facts_domain *domain = item->domain;

	if (domain != NULL) {
		item->domain = NULL;
		link->callbacks.domain(link->host, domain, link->arg);
	} else if (item->err.code == ERR_NOT_FOUND) {
		link->callbacks.domain_gone(link->host, item->uuid, link->arg);
	} else if (item->err.code == ERR_UNREACHABLE) {
		link_drop(link, item->err.msg);
	} else {
		/* The next listing will know more. */
		log_debug("link", "%s: %s: %s", link->host, item->uuid,
		    item->err.msg);
	}
}

static void
link_read_domain_done(void *arg, const struct err *err)
{
	struct read_item *item = arg;
	struct link *link = item->link;
	struct link_reread *reread;
	bool stale;

	if (link_is_current(link, item->generation) &&
	    (reread = map_get(link->rereads, item->uuid)) != NULL) {
		stale = reread->stale || err->code != ERR_NONE;
		reread->in_flight = false;
		if (!reread->again)
			(void)map_remove(link->rereads, item->uuid);
		else if (!link->listing)
			link_read_domain(link, item->uuid, reread);
		if (!stale)
			link_read_domain_deliver(link, item);
	}
	read_item_free(item);
}

void
link_reread(struct link *link, const char *uuid)
{
	struct link_reread *reread;

	if (link->conn == NULL)
		return; /* the listing to come has it */
	reread = map_get(link->rereads, uuid);
	if (reread == NULL) {
		reread = calloc(1, sizeof(*reread));
		if (reread == NULL)
			abort();
		map_set(link->rereads, uuid, reread);
	}
	if (reread->in_flight || link->listing)
		reread->again = true;
	else
		link_read_domain(link, uuid, reread);
}

/* A listing is over: now those that waited for it. */
static void
link_read_deferred(struct link *link)
{
	struct link_reread *reread;
	const char *uuid;
	size_t i = 0;

	while (map_next(link->rereads, &i, &uuid, (void **)&reread)) {
		if (!reread->in_flight && reread->again)
			link_read_domain(link, uuid, reread);
	}
}

/* The listing. */

static void link_read_stats(struct link *link);

static void
link_read_work_list(const struct hv_ops *ops, struct hv_conn *conn, void *arg)
{
	struct read_item *item = arg;

	item->host = ops->list(conn, &item->err);
}

static void
link_read_up(struct link *link)
{
	bool was_silent = link->silent_reported;

	if (link->phase == LINK_UP)
		return;
	link->phase = LINK_UP;
	link->up_since = clock_mono_now();
	link->lost_reported = false;
	link->silent_reported = false;
	log_info("link", "%s: up", link->host);
	link_set_sample_interval(link, link->sample_interval_ms);
	link_read_stats(link);
	link_pressure_begin(link);
	if (was_silent)
		link->callbacks.silent(link->host, 0, link->arg);
}

static void
link_read_list_failed(struct link *link, const struct err *err)
{
	if (err->code == ERR_UNREACHABLE || link->phase == LINK_LISTING) {
		link_drop(link, err->msg);
		return;
	}
	log_warn("link", "%s: listing: %s", link->host, err->msg);
}

static void
link_read_list_done(void *arg, const struct err *err)
{
	struct read_item *item = arg;
	struct link *link = item->link;
	struct facts_host *facts = item->host;
	bool again;

	if (!link_is_current(link, item->generation)) {
		read_item_free(item);
		return;
	}
	again = link->relist_again;
	link->listing = false;
	link->relist_again = false;
	link_read_relist_in(link,
	    again ? LINK_HOST_EVENT_MS
		  : LINK_RELIST_MS - LINK_RELIST_MS / 10 +
		    clock_mono_now().ms % (LINK_RELIST_MS / 5));
	link_read_deferred(link);
	if (facts == NULL) {
		link_read_list_failed(
		    link, err->code != ERR_NONE ? err : &item->err);
		read_item_free(item);
		return;
	}
	item->host = NULL;
	link_ref(link);
	link_read_up(link);
	link_own_ready(link);
	if (link_is_current(link, item->generation))
		link->callbacks.listed(link->host, facts, link->arg);
	else
		facts_host_free(facts);
	read_item_free(item);
	link_unref(link);
}

static void
link_read_list(struct link *link)
{
	struct link_reread *reread;
	size_t i = 0;

	while (map_next(link->rereads, &i, NULL, (void **)&reread)) {
		if (reread->in_flight)
			reread->stale = reread->again = true;
	}
	loop_timer_clear(link->relist_timer);
	link->relist_armed = false;
	link->listing = true;
	link->relist_again = false;
	link->list_started = clock_mono_now();
	link_call(link, WORKERS_NORMAL, link_read_work_list,
	    link_read_list_done, read_item_new(link));
}

void
link_read_begin(struct link *link)
{
	link_read_list(link);
}

void
link_read_on_relist(void *arg)
{
	struct link *link = arg;

	link->relist_armed = false;
	if (link->conn != NULL && !link->listing)
		link_read_list(link);
}

void
link_read_relist_in(struct link *link, int64_t ms)
{
	struct mono due = mono_add(clock_mono_now(), ms);

	if (link->conn == NULL)
		return;
	if (link->listing) {
		link->relist_again = true;
		return;
	}
	if (link->relist_armed && !mono_before(due, link->relist_due))
		return;
	link->relist_armed = true;
	link->relist_due = due;
	loop_timer_set(link->relist_timer, ms);
}

void
link_relist(struct link *link)
{
	link_read_relist_in(link, 0);
}

/* Load. */

static void
link_read_work_load(const struct hv_ops *ops, struct hv_conn *conn, void *arg)
{
	struct read_item *item = arg;
	struct facts_load *load = calloc(1, sizeof(*load));

	if (load == NULL)
		abort();
	if (ops->load(conn, load, &item->err) == 0)
		item->load = load;
	else
		free(load);
}

static void
link_read_load_done(void *arg, const struct err *err)
{
	struct read_item *item = arg;
	struct link *link = item->link;
	struct facts_load *load = item->load;

	if (link_is_current(link, item->generation))
		link->sampling = false;
	if (read_is_void(item, err)) {
		read_item_free(item);
		return;
	}
	if (load != NULL) {
		item->load = NULL;
		link->callbacks.load(link->host, load, link->arg);
	} else if (item->err.code == ERR_UNREACHABLE) {
		link_drop(link, item->err.msg);
	}
	read_item_free(item);
}

/* Of the guests, where a QEMU that hangs holds up nothing else. */

static void
link_read_work_stats(const struct hv_ops *ops, struct hv_conn *conn, void *arg)
{
	struct read_item *item = arg;
	struct facts_load *load = calloc(1, sizeof(*load));

	if (load == NULL)
		abort();
	if (ops->stats(conn, item->disks, load, &item->err) == 0)
		item->load = load;
	else
		free(load);
}

static void
link_read_stats_done(void *arg, const struct err *err)
{
	struct read_item *item = arg;
	struct link *link = item->link;
	struct facts_load *load = item->load;

	if (link_is_current(link, item->generation))
		link->stats_waiting--;
	if (read_is_void(item, err)) {
		read_item_free(item);
		return;
	}
	if (load != NULL) {
		item->load = NULL;
		link->callbacks.load(link->host, load, link->arg);
	} else {
		log_debug("link", "%s: statistics of guests: %s", link->host,
		    item->err.msg);
	}
	read_item_free(item);
}

/* A second one beside one that hangs gets around the guest at fault. */
static void
link_read_stats(struct link *link)
{
	struct mono now = clock_mono_now();
	struct read_item *item;

	if (link->ops->stats == NULL || link->sample_interval_ms <= 0 ||
	    link->stats_waiting >= LINK_STATS_MAX ||
	    (link->stats_waiting > 0 &&
		mono_diff(now, link->stats_started) < LINK_STATS_HANG_MS))
		return;
	item = read_item_new(link);
	item->disks = link->stats_count++ % FACTS_LOAD_DISKS_EVERY == 0;
	link->stats_waiting++;
	link->stats_started = now;
	link_call_aside(link, link_read_work_stats, link_read_stats_done, item);
}

/* One at a time: a host that is slow to answer is not asked more. */
void
link_read_sample(struct link *link)
{
	if (link->phase != LINK_UP || link->sampling)
		return;
	link->sampling = true;
	link_call(link, WORKERS_NORMAL, link_read_work_load,
	    link_read_load_done, read_item_new(link));
}

void
link_read_on_sample(void *arg)
{
	struct link *link = arg;

	if (link->phase != LINK_UP || link->sample_interval_ms <= 0)
		return;
	loop_timer_set(link->sample_timer, link->sample_interval_ms);
	link_read_sample(link);
	link_read_stats(link);
	link_pressure_sample(link);
}

void
link_set_sample_interval(struct link *link, int64_t ms)
{
	link->sample_interval_ms = ms;
	if (link->phase != LINK_UP)
		return;
	if (ms > 0)
		loop_timer_set(link->sample_timer, ms);
	else
		loop_timer_clear(link->sample_timer);
}

bool
link_read_is_busy(const struct link *link)
{
	return link->listing || link->sampling || map_count(link->rereads) > 0;
}

void
link_read_reset(struct link *link)
{
	loop_timer_clear(link->relist_timer);
	loop_timer_clear(link->sample_timer);
	link->relist_armed = false;
	link->listing = false;
	link->relist_again = false;
	link->sampling = false;
	link->stats_waiting = 0;
	link_pressure_reset(link);
	map_free(link->rereads);
	link->rereads = map_new(free);
}

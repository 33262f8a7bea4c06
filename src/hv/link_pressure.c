/*
 * Pressure, if the settings ask for it: with each third reading of load, on a
 * connection of its own, as it takes a dozen calls.
 *
 * A process that was killed while it read has left something at the host.  That
 * goes with the next reading; where pressure is not read (any more), it is
 * looked for once after each connect, which is one call.
 */
#include <stdlib.h>

#include "base/log.h"
#include "hv/link_state.h"

struct pressure_item {
	struct link *link;
	uint64_t generation;
	bool sweep; /* only */
	struct facts_load load;
	struct err err;
};

static void
link_pressure_work(const struct hv_ops *ops, struct hv_conn *conn, void *arg)
{
	struct pressure_item *item = arg;

	(void)ops->pressure(conn, item->sweep ? NULL : &item->load, &item->err);
}

static void
link_pressure_failed(struct link *link, const struct err *err)
{
	/* Then it is the connection that there is something to say of. */
	if (err->code == ERR_UNREACHABLE || link->pressure_unknown)
		return;
	link->pressure_unknown = true;
	log_warn(
	    "link", "%s: its pressure is unknown: %s", link->host, err->msg);
}

static void
link_pressure_deliver(struct link *link, const struct pressure_item *item)
{
	struct facts_load *load;

	if (item->err.code != ERR_NONE) {
		link_pressure_failed(link, &item->err);
		return;
	}
	if (link->pressure_unknown)
		log_info("link", "%s: its pressure is known again", link->host);
	link->pressure_unknown = false;
	load = malloc(sizeof(*load));
	if (load == NULL)
		abort();
	*load = item->load;
	link->callbacks.load(link->host, load, link->arg);
}

static void
link_pressure_done(void *arg, const struct err *err)
{
	struct pressure_item *item = arg;
	struct link *link = item->link;

	if (link_is_current(link, item->generation) && !item->sweep) {
		link->pressure_waiting = false;
		if (err->code == ERR_NONE && link->pressure)
			link_pressure_deliver(link, item);
	}
	free(item);
}

static struct pressure_item *
link_pressure_item(struct link *link, bool sweep)
{
	struct pressure_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
		abort();
	item->link = link;
	item->generation = link->generation;
	item->sweep = sweep;
	return item;
}

void
link_pressure_sample(struct link *link)
{
	if (!link->pressure || link->ops->pressure == NULL ||
	    link->sample_interval_ms <= 0 || link->pressure_waiting ||
	    link->pressure_count++ % FACTS_PRESSURE_EVERY != 0)
		return;
	link->pressure_waiting = true;
	link_call_aside(link, link_pressure_work, link_pressure_done,
	    link_pressure_item(link, false));
}

void
link_pressure_begin(struct link *link)
{
	if (link->ops->pressure == NULL)
		return;
	if (link->pressure && link->sample_interval_ms > 0)
		link_pressure_sample(link);
	else
		link_call(link, WORKERS_NORMAL, link_pressure_work,
		    link_pressure_done, link_pressure_item(link, true));
}

void
link_pressure_reset(struct link *link)
{
	link->pressure_waiting = false;
	link->pressure_count = 0;
}

void
link_set_pressure(struct link *link, bool on)
{
	if (on && !link->pressure)
		link->pressure_count = 0;
	link->pressure = on;
}

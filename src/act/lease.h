#ifndef DROVER_ACT_LEASE_H
#define DROVER_ACT_LEASE_H

#include "base/clock.h"
#include "hv/link.h"
#include "model/inventory.h"

/*
 * Two daemons on the same hosts, by mistake: one of them acts, the other one
 * sees it and begins nothing at those hosts.  (Two on one state directory are
 * kept apart by the store's lock.)
 *
 * Each host carries a mark with the owner who acts on it and a beat that
 * changes with each renewal.  A daemon takes the mark of each host after each
 * connection and renews it; where another has it, the host counts as claimed
 * (inventory, INVENTORY_CLAIMED) until that one lets go, or its mark has stood
 * still for LEASE_TTL_MS.  Stillness is measured on the own monotonic clock
 * only, since two machines need not agree on the time.  Where a host can keep
 * no mark there is no guard, which is said once per connection.
 *
 * Two that began at the same moment may hold a part of the hosts each.  The
 * one whose owner sorts later then offers its hosts to the other, once.
 *
 * Loop thread only.
 */

#define LEASE_RENEW_MS 10000
#define LEASE_TTL_MS 30000
#define LEASE_OWNER_SIZE sizeof(((struct hv_mark *)NULL)->owner)

struct lease;

struct lease_deps {
	struct loop *loop;
	struct inventory *inventory;
	const char *owner; /* copied; the same after a restart */
	struct link *(*link)(const char *host, void *arg);
	/* Moves of this daemon need the host: its mark is not let go, so that
	 * nobody begins anything there before they are taken up again. */
	bool (*busy)(const char *host, void *arg);
	void (*changed)(void *arg); /* a decision could depend on it */
	/* Another acts on the host, or (by NULL) no longer. */
	void (*news)(const char *host, const char *by, void *arg);
	/* The first answer of the host since the start is that nobody else does
	 * (NULL allowed): what was said of it before may be out of date. */
	void (*unclaimed)(const char *host, void *arg);
	void *arg;
	int64_t renew_ms, ttl_ms; /* 0: as above; less in tests */
};

struct lease *lease_new(const struct lease_deps *deps);
void lease_free(struct lease *lease); /* NULL allowed; lets nothing go */

/* The host was listed.  Called for each listing, before a decision is made;
 * only the first one of a connection matters. */
void lease_listed(struct lease *lease, const char *host);
/* The host is no longer configured: its mark is let go.  Before the link is
 * closed. */
void lease_forget(struct lease *lease, const char *host);
/* Lets go of all hosts (but the busy ones), and takes none any more: nothing is
 * begun at any of them.  Calls done(arg) on the loop thread when that is through; not when freed before. */
void lease_release(
    struct lease *lease, void (*done)(void *arg), void *done_arg);

/*
 * Who this daemon is, for people and the same after a restart: its site, its
 * machine and the state directory, and a number drawn once (state_dir/owner)
 * that makes copies of that directory on other machines somebody else.
 */
int lease_make_owner(const char *state_dir, const char *site,
    char out[LEASE_OWNER_SIZE], struct err *err);

#endif

#ifndef DROVER_NEWS_H
#define DROVER_NEWS_H

#include "daemon.h"

/*
 * News from hosts, for daemon.c.  Loop thread only.
 */

/* Links for the hosts of the settings: new ones made, others closed; one whose
 * URI is not that of `old` (NULL: none) is made anew. */
void news_match_links(struct daemon *daemon, const struct settings *old);
void news_close_links(struct daemon *daemon);

/* NULL: there is no such host.  The argument is the daemon, here and below, so
 * that they can be handed out as callbacks. */
struct link *news_find_link(const char *host, void *daemon);

/* Announces that another daemon acts on the host (by NULL: no longer). */
void news_claim(const char *host, const char *by, void *daemon);
/* ... or that none does, if an earlier run said that one did. */
void news_unclaimed(const char *host, void *daemon);

/* Deciding begins, at the first call; news makes it when each host has been
 * heard of. */
void news_begin(void *daemon);

#endif

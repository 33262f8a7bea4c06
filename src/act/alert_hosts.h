#ifndef DROVER_ACT_ALERT_HOSTS_H
#define DROVER_ACT_ALERT_HOSTS_H

#include "config/settings.h"

/*
 * Which host a label of an alert means ("kvm1.example.org:9100").  In this
 * order, upper and lower case being the same:
 *
 *   1. the name of a host
 *   2. the host of its uri or migrate_uri, where one host only has it
 *   3. a full name whose first part is the name of a host, unless that host's
 *      uri has another full name
 *   4. a short name that is the first part of one host's full name
 *
 * A port, and what makes an URL of it, are left out.
 */
struct alert_hosts;

/* `settings` must outlive it. */
struct alert_hosts *alert_hosts_new(const struct settings *settings);
void alert_hosts_free(struct alert_hosts *hosts); /* NULL allowed */

/* NULL: none. */
const struct settings_host *alert_hosts_find(
    const struct alert_hosts *hosts, const char *value);

#endif

/*
 * Monitoring names machines by where it scrapes them, and Drover by what the
 * operator calls them.  Most of the time the two differ by a port and a domain.
 *
 * Everything that could name a host is put into maps once, so that a batch of
 * thousands of alerts costs as many lookups.  What two hosts could be called by
 * is no name of either: a guest that leaves the wrong host because of somebody
 * else's alert would be worse than an alert that is said to fit nobody.
 */
#include "act/alert_hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define NAME_SIZE 256

struct alert_hosts {
	struct map *names;     /* struct settings_host */
	struct map *addresses; /* ... or `ambiguous` */
	struct map *shorts;    /* ... or `ambiguous` */
};

static const struct settings_host ambiguous;

/* "https://user@KVM1.example.org:9100/x" to "kvm1.example.org".  False: there
 * is nothing left, or too much. */
static bool
tidy(const char *value, char out[NAME_SIZE])
{
	const char *scheme = strstr(value, "://");
	const char *at, *end;
	size_t len;

	if (scheme != NULL)
		value = scheme + 3;
	len = strcspn(value, "/?#");
	at = memchr(value, '@', len);
	if (at != NULL) {
		len -= (size_t)(at + 1 - value);
		value = at + 1;
	}
	if (value[0] == '[') {
		value++;
		len = strcspn(value, "]/");
	} else {
		end = memchr(value, ':', len);
		/* Two colons: an IPv6 address without brackets. */
		if (end != NULL &&
		    memchr(end + 1, ':', len - (size_t)(end + 1 - value)) ==
			NULL)
			len = (size_t)(end - value);
	}
	while (len > 0 && value[len - 1] == '.')
		len--;
	if (len == 0 || len >= NAME_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = value[i] >= 'A' && value[i] <= 'Z'
		    ? (char)(value[i] - 'A' + 'a')
		    : value[i];
	out[len] = '\0';
	return true;
}

static bool
is_address(const char *name)
{
	return strchr(name, ':') != NULL ||
	    name[strspn(name, "0123456789.")] == '\0';
}

/* Cuts the domain off; false: there is none. */
static bool
shorten(char name[NAME_SIZE])
{
	char *dot = strchr(name, '.');

	if (dot == NULL || dot == name || is_address(name))
		return false;
	*dot = '\0';
	return true;
}

static void
add(struct map *map, const char *name, const struct settings_host *host)
{
	const struct settings_host *before = map_get(map, name);

	if (before != NULL && before != host)
		host = &ambiguous;
	map_set(map, name, (void *)(uintptr_t)host);
}

static const struct settings_host *
get(const struct map *map, const char *name)
{
	const struct settings_host *host = map_get(map, name);

	return host != &ambiguous ? host : NULL;
}

static void
add_host(struct alert_hosts *hosts, const struct settings_host *host)
{
	char name[NAME_SIZE];

	if (tidy(host->name, name)) {
		add(hosts->names, name, host);
		if (shorten(name))
			add(hosts->shorts, name, host);
	}
	if (tidy(host->uri, name)) {
		add(hosts->addresses, name, host);
		if (shorten(name))
			add(hosts->shorts, name, host);
	}
	if (host->migrate_uri != NULL && tidy(host->migrate_uri, name))
		add(hosts->addresses, name, host);
}

struct alert_hosts *
alert_hosts_new(const struct settings *settings)
{
	struct alert_hosts *hosts = calloc(1, sizeof(*hosts));

	if (hosts == NULL)
		abort();
	hosts->names = map_new(NULL);
	hosts->addresses = map_new(NULL);
	hosts->shorts = map_new(NULL);
	for (size_t i = 0; i < settings->host_count; i++)
		add_host(hosts, &settings->hosts[i]);
	return hosts;
}

void
alert_hosts_free(struct alert_hosts *hosts)
{
	if (hosts == NULL)
		return;
	map_free(hosts->names);
	map_free(hosts->addresses);
	map_free(hosts->shorts);
	free(hosts);
}

/* Its URI says that it is somewhere else than this full name. */
static bool
is_elsewhere(const struct settings_host *host, const char *full)
{
	char name[NAME_SIZE];

	return tidy(host->uri, name) && !is_address(name) &&
	    strchr(name, '.') != NULL && strcmp(name, full) != 0;
}

const struct settings_host *
alert_hosts_find(const struct alert_hosts *hosts, const char *value)
{
	const struct settings_host *host;
	char full[NAME_SIZE], name[NAME_SIZE];

	if (value == NULL || !tidy(value, full))
		return NULL;
	host = get(hosts->names, full);
	if (host == NULL)
		host = get(hosts->addresses, full);
	if (host != NULL)
		return host;
	memcpy(name, full, strlen(full) + 1);
	if (!shorten(name))
		return get(hosts->shorts, full);
	host = get(hosts->names, name);
	return host != NULL && !is_elsewhere(host, full) ? host : NULL;
}

/*
 * Addresses for migration traffic.
 *
 * Left alone, libvirt lets the target guess its own host name and the source
 * resolve it; half of the migrations that fail in new installations fail here.
 * So the source is always given an address.  It is resolved here, on Drover's
 * machine: on a worker, for the resolver may take its time.
 */
#include "hv/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESS_NAME_MAX 256

/* The parts of scheme://[user@]host[:port][/...]. */
struct uri_parts {
	size_t scheme_len;
	char host[ADDRESS_NAME_MAX];
	bool bracketed;
	const char *rest; /* ":port", "/path", "" */
};

/* False: it has no host. */
static bool
address_split(const char *uri, struct uri_parts *out)
{
	const char *sep = strstr(uri, "://");
	const char *host, *at, *end;
	size_t authority, len;

	if (sep == NULL)
		return false;
	out->scheme_len = (size_t)(sep - uri);
	host = sep + 3;
	authority = strcspn(host, "/?#");
	at = memchr(host, '@', authority);
	if (at != NULL) {
		authority -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	out->bracketed = *host == '[';
	if (out->bracketed) {
		host++;
		end = memchr(host, ']', authority - 1);
		if (end == NULL)
			return false;
		len = (size_t)(end - host);
		out->rest = end + 1;
	} else {
		len = strcspn(host, ":/?#");
		out->rest = host + len;
	}
	if (len == 0 || len >= sizeof(out->host))
		return false;
	memcpy(out->host, host, len);
	out->host[len] = '\0';
	return true;
}

static bool
address_is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in =
		    (const struct sockaddr_in *)(const void *)sa;

		return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 =
		    (const struct sockaddr_in6 *)(const void *)sa;

		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	}
	return false;
}

/* The first address of a name, in brackets when IPv6 asks for them. */
static int
address_lookup(const char *name, char *out, size_t size, struct err *err)
{
	struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char text[NI_MAXHOST];
	bool loopback;
	int family, rc;

	rc = getaddrinfo(name, NULL, &hints, &list);
	if (rc != 0)
		return err_set(err, ERR_INVALID, "cannot resolve '%s': %s",
		    name, gai_strerror(rc));
	family = list->ai_family;
	loopback = address_is_loopback(list->ai_addr);
	rc = getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text),
	    NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(list);
	if (rc != 0)
		return err_set(err, ERR_INVALID, "cannot resolve '%s': %s",
		    name, gai_strerror(rc));
	if (loopback)
		return err_set(err, ERR_INVALID,
		    "'%s' is this machine's "
		    "loopback address (%s): set migrate_uri to an address "
		    "that the other hosts can reach",
		    name, text);
	(void)snprintf(out, size, family == AF_INET6 ? "[%s]" : "%s", text);
	return 0;
}

static bool
address_is_numeric(const char *host)
{
	unsigned char buffer[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, buffer) == 1 ||
	    strchr(host, ':') != NULL;
}

static int
address_copy(const char *uri, char *out, size_t size, struct err *err)
{
	if ((size_t)snprintf(out, size, "%s", uri) < size)
		return 0;
	return err_set(err, ERR_INVALID, "the URI is too long");
}

int
address_resolve_uri(const char *uri, char *out, size_t size, struct err *err)
{
	char address[NI_MAXHOST + 2];
	struct uri_parts parts;

	if (!address_split(uri, &parts) || parts.bracketed ||
	    address_is_numeric(parts.host))
		return address_copy(uri, out, size, err);
	if (address_lookup(parts.host, address, sizeof(address), err) < 0)
		return err_prefix(err, "%s", uri);
	if ((size_t)snprintf(out, size, "%.*s://%s%s", (int)parts.scheme_len,
		uri, address, parts.rest) < size)
		return 0;
	return err_set(err, ERR_INVALID, "the URI is too long");
}

int
address_from_uri(
    const char *libvirt_uri, char *out, size_t size, struct err *err)
{
	char address[NI_MAXHOST + 2];
	struct uri_parts parts;

	if (!address_split(libvirt_uri, &parts))
		return err_set(
		    err, ERR_INVALID, "%s: names no host", libvirt_uri);
	if (parts.bracketed)
		(void)snprintf(address, sizeof(address), "[%s]", parts.host);
	else if (address_lookup(parts.host, address, sizeof(address), err) < 0)
		return err_prefix(err, "%s", libvirt_uri);
	if ((size_t)snprintf(out, size, "tcp://%s", address) < size)
		return 0;
	return err_set(err, ERR_INVALID, "the URI is too long");
}

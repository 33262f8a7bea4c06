/*
 * A URI that is wrong shows only when the daemon connects, minutes after the
 * operator has gone; some are worse and show never: with a misspelt parameter
 * libvirt connects to its default daemon, and one host then appears under two
 * names.  So URIs are taken apart here and every part is looked at.
 *
 * The parser covers what the kinds of URI need: scheme, user, host, port, path,
 * query.  It is strict: no white space, nothing outside ASCII, an IPv6 address
 * in brackets.
 *
 * A URL of http may be a secret as a whole (whoever knows the webhook of a chat
 * may write there), and what is wrong with it goes to logs and events: so no
 * message about one quotes it.
 */

#include "config/uri.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/diag.h"
#include "config/tree.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

struct uri {
	char text[URI_LENGTH_MAX + 1]; /* taken apart in place */
	char authority[URI_LENGTH_MAX + 1];
	const char *scheme;
	const char *host; /* "": none */
	bool bracketed;   /* host was an address in [ ] */
	const char *port; /* NULL: none */
	const char *path; /* from its '/', or "" */
	char *query;      /* NULL: none */
	bool user;        /* something stands before an @ */
	bool secret;      /* is not quoted */
};

static int
check_characters(const char *text, struct err *err)
{
	if (strlen(text) > URI_LENGTH_MAX)
		return err_set(
		    err, ERR_INVALID, "longer than %d bytes", URI_LENGTH_MAX);
	for (const char *s = text; *s != '\0'; s++) {
		if (*s == ' ' || *s == '\t' || *s == '\n')
			return err_set(
			    err, ERR_INVALID, "a URI holds no white space");
		if ((unsigned char)*s >= 0x80)
			return err_set(err, ERR_INVALID,
			    "a URI is ASCII; "
			    "write other characters as %%XX");
		if ((unsigned char)*s < 0x20 || *s == 0x7f ||
		    strchr("\"<>\\^`{|}", *s) != NULL)
			return err_set(err, ERR_INVALID,
			    "a URI cannot hold the character '%c'",
			    *s < 0x20 || *s == 0x7f ? '?' : *s);
	}
	return 0;
}

/* A part of it, or `instead` when it is secret. */
static const char *
quote(const struct uri *uri, const char *part, const char *instead,
    char quoted[TREE_QUOTE_SIZE])
{
	return uri->secret ? instead : tree_quote(part, quoted);
}

static int
check_host(const struct uri *uri, struct err *err)
{
	unsigned char address[16];
	char space[TREE_QUOTE_SIZE];
	const char *host = uri->host;
	const char *quoted = quote(uri, host, "what it names", space);

	if (uri->bracketed) {
		if (inet_pton(AF_INET6, host, address) != 1)
			return err_set(err, ERR_INVALID,
			    "%s is not an IPv6 address", quoted);
		return 0;
	}
	if (host[0] == '\0')
		return 0;
	if (host[strspn(host, DIGITS ".")] == '\0') {
		if (inet_pton(AF_INET, host, address) != 1)
			return err_set(err, ERR_INVALID,
			    "%s is not an IPv4 address", quoted);
		return 0;
	}
	if (host[strspn(host, LETTERS DIGITS ".-_")] != '\0' ||
	    host[0] == '-' || host[0] == '.' || strstr(host, "..") != NULL)
		return err_set(
		    err, ERR_INVALID, "%s is not a host name", quoted);
	return 0;
}

static int
check_port(const struct uri *uri, struct err *err)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *port = uri->port;
	long value;

	if (port == NULL)
		return 0;
	value = strlen(port) <= 5 && port[0] != '\0' &&
		port[strspn(port, DIGITS)] == '\0'
	    ? strtol(port, NULL, 10)
	    : 0;
	if (value < 1 || value > 65535)
		return err_set(err, ERR_INVALID,
		    "%s is not a port (1 to 65535)",
		    quote(uri, port, "what follows the host", quoted));
	return 0;
}

/* user@host:port, already cut off from the rest. */
static int
split_authority(struct uri *uri, char *authority, struct err *err)
{
	char *at = strrchr(authority, '@'), *colon;
	char *host = at != NULL ? at + 1 : authority;

	if (host[0] == '[') {
		char *end = strchr(host, ']');

		if (end == NULL)
			return err_set(err, ERR_INVALID,
			    "a [ before the address is not closed");
		uri->host = host + 1;
		uri->bracketed = true;
		*end = '\0';
		colon = end + 1;
		if (*colon != '\0' && *colon != ':')
			return err_set(err, ERR_INVALID,
			    "after the ] only :PORT may follow");
	} else {
		uri->host = host;
		colon = strchr(host, ':');
		if (colon != NULL && strchr(colon + 1, ':') != NULL)
			return err_set(err, ERR_INVALID,
			    "an IPv6 address "
			    "stands in brackets: [%.60s]",
			    uri->secret ? "ADDRESS" : host);
	}
	uri->user = at != NULL;
	if (at != NULL && at == authority)
		return err_set(err, ERR_INVALID, "no user before the @");
	if (colon != NULL && *colon == ':') {
		*colon = '\0';
		uri->port = colon + 1;
	}
	return check_host(uri, err) != 0 || check_port(uri, err) != 0 ? -1 : 0;
}

/* `example` shows what is expected. */
static int
split_uri(
    struct uri *uri, const char *text, const char *example, struct err *err)
{
	char *colon, *rest, *end, quoted[TREE_QUOTE_SIZE];
	size_t len;

	*uri = (struct uri){.secret = uri->secret};
	if (check_characters(text, err) != 0)
		return -1;
	memcpy(uri->text, text, strlen(text) + 1);
	colon = strchr(uri->text, ':');
	len = colon != NULL ? (size_t)(colon - uri->text) : 0;
	if (len == 0 || strspn(uri->text, LETTERS DIGITS "+.-") != len ||
	    strchr(DIGITS "+.-", uri->text[0]) != NULL)
		return err_set(err, ERR_INVALID, "%s is not a URI (such as %s)",
		    quote(uri, text, "it", quoted), example);
	*colon = '\0';
	uri->scheme = uri->text;
	uri->host = uri->path = "";
	rest = colon + 1;
	end = strchr(rest, '#');
	if (end != NULL)
		return err_set(
		    err, ERR_INVALID, "a fragment (#...) has no meaning here");
	end = strchr(rest, '?');
	if (end != NULL) {
		*end = '\0';
		uri->query = end + 1;
	}
	if (strncmp(rest, "//", 2) != 0 && uri->secret)
		return err_set(err, ERR_INVALID,
		    "\"//\" is missing after the first \":\" (such as %s)",
		    example);
	if (strncmp(rest, "//", 2) != 0)
		return err_set(err, ERR_INVALID,
		    "\"//\" is missing after \"%.40s:\" (such as %s)",
		    uri->scheme, example);
	rest += 2;
	len = strcspn(rest, "/");
	memcpy(uri->authority, rest, len);
	uri->authority[len] = '\0';
	uri->path = rest + len;
	return split_authority(uri, uri->authority, err);
}

static int
check_parameters(char *query, struct err *err)
{
	static const char *const known[] = {"auth", "command", "keyfile",
	    "known_hosts", "known_hosts_verify", "mode", "name", "netcat",
	    "no_sanity", "no_tty", "no_verify", "pkipath", "proxy", "socket",
	    "sshauth", "tls_priority", NULL};
	char *save = NULL, quoted[TREE_QUOTE_SIZE];

	for (char *p = strtok_r(query, "&;", &save); p != NULL;
	     p = strtok_r(NULL, "&;", &save)) {
		char *equals = strchr(p, '=');
		const char *near;
		size_t i = 0;

		if (equals == NULL || equals == p || equals[1] == '\0')
			return err_set(err, ERR_INVALID,
			    "the parameter %s is not NAME=VALUE",
			    tree_quote(p, quoted));
		*equals = '\0';
		while (known[i] != NULL && strcmp(known[i], p) != 0)
			i++;
		if (known[i] != NULL)
			continue;
		near = diag_suggest(p, known);
		return err_set(err, ERR_INVALID,
		    "libvirt knows no parameter %s%s%s%s",
		    tree_quote(p, quoted),
		    near != NULL ? " (did you mean \"" : "",
		    near != NULL ? near : "", near != NULL ? "\"?)" : "");
	}
	return 0;
}

static const char *const libvirt_schemes[] = {"qemu+tls", "qemu+tcp",
    "qemu+ssh", "qemu+libssh2", "qemu+libssh", "qemu+unix", "qemu", NULL};

static int
check_libvirt_scheme(const char *scheme, struct err *err)
{
	static const char *const other[] = {"test", "xen", "lxc", "vbox", "esx",
	    "vpx", "gsx", "hyperv", "openvz", "bhyve", "vz", "ch", "vmwarews",
	    "vmwareplayer", "vmwarefusion", NULL};
	size_t driver = strcspn(scheme, "+");
	const char *near;

	for (size_t i = 0; libvirt_schemes[i] != NULL; i++)
		if (strcmp(libvirt_schemes[i], scheme) == 0)
			return 0;
	for (size_t i = 0; other[i] != NULL; i++)
		if (strlen(other[i]) == driver &&
		    strncmp(other[i], scheme, driver) == 0)
			return err_set(err, ERR_INVALID,
			    "\"%s\" is not a "
			    "QEMU connection; Drover moves QEMU guests only",
			    scheme);
	near = diag_suggest(scheme, libvirt_schemes);
	if (near != NULL && strchr(near, '+') == NULL && scheme[driver] != '\0')
		near = NULL;
	if (near != NULL)
		return err_set(err, ERR_INVALID,
		    "unknown scheme \"%.40s\" (did you mean \"%s\"?)", scheme,
		    near);
	return err_set(err, ERR_INVALID,
	    "unknown scheme \"%.40s\" (known: "
	    "qemu, qemu+unix, qemu+tcp, qemu+tls, qemu+ssh, qemu+libssh, "
	    "qemu+libssh2)",
	    scheme);
}

int
uri_check_libvirt(const char *text, struct err *err)
{
	struct uri uri = {.secret = false};
	char quoted[TREE_QUOTE_SIZE];
	bool local, remote;

	if (split_uri(&uri, text, "qemu+tls://HOST/system", err) != 0 ||
	    check_libvirt_scheme(uri.scheme, err) != 0)
		return -1;
	local = strcmp(uri.scheme, "qemu+unix") == 0;
	remote = !local && strcmp(uri.scheme, "qemu") != 0;
	if (local && uri.host[0] != '\0')
		return err_set(err, ERR_INVALID,
		    "qemu+unix has no host; "
		    "write qemu+unix:///system?socket=PATH");
	if (remote && uri.host[0] == '\0')
		return err_set(err, ERR_INVALID,
		    "names no host (%s://HOST/system)", uri.scheme);
	if (uri.path[0] == '\0')
		return err_set(
		    err, ERR_INVALID, "has no path; write %.300s/system", text);
	if (strcmp(uri.path, "/system") != 0 &&
	    strcmp(uri.path, "/session") != 0)
		return err_set(err, ERR_INVALID,
		    "the path %s is not "
		    "\"/system\"",
		    tree_quote(uri.path, quoted));
	return uri.query == NULL ? 0 : check_parameters(uri.query, err);
}

int
uri_check_migrate(const char *text, struct err *err)
{
	struct uri uri = {.secret = false};

	if (split_uri(&uri, text, "tcp://10.0.0.11", err) != 0)
		return -1;
	if (strcmp(uri.scheme, "tls") == 0)
		return err_set(err, ERR_INVALID,
		    "libvirt knows no migration "
		    "address of the scheme \"tls\"; write tcp://ADDRESS");
	if (strcmp(uri.scheme, "tcp") != 0 && strcmp(uri.scheme, "rdma") != 0)
		return err_set(err, ERR_INVALID,
		    "unknown scheme \"%.40s\" "
		    "(write tcp://ADDRESS or rdma://ADDRESS)",
		    uri.scheme);
	if (uri.host[0] == '\0')
		return err_set(err, ERR_INVALID,
		    "names no address (%s://ADDRESS)", uri.scheme);
	if (strcmp(uri.host, "0.0.0.0") == 0 || strcmp(uri.host, "::") == 0)
		return err_set(err, ERR_INVALID,
		    "\"%s\" is not an address "
		    "that another host can reach",
		    uri.host);
	if (uri.path[0] != '\0' || uri.query != NULL)
		return err_set(err, ERR_INVALID,
		    "after the address only :PORT may follow");
	return 0;
}

int
uri_check_http(const char *text, struct err *err)
{
	struct uri uri = {.secret = true};

	if (split_uri(&uri, text, "https://HOST/PATH", err) != 0)
		return -1;
	if (strcmp(uri.scheme, "http") != 0 && strcmp(uri.scheme, "https") != 0)
		return err_set(err, ERR_INVALID,
		    "unknown scheme \"%.40s\" (write http:// or https://)",
		    uri.scheme);
	if (uri.host[0] == '\0')
		return err_set(
		    err, ERR_INVALID, "names no host (%s://HOST)", uri.scheme);
	return 0;
}

int
uri_check_proxy(const char *text, struct err *err)
{
	struct uri uri = {.secret = true};

	if (split_uri(&uri, text, "http://HOST:PORT", err) != 0)
		return -1;
	if (strcmp(uri.scheme, "http") != 0 &&
	    strcmp(uri.scheme, "https") != 0 &&
	    strcmp(uri.scheme, "socks5") != 0)
		return err_set(err, ERR_INVALID,
		    "unknown scheme \"%.40s\" of a proxy (write "
		    "http://HOST:PORT, or https:// or socks5://)",
		    uri.scheme);
	if (uri.host[0] == '\0')
		return err_set(err, ERR_INVALID,
		    "names no host (%s://HOST:PORT)", uri.scheme);
	if (uri.port == NULL)
		return err_set(err, ERR_INVALID,
		    "names no port, and there is none that all proxies have "
		    "(%s://HOST:PORT)",
		    uri.scheme);
	if ((uri.path[0] != '\0' && strcmp(uri.path, "/") != 0) ||
	    uri.query != NULL)
		return err_set(err, ERR_INVALID,
		    "after the port of a proxy nothing may follow");
	return 0;
}

bool
uri_is_https(const char *text)
{
	return strncmp(text, "https://", 8) == 0;
}

bool
uri_has_user(const char *text)
{
	struct uri uri = {.secret = true};

	return split_uri(&uri, text, "", NULL) == 0 && uri.user;
}

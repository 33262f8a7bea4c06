#ifndef DROVER_CONFIG_URI_H
#define DROVER_CONFIG_URI_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Is this a URI that can work?  Each returns 0, or -1 with what is wrong and
 * what would be right.  Nothing is resolved or contacted.
 *
 * libvirt  https://libvirt.org/uri.html: qemu with a transport, /system or
 *          /session, known parameters (libvirt ignores a misspelt one and then
 *          connects to another daemon than the one that was meant)
 * migrate  VIR_MIGRATE_PARAM_URI of the QEMU driver: tcp://ADDRESS[:PORT],
 *          or rdma
 * http     http or https with a host (RFC 3986); since it may be a secret, the
 *          error quotes nothing of it but the scheme
 * proxy    http, https or socks5 with a host and a port; as http
 */
#define URI_LENGTH_MAX 1024

int uri_check_libvirt(const char *uri, struct err *err);
int uri_check_migrate(const char *uri, struct err *err);
int uri_check_http(const char *uri, struct err *err);
int uri_check_proxy(const char *uri, struct err *err);

/* Of a URI that was checked. */
bool uri_is_https(const char *uri);
bool uri_has_user(const char *uri); /* USER@HOST, USER:PASSWORD@HOST */

#endif

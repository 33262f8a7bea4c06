#ifndef DROVER_NOTIFY_SECRET_H
#define DROVER_NOTIFY_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/receiver.h"
#include "notify/sign.h"

/*
 * What a receiver's files hold, read anew when they changed.  None of it is
 * ever logged, told or shown.  A path that begins with "credential:" names a
 * file in $CREDENTIALS_DIRECTORY, where systemd puts a service's secrets.
 */

#define SECRET_SIGNERS 2

struct secret_set {
	struct sign_secret signers[SECRET_SIGNERS]; /* all of them sign */
	size_t signer_count;
	char *url;              /* always there */
	char *token, *template; /* NULL: none is configured */
};

/* All of it, or nothing.  The error names receiver, key and file, never what is
 * in it. */
int secret_load(const struct settings_receiver *receiver,
    struct secret_set *out, struct err *err);
/* Does it name a credential, and we are not run by systemd with any?  Then
 * secret_load fails, and says so. */
bool secret_needs_service(const struct settings_receiver *receiver);
/* Overwrites it. */
void secret_clear(struct secret_set *set);

/* "Name: value" lines that authenticate one request.  For kinds that sign,
 * webhook-id and -timestamp, and with a secret webhook-signature (each signer's,
 * divided by a space) or X-Hub-Signature-256; for kinds that take a token in a
 * header, Authorization or X-Gotify-Key. */
#define SECRET_HEADERS_MAX 5
#define SECRET_HEADERS_SIZE 5632 /* of all; a token may have 4096 bytes */
struct secret_headers {
	char text[SECRET_HEADERS_SIZE]; /* the lines, each with its end */
	size_t starts[SECRET_HEADERS_MAX], count, used;
};
/* The line `i`, below count. */
const char *secret_header(const struct secret_headers *headers, size_t i);
int secret_sign(const struct settings_receiver *receiver,
    const struct secret_set *set, const char *webhook_id, int64_t now_s,
    const void *body, size_t len, struct secret_headers *out, struct err *err);

#endif

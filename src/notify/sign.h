#ifndef DROVER_NOTIFY_SIGN_H
#define DROVER_NOTIFY_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Standard Webhooks signatures (standardwebhooks.com, specification 1.0.0):
 * "v1," + base64(HMAC-SHA256(secret, id "." timestamp "." body)), timestamp in
 * Unix seconds.  A secret is "whsec_" + base64 of 24 to 64 bytes.
 *
 * And those of GitHub (docs.github.com, "Validating webhook deliveries"):
 * "sha256=" + hex(HMAC-SHA256(secret, body)).  A secret is any text.
 */
struct sign_secret {
	unsigned char key[64];
	size_t len;
};

int sign_parse_secret(
    const char *text, struct sign_secret *out, struct err *err);
/* Any text but "". */
int sign_take_text(const char *text, struct sign_secret *out, struct err *err);

/*
 * The beginning of a file, at most size - 1 bytes, with a NUL after it.  A
 * `secret` one that others may read or change is refused.  The error names the
 * file, never its content.
 */
int sign_read_file(const char *path, bool secret, char *out, size_t size,
    size_t *out_len, struct err *err);

/* Reads the first line of a file as a secret. */
int sign_read_secret(
    const char *path, struct sign_secret *out, struct err *err);

/* The first line of such a file as it is; the caller wipes it. */
#define SIGN_LINE_SIZE 513
int sign_read_line(const char *path, char out[SIGN_LINE_SIZE], struct err *err);

#define SIGN_SIZE 64
int sign_message(const struct sign_secret *secret, const char *id,
    int64_t timestamp_s, const void *body, size_t len, char out[SIGN_SIZE],
    struct err *err);

#define SIGN_GITHUB_SIZE 72
int sign_github(const struct sign_secret *secret, const void *body, size_t len,
    char out[SIGN_GITHUB_SIZE], struct err *err);

#endif

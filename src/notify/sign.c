/*
 * Signatures of Standard Webhooks, and those of GitHub.
 *
 * The receiver computes the same over what it got, so that the exact bytes of
 * the body matter and nothing may be formatted again between signing and
 * sending.  Standard Webhooks sign the timestamp too: that is what lets a
 * receiver refuse a message that somebody recorded and plays back later.
 *
 * A secret is taken as it is or not at all: base64 that is sloppy (other
 * alphabet, no padding, loose bits) would be decoded by one library to a key
 * and by another to a different one, and every signature would be wrong with
 * nothing to see.  Secrets never get into messages, and copies are wiped.
 */
#include "notify/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#define SIGN_PREFIX "whsec_"
#define SIGN_KEY_MIN 24
#define SIGN_KEY_MAX 64
#define SIGN_TEXT_MAX 88 /* base64 of SIGN_KEY_MAX bytes */
#define SIGN_DIGEST 32   /* bytes of SHA-256 */

static const char sign_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";

static int
sign_refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID,
	    "secret: %s: write \"" SIGN_PREFIX
	    "\" and the base64 of %d to %d random bytes",
	    what, SIGN_KEY_MIN, SIGN_KEY_MAX);
}

int
sign_parse_secret(const char *text, struct sign_secret *out, struct err *err)
{
	gnutls_datum_t code, key = {NULL, 0};
	size_t len, body;
	char copy[SIGN_TEXT_MAX + 1];

	if (strncmp(text, SIGN_PREFIX, strlen(SIGN_PREFIX)) != 0)
		return sign_refuse(
		    err, "it does not start with \"" SIGN_PREFIX "\"");
	text += strlen(SIGN_PREFIX);
	len = strlen(text);
	body = strspn(text, sign_alphabet);
	if (len == 0)
		return sign_refuse(err, "it is empty");
	if (strspn(text + body, "=") != len - body)
		return sign_refuse(err,
		    "it holds a character that base64 "
		    "does not have");
	if (len - body > 2 || len % 4 != 0)
		return sign_refuse(err,
		    "its base64 is incomplete (the \"=\" "
		    "at its end belong to it)");
	if (len > SIGN_TEXT_MAX)
		return sign_refuse(err, "it is too long");
	memcpy(copy, text, len + 1);
	code = (gnutls_datum_t){(unsigned char *)copy, (unsigned int)len};
	if (gnutls_base64_decode2(&code, &key) != 0) {
		gnutls_memset(copy, 0, sizeof(copy));
		return sign_refuse(err, "it is not valid base64");
	}
	gnutls_memset(copy, 0, sizeof(copy));
	if (key.size >= SIGN_KEY_MIN && key.size <= SIGN_KEY_MAX) {
		memcpy(out->key, key.data, key.size);
		out->len = key.size;
	}
	len = key.size;
	gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	if (len < SIGN_KEY_MIN)
		return sign_refuse(err, "it is too short");
	return len <= SIGN_KEY_MAX ? 0 : sign_refuse(err, "it is too long");
}

/* A key longer than a block stands for its digest (RFC 2104, 2). */
int
sign_take_text(const char *text, struct sign_secret *out, struct err *err)
{
	size_t len = strlen(text);
	int rc = 0;

	if (len == 0)
		return err_set(err, ERR_INVALID, "secret: it is empty");
	if (len <= sizeof(out->key)) {
		memcpy(out->key, text, len);
		out->len = len;
		return 0;
	}
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, text, len, out->key);
	if (rc != 0)
		return err_set(
		    err, ERR_INTERNAL, "sign: %s", gnutls_strerror(rc));
	out->len = SIGN_DIGEST;
	return 0;
}

static int
sign_check_file(int fd, const char *path, bool secret, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is not a file", path);
	if (secret && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return err_set(err, ERR_INVALID,
		    "%s: others may read or "
		    "change it (mode %04o): chmod 0640 it, owned by root and "
		    "the group of droverd",
		    path, (unsigned int)st.st_mode & 07777U);
	return 0;
}

int
sign_read_file(const char *path, bool secret, char *out, size_t size,
    size_t *out_len, struct err *err)
{
	/* Not blocking: the path may be a pipe, which is refused below. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
		    "%s: %s", path, strerror(errno));
	if (sign_check_file(fd, path, secret, err) != 0) {
		close(fd);
		return -1;
	}
	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	close(fd);
	out[len] = '\0';
	*out_len = len;
	return n < 0 ? -1 : 0;
}

int
sign_read_line(const char *path, char out[SIGN_LINE_SIZE], struct err *err)
{
	size_t len;

	if (sign_read_file(path, true, out, SIGN_LINE_SIZE, &len, err) != 0)
		return -1;
	len = strcspn(out, "\n");
	while (len > 0 && strchr(" \t\r", out[len - 1]) != NULL)
		len--;
	out[len] = '\0';
	return 0;
}

int
sign_read_secret(const char *path, struct sign_secret *out, struct err *err)
{
	char text[SIGN_LINE_SIZE];
	int rc = -1;

	if (sign_read_line(path, text, err) == 0) {
		rc = sign_parse_secret(text, out, err);
		if (rc != 0)
			err_prefix(err, "%s", path);
	}
	gnutls_memset(text, 0, sizeof(text));
	return rc;
}

/* Of the parts, one after the other. */
struct sign_part {
	const void *data;
	size_t len;
};

static int
sign_digest(const struct sign_secret *secret, const struct sign_part *parts,
    size_t count, unsigned char digest[SIGN_DIGEST], struct err *err)
{
	gnutls_hmac_hd_t hmac;
	int rc = gnutls_hmac_init(
	    &hmac, GNUTLS_MAC_SHA256, secret->key, secret->len);

	if (rc != 0)
		return err_set(
		    err, ERR_INTERNAL, "sign: %s", gnutls_strerror(rc));
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = gnutls_hmac(hmac, parts[i].data, parts[i].len);
	gnutls_hmac_deinit(hmac, digest);
	return rc == 0
	    ? 0
	    : err_set(err, ERR_INTERNAL, "sign: %s", gnutls_strerror(rc));
}

int
sign_message(const struct sign_secret *secret, const char *id,
    int64_t timestamp_s, const void *body, size_t len, char out[SIGN_SIZE],
    struct err *err)
{
	gnutls_datum_t sum, code = {NULL, 0};
	unsigned char digest[SIGN_DIGEST];
	struct sign_part parts[3];
	char time[32];
	int rc;

	snprintf(time, sizeof(time), ".%" PRId64 ".", timestamp_s);
	parts[0] = (struct sign_part){id, strlen(id)};
	parts[1] = (struct sign_part){time, strlen(time)};
	parts[2] = (struct sign_part){body, len};
	if (sign_digest(secret, parts, 3, digest, err) != 0)
		return -1;
	sum = (gnutls_datum_t){digest, sizeof(digest)};
	rc = gnutls_base64_encode2(&sum, &code);
	if (rc != 0)
		return err_set(
		    err, ERR_INTERNAL, "sign: %s", gnutls_strerror(rc));
	snprintf(
	    out, SIGN_SIZE, "v1,%.*s", (int)code.size, (const char *)code.data);
	gnutls_free(code.data);
	return 0;
}

int
sign_github(const struct sign_secret *secret, const void *body, size_t len,
    char out[SIGN_GITHUB_SIZE], struct err *err)
{
	const struct sign_part part = {body, len};
	unsigned char digest[SIGN_DIGEST];
	size_t at = strlen("sha256=");

	if (sign_digest(secret, &part, 1, digest, err) != 0)
		return -1;
	memcpy(out, "sha256=", at);
	for (size_t i = 0; i < sizeof(digest); i++)
		at += (size_t)snprintf(
		    out + at, SIGN_GITHUB_SIZE - at, "%02x", digest[i]);
	return 0;
}

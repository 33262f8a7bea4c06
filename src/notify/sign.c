/*
 * Standard Webhooks signatures.
 *
 * The receiver computes the same over what it got, so that the exact bytes of
 * the body matter and nothing may be formatted again between signing and
 * sending.  The timestamp is signed too: that is what lets a receiver refuse
 * a message that somebody recorded and plays back later.
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
#define SIGN_FILE_MAX (SIGN_LINE_SIZE - 1)

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

/* The file's first SIGN_FILE_MAX bytes, NUL terminated. */
static int
sign_read_file(const char *path, char out[SIGN_FILE_MAX + 1], struct err *err)
{
	/* Not blocking: the path may be a pipe, which is refused below. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = -1;
	struct stat st;

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
		    "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_INVALID, "%s is not a file", path);
	}
	if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
		close(fd);
		return err_set(err, ERR_INVALID,
		    "%s: others may read or "
		    "change it (mode %04o): chmod 0640 it, owned by root and "
		    "the group of droverd",
		    path, (unsigned int)st.st_mode & 07777U);
	}
	while (len < SIGN_FILE_MAX &&
	    (n = read(fd, out + len, SIGN_FILE_MAX - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	close(fd);
	out[len] = '\0';
	return n < 0 ? -1 : 0;
}

int
sign_read_line(const char *path, char out[SIGN_LINE_SIZE], struct err *err)
{
	size_t len;

	if (sign_read_file(path, out, err) != 0)
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

int
sign_message(const struct sign_secret *secret, const char *id,
    int64_t timestamp_s, const void *body, size_t len, char out[SIGN_SIZE],
    struct err *err)
{
	gnutls_datum_t sum, code = {NULL, 0};
	unsigned char digest[32];
	gnutls_hmac_hd_t hmac;
	char time[32];
	int rc;

	snprintf(time, sizeof(time), ".%" PRId64 ".", timestamp_s);
	rc = gnutls_hmac_init(
	    &hmac, GNUTLS_MAC_SHA256, secret->key, secret->len);
	if (rc != 0)
		return err_set(
		    err, ERR_INTERNAL, "sign: %s", gnutls_strerror(rc));
	rc = gnutls_hmac(hmac, id, strlen(id));
	if (rc == 0)
		rc = gnutls_hmac(hmac, time, strlen(time));
	if (rc == 0)
		rc = gnutls_hmac(hmac, body, len);
	gnutls_hmac_deinit(hmac, digest);
	sum = (gnutls_datum_t){digest, sizeof(digest)};
	if (rc == 0)
		rc = gnutls_base64_encode2(&sum, &code);
	if (rc != 0)
		return err_set(
		    err, ERR_INTERNAL, "sign: %s", gnutls_strerror(rc));
	snprintf(
	    out, SIGN_SIZE, "v1,%.*s", (int)code.size, (const char *)code.data);
	gnutls_free(code.data);
	return 0;
}

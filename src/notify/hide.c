/*
 * What a receiver answers is the receiver's to choose, and many repeat what
 * they were asked: the path, the key in it, the token.
 *
 * Of a URL, the parts of path and query are secrets when they look like keys:
 * long, or with digits or capitals among at least eight characters.  "services"
 * or "webhook" are words and stay readable.  The longest secrets are taken out
 * first, so that a part of one does not leave the rest behind.
 */
#include "notify/hide.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "notify/secret.h"

#define HIDE_MAX 64 /* secrets */
#define PART_MIN 8  /* bytes of a key */
#define PART_ALWAYS 20
#define SECRET_MIN 4 /* bytes; shorter ones are no secrets */
#define TEXT_MAX 65536

struct hide {
	char *secrets[HIDE_MAX]; /* longest first */
	size_t count;
};

static void
hide_take(struct hide *hide, const char *text, size_t len)
{
	size_t at = hide->count;
	char *copy;

	if (len < SECRET_MIN || hide->count == HIDE_MAX)
		return;
	copy = strndup(text, len);
	if (copy == NULL)
		abort();
	while (at > 0 && strlen(hide->secrets[at - 1]) < len) {
		hide->secrets[at] = hide->secrets[at - 1];
		at--;
	}
	hide->secrets[at] = copy;
	hide->count++;
}

void
hide_add(struct hide *hide, const char *secret)
{
	if (secret != NULL)
		hide_take(hide, secret, strlen(secret));
}

static bool
is_key(const char *part, size_t len)
{
	if (len >= PART_ALWAYS)
		return true;
	for (size_t i = 0; len >= PART_MIN && i < len; i++) {
		if (isdigit((unsigned char)part[i]) ||
		    isupper((unsigned char)part[i]))
			return true;
	}
	return false;
}

/* "user:password@" at the beginning; the last '@' ends it, as in uri.c. */
static void
hide_add_login(struct hide *hide, const char *authority, size_t len)
{
	const char *colon;

	while (len > 0 && authority[len - 1] != '@')
		len--;
	if (len == 0)
		return;
	len--;
	hide_take(hide, authority, len);
	colon = memchr(authority, ':', len);
	if (colon != NULL)
		hide_take(
		    hide, colon + 1, (size_t)(authority + len - (colon + 1)));
}

static void
hide_add_url(struct hide *hide, const char *url)
{
	const char *at = strstr(url, "://");
	size_t len;

	hide_add(hide, url);
	at = at != NULL ? at + 3 : url;
	len = strcspn(at, "/?#");
	hide_add_login(hide, at, len);
	at += len;
	/* "/" and "/hook" are on every page. */
	if (is_key(at, strlen(at)))
		hide_add(hide, at);
	while (*at != '\0') {
		len = strcspn(at, "/?&=#");
		if (is_key(at, len))
			hide_take(hide, at, len);
		at += len;
		at += *at != '\0';
	}
}

struct hide *
hide_of(const char *url, const char *token)
{
	struct hide *hide = calloc(1, sizeof(*hide));

	if (hide == NULL)
		abort();
	if (url != NULL)
		hide_add_url(hide, url);
	hide_add(hide, token);
	return hide;
}

/* Of "Bearer abc" also what stands behind the blank. */
static void
hide_add_value(struct hide *hide, const char *value)
{
	const char *blank = strrchr(value, ' ');

	if (is_key(value, strlen(value)))
		hide_add(hide, value);
	if (blank != NULL && is_key(blank + 1, strlen(blank + 1)))
		hide_add(hide, blank + 1);
}

struct hide *
hide_known(const struct settings_receiver *receiver, const char *url,
    const char *token)
{
	struct hide *hide = hide_of(url, token);

	for (size_t i = 0; i < receiver->header_count; i++)
		hide_add_value(hide, receiver->headers[i].value);
	return hide;
}

struct hide *
hide_new(const struct settings_receiver *receiver)
{
	struct secret_set set = {0};
	struct err err = {0};
	struct hide *hide;

	if (receiver == NULL)
		return hide_of(NULL, NULL);
	if (secret_load(receiver, &set, &err) != 0)
		return hide_known(receiver, receiver->url, NULL);
	hide = hide_known(receiver, set.url, set.token);
	secret_clear(&set);
	return hide;
}

void
hide_free(struct hide *hide)
{
	if (hide == NULL)
		return;
	for (size_t i = 0; i < hide->count; i++) {
		explicit_bzero(hide->secrets[i], strlen(hide->secrets[i]));
		free(hide->secrets[i]);
	}
	free(hide);
}

/* How much of the text is secret from here on.  Answers are cut, so that a
 * secret may only have begun where the text ends. */
static size_t
secret_at(const struct hide *hide, const char *text)
{
	for (size_t i = 0; hide != NULL && i < hide->count; i++) {
		const char *secret = hide->secrets[i];
		size_t have = strnlen(text, strlen(secret));

		if (have >= SECRET_MIN && strncmp(text, secret, have) == 0)
			return have;
	}
	return 0;
}

char *
hide_text(const struct hide *hide, const char *text)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	char *line;

	while (*text != '\0') {
		size_t len = secret_at(hide, text);

		if (len > 0)
			buf_adds(&out, HIDE_SIGN);
		else
			buf_add(&out, text, len = 1);
		text += len;
	}
	line = malloc(out.len + 1);
	if (line == NULL)
		abort();
	(void)err_copy_line(line, out.len + 1, buf_str(&out));
	buf_free(&out);
	return line;
}

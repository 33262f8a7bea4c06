/*
 * Errors as values.
 *
 * A message ends up in JSON, in a webhook, in a log line and on a terminal,
 * and parts of it were written by libvirt, QEMU or a guest's owner.  So the
 * one place where messages are made also makes them harmless: a single line,
 * valid UTF-8, bounded, never cut inside a character.
 *
 * The text is formatted aside and copied afterwards, because callers wrap a
 * message in itself: err_set(err, code, "...: %s", err->msg).
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One character more than fits, so that the cut is seen, not guessed. */
#define ERR_UTF8_MAX 4
#define ERR_FORMAT_SIZE (sizeof(((struct err *)NULL)->msg) + ERR_UTF8_MAX)

/* The length of the well-formed sequence at s (Unicode table 3-7), or 0. */
static size_t
err_utf8_len(const unsigned char *s)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;

	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;

	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	}
	return len;
}

size_t
err_copy_line(char *out, size_t size, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = 0;

	if (size == 0)
		return 0;
	while (*s != '\0') {
		size_t n = err_utf8_len(s);

		if (len + (n > 0 ? n : 1) >= size)
			break;
		if (n == 0)
			out[len] = '?';
		else if (n == 1 && (*s < 0x20 || *s == 0x7f))
			out[len] = ' ';
		else
			memcpy(out + len, s, n);
		s += n > 0 ? n : 1;
		len += n > 0 ? n : 1;
	}
	while (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
	return len;
}

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	char text[ERR_FORMAT_SIZE];
	va_list ap;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	err->code = code;
	(void)err_copy_line(err->msg, sizeof(err->msg), text);
	return -1;
}

int
err_prefix(struct err *err, const char *fmt, ...)
{
	char text[ERR_FORMAT_SIZE];
	size_t used;
	va_list ap;
	int n;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -1;
	used = strlen(text);
	(void)snprintf(text + used, sizeof(text) - used, ": %s", err->msg);
	(void)err_copy_line(err->msg, sizeof(err->msg), text);
	return -1;
}

const char *
err_code_name(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return "none";
	case ERR_INVALID:
		return "invalid";
	case ERR_NOT_FOUND:
		return "not-found";
	case ERR_CONFLICT:
		return "conflict";
	case ERR_LIMIT:
		return "limit";
	case ERR_IO:
		return "io";
	case ERR_UNREACHABLE:
		return "unreachable";
	case ERR_TIMEOUT:
		return "timeout";
	case ERR_ABORTED:
		return "aborted";
	case ERR_REFUSED:
		return "refused";
	case ERR_INTERNAL:
		return "internal";
	}
	return "unknown";
}

/*
 * ntfy: the message is the body as it is, and what belongs to it are headers.
 * (Publishing as JSON wants the topic in the body, and the topic is in the URL.)
 *
 * Headers are ASCII, so a title that is not becomes encoded words (RFC 2047),
 * which ntfy decodes; and so does one that looks like one, or a guest's name
 * could say what it does not.
 *
 * A message above 4096 bytes would become an attached file.
 */
#include "notify/format_private.h"

#include <string.h>

#define NTFY_BODY_MAX 4096
#define NTFY_TITLE_MAX 250 /* characters: some clients show one line */
#define NTFY_WORD_MAX 45   /* bytes of an encoded word: 75 characters */

static void
add_base64(struct buf *out, const char *text, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned char in[3] = {0};
		size_t have = n - i < 3 ? n - i : 3;
		char four[4];

		memcpy(in, text + i, have);
		four[0] = digits[in[0] >> 2];
		four[1] = digits[(in[0] & 3) << 4 | in[1] >> 4];
		four[2] =
		    have > 1 ? digits[(in[1] & 15) << 2 | in[2] >> 6] : '=';
		four[3] = have > 2 ? digits[in[2] & 63] : '=';
		(void)buf_add(out, four, sizeof(four));
	}
}

static bool
is_plain_header(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7e)
			return false;
	}
	return strstr(text, "=?") == NULL;
}

/* Words are cut between characters, as the RFC wants. */
static void
add_encoded(struct buf *out, const char *text)
{
	while (*text != '\0') {
		size_t n = 0;

		while (
		    text[n] != '\0' && n + text_next(text + n) <= NTFY_WORD_MAX)
			n += text_next(text + n);
		(void)buf_adds(
		    out, out->len > 0 ? " =?UTF-8?B?" : "=?UTF-8?B?");
		add_base64(out, text, n);
		(void)buf_adds(out, "?=");
		text += n;
	}
}

static int
add_title(const struct message *m, struct format_request *out, struct err *err)
{
	struct buf value = BUF_INIT(8192);
	const char *title = format_escape(
	    m, m->title, TEXT_PLAIN, TEXT_CHARACTERS, NTFY_TITLE_MAX);
	int rc;

	if (is_plain_header(title))
		(void)buf_adds(&value, title);
	else
		add_encoded(&value, title);
	rc = format_add_header(out, "Title", buf_str(&value), err);
	buf_free(&value);
	return rc;
}

int
format_ntfy(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	static const char *const priorities[] = {[RECEIVER_INFO] = "2",
	    [RECEIVER_WARNING] = "3",
	    [RECEIVER_ERROR] = "4"};
	static const char *const tags[] = {[RECEIVER_INFO] = "truck",
	    [RECEIVER_WARNING] = "warning",
	    [RECEIVER_ERROR] = "rotating_light"};
	struct message *m = message_new(in->events, in->count, err);
	struct buf body = BUF_INIT(NTFY_BODY_MAX);
	int rc;

	if (m == NULL)
		return -1;
	format_plain(m, TEXT_BYTES, NTFY_BODY_MAX, &body);
	format_set_type(out, "text/plain; charset=utf-8");
	rc = add_title(m, out, err);
	if (rc == 0)
		rc = format_add_header(
		    out, "Priority", priorities[m->severity], err);
	if (rc == 0)
		rc = format_add_header(out, "Tags", tags[m->severity], err);
	if (rc == 0)
		rc = format_set_body(out, &body, err);
	buf_free(&body);
	message_free(m);
	return rc;
}

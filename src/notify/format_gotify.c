/*
 * Gotify: a message of plain text, to the server's URL with /message behind it.
 *
 * The display type is said, because a client may be set to read Markdown where
 * nothing is.  Priorities: below 4 a phone stays silent, from 8 on it insists.
 */
#include "notify/format_private.h"

#include <string.h>

#include "base/str.h"

#define GOTIFY_TEXT_MAX 16384
#define GOTIFY_TITLE_MAX 500

/* A URL that is in a file is not known here: there it is the server's alone. */
static const char *
path_after(const char *url)
{
	static const char path[] = "/message";
	size_t len;

	if (url == NULL)
		return path;
	if (strchr(url, '?') != NULL)
		return NULL;
	len = strlen(url);
	if (len >= strlen(path) && strcmp(url + len - strlen(path), path) == 0)
		return NULL;
	return len > 0 && url[len - 1] == '/' ? path + 1 : path;
}

int
format_gotify(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	static const int priorities[] = {
	    [RECEIVER_INFO] = 2, [RECEIVER_WARNING] = 5, [RECEIVER_ERROR] = 8};
	struct message *m = message_new(in->events, in->count, err);
	struct buf text = BUF_INIT(GOTIFY_TEXT_MAX);
	json_t *root;

	if (m == NULL)
		return -1;
	format_plain(m, TEXT_BYTES, GOTIFY_TEXT_MAX, &text);
	root = json_pack("{s:o, s:s, s:i, s:{s:{s:s}}}", "title",
	    format_string(
		m->title, TEXT_PLAIN, TEXT_CHARACTERS, GOTIFY_TITLE_MAX),
	    "message", buf_str(&text), "priority", priorities[m->severity],
	    "extras", "client::display", "contentType", "text/plain");
	buf_free(&text);
	message_free(m);
	out->path = str_dup(path_after(in->receiver->url));
	return format_set_json(out, root, err);
}

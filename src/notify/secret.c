/*
 * A receiver's files, read and judged together.
 *
 * All of it is loaded, or nothing: a receiver with a new URL and an old secret
 * would send to the one what the other cannot check.  What is wrong is told by
 * receiver, key and file, and by what would be right; the content of a file, even
 * a malformed one, is in no message, since a slip (a URL in the place of a token)
 * is just when a message would show it.  Copies are wiped.
 *
 * Two signing secrets let a receiver change its own without losing an event:
 * both sign for as long as both are there.  GitHub's header has room for one
 * signature, so that there a second line is refused, not passed over.
 */
#include "notify/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "config/uri.h"

#define SECRET_LINE_MAX (SIGN_LINE_SIZE - 1)
#define SECRET_TOKEN_MAX 4096 /* a JWT may have 2 KB and more */
#define SECRET_URL_MAX URI_LENGTH_MAX
#define SECRET_TEMPLATE_MAX 65536
#define SECRET_PATH_SIZE 4096
/* What is read of a file of lines: more than the longest of a token, and than
 * two of the others. */
#define SECRET_FILE_SIZE 8192

/* ---- files ---- */

static bool
secret_is_credential(const char *path)
{
	return path != NULL &&
	    strncmp(path, RECEIVER_CREDENTIAL, strlen(RECEIVER_CREDENTIAL)) ==
	    0;
}

bool
secret_needs_service(const struct settings_receiver *receiver)
{
	return getenv("CREDENTIALS_DIRECTORY") == NULL &&
	    (secret_is_credential(receiver->url_file) ||
		secret_is_credential(receiver->secret_file) ||
		secret_is_credential(receiver->token_file));
}

/* Where it is: for a credential, in the service's folder. */
static int
secret_find(const char *path, char out[SECRET_PATH_SIZE], struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	const char *name = path + strlen(RECEIVER_CREDENTIAL);
	int size;

	if (!secret_is_credential(path)) {
		size = snprintf(out, SECRET_PATH_SIZE, "%s", path);
	} else if (dir == NULL || dir[0] == '\0') {
		return err_set(err, ERR_NOT_FOUND,
		    "%s: $CREDENTIALS_DIRECTORY is not set; add "
		    "LoadCredential=%s:PATH to the unit of droverd",
		    path, name);
	} else if (name[0] == '\0' || strchr(name, '/') != NULL) {
		return err_set(err, ERR_INVALID, "%s names no file", path);
	} else {
		size = snprintf(out, SECRET_PATH_SIZE, "%s/%s", dir, name);
	}
	if (size >= SECRET_PATH_SIZE)
		return err_set(err, ERR_LIMIT, "%.100s...: too long", path);
	return 0;
}

/* Lines of a file; white space at their ends does not count. */
struct secret_lines {
	char text[SECRET_FILE_SIZE];
	char path[SECRET_PATH_SIZE];
	const char *first, *second; /* "": there is none */
};

static char *
secret_cut_line(char *line)
{
	size_t len = strcspn(line, "\n");
	char *next = line[len] == '\n' ? line + len + 1 : line + len;

	line[len] = '\0';
	while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
		line[--len] = '\0';
	return next;
}

static bool
secret_is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

/* No control characters; a line that does not fit was cut, and is not taken. */
static int
secret_check_line(
    const char *path, int number, const char *line, size_t max, struct err *err)
{
	if (strlen(line) > max)
		return err_set(err, ERR_INVALID, "%s:%d: longer than %zu bytes",
		    path, number, max);
	for (const char *s = line; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return err_set(err, ERR_INVALID,
			    "%s:%d: holds a control character", path, number);
	return 0;
}

static int
secret_read_lines(
    const char *path, size_t max, struct secret_lines *out, struct err *err)
{
	char *next;
	size_t len;

	if (secret_find(path, out->path, err) != 0 ||
	    sign_read_file(
		out->path, true, out->text, sizeof(out->text), &len, err) != 0)
		return -1;
	if (memchr(out->text, '\0', len) != NULL)
		return err_set(
		    err, ERR_INVALID, "%s: is not a text", out->path);
	out->first = out->text;
	next = secret_cut_line(out->text);
	out->second = next;
	next = secret_cut_line(next);
	if (secret_check_line(out->path, 1, out->first, max, err) != 0)
		return -1;
	if (out->first[0] == '\0')
		return err_set(
		    err, ERR_INVALID, "%s: its first line is empty", out->path);
	if (!secret_is_blank(next))
		return err_set(err, ERR_INVALID,
		    "%s: holds more than two lines", out->path);
	return 0;
}

/* ---- what they hold ---- */

static int
secret_load_signers(const struct settings_receiver *r,
    const struct secret_lines *lines, struct secret_set *out, struct err *err)
{
	const char *texts[SECRET_SIGNERS] = {lines->first, lines->second};
	bool github = r->signature == RECEIVER_SIGN_GITHUB;

	if (secret_check_line(
		lines->path, 2, lines->second, SECRET_LINE_MAX, err) != 0)
		return -1;
	if (github && lines->second[0] != '\0')
		return err_set(err, ERR_INVALID,
		    "%s:2: GitHub's signature has room for one secret; "
		    "remove the second line",
		    lines->path);
	for (size_t i = 0; i < SECRET_SIGNERS && texts[i][0] != '\0'; i++) {
		struct sign_secret *signer = &out->signers[i];

		if ((github ? sign_take_text(texts[i], signer, err)
			    : sign_parse_secret(texts[i], signer, err)) != 0)
			return err_prefix(err, "%s:%zu", lines->path, i + 1);
		out->signer_count = i + 1;
	}
	return 0;
}

static int
secret_refuse_second(const struct secret_lines *lines, struct err *err)
{
	if (lines->second[0] == '\0')
		return 0;
	return err_set(err, ERR_INVALID,
	    "%s:2: a second line has no meaning here", lines->path);
}

/* What of a token can stand in a header; RFC 6750 allows less. */
static int
secret_load_token(const struct secret_lines *lines, char **out, struct err *err)
{
	for (const char *s = lines->first; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return err_set(err, ERR_INVALID,
			    "%s:1: a token is ASCII without white space",
			    lines->path);
	if (secret_refuse_second(lines, err) != 0)
		return -1;
	*out = strdup(lines->first);
	return *out != NULL ? 0 : err_set(err, ERR_IO, "memory is short");
}

/* The rules of `url`, and those that the configuration could not look at. */
static int
secret_load_url(const struct settings_receiver *r,
    const struct secret_lines *lines, char **out, struct err *err)
{
	bool tls = r->ca_file != NULL || r->cert_file != NULL ||
	    r->key_file != NULL || r->server_name != NULL;
	bool bearer = r->token_file != NULL && r->kind != RECEIVER_GOTIFY &&
	    r->kind != RECEIVER_PAGERDUTY;

	if (uri_check_http(lines->first, err) != 0)
		return err_prefix(err, "%s:1", lines->path);
	if (secret_refuse_second(lines, err) != 0)
		return -1;
	if (tls && !uri_is_https(lines->first))
		return err_set(err, ERR_INVALID,
		    "%s: tls has no use with an http URL (write https://)",
		    lines->path);
	if (bearer && uri_has_user(lines->first))
		return err_set(err, ERR_INVALID,
		    "%s: token_file has no use with a user in the URL; leave "
		    "one of them out",
		    lines->path);
	*out = strdup(lines->first);
	return *out != NULL ? 0 : err_set(err, ERR_IO, "memory is short");
}

static int
secret_load_template(const char *path, char **out, struct err *err)
{
	const size_t size = SECRET_TEMPLATE_MAX + 2;
	char *text = malloc(size);
	size_t len;
	int rc;

	if (text == NULL)
		return err_set(err, ERR_IO, "memory is short");
	rc = sign_read_file(path, false, text, size, &len, err);
	if (rc == 0 && len > SECRET_TEMPLATE_MAX)
		rc = err_set(err, ERR_INVALID, "%s: larger than %d KiB", path,
		    SECRET_TEMPLATE_MAX / 1024);
	else if (rc == 0 && memchr(text, '\0', len) != NULL)
		rc = err_set(err, ERR_INVALID, "%s: is not a text", path);
	else if (rc == 0 && secret_is_blank(text))
		rc = err_set(err, ERR_INVALID, "%s: is empty", path);
	if (rc == 0)
		*out = text;
	else
		free(text);
	return rc;
}

/* ---- all of it ---- */

static int
secret_load_file(const struct settings_receiver *r, const char *key,
    struct secret_set *set, struct err *err)
{
	struct secret_lines lines = {.text = ""};
	int rc;

	if (strcmp(key, "url_file") == 0) {
		rc =
		    secret_read_lines(r->url_file, SECRET_URL_MAX, &lines, err);
		if (rc == 0)
			rc = secret_load_url(r, &lines, &set->url, err);
	} else if (strcmp(key, "secret_file") == 0) {
		rc = secret_read_lines(
		    r->secret_file, SECRET_LINE_MAX, &lines, err);
		if (rc == 0)
			rc = secret_load_signers(r, &lines, set, err);
	} else {
		rc = secret_read_lines(
		    r->token_file, SECRET_TOKEN_MAX, &lines, err);
		if (rc == 0)
			rc = secret_load_token(&lines, &set->token, err);
	}
	gnutls_memset(&lines, 0, sizeof(lines));
	return rc == 0 ? 0 : err_prefix(err, "%s", key);
}

static int
secret_load_set(
    const struct settings_receiver *r, struct secret_set *set, struct err *err)
{
	if (r->url_file != NULL) {
		if (secret_load_file(r, "url_file", set, err) != 0)
			return -1;
	} else if ((set->url = strdup(r->url)) == NULL) {
		return err_set(err, ERR_IO, "memory is short");
	}
	if (r->secret_file != NULL &&
	    secret_load_file(r, "secret_file", set, err) != 0)
		return -1;
	if (r->token_file != NULL &&
	    secret_load_file(r, "token_file", set, err) != 0)
		return -1;
	if (r->template_file != NULL) {
		if (secret_load_template(
			r->template_file, &set->template, err) != 0)
			return err_prefix(err, "template_file");
	} else if (r->template != NULL &&
	    (set->template = strdup(r->template)) == NULL) {
		return err_set(err, ERR_IO, "memory is short");
	}
	return 0;
}

int
secret_load(const struct settings_receiver *receiver, struct secret_set *out,
    struct err *err)
{
	struct secret_set set = {.signer_count = 0};

	if (secret_load_set(receiver, &set, err) != 0) {
		secret_clear(&set);
		return err_prefix(err, "receiver %s", receiver->name);
	}
	*out = set;
	gnutls_memset(&set, 0, sizeof(set));
	return 0;
}

static void
secret_wipe(char *text)
{
	if (text != NULL)
		gnutls_memset(text, 0, strlen(text));
	free(text);
}

void
secret_clear(struct secret_set *set)
{
	secret_wipe(set->url);
	secret_wipe(set->token);
	secret_wipe(set->template);
	gnutls_memset(set, 0, sizeof(*set));
}

/* ---- headers of a request ---- */

const char *
secret_header(const struct secret_headers *headers, size_t i)
{
	return headers->text + headers->starts[i];
}

/* `before`: of the value, such as "Bearer ". */
static int
secret_add(struct secret_headers *out, const char *name, const char *before,
    const char *value, struct err *err)
{
	size_t room = sizeof(out->text) - out->used;
	int size;

	if (out->count == SECRET_HEADERS_MAX)
		return err_set(err, ERR_INTERNAL, "too many headers");
	size = snprintf(
	    out->text + out->used, room, "%s: %s%s", name, before, value);
	if (size < 0 || (size_t)size >= room)
		return err_set(
		    err, ERR_LIMIT, "the header %s would be too long", name);
	out->starts[out->count++] = out->used;
	out->used += (size_t)size + 1;
	return 0;
}

static int
secret_add_standard(const struct secret_set *set, const char *id, int64_t now_s,
    const void *body, size_t len, struct secret_headers *out, struct err *err)
{
	char all[SECRET_SIGNERS * SIGN_SIZE] = "", one[SIGN_SIZE];
	size_t used = 0;

	for (size_t i = 0; i < set->signer_count; i++) {
		if (sign_message(
			&set->signers[i], id, now_s, body, len, one, err) != 0)
			return -1;
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
		    i > 0 ? " " : "", one);
	}
	return set->signer_count == 0
	    ? 0
	    : secret_add(out, "webhook-signature", "", all, err);
}

static int
secret_add_signature(const struct settings_receiver *r,
    const struct secret_set *set, const char *id, int64_t now_s,
    const void *body, size_t len, struct secret_headers *out, struct err *err)
{
	char sum[SIGN_GITHUB_SIZE], time[24];

	snprintf(time, sizeof(time), "%" PRId64, now_s);
	if (secret_add(out, "webhook-id", "", id, err) != 0 ||
	    secret_add(out, "webhook-timestamp", "", time, err) != 0)
		return -1;
	switch (r->signature) {
	case RECEIVER_SIGN_STANDARD:
		return secret_add_standard(set, id, now_s, body, len, out, err);
	case RECEIVER_SIGN_GITHUB:
		if (set->signer_count == 0)
			return 0;
		if (sign_github(&set->signers[0], body, len, sum, err) != 0)
			return -1;
		return secret_add(out, "X-Hub-Signature-256", "", sum, err);
	}
	return 0;
}

/* PagerDuty's is in the body, and the chats have theirs in the URL. */
static int
secret_add_token(const struct settings_receiver *r,
    const struct secret_set *set, struct secret_headers *out, struct err *err)
{
	if (set->token == NULL)
		return 0;
	switch (r->kind) {
	case RECEIVER_CLOUDEVENTS:
	case RECEIVER_NTFY:
	case RECEIVER_ALERTMANAGER:
	case RECEIVER_CUSTOM:
		return secret_add(
		    out, "Authorization", "Bearer ", set->token, err);
	case RECEIVER_GOTIFY:
		return secret_add(out, "X-Gotify-Key", "", set->token, err);
	case RECEIVER_SLACK:
	case RECEIVER_MATTERMOST:
	case RECEIVER_DISCORD:
	case RECEIVER_TEAMS:
	case RECEIVER_GOOGLECHAT:
	case RECEIVER_PAGERDUTY:
	case RECEIVER_KIND_COUNT:
		break;
	}
	return 0;
}

int
secret_sign(const struct settings_receiver *receiver,
    const struct secret_set *set, const char *webhook_id, int64_t now_s,
    const void *body, size_t len, struct secret_headers *out, struct err *err)
{
	struct secret_headers headers = {.count = 0};

	if ((receiver_kinds[receiver->kind].signs &&
		secret_add_signature(receiver, set, webhook_id, now_s, body,
		    len, &headers, err) != 0) ||
	    secret_add_token(receiver, set, &headers, err) != 0) {
		gnutls_memset(&headers, 0, sizeof(headers));
		return err_prefix(err, "receiver %s", receiver->name);
	}
	*out = headers;
	gnutls_memset(&headers, 0, sizeof(headers));
	return 0;
}

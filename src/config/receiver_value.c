/*
 * Values of a receiver, each for itself.
 *
 * Nothing here may show a URL, a proxy or the value of a header: each may be or
 * hold a secret.  Names of headers and their values become lines of a request,
 * so that a character which could end the line is refused here, long before
 * one is sent.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/read.h"
#include "config/receiver_check.h"
#include "config/uri.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define TOKEN LETTERS DIGITS "!#$%&'*+-.^_`|~" /* RFC 9110, 5.6.2 */
#define CREDENTIAL_MAX 255                     /* systemd.exec(5) */
#define PATH_LENGTH_MAX 1024
#define HEADER_NAME_MAX 64
#define HEADER_VALUE_MAX 4096
#define CONTENT_TYPE_MAX 127
#define RATE_MAX 100000

void
receiver_check_type(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	/* What people write who know another program. */
	static const char *const other[][2] = {
	    {"webhook", "write cloudevents, or custom with a template"},
	    {"http", "write cloudevents, or custom with a template"},
	    {"json", "write custom, with a template"},
	    {"github", "write cloudevents or custom, and signature: github"},
	    {"msteams", "write teams"},
	    {"google_chat", "write googlechat"},
	    {"rocketchat", "write slack, whose messages it takes"},
	};
	const char *names[RECEIVER_KIND_COUNT + 1] = {NULL};
	char quoted[TREE_QUOTE_SIZE];
	struct buf known = BUF_INIT(512);
	const char *near;

	if (receiver_find_kind(*value) >= 0)
		return;
	tree_quote(*value, quoted);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		if (strcmp(*value, other[i][0]) != 0)
			continue;
		tree_fault(ctx->tree, ctx->diags, node, "unknown type %s (%s)",
		    quoted, other[i][1]);
		return;
	}
	for (int i = 0; i < RECEIVER_KIND_COUNT; i++) {
		names[i] = receiver_kinds[i].name;
		buf_addf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	near = diag_suggest(*value, names);
	if (near != NULL)
		tree_fault(ctx->tree, ctx->diags, node,
		    "unknown type %s (did you mean \"%s\"?)", quoted, near);
	else
		tree_fault(ctx->tree, ctx->diags, node,
		    "unknown type %s (known: %s)", quoted, buf_str(&known));
	buf_free(&known);
}

void
receiver_check_url(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	struct err err = {.code = ERR_NONE};

	if (uri_check_http(*value, &err) != 0)
		tree_fault(ctx->tree, ctx->diags, node, "%s", err.msg);
}

void
receiver_check_proxy(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	struct err err = {.code = ERR_NONE};

	if (uri_check_proxy(*value, &err) != 0)
		tree_fault(ctx->tree, ctx->diags, node, "%s", err.msg);
}

void
receiver_check_secret_path(const struct schema_context *ctx,
    const struct node *node, const char **value)
{
	static const char prefix[] = RECEIVER_CREDENTIAL;
	const size_t len = sizeof(prefix) - 1;
	const char *name = *value + len;
	char quoted[TREE_QUOTE_SIZE];

	/* Neither quoted nor looked at any further. */
	if (strstr(*value, "://") != NULL ||
	    strncmp(*value, "whsec_", 6) == 0) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "is what the file should hold, not the path of one (write "
		    "it into a file that others cannot read, and name that)");
		return;
	}
	if (strncmp(*value, prefix, len) != 0) {
		if (strlen(*value) > PATH_LENGTH_MAX)
			tree_fault(ctx->tree, ctx->diags, node,
			    "longer than %d bytes", PATH_LENGTH_MAX);
		*value = schema_resolve_path(ctx, *value);
		return;
	}
	tree_quote(*value, quoted);
	if (name[0] == '\0')
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s names no credential (write credential:NAME, as in "
		    "LoadCredential=NAME:PATH)",
		    quoted);
	else if (strlen(name) > CREDENTIAL_MAX ||
	    name[strspn(name, LETTERS DIGITS "._-")] != '\0' || name[0] == '.')
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not the name of a credential (letters, digits, "
		    "\".\", \"_\" and \"-\", at most %d)",
		    quoted, CREDENTIAL_MAX);
}

void
receiver_check_unix_socket(const struct schema_context *ctx,
    const struct node *node, const char **value)
{
	char quoted[TREE_QUOTE_SIZE];

	if ((*value)[0] != '/')
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not the path of a socket, which begins with \"/\"",
		    tree_quote(*value, quoted));
	else
		check_socket(ctx, node, value);
}

void
receiver_check_policy(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	struct read_names *names = ctx->user;
	char quoted[TREE_QUOTE_SIZE];

	if (strlen(*value) > 63)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is longer than 63 bytes, which no policy's name is",
		    tree_quote(*value, quoted));
	else if (strcmp(*value, "*") != 0) /* any, also those to come */
		read_note_reference(ctx, node, *value, &names->patterns);
}

/* type/subtype, then parameters. */
void
receiver_check_content_type(const struct schema_context *ctx,
    const struct node *node, const char **value)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *s = *value;
	size_t type = strspn(s, TOKEN), subtype, i;

	subtype = s[type] == '/' ? strspn(s + type + 1, TOKEN) : 0;
	i = type + 1 + subtype;
	if (type == 0 || subtype == 0 || strlen(s) > CONTENT_TYPE_MAX ||
	    (s[i] != '\0' && s[i] != ';' && s[i] != ' '))
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not a media type, such as \"text/plain; "
		    "charset=utf-8\", of at most %d bytes",
		    tree_quote(s, quoted), CONTENT_TYPE_MAX);
	else
		for (; s[i] != '\0'; i++)
			if ((unsigned char)s[i] >= 0x80) {
				tree_fault(ctx->tree, ctx->diags, node,
				    "%s is not ASCII", tree_quote(s, quoted));
				return;
			}
}

void
receiver_check_method(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];

	if (strcmp(*value, "POST") != 0 && strcmp(*value, "PUT") != 0)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not a method that receivers are told by (write "
		    "POST or PUT)",
		    tree_quote(*value, quoted));
}

void
receiver_check_server_name(const struct schema_context *ctx,
    const struct node *node, const char **value)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *s = *value;

	if (strlen(s) > 253 || s[strspn(s, LETTERS DIGITS ".-_")] != '\0' ||
	    s[0] == '-' || s[0] == '.' || strstr(s, "..") != NULL)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not a host name as it stands in a certificate",
		    tree_quote(s, quoted));
}

/* Those that every request of Drover has, or that are made of its body. */
static bool
is_drovers_header(const char *name)
{
	static const char *const names[] = {"host", "content-length",
	    "content-type", "content-encoding", "transfer-encoding",
	    "connection", "expect", "upgrade", "te", "trailer",
	    "x-hub-signature-256"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return strncasecmp(name, "webhook-", 8) == 0 ||
	    strncasecmp(name, "ce-", 3) == 0;
}

void
receiver_check_header(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	const char *name = node->key->text;

	if (name[0] == '\0' || strlen(name) > HEADER_NAME_MAX ||
	    name[strspn(name, TOKEN)] != '\0')
		tree_fault_key(ctx->tree, ctx->diags, node,
		    "is not the name of a header (letters, digits and \"-\", "
		    "at most %d)",
		    HEADER_NAME_MAX);
	else if (strcasecmp(name, "content-type") == 0)
		tree_fault_key(ctx->tree, ctx->diags, node,
		    "is set by Drover; with type: custom, content_type says "
		    "it");
	else if (is_drovers_header(name))
		tree_fault_key(ctx->tree, ctx->diags, node,
		    "is set by Drover; leave it out");
	if (strlen(*value) > HEADER_VALUE_MAX)
		tree_fault(ctx->tree, ctx->diags, node, "longer than %d bytes",
		    HEADER_VALUE_MAX);
	for (const char *s = *value; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80) {
			tree_fault(ctx->tree, ctx->diags, node,
			    "a header is ASCII, and this is not");
			break;
		}
}

/* A word or number that stands alone; else adds the fault. */
static bool
is_word(const struct schema_context *ctx, const struct node *node,
    const char *wanted)
{
	if (node->kind == NODE_SCALAR && !tree_is_null(node) &&
	    node->text[0] != '\0')
		return true;
	schema_refuse_kind(ctx, node, wanted);
	return false;
}

void
receiver_read_ordering(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	static const struct schema_choice choices[] = {
	    {"any", 0, NULL}, {"strict", 1, NULL}, {NULL, 0, NULL}};
	struct settings_receiver *receiver = object;
	struct err err = {.code = ERR_NONE};
	int strict = 0;

	if (!is_word(ctx, node, "any or strict"))
		return;
	if (schema_parse_choice(choices, node->text, &strict, &err) != 0)
		tree_fault(ctx->tree, ctx->diags, node, "%s", err.msg);
	receiver->strict = strict != 0;
}

void
receiver_read_rate(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	static const char wanted[] = "a rate of requests such as 60/m";
	struct settings_receiver *receiver = object;
	char quoted[TREE_QUOTE_SIZE];
	size_t digits;
	long count;

	if (!is_word(ctx, node, wanted))
		return;
	if (strcmp(node->text, "0") == 0) {
		receiver->rate = 0;
		receiver->rate_ms = 0;
		return;
	}
	tree_quote(node->text, quoted);
	digits = strspn(node->text, DIGITS);
	count = digits > 0 && digits < 10 ? strtol(node->text, NULL, 10) : 0;
	if (digits == 0 || node->text[digits] != '/' ||
	    strlen(node->text + digits) != 2 ||
	    strchr("smh", node->text[digits + 1]) == NULL) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not a rate of requests (write 5/s, 60/m or "
		    "1000/h; 0 for no limit)",
		    quoted);
		return;
	}
	if (count < 1 || count > RATE_MAX) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is out of range (1 to %d requests; 0 alone for no "
		    "limit)",
		    quoted, RATE_MAX);
		return;
	}
	receiver->rate = (int)count;
	receiver->rate_ms = node->text[digits + 1] == 's' ? 1000
	    : node->text[digits + 1] == 'm'               ? 60000
							  : 3600000;
}

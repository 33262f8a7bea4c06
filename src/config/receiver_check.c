/*
 * What the keys of a receiver are together.
 *
 * A key that the kind has no use for is a fault, not a thing to pass over: who
 * writes secret_file for a chat believes that what is sent is signed, and who
 * writes template for slack waits for a message that never looks like it.  Every
 * fault stands at the key that is to be changed and says to what.
 *
 * It runs when each key is right for itself, and then also fills what depends on
 * the kind.
 */

#include "config/receiver_check.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/read.h"
#include "config/uri.h"
#include "notify/template.h"

#define PAGERDUTY_URL "https://events.pagerduty.com/v2/enqueue"
#define RESEND_MS INT64_C(60000)

/* The receiver that is looked at. */
struct look {
	const struct schema_context *ctx;
	const struct node *map;
	struct settings_receiver *r;
	const struct receiver_kind_info *info;
};

static const struct node *
given(const struct look *l, const char *key)
{
	return tree_get(l->map, key);
}

static void fault(const struct look *l, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* At the key; at `type` when that key is what is missing. */
static void
fault(const struct look *l, const char *key, const char *fmt, ...)
{
	const struct node *node = given(l, key);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tree_fault_key(l->ctx->tree, l->ctx->diags,
	    node != NULL ? node : given(l, "type"), "%s", text);
}

/* ---- keys of some kinds ---- */

#define OF(kind) (1U << (kind))
#define SIGNING (OF(RECEIVER_CLOUDEVENTS) | OF(RECEIVER_CUSTOM))
#define STATEFUL (OF(RECEIVER_ALERTMANAGER) | OF(RECEIVER_PAGERDUTY))
#define ALL (OF(RECEIVER_KIND_COUNT) - 1)

static const struct use {
	const char *key;
	unsigned kinds;
	const char *belongs; /* "it belongs to ..." */
} uses[] = {
    {"mode", OF(RECEIVER_CLOUDEVENTS), "cloudevents"},
    {"batch", OF(RECEIVER_CLOUDEVENTS), "cloudevents"},
    {"template", OF(RECEIVER_CUSTOM), "custom"},
    {"template_file", OF(RECEIVER_CUSTOM), "custom"},
    {"content_type", OF(RECEIVER_CUSTOM), "custom"},
    {"method", OF(RECEIVER_CUSTOM), "custom"},
    {"resend", OF(RECEIVER_ALERTMANAGER), "alertmanager"},
    {"signature", SIGNING, "cloudevents and custom"},
    {"secret_file", SIGNING, "cloudevents and custom"},
    {"token_file", 0, NULL}, /* takes_token */
    {"group_by", ALL & ~STATEFUL, NULL},
    {"group_wait", ALL & ~STATEFUL, NULL},
};

static void
check_uses(const struct look *l)
{
	const unsigned kind = OF(l->r->kind);

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		const struct use *u = &uses[i];
		bool token = strcmp(u->key, "token_file") == 0;

		if (given(l, u->key) == NULL || (u->kinds & kind) != 0 ||
		    (token && l->info->takes_token))
			continue;
		if (l->info->secret_url &&
		    (token || strcmp(u->key, "secret_file") == 0))
			fault(l, u->key,
			    "is of no use with type: %s, whose URL is all that "
			    "lets one in; leave it out, and keep the URL in "
			    "url_file",
			    l->info->name);
		else if ((STATEFUL & kind) != 0 && u->belongs == NULL)
			fault(l, u->key,
			    "is of no use with type: %s, which is told of each "
			    "thing by itself and groups them; leave it out",
			    l->info->name);
		else
			fault(l, u->key,
			    "is of no use with type: %s (it belongs to %s); "
			    "leave it out",
			    l->info->name, u->belongs);
	}
}

/* ---- where ---- */

static void
check_url_keys(const struct look *l)
{
	struct settings_receiver *r = l->r;

	if (given(l, "url") != NULL && given(l, "url_file") != NULL)
		fault(l, "url_file",
		    "url is given as well; leave one of them out");
	if (given(l, "url") == NULL && given(l, "url_file") == NULL &&
	    r->kind == RECEIVER_PAGERDUTY)
		r->url = PAGERDUTY_URL;
	if (given(l, "proxy") != NULL && given(l, "unix_socket") != NULL)
		fault(l, "proxy",
		    "has no use with unix_socket; leave one of them out");
}

static void
check_tls(const struct look *l)
{
	const struct settings_receiver *r = l->r;
	const struct node *tls = given(l, "tls");

	if (tls == NULL)
		return;
	if (r->url != NULL && !uri_is_https(r->url))
		fault(l, "tls", "has no use with an http URL (write https://)");
	if (r->cert_file != NULL && r->key_file == NULL)
		tree_fault_key(l->ctx->tree, l->ctx->diags,
		    tree_get(tls, "cert_file"),
		    "key_file is missing, the certificate's key");
	if (r->key_file != NULL && r->cert_file == NULL)
		tree_fault_key(l->ctx->tree, l->ctx->diags,
		    tree_get(tls, "key_file"),
		    "cert_file is missing, the certificate of this key");
}

/* ---- who Drover is ---- */

static const char *
token_name(enum receiver_kind kind)
{
	return kind == RECEIVER_PAGERDUTY ? "the integration's routing key"
					  : "the application's token";
}

static void
check_token(const struct look *l)
{
	const struct settings_receiver *r = l->r;
	bool bearer = r->token_file != NULL && r->kind != RECEIVER_GOTIFY &&
	    r->kind != RECEIVER_PAGERDUTY;

	if (l->info->token && r->token_file == NULL)
		fault(l, "type", "%s needs token_file, a file that holds %s",
		    l->info->name, token_name(r->kind));
	if (bearer && r->url != NULL && uri_has_user(r->url))
		fault(l, "token_file",
		    "has no use with a user in url; leave one of them out");
	if (given(l, "signature") != NULL && l->info->signs &&
	    r->secret_file == NULL)
		fault(l, "signature",
		    "has no use without secret_file, which holds the key");
}

static bool
is_authentication(const struct settings_receiver *r, const char *name)
{
	if (r->kind == RECEIVER_GOTIFY)
		return strcasecmp(name, "x-gotify-key") == 0;
	if (r->kind == RECEIVER_PAGERDUTY ||
	    strcasecmp(name, "authorization") != 0)
		return false;
	return r->token_file != NULL ||
	    (r->url != NULL && uri_has_user(r->url));
}

/* Also turns what the table read into what the receiver has. */
static void
check_headers(const struct look *l)
{
	struct settings_receiver *r = l->r;
	const struct settings_label *pairs = (const void *)r->headers;
	const struct node *node = given(l, "headers");
	struct receiver_header *headers;

	if (node == NULL)
		return;
	headers = arena_array(l->ctx->arena, r->header_count, sizeof(*headers));
	for (size_t i = 0; i < r->header_count; i++) {
		headers[i].key = pairs[i].key;
		headers[i].value = pairs[i].value;
	}
	r->headers = headers;
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		const char *name = n->key->text;

		if (is_authentication(r, name))
			tree_fault_key(l->ctx->tree, l->ctx->diags, n,
			    "is set by Drover from %s; leave one of them out",
			    r->token_file != NULL ? "token_file"
						  : "the user in url");
		for (const struct node *m = node->first; m != n; m = m->next)
			if (strcasecmp(m->key->text, name) == 0)
				tree_fault_key(l->ctx->tree, l->ctx->diags, n,
				    "is the same header as \"%.64s\"; leave "
				    "one of them out",
				    m->key->text);
	}
}

/* ---- what, and how insistently ---- */

/* What is wrong inside of it is told where it stands in the file. */
static void
check_template_text(const struct look *l)
{
	const struct settings_receiver *r = l->r;
	const struct node *node = given(l, "template");
	struct template_place place;
	struct err err = {.code = ERR_NONE};
	struct template *t;
	unsigned line, column;

	t = template_compile(r->template, r->content_type, &place, &err);
	if (t == NULL) {
		tree_scalar_place(
		    l->ctx->tree, node, place.offset, &line, &column);
		tree_fault_at(l->ctx->tree, l->ctx->diags, node, line, column,
		    "%s", err.msg);
	}
	template_free(t);
}

static void
check_template(const struct look *l)
{
	const struct settings_receiver *r = l->r;

	if (r->kind != RECEIVER_CUSTOM)
		return;
	if (r->template != NULL)
		check_template_text(l);
	if (r->template != NULL && r->template_file != NULL)
		fault(l, "template_file",
		    "template is given as well; leave one of them out");
	if (r->template == NULL && r->template_file == NULL)
		fault(l, "type",
		    "custom needs template, the body of a request, or "
		    "template_file");
}

static void
check_grouping(const struct look *l)
{
	struct settings_receiver *r = l->r;
	bool asked = r->group_by != 0;

	if ((r->group_by & RECEIVER_GROUP_NONE) != 0 &&
	    r->group_by != RECEIVER_GROUP_NONE)
		fault(l, "group_by",
		    "none stands alone: write [ none ], or leave it out");
	if (!asked)
		r->group_by = l->info->group_by;
	if (r->kind == RECEIVER_CLOUDEVENTS && r->mode != RECEIVER_BATCHED &&
	    r->group_by != RECEIVER_GROUP_NONE)
		fault(l, "group_by",
		    "a group of CloudEvents is a batch: write mode: batched "
		    "as well");
	if (r->group_by == RECEIVER_GROUP_NONE &&
	    given(l, "group_wait") != NULL &&
	    r->kind != RECEIVER_ALERTMANAGER && r->kind != RECEIVER_PAGERDUTY)
		fault(l, "group_wait",
		    asked ? "has no use with group_by: [ none ]"
			  : "has no use without group_by");
	if (r->mode != RECEIVER_BATCHED && r->kind == RECEIVER_CLOUDEVENTS &&
	    given(l, "batch") != NULL)
		fault(l, "batch", "has no use without mode: batched");
}

static void
check_times(const struct look *l)
{
	struct settings_receiver *r = l->r;

	if (r->connect_timeout_ms > r->timeout_ms) {
		if (given(l, "connect_timeout") != NULL)
			fault(l, "connect_timeout",
			    "is longer than timeout, which it is a part of");
		r->connect_timeout_ms = r->timeout_ms;
	}
	if (given(l, "max_age") == NULL)
		r->max_age_ms = l->info->max_age_ms;
	if (given(l, "rate") == NULL) {
		r->rate = l->info->rate;
		r->rate_ms = l->info->rate_ms;
	}
	/* A raise that comes after its resolve is on for good. */
	if ((STATEFUL & OF(r->kind)) != 0 && given(l, "ordering") == NULL)
		r->strict = true;
	if (r->kind == RECEIVER_ALERTMANAGER && given(l, "resend") == NULL)
		r->resend_ms = RESEND_MS;
}

void
receiver_place(void *object, const char *file, unsigned line)
{
	struct settings_receiver *receiver = object;

	receiver->file = file;
	receiver->line = line;
}

bool
receiver_may_lack(const struct schema_context *ctx, const struct node *map,
    const struct schema_key *key)
{
	const struct node *type = tree_get(map, "type");

	(void)ctx;
	(void)key; /* url */
	if (tree_get(map, "url_file") != NULL)
		return true;
	return type != NULL && type->kind == NODE_SCALAR &&
	    receiver_find_kind(type->text) == RECEIVER_PAGERDUTY;
}

void
receiver_check_whole(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	struct settings_receiver *r = object;
	struct look l = {.ctx = ctx, .map = map, .r = r};
	int kind = receiver_find_kind(r->type);

	r->kind = (enum receiver_kind)kind;
	l.info = &receiver_kinds[kind];
	check_uses(&l);
	check_url_keys(&l);
	check_tls(&l);
	check_token(&l);
	check_headers(&l);
	check_template(&l);
	check_grouping(&l);
	check_times(&l);
}

/* ---- once all files are read ---- */

static bool
matches_policy(const struct settings *s, const char *pattern)
{
	for (size_t i = 0; i < s->policy_count; i++)
		if (fnmatch(pattern, s->policies[i].name, 0) == 0)
			return true;
	return false;
}

void
read_check_patterns(const struct read_reference *patterns,
    const struct settings *s, struct diag_list *diags)
{
	const char *names[SETTINGS_POLICIES_MAX + 1];

	for (size_t i = 0; i < s->policy_count; i++)
		names[i] = s->policies[i].name;
	names[s->policy_count] = NULL;
	for (const struct read_reference *p = patterns; p != NULL;
	     p = p->next) {
		const char *near = diag_suggest(p->name, names);
		char quoted[TREE_QUOTE_SIZE];

		if (matches_policy(s, p->name))
			continue;
		tree_quote(p->name, quoted);
		if (near != NULL)
			diag_add(diags, p->file, p->line, p->column,
			    "%s: %s matches no policy (did you mean \"%s\"?)",
			    p->path, quoted, near);
		else
			diag_add(diags, p->file, p->line, p->column,
			    "%s: %s matches no policy, so that nothing would "
			    "be told; leave it out",
			    p->path, quoted);
	}
}

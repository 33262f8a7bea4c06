/*
 * Reading a template into parts, and writing the parts.
 *
 * All that can be wrong without knowing the event is found by reading: brackets,
 * filters, paths, and in JSON whether a value stands between quotes.  Quotes are
 * followed through the literals alone: what is put between them is escaped, and
 * what stands without them is never a text, unless |json gives it quotes of its
 * own; so no event can close what the template has opened.
 *
 * That the outcome is JSON still depends on the event, since a member may be
 * missing where a value has to stand; so it is looked at each time, and
 * `droverd -t` tries it with each event that the receiver wants.
 */
#include "notify/template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/diag.h"
#include "notify/template_priv.h"

struct reader {
	struct template *t;
	const char *text, *at;
	struct err *err;
	struct template_place place;
	bool failed;
	/* Behind the literals so far: between quotes, and how many characters
	 * the escape that was begun there still lacks. */
	bool in_text;
	unsigned escape;
};

/* ---- faults ---- */

static int
fail_at(struct reader *r, const char *at)
{
	unsigned line = 1, column = 1;

	for (const char *p = r->text; p < at; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	r->place =
	    (struct template_place){(size_t)(at - r->text), line, column};
	r->failed = true;
	return -1;
}

/* ---- parts ---- */

static struct template_part *
add_part(struct reader *r)
{
	struct template *t = r->t;

	if (t->count == TEMPLATE_PARTS_MAX) {
		err_set(r->err, ERR_LIMIT, "it has more than %d parts",
		    TEMPLATE_PARTS_MAX);
		(void)fail_at(r, r->at);
		return NULL;
	}
	if (t->count == t->size) {
		t->size = t->size > 0 ? 2 * t->size : 16;
		t->parts = realloc(t->parts, t->size * sizeof(*t->parts));
		if (t->parts == NULL)
			abort();
	}
	t->parts[t->count] = (struct template_part){.len = 0};
	return &t->parts[t->count++];
}

static char *
copy(const char *text, size_t len)
{
	char *out = strndup(text, len);

	if (out == NULL)
		abort();
	return out;
}

static void
follow_quotes(struct reader *r, const char *from, const char *to)
{
	for (; from < to; from++) {
		if (r->escape == 1 && from[0] == 'u' && from[-1] == '\\')
			r->escape = 4;
		else if (r->escape > 0)
			r->escape--;
		else if (*from == '"')
			r->in_text = !r->in_text;
		else if (*from == '\\' && r->in_text)
			r->escape = 1;
	}
}

static int
add_literal(struct reader *r, const char *from, const char *to)
{
	struct template_part *part;

	if (from == to)
		return 0;
	follow_quotes(r, from, to);
	part = add_part(r);
	if (part == NULL)
		return -1;
	part->len = (size_t)(to - from);
	part->text = copy(from, part->len);
	return 0;
}

/* ---- ${path|filter|filter:text} ---- */

/* What stands between `from` and `to`, without spaces around it. */
static void
trim(const char **from, const char **to)
{
	while (*from < *to && isspace((unsigned char)**from))
		(*from)++;
	while (*to > *from && isspace((unsigned char)(*to)[-1]))
		(*to)--;
}

static int
read_path(struct reader *r, struct template_part *part, const char *from,
    const char *to)
{
	struct template_path *path = &part->path;
	const char *begin = from;

	trim(&from, &to);
	if (from == to) {
		err_set(r->err, ERR_INVALID,
		    "${} names no member, such as ${data.guest}");
		return fail_at(r, begin);
	}
	while (from <= to) {
		const char *end = from;

		while (
		    end < to && (isalnum((unsigned char)*end) || *end == '_'))
			end++;
		if (end == from || end - from > TEMPLATE_NAME_MAX ||
		    (end < to && *end != '.')) {
			err_set(r->err, ERR_INVALID,
			    "\"%.*s\" is no path: names with dots between them "
			    "are wanted, such as data.guest",
			    (int)(to - begin < 40 ? to - begin : 40), begin);
			return fail_at(r, end);
		}
		if (path->count == TEMPLATE_DEPTH_MAX) {
			err_set(r->err, ERR_LIMIT,
			    "a path has at most %d names", TEMPLATE_DEPTH_MAX);
			return fail_at(r, from);
		}
		path->segments[path->count++] =
		    copy(from, (size_t)(end - from));
		from = end + 1;
	}
	return 0;
}

static int
find_filter(struct reader *r, const char *from, const char *to,
    enum template_filter *out)
{
	char name[TEMPLATE_NAME_MAX + 1];
	size_t len = (size_t)(to - from);
	const char *near;

	if (len > TEMPLATE_NAME_MAX)
		len = TEMPLATE_NAME_MAX;
	memcpy(name, from, len);
	name[len] = '\0';
	for (size_t i = 0; template_filter_names[i] != NULL; i++) {
		if (strcmp(template_filter_names[i], name) == 0) {
			*out = (enum template_filter)i;
			return 0;
		}
	}
	near = diag_suggest(name, template_filter_names);
	err_set(r->err, ERR_INVALID, "there is no filter \"%.40s\" (%s%s%s)",
	    name, near != NULL ? "did you mean " : "",
	    near != NULL
		? near
		: "known: bytes, duration, upper, lower, default:TEXT, json",
	    near != NULL ? "?" : "");
	return fail_at(r, from);
}

static int
read_filter(struct reader *r, struct template_part *part, const char *from,
    const char *to, unsigned *kinds)
{
	const char *colon = memchr(from, ':', (size_t)(to - from));
	const char *end = colon != NULL ? colon : to;
	struct template_use *use = &part->uses[part->use_count];
	enum template_filter filter = TEMPLATE_JSON;

	trim(&from, &end);
	if (find_filter(r, from, end, &filter) < 0)
		return -1;
	if (part->use_count == TEMPLATE_FILTERS_MAX) {
		err_set(r->err, ERR_LIMIT, "a value has at most %d filters",
		    TEMPLATE_FILTERS_MAX);
		return fail_at(r, from);
	}
	if ((colon != NULL) != (filter == TEMPLATE_DEFAULT)) {
		err_set(r->err, ERR_INVALID,
		    colon != NULL ? "%s takes no text after a colon"
				  : "%s wants a text: default:TEXT",
		    template_filter_names[filter]);
		return fail_at(r, end);
	}
	if (part->use_count > 0 && use[-1].filter == TEMPLATE_JSON) {
		err_set(r->err, ERR_INVALID, "json has to be the last filter");
		return fail_at(r, from);
	}
	if (template_filter_check(filter, kinds, r->err) < 0)
		return fail_at(r, from);
	if (filter == TEMPLATE_JSON && part->in_text) {
		err_set(r->err, ERR_INVALID,
		    "json gives quotes of its own: leave it out between "
		    "quotes");
		return fail_at(r, from);
	}
	use->filter = filter;
	if (colon != NULL)
		use->text = copy(colon + 1, (size_t)(to - colon - 1));
	part->use_count++;
	return 0;
}

/* r->at is behind the "${". */
static int
read_value(struct reader *r)
{
	const char *from = r->at, *end = strchr(from, '}'), *bar;
	struct template_part *part;
	unsigned kinds, before;

	if (end == NULL || memchr(from, '\n', (size_t)(end - from)) != NULL) {
		err_set(r->err, ERR_INVALID,
		    "\"${\" is not closed: \"}\" is wanted on the same line (a "
		    "dollar is $$)");
		return fail_at(r, from - 2);
	}
	if (r->t->form == TEMPLATE_AS_JSON && r->escape > 0) {
		err_set(r->err, ERR_INVALID,
		    "a backslash before \"${\" would change what follows: a "
		    "backslash in a text is \\\\");
		return fail_at(r, from - 2);
	}
	part = add_part(r);
	if (part == NULL)
		return -1;
	part->in_text = r->t->form == TEMPLATE_AS_JSON && r->in_text;
	bar = memchr(from, '|', (size_t)(end - from));
	if (read_path(r, part, from, bar != NULL ? bar : end) < 0)
		return -1;
	before = kinds = template_path_kinds(&part->path, r->err);
	if (kinds == 0)
		return fail_at(r, from);
	if (part->in_text && kinds == TEMPLATE_STRUCTURE) {
		err_set(r->err, ERR_INVALID,
		    "this is a list or an object, which stands without quotes "
		    "around it");
		return fail_at(r, from);
	}
	while (bar != NULL) {
		from = bar + 1;
		bar = memchr(from, '|', (size_t)(end - from));
		if (read_filter(
			r, part, from, bar != NULL ? bar : end, &kinds) < 0)
			return -1;
	}
	if (r->t->form == TEMPLATE_AS_JSON && !part->in_text &&
	    template_may_be_text(part, before)) {
		err_set(r->err, ERR_INVALID,
		    "this may be a text, which wants quotes around it, or "
		    "|json");
		return fail_at(r, r->at);
	}
	r->at = end + 1;
	return 0;
}

static int
read_all(struct reader *r)
{
	const char *from = r->at;

	for (;;) {
		const char *dollar = strchr(r->at, '$');

		if (dollar == NULL)
			return add_literal(r, from, from + strlen(from));
		r->at = dollar + 1;
		if (*r->at == '{') {
			if (add_literal(r, from, dollar) < 0)
				return -1;
			r->at++;
			if (read_value(r) < 0)
				return -1;
			from = r->at;
		} else if (*r->at == '$') {
			if (add_literal(r, from, r->at) < 0)
				return -1;
			from = ++r->at;
		} else if (isalpha((unsigned char)*r->at)) {
			err_set(r->err, ERR_INVALID,
			    "a member is written as ${data.guest}, and a "
			    "dollar as $$");
			return fail_at(r, dollar);
		}
	}
}

/* ---- the whole ---- */

/* Types of which a body holds any number of JSON texts. */
static bool
is_sequence(const char *content_type)
{
	static const char *const names[] = {
	    "ndjson", "json-seq", "jsonl", "json-lines"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (content_type != NULL &&
		    strcasestr(content_type, names[i]) != NULL)
			return true;
	return false;
}

static enum template_form
form_of(const char *content_type)
{
	if (content_type == NULL || strcasestr(content_type, "json") != NULL)
		return TEMPLATE_AS_JSON;
	return strncasecmp(
		   content_type, "application/x-www-form-urlencoded", 33) == 0
	    ? TEMPLATE_AS_FORM
	    : TEMPLATE_AS_IS;
}

void
template_free(struct template *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++) {
		struct template_part *part = &t->parts[i];

		free(part->text);
		for (size_t k = 0; k < part->path.count; k++)
			free(part->path.segments[k]);
		for (size_t k = 0; k < part->use_count; k++)
			free(part->uses[k].text);
	}
	free(t->parts);
	free(t);
}

static bool
is_utf8(const char *text)
{
	json_t *value = json_string(text);

	json_decref(value);
	return value != NULL;
}

struct template *
template_compile(const char *text, const char *content_type,
    struct template_place *out_place, struct err *err)
{
	struct reader r = {.text = text, .at = text, .err = err};

	r.t = calloc(1, sizeof(*r.t));
	if (r.t == NULL)
		abort();
	r.t->form = form_of(content_type);
	r.t->sequence = is_sequence(content_type);
	if (strlen(text) > TEMPLATE_TEXT_MAX) {
		err_set(err, ERR_LIMIT, "it is longer than %d bytes",
		    TEMPLATE_TEXT_MAX);
		(void)fail_at(&r, text);
	} else if (text[0] == '\0') {
		err_set(err, ERR_INVALID, "it is empty");
		(void)fail_at(&r, text);
	} else if (!is_utf8(text)) {
		err_set(err, ERR_INVALID, "it is not UTF-8");
		(void)fail_at(&r, text);
	} else {
		(void)read_all(&r);
	}
	if (!r.failed)
		return r.t;
	if (out_place != NULL)
		*out_place = r.place;
	template_free(r.t);
	return NULL;
}

int
template_check(const char *text, const char *content_type, struct err *err)
{
	struct template_place place = {0, 1, 1};
	struct template *t = template_compile(text, content_type, &place, err);

	if (t == NULL)
		return err_prefix(
		    err, "line %u, column %u", place.line, place.column);
	template_free(t);
	return 0;
}

static int
check_json(const struct buf *out, struct err *err)
{
	json_error_t where;
	json_t *json =
	    json_loadb(buf_str(out), out->len, JSON_DECODE_ANY, &where);

	if (json == NULL)
		return err_set(err, ERR_INVALID,
		    "what comes out is no JSON: line %d, column %d: %s (a "
		    "member that may be missing wants |json or |default:TEXT, "
		    "and a text quotes)",
		    where.line, where.column, where.text);
	json_decref(json);
	return 0;
}

char *
template_render(const struct template *t, const json_t *events, size_t *out_len,
    struct err *err)
{
	struct buf out = BUF_INIT(TEMPLATE_BODY_MAX);
	char *text;

	for (size_t i = 0; i < t->count; i++) {
		const struct template_part *part = &t->parts[i];

		if (part->path.count == 0)
			buf_add(&out, part->text, part->len);
		else
			template_add_value(part, t->form, events, &out);
	}
	if (out.overflow) {
		err_set(err, ERR_LIMIT, "what comes out is over %d bytes",
		    TEMPLATE_BODY_MAX);
		buf_free(&out);
		return NULL;
	}
	if (t->form == TEMPLATE_AS_JSON && !t->sequence &&
	    check_json(&out, err) < 0) {
		buf_free(&out);
		return NULL;
	}
	*out_len = out.len;
	text = buf_steal(&out);
	return text != NULL ? text : copy("", 0);
}

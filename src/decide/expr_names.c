/*
 * Names: of the vocabulary, of labels, of the lists of a file.
 *
 * A name stands alone when it is of the first scope of the context, and may
 * have the prefix of its scope.  One that is not known is answered with the
 * nearest of all that are, or else with those that stand alone; where a text
 * was expected it was probably meant as one.
 */
#include "decide/expr_priv.h"

#include <string.h>

#include "config/diag.h"

const char *
expr_names_all(const struct expr_parser *p)
{
	const struct expr_names *names = &p->names[0];
	struct buf all = BUF_INIT(512);
	const char *text;

	for (size_t i = 0; i < names->count; i++)
		buf_addf(&all, "%s%s%s", i > 0 ? ", " : "",
		    names->names[i].name,
		    names->names[i].labels ? ".NAME" : "");
	for (size_t i = 1; i < p->names_count; i++)
		buf_addf(&all, ", %s.NAME", p->names[i].prefix);
	text = arena_strdup(p->arena, buf_str(&all));
	buf_free(&all);
	return text;
}

/* What may stand behind "did you mean", ends with NULL. */
static const char *const *
list_candidates(const struct expr_parser *p)
{
	size_t max = 1 + p->list_count, count = 0;
	const char **all;

	for (size_t i = 0; i < p->names_count; i++)
		max += 2 * p->names[i].count;
	all = arena_array(p->arena, max, sizeof(*all));
	for (size_t i = 0; i < p->names[0].count; i++)
		if (!p->names[0].names[i].labels)
			all[count++] = p->names[0].names[i].name;
	for (size_t i = 0; i < p->list_count; i++)
		all[count++] = p->lists[i].name;
	for (size_t i = 0; i < p->names_count; i++)
		for (size_t k = 0; k < p->names[i].count; k++)
			if (p->names[i].prefix != NULL &&
			    !p->names[i].names[k].labels)
				all[count++] = arena_printf(p->arena, "%s.%s",
				    p->names[i].prefix,
				    p->names[i].names[k].name);
	all[count] = NULL;
	return all;
}

struct found {
	const struct expr_names *names;
	unsigned index;
	const char *label;
	bool bare_labels; /* "labels", with no name behind it */
};

/* `word` without its prefix, in one scope. */
static bool
find_in_scope(
    const struct expr_names *names, const char *word, struct found *out)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct expr_name *name = &names->names[i];
		size_t len = strlen(name->name);

		if (strncmp(word, name->name, len) != 0)
			continue;
		*out = (struct found){.names = names, .index = (unsigned)i};
		if (!name->labels && word[len] == '\0')
			return true;
		out->bare_labels = name->labels &&
		    (word[len] == '\0' || strcmp(word + len, ".") == 0);
		out->label = word + len + 1;
		if (name->labels && (out->bare_labels || word[len] == '.'))
			return true;
	}
	return false;
}

static bool
find_name(const struct expr_parser *p, const char *word, struct found *out)
{
	if (find_in_scope(&p->names[0], word, out))
		return true;
	for (size_t i = 0; i < p->names_count; i++) {
		const char *prefix = p->names[i].prefix;
		size_t len = prefix != NULL ? strlen(prefix) : 0;

		if (len > 0 && strncmp(word, prefix, len) == 0 &&
		    word[len] == '.' &&
		    find_in_scope(&p->names[i], word + len + 1, out))
			return true;
	}
	return false;
}

/* A name, a dash, and something behind it. */
static bool
is_difference(const struct expr_parser *p, const char *word)
{
	struct found found;

	for (const char *s = strchr(word, '-'); s != NULL;
	     s = strchr(s + 1, '-'))
		if (find_name(p,
			arena_strndup(p->arena, word, (size_t)(s - word)),
			&found))
			return true;
	return false;
}

static bool
fail_unknown(struct expr_parser *p, const char *word)
{
	const char *near = diag_suggest(word, list_candidates(p));

	if (!p->booleans && is_difference(p, word))
		return expr_lex_fail(
		    p, "is not known; a minus has a space on both sides");
	if (p->beside_text)
		return expr_lex_fail(p,
		    arena_printf(p->arena,
			"is not known (a text stands in quotes: \"%.64s\")",
			word));
	if (near != NULL)
		return expr_lex_fail(p,
		    arena_printf(
			p->arena, "is not known (did you mean \"%s\"?)", near));
	return expr_lex_fail(p,
	    arena_printf(
		p->arena, "is not known (known: %s)", expr_names_all(p)));
}

static bool
read_list(struct expr_parser *p, const char *word, struct expr_operand *out)
{
	struct expr_value *value;

	for (size_t i = 0; i < p->list_count; i++) {
		if (strcmp(p->lists[i].name, word) != 0)
			continue;
		value = arena_alloc(p->arena, sizeof(*value));
		*value = expr_value_list(&p->lists[i]);
		expr_emit(p, OP_CONSTANT)->constant = value;
		*out = (struct expr_operand){.type = EXPR_LIST,
		    .item = p->lists[i].type,
		    .at = p->at,
		    .end = p->at + p->len};
		expr_lex_next(p);
		return true;
	}
	return fail_unknown(p, word);
}

bool
expr_names_read(struct expr_parser *p, struct expr_operand *out)
{
	const char *word = arena_strndup(p->arena, p->text + p->at, p->len);
	const struct expr_name *name;
	struct expr_code *code;
	struct found found;

	if (!find_name(p, word, &found))
		return read_list(p, word, out);
	name = &found.names->names[found.index];
	if (found.bare_labels)
		return expr_lex_fail(
		    p, "is not complete; write labels.NAME for one of them");
	code = expr_emit(p, OP_NAME);
	code->type = (uint8_t)name->type;
	code->scope = (uint8_t)found.names->scope;
	code->index = found.index;
	code->label = found.label;
	*out = (struct expr_operand){.type = name->type,
	    .item = EXPR_STRING,
	    .at = p->at,
	    .end = p->at + p->len,
	    .words = name->words};
	expr_lex_next(p);
	return true;
}

bool
expr_names_check_word(struct expr_parser *p, const char *const *words,
    size_t at, size_t end, const char *string)
{
	const char *near, *all = "";

	if (words == NULL)
		return true;
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], string) == 0)
			return true;
	near = diag_suggest(string, words);
	if (near != NULL)
		return expr_lex_fail_span(p, at, end,
		    arena_printf(p->arena,
			"is never its value (did you mean \"%s\"?)", near));
	for (size_t i = 0; words[i] != NULL; i++)
		all = arena_printf(
		    p->arena, "%s%s%s", all, i > 0 ? ", " : "", words[i]);
	return expr_lex_fail_span(p, at, end,
	    arena_printf(p->arena, "is never its value (it can be: %s)", all));
}

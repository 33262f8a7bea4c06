/*
 * The catalogue as mdoc.  The page is not made from it at each build, so that it
 * can be read and corrected where it is; a test compares the two.
 */
#include "events_manual.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "notify/catalog_priv.h"

#define WIDTH 80
#define PATH_SIZE 256

/* Words into lines; a line must not begin as a macro does. */
static void
add_words(const char *text, struct buf *out)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (column > 0 && column + 1 + n > WIDTH) {
			buf_adds(out, "\n");
			column = 0;
		}
		if (column > 0)
			buf_adds(out, " ");
		else if (*text == '.' || *text == '\'')
			buf_adds(out, "\\&");
		buf_add(out, text, n);
		column += n + 1;
		text += n + (text[n] == ' ');
		/* A new sentence begins on a new line. */
		if (n > 0 && text[-1] == ' ' && *text == ' ') {
			text++;
			buf_adds(out, "\n");
			column = 0;
		}
	}
	buf_adds(out, "\n");
}

static const char *
kind_word(const struct catalog_field *f)
{
	switch (f->kind) {
	case CATALOG_TEXT:
		return "text";
	case CATALOG_TIME:
		return "time";
	case CATALOG_COUNT:
	case CATALOG_INTEGER:
		return "number";
	case CATALOG_FLAG:
		return "true or false";
	case CATALOG_TEXTS:
		return "list of texts";
	case CATALOG_OBJECT:
		return "object";
	case CATALOG_OBJECTS:
		break;
	}
	return "list of objects";
}

static void
add_choices(const char *words, struct buf *out)
{
	bool many = strchr(words, '|') != NULL;

	buf_adds(out, many ? "One of\n.Cm " : "Always\n.Cm ");
	while (*words != '\0') {
		size_t n = strcspn(words, "|");
		bool last = words[n] == '\0';

		buf_add(out, words, n);
		buf_adds(out, last ? " .\n" : " , ");
		words += n + !last;
	}
}

static void
add_fields(
    const char *path, const struct catalog_field *fields, struct buf *out)
{
	for (const struct catalog_field *f = fields;
	     f != NULL && f->name != NULL; f++) {
		struct buf name = BUF_INIT(PATH_SIZE), text = BUF_INIT(1024);

		buf_addf(&name, "%s%s", path, f->name);
		buf_addf(out, ".It Cm %s Pq \"%s%s\"\n", buf_str(&name),
		    kind_word(f), f->always ? "" : ", may be absent");
		buf_addf(&text, "%c%s.", toupper((unsigned char)f->meaning[0]),
		    f->meaning + 1);
		add_words(buf_str(&text), out);
		if (f->words != NULL)
			add_choices(f->words, out);
		buf_adds(&name, f->kind == CATALOG_OBJECTS ? "[]." : ".");
		if (f->of != NULL)
			add_fields(buf_str(&name), f->of, out);
		buf_free(&name);
		buf_free(&text);
	}
}

static void
add_sample(const char *type, struct buf *out)
{
	json_t *sample = catalog_sample(type);
	char *text = json_dumps(sample, JSON_INDENT(2));

	buf_addf(out, ".\\\" example: %s.json event\n", type);
	buf_adds(out, ".Bd -literal -offset 2n\n");
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\\')
			buf_adds(out, "\\e");
		else
			buf_add(out, p, 1);
	}
	buf_adds(out, "\n.Ed\n");
	free(text);
	json_decref(sample);
}

static void
add_members(const struct catalog_data *d, struct buf *out)
{
	if (d->own == NULL) {
		buf_addf(out, "The members are those of\n.Cm %s .\n", d->as);
		return;
	}
	if (d->as != NULL)
		buf_addf(out,
		    "The members are those of\n.Cm %s ,\nand these:\n", d->as);
	buf_adds(out, ".Bl -tag -width Ds\n");
	add_fields("", d->own, out);
	buf_adds(out, ".El\n");
}

void
events_manual(struct buf *out)
{
	for (const struct catalog_data *d = catalog_data; d->type != NULL;
	     d++) {
		buf_addf(out, ".Ss %s\n", d->type);
		add_words(d->when, out);
		buf_addf(out, "Severity:\n.Cm %s ;\nsubject:\n.Ql %s .\n%s",
		    catalog_severity_word(d->type, NULL), d->subject,
		    d->as != NULL ? ".Pp\n" : "");
		add_members(d, out);
		add_sample(d->type, out);
	}
}

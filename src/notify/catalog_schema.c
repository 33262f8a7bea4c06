/*
 * The tables of catalog_data.c as JSON Schemas, and a reader of such schemas.
 *
 * A schema does not forbid members that it does not name: receivers must not
 * break when an event has one more.  Our own events are held to a stricter
 * rule, since a member that nobody described is a fault of ours: so the reader
 * knows both.  It knows the words that the writer uses and no others, and says
 * so when it meets one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify/catalog_priv.h"

#define DRAFT "https://json-schema.org/draft/2020-12/schema"
#define TIME_PATTERN                                                           \
	"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"               \
	"(\\.[0-9]+)?Z$"

/* ---- writing ---- */

static json_t *
checked(json_t *json)
{
	if (json == NULL)
		abort(); /* memory is short */
	return json;
}

static void
set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, checked(value)) != 0)
		abort();
}

static json_t *
of_type(const char *type)
{
	return checked(json_pack("{s:s}", "type", type));
}

static json_t *
list_words(const char *words)
{
	json_t *list = checked(json_array());

	while (*words != '\0') {
		size_t n = strcspn(words, "|");

		json_array_append_new(list, checked(json_stringn(words, n)));
		words += n + (words[n] == '|');
	}
	return list;
}

static json_t *describe(const struct catalog_field *field);

static void
add_fields(
    json_t *properties, json_t *required, const struct catalog_field *fields)
{
	for (const struct catalog_field *f = fields;
	     f != NULL && f->name != NULL; f++) {
		set(properties, f->name, describe(f));
		if (f->always)
			json_array_append_new(required, json_string(f->name));
	}
}

static json_t *
describe_object(const struct catalog_field *fields)
{
	json_t *out = of_type("object");
	json_t *properties = checked(json_object());
	json_t *required = checked(json_array());

	add_fields(properties, required, fields);
	set(out, "properties", properties);
	set(out, "required", required);
	return out;
}

static json_t *
describe_list(json_t *items)
{
	json_t *out = of_type("array");

	set(out, "items", items);
	return out;
}

static json_t *
describe_value(const struct catalog_field *f)
{
	json_t *out;

	switch (f->kind) {
	case CATALOG_TEXT:
		out = of_type("string");
		if (f->words != NULL)
			set(out, "enum", list_words(f->words));
		return out;
	case CATALOG_TIME:
		out = of_type("string");
		set(out, "format", json_string("date-time"));
		set(out, "pattern", json_string(TIME_PATTERN));
		return out;
	case CATALOG_COUNT:
		out = of_type("integer");
		set(out, "minimum", json_integer(0));
		return out;
	case CATALOG_INTEGER:
		return of_type("integer");
	case CATALOG_FLAG:
		return of_type("boolean");
	case CATALOG_TEXTS:
		return describe_list(of_type("string"));
	case CATALOG_OBJECT:
		return describe_object(f->of);
	case CATALOG_OBJECTS:
		return describe_list(describe_object(f->of));
	}
	return checked(json_object());
}

static json_t *
describe(const struct catalog_field *f)
{
	json_t *out = describe_value(f);

	set(out, "description", json_string(f->meaning));
	return out;
}

static void
add_type(json_t *properties, json_t *required, const struct catalog_data *d)
{
	if (d == NULL)
		return;
	if (d->as != NULL)
		add_type(properties, required, catalog_data_find(d->as));
	add_fields(properties, required, d->own);
}

json_t *
catalog_schema(const char *type)
{
	const struct catalog_data *d = catalog_data_find(type);
	const struct catalog_type *t = catalog_find(type);
	json_t *out, *properties, *required;

	if (d == NULL || t == NULL)
		return NULL;
	out = checked(json_object());
	properties = checked(json_object());
	required = checked(json_array());
	add_type(properties, required, d);
	set(out, "$schema", json_string(DRAFT));
	set(out, "title",
	    json_sprintf("data of drover.%s: %s", t->type, t->meaning));
	set(out, "type", json_string("object"));
	set(out, "properties", properties);
	set(out, "required", required);
	return out;
}

/* ---- reading ---- */

/* Where in the event; the outermost call has all of it. */
struct place {
	const struct place *outer;
	const char *name;
	size_t index; /* when name is NULL */
};

static int
fault(const struct place *at, struct err *err, const char *what,
    const char *value)
{
	char index[32];

	err_set(err, ERR_INVALID, "%s%s%s", what, value != NULL ? " " : "",
	    value != NULL ? value : "");
	for (; at != NULL; at = at->outer) {
		if (at->name == NULL)
			snprintf(index, sizeof(index), "%zu", at->index);
		err_prefix(err, "%s", at->name != NULL ? at->name : index);
	}
	return -1;
}

static bool
is_type(const char *type, const json_t *value)
{
	return (strcmp(type, "object") == 0 && json_is_object(value)) ||
	    (strcmp(type, "array") == 0 && json_is_array(value)) ||
	    (strcmp(type, "string") == 0 && json_is_string(value)) ||
	    (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	    (strcmp(type, "boolean") == 0 && json_is_boolean(value));
}

/* The one pattern that is written. */
static bool
is_time(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00";
	size_t i;

	if (text == NULL)
		return false;
	for (i = 0; form[i] != '\0'; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (form[i] == '0' ? !digit : text[i] != form[i])
			return false;
	}
	if (text[i] == '.')
		i += 1 + strspn(text + i + 1, "0123456789");
	return strcmp(text + i, "Z") == 0;
}

static int validate(const json_t *schema, const json_t *value,
    const struct place *at, struct err *err);

static int
validate_object(const json_t *schema, const json_t *value,
    const struct place *at, struct err *err)
{
	json_t *properties = json_object_get(schema, "properties");
	json_t *member;
	const char *name;
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, member)
	{
		if (json_object_get(value, json_string_value(member)) == NULL)
			return fault(at, err, "it lacks the member",
			    json_string_value(member));
	}
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		const json_t *of = json_object_get(properties, name);
		const struct place inner = {at, name, 0};

		if (of == NULL)
			return fault(at, err,
			    "it has a member that the catalogue does not "
			    "know:",
			    name);
		if (validate(of, member, &inner, err) < 0)
			return -1;
	}
	return 0;
}

static int
validate_array(const json_t *schema, const json_t *value,
    const struct place *at, struct err *err)
{
	const json_t *items = json_object_get(schema, "items"), *element;
	size_t i;

	json_array_foreach(value, i, element)
	{
		const struct place inner = {at, NULL, i};

		if (items != NULL && validate(items, element, &inner, err) < 0)
			return -1;
	}
	return 0;
}

static int
validate_scalar(const json_t *schema, const json_t *value,
    const struct place *at, struct err *err)
{
	const json_t *words = json_object_get(schema, "enum"), *word;
	const json_t *minimum = json_object_get(schema, "minimum");
	size_t i;
	bool found = words == NULL;

	json_array_foreach(words, i, word)
	{
		found = found || json_equal(word, value) == 1;
	}
	if (!found)
		return fault(at, err, "it is none of the words that it may be:",
		    json_string_value(value));
	if (minimum != NULL &&
	    json_integer_value(value) < json_integer_value(minimum))
		return fault(at, err, "it is less than its minimum", NULL);
	if (json_object_get(schema, "pattern") != NULL &&
	    !is_time(json_string_value(value)))
		return fault(
		    at, err, "it is no time:", json_string_value(value));
	return 0;
}

static int
validate(const json_t *schema, const json_t *value, const struct place *at,
    struct err *err)
{
	static const char *const known[] = {"type", "properties", "required",
	    "items", "enum", "minimum", "pattern", "format", "description",
	    "title", "$schema", NULL};
	const char *type = json_string_value(json_object_get(schema, "type"));
	const char *word;
	json_t *rule;

	json_object_foreach((json_t *)(uintptr_t)schema, word, rule)
	{
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], word) != 0)
			i++;
		if (known[i] == NULL)
			return fault(
			    at, err, "its schema has an unknown word:", word);
	}
	if (type == NULL || !is_type(type, value))
		return fault(at, err, "it must be of type", type);
	if (json_is_object(value))
		return validate_object(schema, value, at, err);
	if (json_is_array(value))
		return validate_array(schema, value, at, err);
	return validate_scalar(schema, value, at, err);
}

static int
validate_against(
    json_t *schema, const json_t *value, const char *name, struct err *err)
{
	const struct place at = {NULL, name, 0};
	int rc = validate(schema, value, &at, err);

	json_decref(schema);
	return rc;
}

int
catalog_validate(const json_t *event, struct err *err)
{
	const json_t *data = json_object_get(event, "data");
	const char *type = json_string_value(json_object_get(event, "type"));
	const char *severity =
	    json_string_value(json_object_get(event, "severity"));
	json_t *head, *schema;
	int rc;

	if (!json_is_object(event) || type == NULL)
		return err_set(err, ERR_INVALID, "it is no CloudEvent");
	if (strncmp(type, "drover.", 7) != 0 || catalog_find(type) == NULL)
		return err_set(err, ERR_INVALID,
		    "%s: the catalogue has no such type", type);
	head = json_copy((json_t *)(uintptr_t)event);
	json_object_del(head, "data");
	rc = validate_against(
	    describe_object(catalog_envelope), head, "event", err);
	json_decref(head);
	schema = catalog_schema(type);
	if (rc == 0)
		rc = validate_against(schema, data, "data", err);
	else
		json_decref(schema);
	if (rc == 0 && strcmp(severity, catalog_severity_word(type, data)) != 0)
		rc = err_set(err, ERR_INVALID,
		    "severity: it is %s, and should be %s", severity,
		    catalog_severity_word(type, data));
	return rc < 0 ? err_prefix(err, "%s", type) : 0;
}

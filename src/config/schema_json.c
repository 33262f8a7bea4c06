/*
 * The walk of a table that writes a JSON Schema.
 *
 * Rows that a function reads say themselves what they take (`shape`).  In a
 * shape, {"$of": true} stands for the mapping that the row's `of` describes, and
 * {"$detail": true} for that of its `detail`.
 */

#include "config/schema_json.h"

#include <stdlib.h>
#include <string.h>

#include "config/read.h"

#define DURATION "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$"
#define BYTES "^[0-9]+(\\.[0-9]+)?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?"

static json_t *describe_object(const struct schema *schema);

static json_t *
checked(json_t *json)
{
	if (json == NULL)
		abort(); /* a shape that is no JSON, or no memory */
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
list_words(const struct schema_choice *choices)
{
	json_t *words = checked(json_array());

	for (const struct schema_choice *c = choices; c->name != NULL; c++)
		if (c->instead == NULL)
			json_array_append_new(words, json_string(c->name));
	return checked(json_pack("{s:o}", "enum", words));
}

static json_t *
describe_number(const struct schema_key *key)
{
	bool zero = (key->flags & SCHEMA_ZERO) != 0;
	json_t *out;

	switch (key->type) {
	case SCHEMA_INT:
		out = of_type("integer");
		if (key->max > 0) {
			set(out, "minimum", json_integer(zero ? 0 : key->min));
			set(out, "maximum", json_integer(key->max));
		}
		return out;
	case SCHEMA_DURATION:
		if (!zero)
			return checked(json_pack("{s:s, s:s}", "type", "string",
			    "pattern", DURATION));
		return checked(json_pack("{s:[s, s], s:s, s:i}", "type",
		    "string", "integer", "pattern", DURATION, "maximum", 0));
	case SCHEMA_PERCENT:
		return checked(json_pack("{s:s, s:s}", "type", "string",
		    "pattern", "^[0-9]+(\\.[0-9]+)?%$"));
	case SCHEMA_RATE:
		return checked(json_pack("{s:[s, s], s:s}", "type", "string",
		    "integer", "pattern", BYTES "(/s)?$"));
	default:
		return checked(json_pack("{s:[s, s], s:s}", "type", "string",
		    "integer", "pattern", BYTES "$"));
	}
}

static json_t *
describe_list(const struct schema_key *key, json_t *items)
{
	json_t *out = of_type("array");

	set(out, "items", items);
	if (key->max > 0 && key->min > 0)
		set(out, "minItems", json_integer(key->min));
	if (key->max > 0)
		set(out, "maxItems", json_integer(key->max));
	return out;
}

/* Puts mappings where the shape has placeholders; takes `shape`. */
static json_t *
fill_shape(json_t *shape, const struct schema_key *key)
{
	const char *name;
	json_t *value;
	size_t i;

	if (json_object_get(shape, "$of") != NULL) {
		json_decref(shape);
		return describe_object(key->of);
	}
	if (json_object_get(shape, "$detail") != NULL) {
		json_decref(shape);
		return describe_object(key->detail);
	}
	if (json_is_array(shape)) {
		json_array_foreach(shape, i, value)
		{
			json_array_set_new(
			    shape, i, fill_shape(json_incref(value), key));
		}
	} else if (json_is_object(shape)) {
		json_object_foreach(shape, name, value)
		{
			json_object_set_new(
			    shape, name, fill_shape(json_incref(value), key));
		}
	}
	return shape;
}

static json_t *
describe_value(const struct schema_key *key)
{
	json_t *out;

	switch (key->type) {
	case SCHEMA_TEXT:
	case SCHEMA_PATH:
		out = of_type("string");
		if (key->max > 0)
			set(out, "maxLength", json_integer(key->max));
		return out;
	case SCHEMA_INT:
	case SCHEMA_DURATION:
	case SCHEMA_BYTES:
	case SCHEMA_RATE:
	case SCHEMA_PERCENT:
		return describe_number(key);
	case SCHEMA_BOOL:
		return of_type("boolean");
	case SCHEMA_CHOICE:
		return list_words(key->choices);
	case SCHEMA_WORDS:
	case SCHEMA_FLAGS:
		out = describe_list(key, list_words(key->choices));
		set(out, "uniqueItems", json_true());
		return out;
	case SCHEMA_GROUP:
		return describe_object(key->of);
	case SCHEMA_LIST:
		return describe_list(key, describe_object(key->of));
	case SCHEMA_TEXTS:
		return describe_list(key, of_type("string"));
	case SCHEMA_PAIRS:
		out = of_type("object");
		set(out, "additionalProperties", of_type("string"));
		return out;
	case SCHEMA_CUSTOM:
		break;
	}
	if (key->shape == NULL)
		return checked(json_object());
	return fill_shape(checked(json_loads(key->shape, 0, NULL)), key);
}

static json_t *
default_of(const struct schema_key *key)
{
	if (key->type == SCHEMA_BOOL)
		return json_boolean(strcmp(key->fallback, "true") == 0);
	if (key->type == SCHEMA_INT || strcmp(key->fallback, "0") == 0)
		return json_integer(strtoll(key->fallback, NULL, 10));
	return json_string(key->fallback);
}

static json_t *
describe_object(const struct schema *schema)
{
	json_t *out = of_type("object");
	json_t *properties = checked(json_object());
	json_t *required = checked(json_array());

	for (const struct schema_key *k = schema->keys; k->name != NULL; k++) {
		bool single = k->type != SCHEMA_WORDS &&
		    k->type != SCHEMA_FLAGS && k->type != SCHEMA_TEXTS;
		json_t *value = describe_value(k);

		set(value, "description", json_string(k->meaning));
		if (k->fallback != NULL && k->fallback[0] != '\0' && single)
			set(value, "default", default_of(k));
		set(properties, k->name, value);
		if ((k->flags & SCHEMA_REQUIRED) != 0 &&
		    (k->flags & SCHEMA_UNLESS) == 0)
			json_array_append_new(required, json_string(k->name));
	}
	set(out, "additionalProperties", json_false());
	set(out, "properties", properties);
	if (json_array_size(required) > 0)
		set(out, "required", required);
	else
		json_decref(required);
	return out;
}

json_t *
schema_json(const struct schema *schema, const char *title)
{
	json_t *out = checked(json_object());
	json_t *body = describe_object(schema);

	set(out, "$schema",
	    json_string("http://json-schema.org/draft-07/schema#"));
	set(out, "title", json_string(title));
	json_object_update(out, body);
	json_decref(body);
	return out;
}

json_t *
schema_json_policies(void)
{
	return schema_json(
	    &read_policies_schema, "A file of policies of Drover");
}

/*
 * The types of events, and what those who choose among events, and those who
 * keep alerts, take from one.
 *
 * An alert is a thing that is wrong until something says that it is not any
 * more, so its key is made of what both events have: the host's name, the
 * guest's UUID.  A move that was aborted on request is nothing to wake anybody
 * for, and one that was rolled back left the guest as it was; the drain or the
 * policy tries again, and says so when it gives up.
 */
#include "notify/catalog.h"

#include <stdio.h>
#include <string.h>

const struct catalog_type catalog_types[] = {
    {"move.started", "a guest begins to move", RECEIVER_INFO},
    {"move.completed", "a guest has moved", RECEIVER_INFO},
    {"move.failed", "a guest could not be moved", RECEIVER_ERROR},
    {"move.rolled_back", "a move was undone", RECEIVER_WARNING},
    {"drain.started", "a host begins to be emptied", RECEIVER_INFO},
    {"drain.completed", "a host is empty", RECEIVER_INFO},
    {"drain.blocked", "a host cannot be emptied", RECEIVER_ERROR},
    {"decision.made", "a policy has decided", RECEIVER_INFO},
    {"host.lost", "a host does not answer", RECEIVER_ERROR},
    {"host.recovered", "a host answers again", RECEIVER_INFO},
    {"host.maintenance", "a host's flags have changed", RECEIVER_INFO},
    {"host.claimed", "another droverd acts on a host", RECEIVER_WARNING},
    {"host.released", "the other droverd has let go", RECEIVER_INFO},
    {"policy.mode", "a policy's mode was changed", RECEIVER_INFO},
    {"config.rejected", "a reload was refused", RECEIVER_ERROR},
    {"config.accepted", "a reload succeeds again", RECEIVER_INFO},
    {"receiver.disabled", "a receiver is gone for good", RECEIVER_ERROR},
    {"receiver.enabled", "a receiver is sent to again", RECEIVER_INFO},
    {"condition.ended", "a condition is taken for over", RECEIVER_INFO},
    {"test", "a receiver is tried", RECEIVER_INFO},
    {NULL, NULL, RECEIVER_INFO},
};

static const char *
bare_type(const char *type)
{
	return strncmp(type, "drover.", 7) == 0 ? type + 7 : type;
}

const struct catalog_type *
catalog_find(const char *type)
{
	type = bare_type(type);
	for (const struct catalog_type *t = catalog_types; t->type != NULL; t++)
		if (strcmp(t->type, type) == 0)
			return t;
	return NULL;
}

/* NULL: it has no such text. */
static const char *
text_of(const json_t *data, const char *key)
{
	return json_string_value(json_object_get(data, key));
}

static bool
has_word(const json_t *data, const char *key, const char *word)
{
	const char *text = text_of(data, key);

	return text != NULL && strcmp(text, word) == 0;
}

enum receiver_severity
catalog_severity(const char *type, const json_t *data)
{
	const struct catalog_type *t = catalog_find(type);

	if (t == NULL)
		return RECEIVER_INFO;
	if (strcmp(t->type, "move.failed") == 0 &&
	    has_word(data, "outcome", "aborted"))
		return RECEIVER_WARNING;
	if (strcmp(t->type, "drain.completed") == 0 &&
	    json_integer_value(json_object_get(data, "failed")) > 0)
		return RECEIVER_WARNING;
	return t->severity;
}

enum receiver_severity
catalog_severity_most(const char *type)
{
	const struct catalog_type *t = catalog_find(type);

	if (t == NULL)
		return RECEIVER_INFO;
	/* With moves that failed. */
	if (strcmp(t->type, "drain.completed") == 0)
		return RECEIVER_WARNING;
	return t->severity;
}

const char *
catalog_severity_word(const char *type, const json_t *data)
{
	return receiver_severity_name(catalog_severity(type, data));
}

struct receiver_event
catalog_event(const char *type, const json_t *data)
{
	const char *policy = text_of(data, "policy");
	const char *host = text_of(data, "host");

	return (struct receiver_event){
	    .type = type,
	    .severity = catalog_severity(type, data),
	    .policy = policy != NULL
		? policy
		: text_of(json_object_get(data, "why"), "policy"),
	    .host = host != NULL ? host : text_of(data, "from"),
	    .drain = json_integer_value(json_object_get(data, "drain")),
	};
}

/* ---- what is wrong ---- */

struct effect {
	const char *type;
	enum catalog_effect effect;
	const char *thing;  /* of the key */
	const char *member; /* of data, the rest of the key; NULL: none */
	const char *name;
};

static const struct effect effects[] = {
    {"move.failed", CATALOG_RAISES, "move-failed", "uuid", "DroverMoveFailed"},
    {"move.completed", CATALOG_RESOLVES, "move-failed", "uuid",
	"DroverMoveFailed"},
    {"drain.blocked", CATALOG_RAISES, "drain-blocked", "host",
	"DroverDrainBlocked"},
    {"drain.completed", CATALOG_RESOLVES, "drain-blocked", "host",
	"DroverDrainBlocked"},
    {"drain.started", CATALOG_RESOLVES, "drain-blocked", "host",
	"DroverDrainBlocked"},
    {"host.maintenance", CATALOG_RESOLVES, "drain-blocked", "host",
	"DroverDrainBlocked"},
    {"host.lost", CATALOG_RAISES, "host-lost", "host", "DroverHostLost"},
    {"host.recovered", CATALOG_RESOLVES, "host-lost", "host", "DroverHostLost"},
    {"host.claimed", CATALOG_RAISES, "host-claimed", "host",
	"DroverHostClaimed"},
    {"host.released", CATALOG_RESOLVES, "host-claimed", "host",
	"DroverHostClaimed"},
    {"config.rejected", CATALOG_RAISES, "config-rejected", NULL,
	"DroverConfigRejected"},
    {"config.accepted", CATALOG_RESOLVES, "config-rejected", NULL,
	"DroverConfigRejected"},
    {"receiver.disabled", CATALOG_RAISES, "receiver-disabled", "receiver",
	"DroverReceiverDisabled"},
    {"receiver.enabled", CATALOG_RESOLVES, "receiver-disabled", "receiver",
	"DroverReceiverDisabled"},
};

/* Types of which not each event means something. */
static bool
is_exempt(const char *type, const json_t *data)
{
	if (strcmp(type, "move.failed") == 0)
		return has_word(data, "outcome", "aborted");
	if (strcmp(type, "host.maintenance") == 0)
		return json_is_true(json_object_get(data, "maintenance"));
	return false;
}

/* The event that says itself which condition it ends, also one of a kind that
 * only a newer Drover knows. */
static struct catalog_state
state_of_ended(const json_t *data)
{
	const char *key = text_of(data, "condition");
	struct catalog_state state = {.effect = CATALOG_NOTHING};
	size_t n;

	if (key == NULL || key[0] == '\0' || strlen(key) >= sizeof(state.key))
		return state;
	state.effect = CATALOG_RESOLVES;
	state.name = "DroverCondition";
	snprintf(state.key, sizeof(state.key), "%s", key);
	n = strcspn(key, "/");
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		const struct effect *e = &effects[i];

		if (strlen(e->thing) == n && strncmp(e->thing, key, n) == 0)
			state.name = e->name;
	}
	return state;
}

struct catalog_state
catalog_state(const char *type, const json_t *data)
{
	struct catalog_state state = {.effect = CATALOG_NOTHING};

	type = bare_type(type);
	if (strcmp(type, CATALOG_ENDED) == 0)
		return state_of_ended(data);
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		const struct effect *e = &effects[i];
		const char *rest =
		    e->member != NULL ? text_of(data, e->member) : "";

		if (strcmp(e->type, type) != 0 || is_exempt(type, data))
			continue;
		/* An event without it cannot be told from others. */
		if (rest == NULL || strlen(rest) > 200)
			return state;
		state.effect = e->effect;
		state.name = e->name;
		snprintf(state.key, sizeof(state.key), "%s%s%s", e->thing,
		    e->member != NULL ? "/" : "", rest);
		return state;
	}
	return state;
}

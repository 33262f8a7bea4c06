/*
 * What is true of each kind of receiver, and which events a receiver gets.
 *
 * The limits are those that the services state, and where they state none, what
 * their servers take as they are shipped; where neither is known it is a bound
 * of ours.  A rate is also the burst that is allowed: Discord's 5 in 10 s are
 * the 30 in a minute that it asks for, without more than 5 at once.
 *
 * Nothing may get lost between events and summaries.  A move is left to the
 * summary of its drain only where that summary will come: a receiver that wants
 * `move.*` alone, or only what is grave, or the moves of one policy, would not
 * be told of the drain, and so is told of the moves.
 */

#include "config/receiver.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define NAME_MAX_SHOWN 63 /* of policies and hosts, by their check */

const struct receiver_kind_info receiver_kinds[RECEIVER_KIND_COUNT] = {
    [RECEIVER_CLOUDEVENTS] = {.name = "cloudevents",
	.body_max = 1 * MIB,
	.max_age_ms = 7 * DAY,
	.group_by = RECEIVER_GROUP_NONE,
	.takes_token = true,
	.signs = true},
    /* 1 message a second, more in short bursts that may be lost. */
    [RECEIVER_SLACK] = {.name = "slack",
	.body_max = 100 * KIB,
	.rate = 1,
	.rate_ms = 1 * SECOND,
	.max_age_ms = 6 * HOUR,
	.group_by = RECEIVER_GROUP_DRAIN,
	.secret_url = true},
    /* MaximumPayloadSizeBytes and RateLimitSettings.PerSec as shipped. */
    [RECEIVER_MATTERMOST] = {.name = "mattermost",
	.body_max = 300000,
	.rate = 10,
	.rate_ms = 1 * SECOND,
	.max_age_ms = 6 * HOUR,
	.group_by = RECEIVER_GROUP_DRAIN,
	.secret_url = true},
    /* 30 a minute, 5 in 2 s; 2000 characters or embeds of 6000. */
    [RECEIVER_DISCORD] = {.name = "discord",
	.body_max = 64 * KIB,
	.rate = 5,
	.rate_ms = 10 * SECOND,
	.max_age_ms = 6 * HOUR,
	.group_by = RECEIVER_GROUP_DRAIN,
	.secret_url = true},
    /* 28 KB; 4 a second to one channel, 2 of one application. */
    [RECEIVER_TEAMS] = {.name = "teams",
	.body_max = 28 * KIB,
	.rate = 1,
	.rate_ms = 1 * SECOND,
	.max_age_ms = 6 * HOUR,
	.group_by = RECEIVER_GROUP_DRAIN,
	.secret_url = true},
    /* 32000 bytes with text and cards; 1 a second in a space. */
    [RECEIVER_GOOGLECHAT] = {.name = "googlechat",
	.body_max = 32000,
	.rate = 1,
	.rate_ms = 1 * SECOND,
	.max_age_ms = 6 * HOUR,
	.group_by = RECEIVER_GROUP_DRAIN,
	.secret_url = true},
    /* message-size-limit (of the message), visitor-request-limit-replenish
     * 5s; who knows the name of a topic may read it. */
    [RECEIVER_NTFY] = {.name = "ntfy",
	.body_max = 4 * KIB,
	.rate = 12,
	.rate_ms = 1 * MINUTE,
	.max_age_ms = 6 * HOUR,
	.group_by = RECEIVER_GROUP_DRAIN,
	.secret_url = true,
	.takes_token = true},
    [RECEIVER_GOTIFY] = {.name = "gotify",
	.body_max = 64 * KIB,
	.max_age_ms = 6 * HOUR,
	.group_by = RECEIVER_GROUP_DRAIN,
	.token = true,
	.takes_token = true},
    [RECEIVER_ALERTMANAGER] = {.name = "alertmanager",
	.body_max = 1 * MIB,
	.max_age_ms = 1 * HOUR,
	.group_by = RECEIVER_GROUP_NONE,
	.takes_token = true},
    /* 512 KB; 120 a minute for an integration. */
    [RECEIVER_PAGERDUTY] = {.name = "pagerduty",
	.body_max = 512000,
	.rate = 120,
	.rate_ms = 1 * MINUTE,
	.max_age_ms = 24 * HOUR,
	.group_by = RECEIVER_GROUP_NONE,
	.token = true,
	.takes_token = true},
    [RECEIVER_CUSTOM] = {.name = "custom",
	.body_max = 1 * MIB,
	.max_age_ms = 7 * DAY,
	.group_by = RECEIVER_GROUP_NONE,
	.takes_token = true,
	.signs = true},
};

int
receiver_find_kind(const char *name)
{
	for (int i = 0; i < RECEIVER_KIND_COUNT; i++)
		if (strcmp(receiver_kinds[i].name, name) == 0)
			return i;
	return -1;
}

const char *
receiver_severity_name(enum receiver_severity severity)
{
	switch (severity) {
	case RECEIVER_INFO:
		return "info";
	case RECEIVER_WARNING:
		return "warning";
	case RECEIVER_ERROR:
		return "error";
	}
	return "unknown";
}

static const char *
short_type(const char *type)
{
	return strncmp(type, "drover.", 7) == 0 ? type + 7 : type;
}

static unsigned
group_by(const struct settings_receiver *receiver)
{
	return receiver->group_by != 0
	    ? receiver->group_by
	    : receiver_kinds[receiver->kind].group_by;
}

static bool
matches(const char *const *patterns, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (fnmatch(patterns[i], text, 0) == 0)
			return true;
	return false;
}

/* That a condition is over for want of news is of use to those that hold state,
 * which are told in any case (conditions_wants), and noise to people: so it has
 * to be named. */
static bool
names_type(const struct settings_receiver *receiver, const char *type)
{
	bool quiet = strcmp(type, RECEIVER_QUIET_TYPE) == 0;

	for (size_t i = 0; i < receiver->event_count; i++) {
		const char *pattern = receiver->events[i];

		if (quiet && strcmp(pattern, "*") == 0)
			continue;
		if (fnmatch(pattern, type, 0) == 0)
			return true;
	}
	return false;
}

static bool
passes_filters(const struct settings_receiver *receiver,
    const struct receiver_event *event)
{
	if (event->severity < receiver->severity)
		return false;
	if (!names_type(receiver, short_type(event->type)))
		return false;
	return receiver->policy_count == 0 ||
	    (event->policy != NULL &&
		matches(
		    receiver->policies, receiver->policy_count, event->policy));
}

static bool
is_move_of_drain(const struct receiver_event *event)
{
	return event->drain != 0 && event->severity < RECEIVER_ERROR &&
	    strncmp(short_type(event->type), "move.", 5) == 0;
}

bool
receiver_wants(const struct settings_receiver *receiver,
    const struct receiver_event *event)
{
	/* A drain that went well, which may be of no policy. */
	static const struct receiver_event summary = {
	    .type = "drain.completed", .severity = RECEIVER_INFO};

	if (!passes_filters(receiver, event))
		return false;
	return (group_by(receiver) & RECEIVER_GROUP_DRAIN) == 0 ||
	    !is_move_of_drain(event) || !passes_filters(receiver, &summary);
}

static size_t
add_part(char out[RECEIVER_GROUP_SIZE], size_t len, const char *what,
    const char *value)
{
	int size;

	if (value == NULL || value[0] == '\0' || len >= RECEIVER_GROUP_SIZE)
		return len;
	size = snprintf(out + len, RECEIVER_GROUP_SIZE - len, "%s%s=%.*s",
	    len > 0 ? "/" : "", what, NAME_MAX_SHOWN, value);
	return len + (size_t)size;
}

void
receiver_group_key(const struct settings_receiver *receiver,
    const struct receiver_event *event, char out[RECEIVER_GROUP_SIZE])
{
	unsigned by = group_by(receiver);
	const char *type = short_type(event->type);
	char number[24];
	size_t len = 0;

	out[0] = '\0';
	if (receiver->group_wait_ms == 0 || event->severity >= RECEIVER_ERROR)
		return;
	/* The start and the summary of a drain are one message each. */
	if ((by & RECEIVER_GROUP_DRAIN) != 0 && is_move_of_drain(event)) {
		snprintf(
		    number, sizeof(number), "%lld", (long long)event->drain);
		len = add_part(out, len, "drain", number);
	}
	if ((by & RECEIVER_GROUP_HOST) != 0)
		len = add_part(out, len, "host", event->host);
	if ((by & RECEIVER_GROUP_POLICY) != 0)
		len = add_part(out, len, "policy", event->policy);
	if ((by & RECEIVER_GROUP_TYPE) != 0)
		(void)add_part(out, len, "type", type);
}

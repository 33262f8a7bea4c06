/*
 * What each type of event says to a person: a headline that stands alone in a
 * notification, a sentence with the reason or the outcome, and the figures.
 *
 * Any member may be missing: events of an older droverd are replayed, too.
 */
#include "notify/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "notify/text.h"

#define ANY "?" /* in the place of a name that is not there */

static const char *
name_of(const struct message_event *e, const char *key)
{
	const char *name = message_get(e, key, MESSAGE_NAME_MAX);

	return name != NULL ? name : ANY;
}

static const char *
duration_of(const struct message_event *e, const char *key)
{
	int64_t ms = message_count(e, key);
	char text[UNITS_TEXT_SIZE];

	if (ms < 0)
		return NULL;
	units_format_duration(ms, text);
	return arena_strdup(e->arena, text);
}

static const char *
bytes_of(const struct message_event *e, const char *key)
{
	int64_t bytes = message_count(e, key);
	char text[UNITS_TEXT_SIZE];

	if (bytes < 0)
		return NULL;
	units_format_bytes(bytes, text);
	return arena_strdup(e->arena, text);
}

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* Two sentences; NULL where there is none of them. */
static const char *
sentences(struct arena *arena, const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return arena_printf(arena, "%s %s", a, b);
}

/* Reasons of rules and hypervisors begin in lower case and have no dot. */
static const char *
sentence(struct arena *arena, const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;
	char *copy;

	if (n == 0)
		return NULL;
	copy = arena_printf(
	    arena, "%s%s", text, strchr(".!?", text[n - 1]) != NULL ? "" : ".");
	return copy;
}

/* ---- moves ---- */

static const char *
how(const char *strategy)
{
	if (strategy == NULL)
		return NULL;
	if (strcmp(strategy, "live-shared") == 0)
		return "live, over shared storage";
	if (strcmp(strategy, "live-copy") == 0)
		return "live, with its disks copied";
	if (strcmp(strategy, "restart") == 0)
		return "by a restart";
	return strategy;
}

static struct message_event
why_of(const struct message_event *e)
{
	return (struct message_event){.arena = e->arena,
	    .type = e->type,
	    .data = json_object_get(e->data, "why")};
}

static void
add_move_fields(struct message *m, const struct message_event *e)
{
	struct message_event why = why_of(e);
	int64_t attempts = message_count(e, "attempts");
	const char *policy = message_get(&why, "policy", MESSAGE_NAME_MAX);
	const char *rule = message_get(&why, "rule", MESSAGE_NAME_MAX);

	message_add_field(
	    m, "Strategy", message_get(e, "strategy", MESSAGE_NAME_MAX));
	message_add_field(m, "Duration", duration_of(e, "duration_ms"));
	message_add_field(m, "Downtime", duration_of(e, "downtime_ms"));
	message_add_field(m, "Transferred", bytes_of(e, "bytes"));
	if (policy != NULL && rule != NULL && strcmp(policy, rule) != 0)
		policy = arena_printf(e->arena, "%s (%s)", policy, rule);
	message_add_field(m, "Policy", policy);
	message_add_field(
	    m, "Reason", message_get(&why, "text", MESSAGE_TEXT_MAX));
	if (attempts > 1)
		message_add_field(
		    m, "Attempt", arena_printf(e->arena, "%" PRId64, attempts));
}

static void
describe_move_started(struct message *m, const struct message_event *e)
{
	m->title = arena_printf(e->arena, "%s is moving from %s to %s",
	    name_of(e, "guest"), name_of(e, "from"), name_of(e, "to"));
	add_move_fields(m, e);
}

static void
describe_move_completed(struct message *m, const struct message_event *e)
{
	const char *took = duration_of(e, "duration_ms");
	const char *down = duration_of(e, "downtime_ms");
	const char *way = how(message_get(e, "strategy", MESSAGE_NAME_MAX));
	const char *remark = message_get(e, "remark", MESSAGE_TEXT_MAX);
	const char *text = NULL;

	m->title = arena_printf(e->arena, "%s moved from %s to %s",
	    name_of(e, "guest"), name_of(e, "from"), name_of(e, "to"));
	if (way != NULL && took != NULL)
		text = arena_printf(e->arena, "It moved %s, in %s%s%s.", way,
		    took, down != NULL ? ", with a downtime of " : "",
		    or_empty(down));
	m->text = sentences(e->arena, text, sentence(e->arena, remark));
	add_move_fields(m, e);
}

/* What went wrong, in the words of the manual where they are known. */
static void
add_error(struct message *m, const struct message_event *e)
{
	const char *error = message_get(e, "error", MESSAGE_TEXT_MAX);
	const char *cause = message_get(e, "cause", MESSAGE_TEXT_MAX);
	const char *remedy = message_get(e, "remedy", MESSAGE_TEXT_MAX);

	m->text = cause != NULL ? sentences(e->arena, cause, remedy)
				: sentence(e->arena, error);
	if (cause != NULL)
		message_add_field(m, "Error", error);
	message_add_field(
	    m, "Remark", message_get(e, "remark", MESSAGE_TEXT_MAX));
	add_move_fields(m, e);
}

static void
describe_move_failed(struct message *m, const struct message_event *e)
{
	const char *outcome = or_empty(message_get(e, "outcome", 32));
	const char *guest = name_of(e, "guest"), *from = name_of(e, "from"),
		   *to = name_of(e, "to");

	if (strcmp(outcome, "aborted") == 0)
		m->title = arena_printf(e->arena,
		    "Moving %s from %s to %s was aborted", guest, from, to);
	else if (strcmp(outcome, "stuck") == 0)
		m->title = arena_printf(e->arena,
		    "Moving %s from %s to %s is stuck: somebody has to decide",
		    guest, from, to);
	else
		m->title = arena_printf(e->arena,
		    "%s could not be moved from %s to %s", guest, from, to);
	add_error(m, e);
}

static void
describe_move_rolled_back(struct message *m, const struct message_event *e)
{
	m->title = arena_printf(e->arena,
	    "%s stays on %s: its move to %s was rolled back",
	    name_of(e, "guest"), name_of(e, "from"), name_of(e, "to"));
	add_error(m, e);
}

/* ---- drains ---- */

static void
add_count(struct message *m, const struct message_event *e, const char *name,
    const char *key)
{
	int64_t n = message_count(e, key);

	if (n > 0)
		message_add_field(
		    m, name, arena_printf(e->arena, "%" PRId64, n));
}

static void
add_drain_fields(struct message *m, const struct message_event *e)
{
	add_count(m, e, "Moved", "moved");
	add_count(m, e, "Blocked", "blocked");
	add_count(m, e, "Excepted", "excepted");
	add_count(m, e, "Failed attempts", "failed");
	message_add_field(m, "Duration", duration_of(e, "duration_ms"));
	if (message_count(e, "bytes") > 0)
		message_add_field(m, "Transferred", bytes_of(e, "bytes"));
	message_add_field(
	    m, "Reason", message_get(e, "reason", MESSAGE_TEXT_MAX));
	message_add_field(m, "By", message_get(e, "by", MESSAGE_NAME_MAX));
}

static void
describe_drain_started(struct message *m, const struct message_event *e)
{
	m->title =
	    arena_printf(e->arena, "Draining %s has begun", name_of(e, "host"));
	add_drain_fields(m, e);
}

static const char *
guests(struct arena *arena, int64_t n)
{
	return arena_printf(arena, "%" PRId64 " guest%s", n, n == 1 ? "" : "s");
}

static void
describe_drain_completed(struct message *m, const struct message_event *e)
{
	int64_t moved = message_count(e, "moved");
	int64_t excepted = message_count(e, "excepted");
	const char *host = name_of(e, "host");

	m->title = moved >= 0
	    ? arena_printf(e->arena, "%s is drained: %s moved", host,
		  guests(e->arena, moved))
	    : arena_printf(e->arena, "%s is drained", host);
	if (excepted > 0)
		m->text = arena_printf(e->arena,
		    "%s stayed, as the policy excepts %s.",
		    guests(e->arena, excepted), excepted == 1 ? "it" : "them");
	message_add_rows(m, e->data);
	add_drain_fields(m, e);
}

static void
describe_drain_blocked(struct message *m, const struct message_event *e)
{
	int64_t total = message_count(e, "total");
	int64_t moved = message_count(e, "moved");
	const char *host = name_of(e, "host");

	m->title = total > 0 && moved >= 0 && moved <= total
	    ? arena_printf(e->arena,
		  "Draining %s is blocked: %" PRId64 " of %s remain%s", host,
		  total - moved, guests(e->arena, total),
		  total - moved == 1 ? "s" : "")
	    : arena_printf(e->arena, "Draining %s is blocked", host);
	message_add_rows(m, e->data);
	m->text = sentence(e->arena, message_get(e, "why", MESSAGE_TEXT_MAX));
	if (m->text == NULL && m->row_count > 0 && m->rows[0].why != NULL)
		m->text = sentence(e->arena,
		    arena_printf(
			e->arena, "%s: %s", m->rows[0].guest, m->rows[0].why));
	add_drain_fields(m, e);
}

/* ---- hosts, policies, the configuration ---- */

static void
describe_decision(struct message *m, const struct message_event *e)
{
	const char *host = message_get(e, "host", MESSAGE_NAME_MAX);
	const char *state = or_empty(message_get(e, "state", 32));
	bool waits = strcmp(state, "waiting") == 0;

	m->title = arena_printf(e->arena, "Policy %s %s%s%s",
	    name_of(e, "policy"), waits ? "asks for approval" : "has decided",
	    host != NULL ? " for " : "", or_empty(host));
	m->text = sentence(e->arena, message_get(e, "why", MESSAGE_TEXT_MAX));
	message_add_field(
	    m, "Guests", message_get(e, "summary", MESSAGE_TEXT_MAX));
	message_add_field(m, "Mode", message_get(e, "mode", 32));
	add_count(m, e, "Decision", "id");
	message_add_field(
	    m, "Approved by", message_get(e, "approved_by", MESSAGE_NAME_MAX));
	message_add_rows(m, e->data);
}

static void
describe_host_lost(struct message *m, const struct message_event *e)
{
	m->title = arena_printf(
	    e->arena, "%s cannot be reached any more", name_of(e, "host"));
	m->text = sentence(e->arena, message_get(e, "why", MESSAGE_TEXT_MAX));
}

static void
describe_host_recovered(struct message *m, const struct message_event *e)
{
	m->title = arena_printf(e->arena, "%s is back", name_of(e, "host"));
}

static void
describe_host_flag(struct message *m, const struct message_event *e)
{
	const char *host = name_of(e, "host");

	if (json_is_true(json_object_get(e->data, "maintenance")))
		m->title = arena_printf(
		    e->arena, "%s is in maintenance from now on", host);
	else if (json_is_true(json_object_get(e->data, "cordoned")))
		m->title = arena_printf(
		    e->arena, "%s is cordoned: it takes no guests", host);
	else
		m->title =
		    arena_printf(e->arena, "%s takes guests again", host);
	message_add_field(
	    m, "Reason", message_get(e, "reason", MESSAGE_TEXT_MAX));
	message_add_field(m, "By", message_get(e, "by", MESSAGE_NAME_MAX));
	message_add_field(
	    m, "Set through", message_get(e, "source", MESSAGE_NAME_MAX));
}

static void
describe_host_claimed(struct message *m, const struct message_event *e)
{
	const char *by = message_get(e, "by", MESSAGE_NAME_MAX);

	m->title = arena_printf(e->arena, "%s is managed by another Drover%s%s",
	    name_of(e, "host"), by != NULL ? ": " : "", or_empty(by));
	m->text = "This one leaves it alone.";
}

static void
describe_host_released(struct message *m, const struct message_event *e)
{
	m->title = arena_printf(
	    e->arena, "%s is managed by this Drover again", name_of(e, "host"));
}

static void
describe_policy_mode(struct message *m, const struct message_event *e)
{
	m->title = arena_printf(e->arena, "Policy %s is in mode %s now",
	    name_of(e, "policy"), name_of(e, "mode"));
	message_add_field(m, "Before", message_get(e, "before", 32));
	message_add_field(m, "In the file", message_get(e, "file_mode", 32));
	message_add_field(m, "By", message_get(e, "by", MESSAGE_NAME_MAX));
}

static void
add_fault_lines(struct message *m, const struct message_event *e)
{
	const char *faults =
	    json_string_value(json_object_get(e->data, "faults"));

	if (faults == NULL)
		return;
	m->lines = arena_array(e->arena, MESSAGE_LINES_MAX, sizeof(*m->lines));
	while (*faults != '\0') {
		size_t n = strcspn(faults, "\n");

		if (n > 0 && m->line_count < MESSAGE_LINES_MAX)
			m->lines[m->line_count++] = text_line(e->arena,
			    arena_strndup(e->arena, faults, n),
			    MESSAGE_TEXT_MAX);
		else if (n > 0)
			m->lines_left_out++;
		faults += n + (faults[n] == '\n');
	}
}

static void
describe_config_rejected(struct message *m, const struct message_event *e)
{
	m->title = "The new configuration was rejected";
	m->text = sentences(e->arena,
	    sentence(e->arena, message_get(e, "error", MESSAGE_TEXT_MAX)),
	    "The running one stays.");
	add_fault_lines(m, e);
}

static void
describe_config_accepted(struct message *m, const struct message_event *e)
{
	m->title = "The new configuration is in force";
	add_count(m, e, "Hosts", "hosts");
	add_count(m, e, "Policies", "policies");
	add_count(m, e, "Receivers", "receivers");
}

static void
describe_receiver_disabled(struct message *m, const struct message_event *e)
{
	m->title = arena_printf(e->arena, "Receiver %s gets nothing any more",
	    name_of(e, "receiver"));
	m->text = sentences(e->arena,
	    sentence(e->arena, message_get(e, "why", MESSAGE_TEXT_MAX)),
	    "Repair it, or take it out of the configuration.");
}

static void
describe_receiver_enabled(struct message *m, const struct message_event *e)
{
	m->title = arena_printf(
	    e->arena, "Receiver %s is sent to again", name_of(e, "receiver"));
	m->text = sentence(e->arena, message_get(e, "why", MESSAGE_TEXT_MAX));
	message_add_field(
	    m, "Disabled since", message_get(e, "since", MESSAGE_NAME_MAX));
}

static void
describe_condition_ended(struct message *m, const struct message_event *e)
{
	m->title =
	    arena_printf(e->arena, "%s is taken for over", name_of(e, "name"));
	m->text = sentence(e->arena, message_get(e, "why", MESSAGE_TEXT_MAX));
	message_add_field(
	    m, "Condition", message_get(e, "condition", MESSAGE_TEXT_MAX));
	message_add_field(
	    m, "Since", message_get(e, "since", MESSAGE_NAME_MAX));
}

static void
describe_test(struct message *m, const struct message_event *e)
{
	m->title = "A test of Drover";
	m->text = sentence(e->arena, message_get(e, "text", MESSAGE_TEXT_MAX));
	message_add_field(
	    m, "Receiver", message_get(e, "receiver", MESSAGE_NAME_MAX));
	message_add_field(m, "By", message_get(e, "by", MESSAGE_NAME_MAX));
}

static const struct {
	const char *type;
	void (*describe)(struct message *m, const struct message_event *e);
} types[] = {
    {"move.started", describe_move_started},
    {"move.completed", describe_move_completed},
    {"move.failed", describe_move_failed},
    {"move.rolled_back", describe_move_rolled_back},
    {"drain.started", describe_drain_started},
    {"drain.completed", describe_drain_completed},
    {"drain.blocked", describe_drain_blocked},
    {"decision.made", describe_decision},
    {"host.lost", describe_host_lost},
    {"host.recovered", describe_host_recovered},
    {"host.maintenance", describe_host_flag},
    {"host.claimed", describe_host_claimed},
    {"host.released", describe_host_released},
    {"policy.mode", describe_policy_mode},
    {"config.rejected", describe_config_rejected},
    {"config.accepted", describe_config_accepted},
    {"receiver.disabled", describe_receiver_disabled},
    {"receiver.enabled", describe_receiver_enabled},
    {"condition.ended", describe_condition_ended},
    {"test", describe_test},
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

bool
message_describe(struct message *m, const struct message_event *e)
{
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (strcmp(types[i].type, e->type) == 0) {
			types[i].describe(m, e);
			return true;
		}
	}
	return false;
}

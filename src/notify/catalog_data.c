/*
 * What is in `data`, type by type.  One table is read by all who need to know:
 * the schemas are written from it, templates are checked against it, the
 * manual's lists are made of it, and the tests hold each event that is really
 * announced against it, also for members that are not in here.  So whoever adds
 * a member to an event adds its line.
 */
#include "notify/catalog_priv.h"

#include <string.h>

#define STRATEGIES "live-shared|live-copy|restart"
#define MODES "off|observe|approve|auto"

#define TEXT(name, meaning)                                                    \
	{                                                                      \
		name, CATALOG_TEXT, false, meaning, NULL, NULL                 \
	}
#define TEXT_ALWAYS(name, meaning)                                             \
	{                                                                      \
		name, CATALOG_TEXT, true, meaning, NULL, NULL                  \
	}
#define WORD(name, words, meaning)                                             \
	{                                                                      \
		name, CATALOG_TEXT, false, meaning, words, NULL                \
	}
#define WORD_ALWAYS(name, words, meaning)                                      \
	{                                                                      \
		name, CATALOG_TEXT, true, meaning, words, NULL                 \
	}
#define TIME(name, meaning)                                                    \
	{                                                                      \
		name, CATALOG_TIME, false, meaning, NULL, NULL                 \
	}
#define TIME_ALWAYS(name, meaning)                                             \
	{                                                                      \
		name, CATALOG_TIME, true, meaning, NULL, NULL                  \
	}
#define COUNT(name, meaning)                                                   \
	{                                                                      \
		name, CATALOG_COUNT, false, meaning, NULL, NULL                \
	}
#define COUNT_ALWAYS(name, meaning)                                            \
	{                                                                      \
		name, CATALOG_COUNT, true, meaning, NULL, NULL                 \
	}
#define FLAG(name, meaning)                                                    \
	{                                                                      \
		name, CATALOG_FLAG, false, meaning, NULL, NULL                 \
	}
#define LIST(name, of, meaning)                                                \
	{                                                                      \
		name, CATALOG_OBJECTS, false, meaning, NULL, of                \
	}
#define LIST_ALWAYS(name, of, meaning)                                         \
	{                                                                      \
		name, CATALOG_OBJECTS, true, meaning, NULL, of                 \
	}
#define END                                                                    \
	{                                                                      \
		NULL, CATALOG_TEXT, false, NULL, NULL, NULL                    \
	}

const struct catalog_field catalog_envelope[] = {
    WORD_ALWAYS("specversion", "1.0", "version of CloudEvents"),
    TEXT_ALWAYS("id", "number of the event, the same at each delivery"),
    TEXT_ALWAYS("source", "/drover/ and the site of drover.yaml"),
    TEXT_ALWAYS("type", "drover. and the type"),
    TEXT("subject", "what it is about"),
    TIME_ALWAYS("time", "when it happened"),
    WORD_ALWAYS("severity", "info|warning|error", "how grave it is"),
    TEXT("datacontenttype", "application/json"),
    END,
};

/* ---- moves ---- */

static const struct catalog_field move_why[] = {
    COUNT("decision", "number of the decision; droverctl decision show"),
    TEXT("policy", "the policy that wants it; absent: an operator does"),
    TEXT_ALWAYS("rule", "file and line of its conditions, or \"operator\""),
    TEXT("text", "the reason, for people"),
    END,
};

static const struct catalog_field move_fields[] = {
    TEXT_ALWAYS("guest", "name of the guest"),
    TEXT_ALWAYS("uuid", "UUID of the guest"),
    TEXT_ALWAYS("from", "the host that it leaves"),
    TEXT_ALWAYS("to", "the host that it goes to"),
    WORD_ALWAYS("strategy", STRATEGIES, "how it moves"),
    COUNT_ALWAYS("move", "number of the move; droverctl move show"),
    COUNT_ALWAYS("attempts", "which attempt this is, from 1"),
    {"why", CATALOG_OBJECT, true, "why it moves", NULL, move_why},
    WORD("handover", "strict|fast", "handover of a live move"),
    COUNT("drain", "number of the drain that it belongs to"),
    END,
};

static const struct catalog_field move_completed[] = {
    WORD_ALWAYS("outcome", "completed", "how it ended"),
    COUNT_ALWAYS("duration_ms", "from its start to its end"),
    TEXT("remark", "what a person should know of its end"),
    COUNT_ALWAYS("total_ms", "the same as duration_ms"),
    COUNT("downtime_ms", "how long the guest stood still"),
    WORD("downtime_source", "qemu|measured", "who says so"),
    COUNT("bytes", "bytes that went over the network"),
    COUNT("memory_bytes", "those of its memory"),
    COUNT("disk_bytes", "those of its disks"),
    COUNT("iterations", "rounds over the guest's memory"),
    COUNT("job_ms", "how long libvirt's migration took"),
    TIME("kept_until", "until when the images stay at the source"),
    COUNT("link_rate", "bytes per second that moves to this host get"),
    COUNT("predicted_ms", "how long it should have taken"),
    COUNT("predicted_downtime_ms", "how long it should have stood still"),
    {"prediction_error_percent", CATALOG_INTEGER, false,
	"25: it took a quarter longer; -20: a fifth less", NULL, NULL},
    END,
};

static const struct catalog_field move_failed[] = {
    WORD_ALWAYS("outcome", "failed|aborted|stuck",
	"how it ended; stuck: a person has to look at it"),
    COUNT_ALWAYS("duration_ms", "from its start to its end"),
    TEXT("remark", "what a person should know of its end"),
    TEXT("error", "what went wrong"),
    TEXT("error_token", "a word for the cause; see droverd(8)"),
    TEXT("cause", "the cause in a sentence"),
    TEXT("remedy", "what to do"),
    END,
};

static const struct catalog_field move_rolled_back[] = {
    WORD_ALWAYS("outcome", "rolled-back", "how it ended"),
    COUNT_ALWAYS("duration_ms", "from its start to its end"),
    TEXT("remark", "what a person should know of its end"),
    TEXT("error", "what went wrong"),
    TEXT("error_token", "a word for the cause; see droverd(8)"),
    TEXT("cause", "the cause in a sentence"),
    TEXT("remedy", "what to do"),
    END,
};

/* ---- drains ---- */

static const struct catalog_field refusal[] = {
    WORD_ALWAYS("strategy", STRATEGIES "|none", "the way"),
    TEXT_ALWAYS("rule", "the rule that refuses it; see drover-policy(7)"),
    TEXT("why", "the reason"),
    FLAG("wait", "it may become possible by itself"),
    END,
};

static const struct catalog_field rejection[] = {
    TEXT_ALWAYS("host", "a host that cannot take it"),
    TEXT_ALWAYS("rule", "the rule that refuses it; see drover-policy(7)"),
    TEXT("why", "the reason"),
    LIST("strategies", refusal, "each way, and why not"),
    END,
};

static const struct catalog_field drain_started[] = {
    COUNT_ALWAYS("drain", "number of the drain"),
    TEXT_ALWAYS("host", "the host that is emptied"),
    TEXT_ALWAYS("by", "who asked for it"),
    TEXT("reason", "the reason that was given"),
    END,
};

static const struct catalog_field drain_guest[] = {
    TEXT_ALWAYS("guest", "name of the guest"),
    TEXT_ALWAYS("uuid", "UUID of the guest"),
    WORD_ALWAYS("outcome",
	"moved|failed|rolled-back|blocked|moving|waiting|stayed|gone",
	"what became of it; stayed: the policy leaves it here, gone: it was "
	"shut down or moved by others"),
    WORD("strategy", STRATEGIES, "how it moved, or tried to"),
    TEXT("to", "where it is now, or was to go"),
    COUNT("duration_ms", "how long its last move took"),
    COUNT("downtime_ms", "how long it stood still"),
    COUNT("attempts", "how many moves it took"),
    TEXT("reason", "why it is still here"),
    END,
};

static const struct catalog_field drain_remaining[] = {
    TEXT_ALWAYS("guest", "name of the guest"),
    WORD_ALWAYS("fate", "moving|waiting|blocked|excepted", "how it stands"),
    TEXT("why", "the reason"),
    LIST("rejected", rejection,
	"each other host, and why not; of the first guests, to 1000 hosts in "
	"all"),
    END,
};

static const struct catalog_field drain_ended[] = {
    TIME_ALWAYS("started", "when it began"),
    TIME_ALWAYS("ended", "when this was found"),
    COUNT_ALWAYS("duration_ms", "the time between the two"),
    TEXT("to", "the only host that guests were to go to"),
    FLAG("force_off", "--force-off was given"),
    FLAG("include_stopped", "--include-stopped was given"),
    FLAG("return_home", "--return-home was given"),
    TIME("deadline", "all should be out by then"),
    COUNT("parallel", "moves at a time that were asked for"),
    TEXT("why", "the whole of it is blocked"),
    COUNT_ALWAYS("total", "guests, but for those that are gone"),
    COUNT_ALWAYS("moved", "guests that have moved"),
    COUNT_ALWAYS("moving", "guests that are moving"),
    COUNT_ALWAYS("waiting", "guests that wait for their turn"),
    COUNT_ALWAYS("blocked", "guests that cannot move"),
    COUNT_ALWAYS("excepted", "guests that the policy leaves here"),
    COUNT_ALWAYS(
	"failed", "moves that failed, also of guests that moved later"),
    COUNT_ALWAYS("bytes", "bytes that went over the network"),
    LIST_ALWAYS("guests", drain_guest,
	"each guest, those that remain first; at most 1000"),
    COUNT("guests_omitted", "guests that are not listed"),
    LIST_ALWAYS("remaining", drain_remaining,
	"those that remain, with the reasons; at most 1000"),
    END,
};

/* ---- decisions ---- */

static const struct catalog_field seen[] = {
    WORD_ALWAYS("condition", "host|vm|cluster|event", "what it is about"),
    WORD_ALWAYS("phase", "off|pending|on", "whether it holds, or begins to"),
    TEXT("text", "the condition with the figures that were seen"),
    TIME("since", "when that began"),
    END,
};

static const struct catalog_field item_disk[] = {
    TEXT("target", "the disk's name in the guest"),
    TEXT("path", "path at the source"),
    TEXT("format", "format of the image"),
    TEXT("pool", "pool at the target"),
    TEXT("volume", "volume at the target"),
    TEXT("dest_path", "path at the target"),
    TEXT("backing", "image that it is based on"),
    COUNT("capacity", "its size in bytes"),
    COUNT("allocation", "bytes that hold data"),
    FLAG("replace", "an old image of it is in the way"),
    END,
};

static const struct catalog_field item[] = {
    TEXT_ALWAYS("vm", "name of the guest"),
    TEXT_ALWAYS("uuid", "UUID of the guest"),
    TEXT_ALWAYS("from", "its host"),
    WORD_ALWAYS("fate", "start|moving|wait|blocked|excepted|enough",
	"what becomes of it"),
    TEXT("to", "the host that was chosen"),
    WORD("strategy", STRATEGIES "|none", "how it would move"),
    WORD("storage", "shared|local|mixed|diskless", "where its disks are"),
    WORD("handover", "strict|fast", "handover of a live move"),
    COUNT("predicted_ms", "how long it should take"),
    COUNT("predicted_downtime_ms", "how long it should stand still"),
    COUNT("forced_downtime_ms", "if it had to be stopped for it to end"),
    {"converge", CATALOG_TEXTS, false, "what is tried so that it ends", NULL,
	NULL},
    LIST("disks", item_disk, "disks that are copied"),
    COUNT("disk_bytes", "how much of them"),
    {"ejects", CATALOG_TEXTS, false, "media that are taken out", NULL, NULL},
    TEXT("caution", "where libvirt may still say no"),
    LIST("strategies", refusal, "ways that were not taken, and why"),
    TEXT("why", "the reason"),
    LIST("rejected", rejection, "hosts that were not taken, and why"),
    COUNT("rejected_left_out", "how many of them are not listed"),
    COUNT("wave", "wave of the plan"),
    END,
};

static const struct catalog_field decision_made[] = {
    COUNT_ALWAYS("id", "number of the decision; droverctl decision show"),
    TEXT_ALWAYS("policy", "the policy that decided"),
    TEXT("host", "the host that it is about; absent: all hosts"),
    WORD_ALWAYS("mode", MODES, "mode of the policy"),
    WORD_ALWAYS("state", "waiting|on|ended", "waiting: for droverctl approve"),
    TEXT_ALWAYS("summary", "what becomes of the guests, counted"),
    TIME_ALWAYS("at", "when it began"),
    TIME("updated", "when it was last another one"),
    TIME("ended", "when it ended"),
    TEXT("approved_by", "who approved of it"),
    TEXT("file", "file of the policy"),
    COUNT("line", "line in it"),
    FLAG("home", "it is about guests that come back"),
    FLAG("approved", "somebody approved of it"),
    {"actions", CATALOG_TEXTS, false, "what the policy does", NULL, NULL},
    TIME("since", "when its conditions came on"),
    TEXT("why", "the reason"),
    TEXT("gate", "what holds it back"),
    LIST("seen", seen, "each condition as it was seen"),
    LIST("items", item, "each guest"),
    COUNT("items_left_out", "how many of them are not listed"),
    END,
};

/* ---- hosts, policies, configuration ---- */

static const struct catalog_field host_recovered[] = {
    TEXT_ALWAYS("host", "name of the host"),
    END,
};

static const struct catalog_field host_lost[] = {
    TEXT("why", "the error"),
    END,
};

static const struct catalog_field host_maintenance[] = {
    {"maintenance", CATALOG_FLAG, true, "the flag as it is now", NULL, NULL},
    {"cordoned", CATALOG_FLAG, true, "the flag as it is now", NULL, NULL},
    TEXT_ALWAYS("source", "what set it: operator, file, api or policy"),
    TEXT_ALWAYS("by", "who set or cleared it"),
    TEXT("reason", "the reason that was given"),
    END,
};

static const struct catalog_field host_claimed[] = {
    TEXT("by", "who acts on it"),
    END,
};

static const struct catalog_field policy_mode[] = {
    TEXT_ALWAYS("policy", "name of the policy"),
    WORD_ALWAYS("mode", MODES, "the mode as it is now"),
    WORD_ALWAYS("before", MODES, "the mode that it had"),
    WORD_ALWAYS("file_mode", MODES, "the mode that its file says"),
    TEXT_ALWAYS("by", "who changed it"),
    END,
};

static const struct catalog_field config_rejected[] = {
    TEXT_ALWAYS("error", "what is wrong, in short"),
    TEXT("faults", "each fault, one per line, with its place"),
    END,
};

static const struct catalog_field config_accepted[] = {
    COUNT_ALWAYS("hosts", "hosts that are configured now"),
    COUNT_ALWAYS("policies", "policies that are configured now"),
    COUNT_ALWAYS("receivers", "receivers that are configured now"),
    END,
};

static const struct catalog_field receiver_disabled[] = {
    TEXT_ALWAYS("receiver", "name of the receiver"),
    TEXT_ALWAYS("why", "what it answered"),
    COUNT("code", "the status of its answer"),
    TIME_ALWAYS("since", "when that was"),
    END,
};

static const struct catalog_field receiver_enabled[] = {
    TEXT_ALWAYS("receiver", "name of the receiver"),
    TIME_ALWAYS("since", "when it was disabled"),
    TEXT_ALWAYS("why", "what enabled it"),
    END,
};

static const struct catalog_field condition_ended[] = {
    TEXT_ALWAYS("condition", "its key, as \"host-lost/kvm3\""),
    TEXT_ALWAYS("name", "its name, as \"DroverHostLost\""),
    TIME_ALWAYS("since", "when it began"),
    TEXT_ALWAYS("why", "why it is taken for over"),
    END,
};

static const struct catalog_field test[] = {
    TEXT_ALWAYS("text", "a text for people"),
    TEXT("receiver", "the receiver that is tried"),
    TEXT("by", "who asked for it"),
    END,
};

const struct catalog_data catalog_data[] = {
    {"move.started", NULL, move_fields, "vm/GUEST",
	"When the intent to move the guest is on disk, before anything is "
	"done."},
    {"move.completed", "move.started", move_completed, "vm/GUEST",
	"When the guest runs at the target and the source has let go of it."},
    {"move.failed", "move.started", move_failed, "vm/GUEST",
	"When the guest did not move, or nobody can say where it is."},
    {"move.rolled_back", "move.started", move_rolled_back, "vm/GUEST",
	"When the move was undone: the guest is at the source again."},
    {"drain.started", NULL, drain_started, "host/HOST",
	"When a host begins to be emptied."},
    {"drain.completed", "drain.started", drain_ended, "host/HOST",
	"When no guest is left on the host, but for those that the policy "
	"leaves there."},
    {"drain.blocked", "drain.completed", NULL, "host/HOST",
	"When nothing moves any more and guests remain.  The drain goes on by "
	"itself when one of them can move again."},
    {"decision.made", NULL, decision_made, "policy/POLICY",
	"When the conditions of a policy come on, and when guests are to be "
	"moved that were not before."},
    {"host.lost", "host.recovered", host_lost, "host/HOST",
	"When the connection to a host breaks, or the first one fails."},
    {"host.recovered", NULL, host_recovered, "host/HOST",
	"When a host that was lost is connected and listed again."},
    {"host.maintenance", "host.recovered", host_maintenance, "host/HOST",
	"When a host's maintenance or cordon flag is set or cleared."},
    {"host.claimed", "host.recovered", host_claimed, "host/HOST",
	"When another droverd is found to act on the host.  Nothing is begun "
	"there meanwhile."},
    {"host.released", "host.recovered", NULL, "host/HOST",
	"When the other droverd has let go of it."},
    {"policy.mode", NULL, policy_mode, "policy/POLICY",
	"When an operator changes a policy's mode."},
    {"config.rejected", NULL, config_rejected, "config",
	"When a reload is refused; the running configuration stays."},
    {"config.accepted", NULL, config_accepted, "config",
	"When a reload succeeds after one that was refused."},
    {"receiver.disabled", NULL, receiver_disabled, "receiver/RECEIVER",
	"When a receiver has answered 410 Gone: it is sent nothing more."},
    {"receiver.enabled", NULL, receiver_enabled, "receiver/RECEIVER",
	"When a receiver that was disabled is sent to again."},
    {"condition.ended", NULL, condition_ended, "condition/CONDITION",
	"When something that was wrong is taken for over, and no other event "
	"says so.  It is sent to receivers that name it in their events, which "
	"* does not, and to those of type alertmanager and pagerduty."},
    {"test", NULL, test, "receiver/RECEIVER",
	"When somebody tries a receiver; to that one alone."},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct catalog_data *
catalog_data_find(const char *type)
{
	if (strncmp(type, "drover.", 7) == 0)
		type += 7;
	for (const struct catalog_data *d = catalog_data; d->type != NULL; d++)
		if (strcmp(d->type, type) == 0)
			return d;
	return NULL;
}

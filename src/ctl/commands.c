/*
 * What droverctl can do, as two tables, and the help that is made from them.
 * A new command is a row here and a function in a cmd_*.c.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

#define WAITING (ARGS_NO_WAIT | ARGS_TIMEOUT)
#define DRAINING                                                               \
	(ARGS_DRY_RUN | WAITING | ARGS_PARALLEL | ARGS_TO | ARGS_REASON |      \
	    ARGS_FORCE_OFF | ARGS_STOPPED | ARGS_DEADLINE | ARGS_RETURN_HOME)
#define MANY ARGS_WORDS_MAX

#define DRAIN_HELP                                                             \
	"Puts the host into maintenance, so that it takes no guests, and "     \
	"moves all\n"                                                          \
	"its guests to other hosts.  Waits until none is left or until what "  \
	"is left\n"                                                            \
	"cannot move, and shows progress meanwhile.  Ctrl-C stops waiting; "   \
	"the\n"                                                                \
	"drain goes on.  A host that is being drained already is watched.\n"   \
	"A guest that cannot go live is shut down and started elsewhere, if "  \
	"the policy\n"                                                         \
	"allows it; one that does not shut down stays, unless --force-off is " \
	"given.\n"                                                             \
	"With --deadline all shall be out by then; whether that can be met "   \
	"is "                                                                  \
	"said at once.\n"                                                      \
	"With --return-home the guests come back once the host is out of "     \
	"maintenance.\n"                                                       \
	"With --dry-run nothing is done; the plan is shown."
#define UNDRAIN_HELP                                                           \
	"Ends a drain, and clears the maintenance and cordon flags.  Moves "   \
	"that are\n"                                                           \
	"under way are finished.  Guests that have left do not come back by "  \
	"themselves,\n"                                                        \
	"unless it was drained with --return-home."
#define CORDON_HELP "The host takes no more guests.  Those that it has stay."

const struct args_command args_commands[] = {
    {"status", NULL, "", 0, 0, 0, false, ctl_status,
	"how the daemon is, and what it is doing", NULL},
    {"host", "list", "", 0, 0, 0, true, ctl_host_list, "the hosts", NULL},
    {"host", "show", "HOST", 1, 1, 0, true, ctl_host_show,
	"one host and its guests", NULL},
    {"host", "drain", "HOST...", 1, MANY, DRAINING, true, ctl_host_drain,
	"move all guests off", DRAIN_HELP},
    {"host", "undrain", "HOST...", 1, MANY, 0, true, ctl_host_undrain,
	"end maintenance", UNDRAIN_HELP},
    {"host", "cordon", "HOST...", 1, MANY, ARGS_REASON, true, ctl_host_cordon,
	"let no guests in", CORDON_HELP},
    {"host", "uncordon", "HOST...", 1, MANY, 0, true, ctl_host_uncordon,
	"let guests in again", NULL},
    {"alert", "list", "", 0, 0, 0, true, ctl_alert_list,
	"alerts that are on, of all hosts",
	"Alerts that fit no host are shown, too: HOST is then \"(none)\"."},
    {"plan", "drain", "HOST", 1, 1,
	ARGS_PARALLEL | ARGS_TO | ARGS_STOPPED | ARGS_DEADLINE, true,
	ctl_plan_drain, "what a drain would do", NULL},
    {"plan", "balance", "", 0, 0, ARGS_MAX | ARGS_MIN_GAIN | ARGS_SCORE, true,
	ctl_plan_balance, "what would even out the load",
	"Says which moves would even out the load of all hosts, those that "
	"help "
	"most\nfirst, and in which order and time.  Moves nothing."},
    {"explain", NULL, "VM|HOST", 1, 1, ARGS_TO, true, ctl_explain_name,
	"why a guest would go where, and where not",
	"Says in which way a guest would move and to which host, how long that "
	"would\ntake, and for every other way and host the reason why not.  "
	"With --to, only\nthat host is looked at.  Of a host: which policies "
	"hold, and the same for each\nof its guests."},
    {"vm", "list", "", 0, 0, 0, true, ctl_vm_list, "the guests", NULL},
    {"vm", "show", "VM", 1, 1, 0, true, ctl_vm_show,
	"one guest, by name or UUID", NULL},
    {"vm", "move", "VM", 1, 1,
	ARGS_DRY_RUN | WAITING | ARGS_TO | ARGS_STRATEGY | ARGS_FORCE, true,
	ctl_vm_move, "move one guest",
	"Without --to, the best host is chosen.  Waits until the move has "
	"ended, and\nwhere an answer of a host is awaited, until it can begin: "
	"30s, or --timeout.\nWhat policies forbid is refused, unless --force "
	"is given."},
    {"vm", "label", "VM KEY=VALUE|KEY-...", 2, MANY, 0, true, ctl_vm_label,
	"give labels to a guest, or take them back",
	"Labels last, wherever the guest is, and go before those of its "
	"metadata and of\nthe configuration.  KEY- takes one back."},
    {"policy", "list", "", 0, 0, 0, true, ctl_policy_list,
	"the policies, and for which hosts they hold", NULL},
    {"policy", "explain", "NAME", 1, 1, 0, true, ctl_policy_explain,
	"one policy: where it holds, and what it decided last", NULL},
    {"policy", "set-mode", "NAME MODE", 2, 2, 0, true, ctl_policy_set_mode,
	"let a policy act, or only say what it would do",
	"MODE is off, observe, approve, auto, or default: what its file says.  "
	"The mode\nlasts until it is set again, over restarts and reloads."},
    {"policy", "approve", "ID", 1, 1, 0, true, ctl_policy_approve,
	"let a policy of mode approve do what it decided",
	"ID is that of a decision; \"decision list --open\" shows which wait.  "
	"The approval\nholds until the decision has ended."},
    {"decision", "list", "", 0, 0,
	ARGS_POLICY | ARGS_HOST | ARGS_OPEN | ARGS_MAX, true, ctl_decision_list,
	"what policies decided, the newest first", NULL},
    {"decision", "show", "ID", 1, 1, 0, true, ctl_decision_show,
	"one decision: what was seen, what was chosen and why", NULL},
    {"move", "list", "", 0, 0, ARGS_MAX | ARGS_OPEN, true, ctl_move_list,
	"moves, the newest first", NULL},
    {"move", "show", "ID", 1, 1, 0, true, ctl_move_show,
	"one move and its journal", NULL},
    {"move", "watch", "[ID]", 0, 1, ARGS_TIMEOUT, false, ctl_move_watch,
	"follow a move, or all that are in flight",
	"Ends when what it follows has ended."},
    {"move", "abort", "ID", 1, 1, 0, true, ctl_move_abort,
	"stop a move; the guest stays where it is", NULL},
    {"event", "list", "", 0, 0, ARGS_MAX | ARGS_SINCE, true, ctl_event_list,
	"events that are stored", NULL},
    {"event", "follow", "", 0, 0, ARGS_SINCE, true, ctl_event_follow,
	"events as they happen", NULL},
    {"event", "types", "", 0, 0, 0, true, ctl_event_types,
	"types of events that there are", NULL},
    {"event", "schema", "[TYPE]", 0, 1, 0, false, ctl_event_schema,
	"a JSON Schema of the data of a type, or of all", NULL},
    {"event", "sample", "[TYPE]", 0, 1, 0, false, ctl_event_sample,
	"an event of a type, as it is sent, or of all", NULL},
    {"notify", "list", "", 0, 0, 0, true, ctl_notify_list,
	"who is told of events, and how that goes", NULL},
    {"notify", "test", "NAME", 1, 1, ARGS_EVENT, false, ctl_notify_test,
	"send an event to a receiver, to try it",
	"Sends it at once and says what came of it.  Status 1: it was not "
	"accepted.\nWithout --event it is one that says that it is a test."},
    {"notify", "queue", "[NAME]", 0, 1, ARGS_DEAD | ARGS_MAX, true,
	ctl_notify_queue, "what waits to be delivered, the newest first",
	"With --dead, what will not be delivered: it was refused for good, "
	"grew too old,\nor was dropped."},
    {"notify", "show", "ID", 1, 1, 0, true, ctl_notify_show,
	"one delivery: its attempts, and the event", NULL},
    {"notify", "replay", "ID...|NAME", 1, MANY, ARGS_DEAD, true,
	ctl_notify_replay, "deliver again",
	"Dead or delivered ones are sent again under the same webhook-id; "
	"with --dead,\nall dead letters of the receiver NAME.  A receiver that "
	"is disabled is enabled."},
    {"notify", "drop", "ID...|NAME", 1, MANY, ARGS_PENDING | ARGS_DEAD, true,
	ctl_notify_drop, "do not deliver",
	"Pending ones become dead letters, dead letters are deleted; with "
	"--pending or\n--dead, all of the receiver NAME."},
    {"notify", "log", "[NAME]", 0, 1, ARGS_MAX, true, ctl_notify_log,
	"what was sent last, and what was answered", NULL},
    {"snapshot", "save", "FILE", 1, 1, 0, false, ctl_snapshot_save,
	"write all hosts and guests to a file",
	"The file is what simulate takes; FILE - is standard output."},
    {"simulate", NULL, "FILE", 1, 1,
	ARGS_DRAIN | ARGS_BALANCE | ARGS_MAX | ARGS_MIN_GAIN | ARGS_SCORE |
	    ARGS_POLICY | ARGS_FOR | ARGS_AT,
	true, ctl_simulate, "plan for the hosts and guests of a file",
	"Says which moves would empty a host (--drain) or even out the load "
	"(--balance,\nthe default), in which order and time.  Needs no daemon "
	"and moves nothing.\nWith --score alone, only the objective is shown.  "
	"FILE - is standard input.\n"
	"With --policy it says what the policies would do, and why nothing "
	"else, while time\npasses; modes observe and approve are taken as "
	"auto."},
    {"policy", "check", "FILE|DIR...", 1, MANY, ARGS_STRICT | ARGS_CONFIG, true,
	ctl_policy_check, "are files of policies right",
	"Says what is wrong with files of policies, and what loads and is "
	"hardly meant.\nNeeds no daemon.  With --config, receivers and hosts "
	"are those of that file."},
    {"policy", "schema", "", 0, 0, 0, false, ctl_policy_schema,
	"a JSON Schema of them, for editors", NULL},
    {"policy", "test", "DIR|FILE...", 1, MANY, ARGS_VERBOSE, false,
	ctl_policy_test, "test policies against what is expected of them",
	"Plays the tests in all files *_test.yaml below the folders, on sites "
	"and loads\nthat they describe, and reports each expectation as TAP.  "
	"Needs no daemon and\nmoves nothing."},
    {"reload", NULL, "", 0, 0, 0, false, ctl_reload,
	"read the configuration again",
	"A configuration with faults is refused as a whole and the running "
	"one is kept."},
    /* Short for the host commands. */
    {"drain", NULL, "HOST...", 1, MANY, DRAINING, true, ctl_host_drain,
	"short for host drain", DRAIN_HELP},
    {"undrain", NULL, "HOST...", 1, MANY, 0, true, ctl_host_undrain,
	"short for host undrain", UNDRAIN_HELP},
    {"cordon", NULL, "HOST...", 1, MANY, ARGS_REASON, true, ctl_host_cordon,
	"short for host cordon", CORDON_HELP},
    {"uncordon", NULL, "HOST...", 1, MANY, 0, true, ctl_host_uncordon,
	"short for host uncordon", NULL},
    {.noun = NULL},
};

const struct args_flag args_flags[] = {
    {ARGS_DRY_RUN, 0, "dry-run", NULL, "say what would be done"},
    {ARGS_NO_WAIT, 0, "no-wait", NULL, "return once it has started"},
    {ARGS_TIMEOUT, 0, "timeout", "DURATION",
	"stop waiting after 90s, 1h30m, ...; what was started goes on"},
    {ARGS_DEADLINE, 0, "deadline", "TIME",
	"all shall be out by 02:00, or within 45m"},
    {ARGS_PARALLEL, 0, "parallel", "N", "at most N moves at once"},
    {ARGS_TO, 0, "to", "HOST", "only to this host"},
    {ARGS_REASON, 0, "reason", "TEXT", "why, for others to read"},
    {ARGS_STRATEGY, 0, "strategy", "NAME", "live-shared, live-copy or restart"},
    {ARGS_FORCE, 0, "force", NULL, "also where a policy forbids it"},
    {ARGS_FORCE_OFF, 0, "force-off", NULL,
	"cut the power of guests that do not shut down"},
    {ARGS_RETURN_HOME, 0, "return-home", NULL,
	"the guests come back when it is over"},
    {ARGS_STOPPED, 0, "include-stopped", NULL, "also guests that are shut off"},
    {ARGS_DRAIN, 0, "drain", "HOST", "plan to empty this host"},
    {ARGS_BALANCE, 0, "balance", NULL, "plan to even out the load"},
    {ARGS_STRICT, 0, "strict", NULL, "warnings are errors"},
    {ARGS_CONFIG, 'c', "config", "FILE", "the drover.yaml that they are for"},
    {ARGS_SCORE, 0, "score", NULL, "show the objective with its parts"},
    {ARGS_SINCE, 0, "since", "SEQ", "those after this number"},
    {ARGS_MAX, 'n', "max", "N", "at most N rows, or moves of a balance"},
    {ARGS_MIN_GAIN, 0, "min-gain", "X",
	"the least fall of the score by one move of a balance"},
    {ARGS_OPEN, 0, "open", NULL, "only what is under way"},
    {ARGS_EVENT, 0, "event", "TYPE", "of which type, move.completed, ..."},
    {ARGS_DEAD, 0, "dead", NULL, "dead letters"},
    {ARGS_PENDING, 0, "pending", NULL, "what waits to be delivered"},
    {ARGS_VERBOSE, 'v', "verbose", NULL, "also what was decided when"},
    {ARGS_POLICY, 0, "policy", "NAME|FILE",
	"only of this policy; what these policies would do"},
    {ARGS_FOR, 0, "for", "DURATION", "so much time passes: 1h, up to 7d"},
    {ARGS_AT, 0, "at", "TIME", "as if it were 2026-01-05 22:00 in UTC"},
    {ARGS_HOST, 0, "host", "HOST", "only about this host"},
    {ARGS_SOCKET, 's', "socket", "PATH",
	"the daemon's socket (else $DROVER_SOCKET, " ARGS_DEFAULT_SOCKET ")"},
    {ARGS_OUTPUT, 'o', "output", "FORMAT", "table, wide, json or name"},
    {ARGS_HELP, 'h', "help", NULL, "this"},
    {ARGS_VERSION, 'V', "version", NULL, "the version"},
    {.name = NULL},
};

static void
add_command_name(const struct args_command *c, struct buf *out)
{
	buf_adds(out, c->noun);
	if (c->verb != NULL)
		buf_addf(out, " %s", c->verb);
}

static void
add_flags(uint64_t options, struct buf *out)
{
	char text[64];

	for (const struct args_flag *f = args_flags; f->name != NULL; f++) {
		if (!(options & f->option))
			continue;
		snprintf(text, sizeof(text), "--%s%s%s", f->name,
		    f->value != NULL ? " " : "",
		    f->value != NULL ? f->value : "");
		if (f->letter != '\0')
			buf_addf(out, "  -%c, ", f->letter);
		else
			buf_adds(out, "      ");
		buf_addf(out, "%-20s %s\n", text, f->help);
	}
}

void
args_usage(const struct args_command *command, struct buf *out)
{
	buf_adds(out, "usage: droverctl ");
	if (command == NULL) {
		buf_adds(out, "[options] COMMAND ...\n");
		return;
	}
	add_command_name(command, out);
	buf_adds(out, " [options]");
	if (command->operands[0] != '\0')
		buf_addf(out, " %s", command->operands);
	buf_adds(out, "\n");
}

static void
add_commands(const char *noun, struct buf *out)
{
	for (const struct args_command *c = args_commands; c->noun != NULL;
	     c++) {
		char text[64];

		if (noun != NULL && strcmp(c->noun, noun) != 0)
			continue;
		snprintf(text, sizeof(text), "%s%s%s %s", c->noun,
		    c->verb != NULL ? " " : "", c->verb != NULL ? c->verb : "",
		    c->operands);
		buf_addf(out, "  %-24s %s\n", text, c->brief);
	}
}

void
args_help(const char *noun, const char *verb, struct buf *out)
{
	const struct args_command *c;

	for (c = args_commands; c->noun != NULL; c++)
		if (noun != NULL && strcmp(c->noun, noun) == 0 &&
		    (c->verb == NULL ||
			(verb != NULL && strcmp(c->verb, verb) == 0)))
			break;
	if (c->noun != NULL) {
		args_usage(c, out);
		buf_addf(out, "\n%s%s\n", c->help != NULL ? c->help : c->brief,
		    c->help != NULL ? "" : ".");
		buf_adds(out, "\noptions:\n");
		add_flags(c->options | ARGS_ANY, out);
		return;
	}
	for (c = args_commands; noun != NULL && c->noun != NULL; c++)
		if (strcmp(c->noun, noun) == 0)
			break;
	if (c->noun == NULL)
		noun = NULL;
	args_usage(NULL, out);
	buf_adds(out, "\ncommands:\n");
	add_commands(noun, out);
	buf_adds(out, "\noptions of every command:\n");
	add_flags(ARGS_ANY, out);
	buf_adds(out,
	    "\ndroverctl COMMAND --help says more; so does "
	    "droverctl(1).\n");
}

/*
 * Options may stand anywhere, also before the words that say which command they
 * belong to.  That works because an option means the same in every command that
 * has it: one pass separates options (and their values) from words, then the
 * words name the command, then the command says which of the options that were
 * given it takes.
 */

#include "ctl/args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "config/diag.h"
#include "trial/simulate.h"

#define CANDIDATES_MAX 64
#define MAX_MAX 1000000 /* moves; of rows the daemon gives fewer at once */

struct words {
	const char *at[ARGS_WORDS_MAX];
	int count;
};

/* ---- values ---- */

static int
parse_number(const char *name, const char *text, int64_t min, int64_t max,
    int64_t *out, struct err *err)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < min ||
	    value > max)
		return err_set(err, ERR_INVALID,
		    "--%s %s: a whole number "
		    "from %lld on is wanted",
		    name, text, (long long)min);
	*out = value;
	return 0;
}

static int
parse_gain(const char *text, double *out, struct err *err)
{
	char *end = NULL;
	double value = strtod(text, &end);

	/* strtod() also takes "inf", "nan" and "0x1". */
	if (end == text || *end != '\0' ||
	    text[strspn(text, "0123456789.eE+-")] != '\0' || !(value >= 0) ||
	    isinf(value))
		return err_set(err, ERR_INVALID,
		    "--min-gain %s: a number from 0 on is wanted", text);
	*out = value;
	return 0;
}

static int
parse_output(const char *text, enum args_output *out, struct err *err)
{
	static const char *const names[] = {
	    "table", "wide", "json", "name", NULL};
	const char *nearest;

	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (enum args_output)i;
			return 0;
		}
	nearest = diag_suggest(text, names);
	return err_set(err, ERR_INVALID,
	    "-o %s: table, wide, json or name is "
	    "wanted%s%s%s",
	    text, nearest != NULL ? " (did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "");
}

static int
parse_strategy(const char *text, const char **out, struct err *err)
{
	static const char *const names[] = {
	    "live-shared", "live-copy", "restart", NULL};
	const char *nearest;

	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(text, names[i]) == 0) {
			*out = names[i];
			return 0;
		}
	nearest = diag_suggest(text, names);
	return err_set(err, ERR_INVALID,
	    "--strategy %s: live-shared, live-copy or restart is wanted%s%s%s",
	    text, nearest != NULL ? " (did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "");
}

/* "02:00", or from now: "45m". */
static int
parse_deadline(const char *text, struct args *args, struct err *err)
{
	size_t hour = strspn(text, "0123456789");
	char *end;
	long hours, minutes;

	args->deadline_minute = -1;
	if (text[hour] != ':') {
		if (units_parse_duration(text, &args->deadline_ms, err) == 0 &&
		    args->deadline_ms > 0)
			return 0;
		return err_set(err, ERR_INVALID,
		    "--deadline %s: a time of the day such as 02:00, or a "
		    "duration such as 45m is wanted",
		    text);
	}
	hours = strtol(text, NULL, 10);
	minutes = strtol(text + hour + 1, &end, 10);
	if (hour < 1 || hour > 2 || end != text + hour + 3 || *end != '\0' ||
	    text[hour + 1] < '0' || text[hour + 1] > '5' || hours > 23)
		return err_set(err, ERR_INVALID,
		    "--deadline %s: a time of the day is written as 02:00",
		    text);
	args->deadline_minute = (int)(hours * 60 + minutes);
	return 0;
}

static int
parse_for(const char *text, int64_t *out_ms, struct err *err)
{
	int64_t ms;

	if (units_parse_duration(text, &ms, err) != 0 || ms < 1000 ||
	    ms > SIMULATE_FOR_MAX_MS)
		return err_set(err, ERR_INVALID,
		    "--for %s: a duration from 1s to 7d such as 4h is wanted",
		    text);
	*out_ms = ms;
	return 0;
}

/* A policy, or a file of them. */
static int
add_policy(struct args *args, const char *text, struct err *err)
{
	if (args->policy_count == ARGS_POLICIES_MAX)
		return err_set(err, ERR_INVALID,
		    "--policy is given more than %d times", ARGS_POLICIES_MAX);
	args->policies[args->policy_count++] = args->policy = text;
	return 0;
}

static int
set_option(struct args *args, const struct args_flag *flag, const char *value,
    struct err *err)
{
	int64_t number = 0;
	int result = 0;

	args->given |= flag->option;
	switch (flag->option) {
	case ARGS_DRY_RUN:
	case ARGS_NO_WAIT:
	case ARGS_OPEN:
	case ARGS_FORCE:
	case ARGS_RETURN_HOME:
	case ARGS_FORCE_OFF:
	case ARGS_STOPPED:
	case ARGS_BALANCE:
	case ARGS_SCORE:
	case ARGS_STRICT:
	case ARGS_VERBOSE:
	case ARGS_DEAD:
	case ARGS_PENDING:
	case ARGS_HELP:
	case ARGS_VERSION:
		break;
	case ARGS_TIMEOUT:
		if (units_parse_duration(value, &args->timeout_ms, err) != 0)
			return err_prefix(err, "--timeout");
		break;
	case ARGS_PARALLEL:
		result = parse_number(flag->name, value, 1, 1000, &number, err);
		args->parallel = (int)number;
		break;
	case ARGS_MAX:
		result =
		    parse_number(flag->name, value, 1, MAX_MAX, &number, err);
		args->max = (int)number;
		break;
	case ARGS_MIN_GAIN:
		return parse_gain(value, &args->min_gain, err);
	case ARGS_SINCE:
		result = parse_number(
		    flag->name, value, 0, INT64_MAX, &args->since, err);
		break;
	case ARGS_DEADLINE:
		return parse_deadline(value, args, err);
	case ARGS_TO:
		args->to = value;
		break;
	case ARGS_REASON:
		args->reason = value;
		break;
	case ARGS_DRAIN:
		args->drain = value;
		break;
	case ARGS_CONFIG:
		args->config = value;
		break;
	case ARGS_POLICY:
		return add_policy(args, value, err);
	case ARGS_EVENT:
		args->event = value;
		break;
	case ARGS_FOR:
		return parse_for(value, &args->for_ms, err);
	case ARGS_AT:
		if (trial_parse_start(value, &args->at))
			break;
		return err_set(err, ERR_INVALID,
		    "--at %s: a time in UTC such as \"2026-01-05 22:00\" is "
		    "wanted",
		    value);
	case ARGS_HOST:
		args->host = value;
		break;
	case ARGS_STRATEGY:
		return parse_strategy(value, &args->strategy, err);
	case ARGS_SOCKET:
		args->socket = value;
		break;
	case ARGS_OUTPUT:
		result = parse_output(value, &args->output, err);
		break;
	}
	return result;
}

/* ---- options ---- */

static int
unknown_option(const char *text, size_t len, struct err *err)
{
	const char *names[CANDIDATES_MAX] = {NULL};
	const char *nearest = NULL;
	char word[64];

	for (size_t i = 0; args_flags[i].name != NULL; i++)
		names[i] = args_flags[i].name;
	if (len > 2 && len - 2 < sizeof(word)) {
		memcpy(word, text + 2, len - 2);
		word[len - 2] = '\0';
		nearest = diag_suggest(word, names);
	}
	if (nearest != NULL)
		return err_set(err, ERR_INVALID,
		    "unknown option %.*s (did you "
		    "mean --%s?)",
		    (int)len, text, nearest);
	return err_set(err, ERR_INVALID, "unknown option %.*s", (int)len, text);
}

/* Takes argv[*i] as an option, and argv[*i + 1] when that is its value. */
static int
take_option(
    int argc, char *const *argv, int *i, struct args *args, struct err *err)
{
	const char *text = argv[*i], *value = NULL;
	bool is_long = text[1] == '-';
	size_t len = is_long ? strcspn(text, "=") : 2;
	const struct args_flag *flag;

	for (flag = args_flags; flag->name != NULL; flag++)
		if (is_long ? strlen(flag->name) == len - 2 &&
			    memcmp(flag->name, text + 2, len - 2) == 0
			    : flag->letter == text[1])
			break;
	if (flag->name == NULL)
		return unknown_option(text, len, err);
	if (text[len] != '\0')
		value = text + len + (is_long ? 1 : 0);
	if (flag->value == NULL) {
		if (value != NULL)
			return err_set(err, ERR_INVALID, "%.*s takes no value",
			    (int)len, text);
	} else if (value == NULL) {
		if (*i + 1 >= argc)
			return err_set(err, ERR_INVALID, "%s wants a %s", text,
			    flag->value);
		value = argv[++*i];
	}
	return set_option(args, flag, value, err);
}

static int
split(int argc, char *const *argv, struct args *args, struct words *words,
    struct err *err)
{
	bool only_words = false;

	for (int i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && argv[i][0] == '-' &&
		    argv[i][1] != '\0') {
			if (take_option(argc, argv, &i, args, err) != 0)
				return -1;
		} else if (words->count == ARGS_WORDS_MAX) {
			return err_set(err, ERR_INVALID, "more than %d words",
			    ARGS_WORDS_MAX);
		} else {
			words->at[words->count++] = argv[i];
		}
	}
	return 0;
}

/* ---- words ---- */

static void
add_candidate(const char **names, const char *name)
{
	size_t i = 0;

	for (; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return;
	if (i < CANDIDATES_MAX - 1) {
		names[i] = name;
		names[i + 1] = NULL;
	}
}

/* The verbs of `noun`, or all nouns with noun NULL. */
static void
candidates(const char *noun, const char **names)
{
	names[0] = NULL;
	for (const struct args_command *c = args_commands; c->noun != NULL; c++)
		if (noun == NULL)
			add_candidate(names, c->noun);
		else if (strcmp(c->noun, noun) == 0 && c->verb != NULL)
			add_candidate(names, c->verb);
}

static int
unknown_word(const char *noun, const char *word, struct err *err)
{
	const char *names[CANDIDATES_MAX];
	const char *space = noun != NULL ? " " : "";
	const char *before = noun != NULL ? noun : "";
	const char *nearest;
	struct buf list = BUF_INIT(512);

	candidates(noun, names);
	nearest = diag_suggest(word, names);
	if (nearest != NULL)
		return err_set(err, ERR_INVALID,
		    "there is no command \"%s%s%s\""
		    " (did you mean \"%s%s%s\"?)",
		    before, space, word, before, space, nearest);
	for (size_t i = 0; names[i] != NULL; i++)
		buf_addf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	err_set(err, ERR_INVALID,
	    "there is no command \"%s%s%s\"; there is "
	    "%s",
	    before, space, word, buf_str(&list));
	buf_free(&list);
	return -1;
}

static int
find_command(
    const struct words *words, const struct args_command **out, struct err *err)
{
	const char *names[CANDIDATES_MAX];
	struct buf list = BUF_INIT(512);
	bool known = false;

	if (words->count == 0)
		return err_set(err, ERR_INVALID, "a command is wanted");
	for (const struct args_command *c = args_commands; c->noun != NULL;
	     c++) {
		if (strcmp(c->noun, words->at[0]) != 0)
			continue;
		known = true;
		if (c->verb == NULL ||
		    (words->count > 1 && strcmp(c->verb, words->at[1]) == 0)) {
			*out = c;
			return 0;
		}
	}
	if (!known)
		return unknown_word(NULL, words->at[0], err);
	if (words->count > 1)
		return unknown_word(words->at[0], words->at[1], err);
	candidates(words->at[0], names);
	for (size_t i = 0; names[i] != NULL; i++)
		buf_addf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	err_set(err, ERR_INVALID, "%s: which command? %s", words->at[0],
	    buf_str(&list));
	buf_free(&list);
	return -1;
}

/* Letting policies decide, or planning: one of the two. */
static int
check_simulation(const struct args *args, struct err *err)
{
	const uint64_t plans =
	    ARGS_DRAIN | ARGS_BALANCE | ARGS_SCORE | ARGS_MAX | ARGS_MIN_GAIN;
	uint64_t wrong = args->given & plans;

	if ((args->command->options & ARGS_FOR) == 0)
		return 0;
	if ((args->given & ARGS_POLICY) == 0)
		return (args->given & (ARGS_FOR | ARGS_AT)) == 0
		    ? 0
		    : err_set(err, ERR_INVALID,
			  "--for and --at let time pass for policies: "
			  "--policy FILE is wanted");
	for (const struct args_flag *flag = args_flags;
	     wrong != 0 && flag->name != NULL; flag++)
		if (wrong & flag->option)
			return err_set(err, ERR_INVALID,
			    "--%s is for a plan that no policy makes; with "
			    "--policy the policies decide",
			    flag->name);
	return 0;
}

static int
check_command(const struct args *args, struct err *err)
{
	const struct args_command *c = args->command;
	const char *space = c->verb != NULL ? " " : "";
	const char *verb = c->verb != NULL ? c->verb : "";
	uint64_t wrong = args->given & ~(c->options | ARGS_ANY);

	for (const struct args_flag *flag = args_flags; flag->name != NULL;
	     flag++)
		if (wrong & flag->option)
			return err_set(err, ERR_INVALID,
			    "%s%s%s has no option "
			    "--%s",
			    c->noun, space, verb, flag->name);
	if (args->output == ARGS_NAME && !c->names)
		return err_set(err, ERR_INVALID,
		    "%s%s%s has no names to list;"
		    " use -o json",
		    c->noun, space, verb);
	if (args->operand_count < c->min)
		return err_set(err, ERR_INVALID, "%s%s%s: %s is wanted",
		    c->noun, space, verb, c->operands);
	if (args->operand_count > c->max)
		return err_set(err, ERR_INVALID, "%s%s%s: \"%s\" is too much",
		    c->noun, space, verb, args->operands[c->max]);
	if ((args->given & ARGS_DRY_RUN) &&
	    (args->given & (ARGS_NO_WAIT | ARGS_TIMEOUT)))
		return err_set(err, ERR_INVALID,
		    "--dry-run does nothing that "
		    "could be waited for");
	if ((args->given & ARGS_DRAIN) && (args->given & ARGS_BALANCE))
		return err_set(err, ERR_INVALID,
		    "--drain and --balance exclude each other");
	if ((args->given & ARGS_DRAIN) &&
	    (args->given & (ARGS_MAX | ARGS_MIN_GAIN)))
		return err_set(err, ERR_INVALID,
		    "--max and --min-gain are for --balance, not for --drain");
	if ((args->given & ARGS_NO_WAIT) && (args->given & ARGS_TIMEOUT))
		return err_set(err, ERR_INVALID,
		    "--no-wait and --timeout "
		    "exclude each other");
	return check_simulation(args, err);
}

int
args_parse(int argc, char *const *argv, struct args *out, struct err *err)
{
	struct args args = {
	    .timeout_ms = -1, .parallel = -1, .since = -1, .max = -1};
	struct words words = {.count = 0};
	int used;

	if (split(argc, argv, &args, &words, err) != 0)
		return -1;
	if (words.count > 0 && strcmp(words.at[0], "help") == 0) {
		args.given |= ARGS_HELP;
		words.count--;
		memmove(words.at, words.at + 1,
		    sizeof(words.at[0]) * (size_t)words.count);
	}
	if (args.given & (ARGS_HELP | ARGS_VERSION)) {
		if (words.count > 0)
			args.help_noun = words.at[0];
		if (words.count > 1)
			args.help_verb = words.at[1];
		*out = args;
		return 0;
	}
	if (find_command(&words, &args.command, err) != 0)
		return -1;
	used = args.command->verb != NULL ? 2 : 1;
	args.operand_count = words.count - used;
	memcpy(args.operands, words.at + used,
	    sizeof(words.at[0]) * (size_t)args.operand_count);
	if (check_command(&args, err) != 0) {
		out->command = args.command;
		return -1;
	}
	*out = args;
	return 0;
}

#ifndef DROVER_CTL_ARGS_H
#define DROVER_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

/*
 * The command line: words and options in any order.  What exists is in two
 * tables (commands.c); usage and help are made from them.
 */

#define ARGS_WORDS_MAX 256
#define ARGS_POLICIES_MAX 64 /* of --policy */
#define ARGS_DEFAULT_SOCKET "/run/drover/drover.sock"

enum args_output { ARGS_TABLE, ARGS_WIDE, ARGS_JSON, ARGS_NAME };

enum args_option {
	ARGS_DRY_RUN = 1 << 0,
	ARGS_NO_WAIT = 1 << 1,
	ARGS_TIMEOUT = 1 << 2,
	ARGS_PARALLEL = 1 << 3,
	ARGS_TO = 1 << 4,
	ARGS_REASON = 1 << 5,
	ARGS_STRATEGY = 1 << 6,
	ARGS_SINCE = 1 << 7,
	ARGS_MAX = 1 << 8,
	ARGS_OPEN = 1 << 9,
	ARGS_FORCE_OFF = 1 << 10,
	ARGS_STOPPED = 1 << 11,
	ARGS_DRAIN = 1 << 16,
	ARGS_BALANCE = 1 << 17,
	ARGS_SCORE = 1 << 18,
	ARGS_MIN_GAIN = 1 << 19,
	ARGS_STRICT = 1 << 26,
	ARGS_CONFIG = 1 << 27,
	ARGS_VERBOSE = 1 << 24,
	ARGS_DEADLINE = 1 << 25,
	ARGS_FORCE = 1 << 22,
	ARGS_RETURN_HOME = 1 << 23,
	ARGS_POLICY = 1 << 20,
	ARGS_HOST = 1 << 21,
	/* any command */
	ARGS_SOCKET = 1 << 12,
	ARGS_OUTPUT = 1 << 13,
	ARGS_HELP = 1 << 14,
	ARGS_VERSION = 1 << 15,
	/* They are more than an int has bits; gcc and clang make it wider. */
	ARGS_FOR = INT64_C(1) << 32,
	ARGS_AT = INT64_C(1) << 33,
};
#define ARGS_ANY (ARGS_SOCKET | ARGS_OUTPUT | ARGS_HELP | ARGS_VERSION)

struct ctl;

struct args_command {
	const char *noun, *verb; /* verb NULL: the noun says it */
	const char *operands;    /* "HOST...", "" */
	int min, max;            /* operands */
	uint64_t options;        /* besides ARGS_ANY */
	bool names;              /* has -o name */
	int (*run)(struct ctl *ctl);
	const char *brief; /* one line */
	const char *help;  /* paragraphs; NULL: nothing to add */
};

struct args_flag {
	enum args_option option;
	char letter; /* 0: none */
	const char *name;
	const char *value; /* what it takes; NULL: nothing */
	const char *help;
};

extern const struct args_command args_commands[]; /* ends with noun NULL */
extern const struct args_flag args_flags[];       /* ends with name NULL */

struct args {
	const struct args_command *command; /* NULL with help, version */
	const char *operands[ARGS_WORDS_MAX];
	int operand_count;
	uint64_t given;     /* which options */
	const char *socket; /* NULL: not given */
	enum args_output output;
	int64_t timeout_ms;                      /* -1: none */
	int parallel;                            /* -1: none */
	const char *to, *reason, *strategy;      /* NULL: not given */
	const char *drain;                       /* a host; NULL: not given */
	const char *config;                      /* a file; NULL: not given */
	const char *policy, *host;               /* NULL: not given */
	const char *policies[ARGS_POLICIES_MAX]; /* each --policy */
	int policy_count;
	int64_t for_ms;  /* with ARGS_FOR */
	struct wall at;  /* with ARGS_AT */
	int64_t since;   /* -1: none */
	int max;         /* -1: none */
	double min_gain; /* with ARGS_MIN_GAIN */
	/* With ARGS_DEADLINE: a minute of the local day, or -1, and then so many
	 * ms from now. */
	int deadline_minute;
	int64_t deadline_ms;
	/* With ARGS_HELP, how far it names a command; may be NULL. */
	const char *help_noun, *help_verb;
};

/* Strings point into argv.  -1: ERR_INVALID, with a suggestion if there is
 * one, and out->command when it got that far (for its usage).  With --help or
 * --version nothing else is checked. */
int args_parse(int argc, char *const *argv, struct args *out, struct err *err);

/* Help of everything (noun NULL), of a noun's commands, or of one command. */
void args_help(const char *noun, const char *verb, struct buf *out);
/* "usage: droverctl host drain [options] HOST..." */
void args_usage(const struct args_command *command, struct buf *out);

#endif

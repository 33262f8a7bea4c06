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

/* Which options: bits of a uint64_t. */
#define ARGS_DRY_RUN (UINT64_C(1) << 0)
#define ARGS_NO_WAIT (UINT64_C(1) << 1)
#define ARGS_TIMEOUT (UINT64_C(1) << 2)
#define ARGS_PARALLEL (UINT64_C(1) << 3)
#define ARGS_TO (UINT64_C(1) << 4)
#define ARGS_REASON (UINT64_C(1) << 5)
#define ARGS_STRATEGY (UINT64_C(1) << 6)
#define ARGS_SINCE (UINT64_C(1) << 7)
#define ARGS_MAX (UINT64_C(1) << 8)
#define ARGS_OPEN (UINT64_C(1) << 9)
#define ARGS_FORCE_OFF (UINT64_C(1) << 10)
#define ARGS_STOPPED (UINT64_C(1) << 11)
#define ARGS_DRAIN (UINT64_C(1) << 12)
#define ARGS_BALANCE (UINT64_C(1) << 13)
#define ARGS_SCORE (UINT64_C(1) << 14)
#define ARGS_MIN_GAIN (UINT64_C(1) << 15)
#define ARGS_STRICT (UINT64_C(1) << 16)
#define ARGS_CONFIG (UINT64_C(1) << 17)
#define ARGS_VERBOSE (UINT64_C(1) << 18)
#define ARGS_DEADLINE (UINT64_C(1) << 19)
#define ARGS_FORCE (UINT64_C(1) << 20)
#define ARGS_RETURN_HOME (UINT64_C(1) << 21)
#define ARGS_POLICY (UINT64_C(1) << 22)
#define ARGS_HOST (UINT64_C(1) << 23)
#define ARGS_DEAD (UINT64_C(1) << 24)
#define ARGS_PENDING (UINT64_C(1) << 25)
#define ARGS_EVENT (UINT64_C(1) << 26)
#define ARGS_FOR (UINT64_C(1) << 27)
#define ARGS_AT (UINT64_C(1) << 28)
/* of any command */
#define ARGS_SOCKET (UINT64_C(1) << 60)
#define ARGS_OUTPUT (UINT64_C(1) << 61)
#define ARGS_HELP (UINT64_C(1) << 62)
#define ARGS_VERSION (UINT64_C(1) << 63)
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
	uint64_t option;
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
	const char *event;                       /* a type; NULL: not given */
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

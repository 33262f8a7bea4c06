/*
 * droverctl: the operator's hand on droverd.  It asks over the control socket
 * and keeps nothing; whatever it starts goes on without it.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/ctl.h"
#include "ctl/term.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static const char *
socket_path(const struct args *args)
{
	const char *from_env = getenv("DROVER_SOCKET");

	if (args->socket != NULL)
		return args->socket;
	return from_env != NULL && from_env[0] != '\0' ? from_env
						       : ARGS_DEFAULT_SOCKET;
}

static int
refuse(const struct args *args, const struct err *err)
{
	struct buf usage = BUF_INIT(4096);

	args_usage(args->command, &usage);
	ctl_say("%s", err->msg);
	fprintf(stderr, "%sdroverctl --help says more\n", buf_str(&usage));
	buf_free(&usage);
	return CTL_USAGE;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {0};
	struct err err = {0};
	struct buf help = BUF_INIT(65536);
	int status;

	setlocale(LC_CTYPE, "");
	if (args_parse(argc, argv, &ctl.args, &err) != 0)
		return refuse(&ctl.args, &err);
	if (ctl.args.given & ARGS_HELP) {
		args_help(ctl.args.help_noun, ctl.args.help_verb, &help);
		ctl_print(&help);
		return CTL_DONE;
	}
	if (ctl.args.given & ARGS_VERSION) {
		printf("droverctl (Drover) %s\n", PACKAGE_VERSION);
		return CTL_DONE;
	}
	ctl.style = term_style(&ctl.live);
	ctl.http = http_new(socket_path(&ctl.args), &term_stop);
	status = ctl.args.command->run(&ctl);
	http_free(ctl.http);
	/* A full disk behind a redirection is a failure too. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		ctl_say("what was to be written to the output is lost");
		return status == CTL_DONE ? CTL_FAILED : status;
	}
	return status;
}

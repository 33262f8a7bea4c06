/*
 * droverd: reads the command line, then builds the daemon, runs it, and takes it
 * down.  Reads as the list of what the program can be asked to do.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "selftest.h"
#include "daemon.h"

#define DEFAULT_CONFIG SYSCONFDIR "/drover/drover.yaml"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 6 };

static void
usage(FILE *to)
{
	(void)fprintf(to,
	    "usage: droverd [-c FILE] [-t | -T] [-v]\n"
	    "\n"
	    "  -c FILE  configuration (default " DEFAULT_CONFIG ")\n"
	    "  -t       check the configuration and the policies, and exit\n"
	    "  -T       the same, then connect to each host and check access\n"
	    "  -v       say more in the log; twice the same\n"
	    "  -V       print the version\n"
	    "  -h       this text\n"
	    "\n"
	    "Runs in the foreground. See droverd(8) and drover.yaml(5).\n");
}

static int
run(const char *config)
{
	struct err err = {0};
	char *faults = NULL;
	struct daemon *daemon = daemon_new(config, &faults, &err);
	int rc;

	if (daemon == NULL) {
		if (faults != NULL)
			(void)fputs(faults, stderr);
		log_error("daemon", "%s", err.msg);
		rc = faults != NULL ? EXIT_CONFIG : EXIT_FAILURE;
		free(faults);
		return rc;
	}
	rc = daemon_run(daemon);
	daemon_free(daemon);
	log_info("daemon", "ended");
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	const char *config = DEFAULT_CONFIG;
	int c, test = 0;

	while ((c = getopt(argc, argv, "c:tTvVh")) != -1) {
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case 't':
			test = 1;
			break;
		case 'T':
			test = 2;
			break;
		case 'v':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'V':
			(void)printf("droverd %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "droverd: unexpected argument \"%s\"\n",
		    argv[optind]);
		usage(stderr);
		return EXIT_USAGE;
	}
	if (test != 0)
		return selftest_run(config, test == 2);
	return run(config);
}

/*
 * agent - as much of a guest agent as a shutdown needs.
 *
 * libvirt speaks JSON lines to it over a virtio port: before each command a
 * guest-sync with a number that must come back, then the command.  The request
 * to shut down is told on the console, so that a test sees which way it came.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static int
agent_answer(int port, const char *text)
{
	size_t len = strlen(text);

	return write(port, text, len) == (ssize_t)len ? 0 : -1;
}

static int
agent_obey(int port, const char *line)
{
	const char *id = strstr(line, "\"id\":");
	char out[64];

	if (strstr(line, "\"guest-sync") != NULL && id != NULL) {
		snprintf(out, sizeof(out), "{\"return\":%llu}\n",
		    strtoull(id + 5, NULL, 10));
		return agent_answer(port, out);
	}
	if (strstr(line, "\"guest-ping\"") != NULL)
		return agent_answer(port, "{\"return\":{}}\n");
	if (strstr(line, "\"guest-shutdown\"") == NULL)
		return agent_answer(port,
		    "{\"error\":{\"class\":\"CommandNotFound\","
		    "\"desc\":\"not known here\"}}\n");
	printf("agent: asked to shut down\n");
	fflush(stdout);
	return reboot(RB_POWER_OFF);
}

int
main(int argc, char **argv)
{
	char line[4096];
	size_t have = 0;
	int port = argc == 2 ? open(argv[1], O_RDWR) : -1;

	if (port < 0) {
		fprintf(stderr, "usage: agent PORT\n");
		return 2;
	}
	for (;;) {
		ssize_t n = read(port, line + have, sizeof(line) - 1 - have);
		char *end;

		if (n <= 0) {
			/* nobody is at the other end */
			usleep(200000);
			continue;
		}
		have += (size_t)n;
		line[have] = '\0';
		while ((end = strchr(line, '\n')) != NULL) {
			*end = '\0';
			(void)agent_obey(port, line);
			have -= (size_t)(end + 1 - line);
			memmove(line, end + 1, have + 1);
		}
		if (have == sizeof(line) - 1)
			have = 0;
	}
}

/*
 * See sink.h.  Requests come one after the other on a connection, since curl
 * does not pipeline; so a connection is a buffer that is emptied when the
 * request in it is whole.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SINK_REQUEST_MAX (64 * 1024)

struct sink_connection {
	int fd, run;
	size_t len;
	char data[SINK_REQUEST_MAX + 1];
};

struct sink {
	int fd, epoll, port, run;
	int (*answer)(const char *body, int run, void *arg);
	void *arg;
	struct sink_connection *connections[SINK_CONNECTIONS_MAX];
};

static void
sink_die(const char *what)
{
	perror(what);
	exit(1);
}

static void
sink_watch(struct sink *sink, int fd, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

	if (epoll_ctl(sink->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		sink_die("epoll_ctl");
}

struct sink *
sink_new(int (*answer)(const char *body, int run, void *arg), void *arg)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sink *sink = calloc(1, sizeof(*sink));
	socklen_t len = sizeof(addr);

	if (sink == NULL)
		abort();
	sink->answer = answer;
	sink->arg = arg;
	sink->epoll = epoll_create1(EPOLL_CLOEXEC);
	sink->fd =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sink->epoll < 0 || sink->fd < 0 ||
	    bind(sink->fd, (struct sockaddr *)&addr, len) != 0 ||
	    getsockname(sink->fd, (struct sockaddr *)&addr, &len) != 0)
		sink_die("socket");
	sink->port = ntohs(addr.sin_port);
	return sink;
}

int
sink_port(const struct sink *sink)
{
	return sink->port;
}

void
sink_open(struct sink *sink)
{
	if (listen(sink->fd, SINK_CONNECTIONS_MAX) != 0)
		sink_die("listen");
	sink_watch(sink, sink->fd, NULL);
}

void
sink_set_run(struct sink *sink, int run)
{
	sink->run = run;
}

static void
sink_accept(struct sink *sink)
{
	int fd = accept4(sink->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int one = 1, i = 0;

	if (fd < 0)
		return;
	while (i < SINK_CONNECTIONS_MAX && sink->connections[i] != NULL)
		i++;
	if (i == SINK_CONNECTIONS_MAX) {
		fprintf(stderr, "more than %d connections\n", i);
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	sink->connections[i] = malloc(sizeof(struct sink_connection));
	if (sink->connections[i] == NULL)
		abort();
	sink->connections[i]->fd = fd;
	sink->connections[i]->run = sink->run;
	sink->connections[i]->len = 0;
	sink_watch(sink, fd, sink->connections[i]);
}

static void
sink_close(struct sink *sink, struct sink_connection *c)
{
	for (int i = 0; i < SINK_CONNECTIONS_MAX; i++) {
		if (sink->connections[i] == c)
			sink->connections[i] = NULL;
	}
	close(c->fd);
	free(c);
}

/* The body, if the request is whole. */
static const char *
sink_find_body(const struct sink_connection *c)
{
	const char *end = strstr(c->data, "\r\n\r\n"), *line;
	size_t len = 0;

	if (end == NULL)
		return NULL;
	for (line = c->data; line < end; line = strstr(line, "\r\n") + 2) {
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			len = (size_t)strtoul(line + 15, NULL, 10);
	}
	end += 4;
	return (size_t)(c->data + c->len - end) >= len ? end : NULL;
}

static void
sink_read(struct sink *sink, struct sink_connection *c)
{
	ssize_t n = recv(c->fd, c->data + c->len, SINK_REQUEST_MAX - c->len, 0);
	const char *body;
	char answer[128];
	int len, code;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		sink_close(sink, c);
		return;
	}
	c->len += (size_t)n;
	c->data[c->len] = '\0';
	body = sink_find_body(c);
	if (body == NULL)
		return;
	code = sink->answer(body, c->run, sink->arg);
	c->len = 0;
	len = snprintf(answer, sizeof(answer),
	    "HTTP/1.1 %d Answer\r\nContent-Length: 0\r\n\r\n", code);
	if (send(c->fd, answer, (size_t)len, MSG_NOSIGNAL) != len)
		sink_close(sink, c);
}

void
sink_serve(struct sink *sink, int wait_ms)
{
	struct epoll_event events[64];
	int count = epoll_wait(sink->epoll, events, 64, wait_ms);

	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == NULL)
			sink_accept(sink);
		else
			sink_read(sink, events[i].data.ptr);
	}
}

void
sink_free(struct sink *sink)
{
	for (int i = 0; i < SINK_CONNECTIONS_MAX; i++) {
		if (sink->connections[i] != NULL)
			sink_close(sink, sink->connections[i]);
	}
	close(sink->fd);
	close(sink->epoll);
	free(sink);
}

/*
 * What droverctl shows, from the daemon's answers written out as JSON (with '
 * for ", so that they can be read here), and how its command line is
 * understood.
 */

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/stream.h"
#include "ctl/table.h"
#include "ctl/watch.h"
#include "ctl_helper.h"

static void
show(void (*render)(const json_t *, const struct style *, bool, struct buf *),
    const char *text, bool wide)
{
	json_t *json = parse(text);

	buf_clear(&out);
	render(json, &pipe_style, wide, &out);
	json_decref(json);
}

/* ---- text ---- */

START_TEST(width_is_what_a_terminal_shows)
{
	ck_assert_uint_eq(text_width(""), 0);
	ck_assert_uint_eq(text_width("web1"), 4);
	ck_assert_uint_eq(text_width("größe"), 5);
	ck_assert_uint_eq(text_width("仮想"), 4);
	ck_assert_uint_eq(text_width("e\xcc\x81t"), 2); /* e + accent */
	ck_assert_uint_eq(text_width("🚚"), 2);
	ck_assert_uint_eq(text_width("a\xff"
				     "b"),
	    3);
	ck_assert_uint_eq(text_width("a\xe4\xbb"), 3); /* cut in the middle */
	ck_assert_uint_eq(text_width("a\tb"), 3);
}
END_TEST

START_TEST(names_cannot_drive_the_terminal)
{
	text_add(&out,
	    "a\033[2Jb\r\nc\x7f"
	    "d\xc2\x9b"
	    "e\xe2\x80\xae"
	    "f");
	expect_text("a?[2Jb??c?d?e?f");
	text_add(&out, "\xc0\xaf\xed\xa0\x80\xf5");
	expect_text("??????");
}
END_TEST

START_TEST(cutting_keeps_characters_whole)
{
	text_add_cut(&out, "仮想マシン", 10, true);
	expect_text("仮想マシン");
	text_add_cut(&out, "仮想マシン", 6, true);
	expect_text("仮想…");
	text_add_cut(&out, "abcdef", 4, false);
	expect_text("abc~");
	text_add_cut(&out, "abcdef", 0, true);
	expect_text("");
}
END_TEST

/* ---- tables ---- */

#define HOSTS                                                                  \
	"{'hosts': [{'name': 'kvm1', 'state': 'up', 'vms': 12, "               \
	"'cpus': 64, 'cpu_used': 31.25, 'memory': 274877906944, "              \
	"'memory_free': 1610612736, 'maintenance': true, 'cordoned': true, "   \
	"'reason': 'new disks', 'uri': 'qemu:///system', "                     \
	"'labels': {'rack': 'r1', 'zone': 'a'}}, "                             \
	"{'name': '仮想機', 'state': 'down', 'down_reason': 'no route'}]}"

START_TEST(tables_line_up_and_say_what_is_not_known)
{
	show(render_hosts, HOSTS, false);
	expect_text(
	    "HOST    STATE            GUESTS  CPUS  USED     MEMORY     FREE"
	    "  IN  OUT  REASON\n"
	    "kvm1    up, maintenance      12    64  31.2  256.0 GiB  1.5 GiB"
	    "   -    -  new disks\n"
	    "仮想機  down                  -     -     -          -        -"
	    "   -    -  no route\n");
	show(render_hosts, HOSTS, true);
	expect_part("qemu:///system  rack=r1,zone=a  new disks");
	show(render_hosts, "{'hosts': []}", false);
	expect_text("");
}
END_TEST

START_TEST(the_load_that_policies_see_is_shown_where_it_is_known)
{
	show(render_host,
	    "{'name': 'kvm1', 'state': 'up', 'cpus': 16, 'cpu_smooth': 4.0, "
	    "'memory_smooth': 0.5, 'steal': 0.031, 'psi_cpu': 0.1}",
	    false);
	expect_part("25 % cpu, 50 % memory, 3 % steal, 10 % pressure on cpu\n");
	show(render_host, "{'name': 'kvm1', 'state': 'up', 'cpus': 16}", false);
	ck_assert_ptr_null(strstr(buf_str(&out), "load"));
	show(render_vm,
	    "{'name': 'web1', 'vcpus': 2, 'cpu_smooth': 0.5, "
	    "'disk_iops': 119.6, 'net_rate': 3145728.5}",
	    false);
	expect_part(
	    "25 % cpu, 120 requests/s to disks, 3.0 MiB/s of network\n");
	show(render_vm, "{'name': 'web1', 'net_rate': 0.0}", false);
	expect_part(" 0 B/s of network\n");
	show(render_vm, "{'name': 'web1', 'vcpus': 2}", false);
	ck_assert_ptr_null(strstr(buf_str(&out), "load"));
}
END_TEST

START_TEST(alerts_are_listed_with_their_hosts)
{
	show(render_alerts,
	    "{'alerts': [{'name': 'DiskFailing', 'severity': 'critical', "
	    "'host': 'kvm1', 'labels': {'alertname': 'DiskFailing', "
	    "'device': 'sda', 'severity': 'critical'}}, "
	    "{'labels': {'job': 'x'}}]}",
	    false);
	expect_text("HOST    ALERT        SEVERITY  SINCE\n"
		    "kvm1    DiskFailing  critical  -\n"
		    "(none)  -            -         -\n");
	show(render_alerts,
	    "{'alerts': [{'name': 'A', 'labels': {'alertname': 'A', "
	    "'device': 'sda', 'job': 'node'}}]}",
	    true);
	expect_part("  device=sda,job=node\n");
	show(render_alerts, "{'alerts': []}", false);
	expect_text("");
}
END_TEST

START_TEST(one_host_shows_its_alerts)
{
	show(render_host,
	    "{'name': 'kvm1', 'state': 'up', 'alerts': [{'name': 'Hot', "
	    "'severity': 'warning', 'labels': {'zone': 'a'}}]}",
	    false);
	expect_part("ALERT  SEVERITY  SINCE  LABELS\n"
		    "Hot    warning   -      zone=a\n");
}
END_TEST

START_TEST(a_host_that_another_daemon_acts_on_says_which)
{
	show(render_hosts,
	    "{'hosts': [{'name': 'kvm1', 'state': 'claimed', "
	    "'claimed_by': 'lab at adm2, /var/lib/drover, 1f', "
	    "'reason': 'old'}]}",
	    false);
	expect_part("kvm1  claimed");
	expect_part("lab at adm2, /var/lib/drover, 1f\n");
}
END_TEST

START_TEST(nothing_is_cut_in_a_pipe_and_rows_fit_a_terminal)
{
	struct style terminal = {.utf8 = true, .width = 70};
	json_t *hosts = parse(
	    "{'hosts': [{'name': 'a-host-with-a-long-name."
	    "example.org', 'state': 'up', 'reason': 'because it was said so "
	    "by somebody who knows a lot about it'}]}");
	size_t lines;

	render_hosts(hosts, &pipe_style, false, &out);
	expect_part("a-host-with-a-long-name.example.org");
	expect_part("by somebody who knows a lot about it");
	buf_clear(&out);
	render_hosts(hosts, &terminal, false, &out);
	ck_assert_uint_le(widest_line(&lines), 70);
	expect_part("…");
	json_decref(hosts);
}
END_TEST

START_TEST(colour_is_there_only_when_asked_for)
{
	struct style colour = {.utf8 = true, .colour = true};
	json_t *hosts = parse(HOSTS);

	render_hosts(hosts, &pipe_style, false, &out);
	expect_no_part("\033");
	buf_clear(&out);
	render_hosts(hosts, &colour, false, &out);
	expect_part("\033[31mdown\033[0m");
	json_decref(hosts);
}
END_TEST

START_TEST(guests_moves_and_plans_are_shown)
{
	show(render_vms,
	    "{'vms': [{'name': 'web1', 'uuid': 'u-1', 'host': "
	    "'kvm1', 'state': 'running', 'vcpus': 2, 'memory': 2147483648, "
	    "'moving': true}]}",
	    false);
	expect_part("web1   kvm1  running, moving      2     -  2.0 GiB\n");
	show(render_moves,
	    "{'moves': [{'id': 7, 'vm': 'web1', 'from': 'kvm1',"
	    "'to': 'kvm2', 'strategy': 'live-shared', 'outcome': 'completed',"
	    "'duration_ms': 1210, 'result': {'downtime_ms': 64, 'bytes': "
	    "199229440}}, {'id': 8, 'vm': 'db1', 'state': 'performing', "
	    "'progress': {'percent': 41.7, 'phase': 'pre-copy'}}]}",
	    false);
	expect_part(" 7  web1   kvm1  kvm2  live-shared  completed     1.2 s"
		    "     64 ms  190.0 MiB  -\n");
	expect_part("pre-copy 41%");
	show(render_plan,
	    "{'host': 'kvm1', 'policy': 'maintenance', 'waves': "
	    "1, 'movable': 1, 'blocked': 1, 'steps': [{'vm': 'web1', 'to': "
	    "'kvm2', 'strategy': 'live-shared', 'wave': 1}, {'vm': 'gpu1', "
	    "'fate': 'blocked', 'why': 'no host can take it', 'rejected': "
	    "[{'host': 'kvm2', 'rule': 'pins', 'why': 'PCI passthrough'}]}]}",
	    false);
	expect_part("kvm1: 1 guest would move in 1 wave, 1 blocked "
		    "(policy maintenance)\n");
	expect_part("   1  web1   kvm2  live-shared");
	expect_part("gpu1: blocked: no host can take it\n"
		    "    kvm2: pins: PCI passthrough\n");
	show(render_move_plan,
	    "{'vm': 'a', 'from': 'kvm1', 'to': 'kvm2', "
	    "'strategy': 'live-shared', 'why': 'most free memory'}",
	    false);
	expect_text("a: would move from kvm1 to kvm2 (live-shared): most free "
		    "memory\n");
}
END_TEST

START_TEST(one_thing_is_shown_with_its_details)
{
	show(render_move,
	    "{'id': 7, 'vm': 'web1', 'uuid': 'u-1', 'from': "
	    "'kvm1', 'to': 'kvm2', 'strategy': 'live-shared', 'handover': "
	    "'fast', 'drain': 3, 'attempt': 2, 'outcome': 'failed', 'error': "
	    "'kvm2 is out of memory', 'remedy': 'free some', 'journal': "
	    "[{'at': 'x', 'kind': 'intent', 'step': 'perform'}]}",
	    false);
	expect_part("strategy   live-shared, handover fast\n");
	expect_part("drain      3, attempt 2\n");
	expect_part("error      kvm2 is out of memory\nremedy     free some\n");
	expect_part("x       -  intent  perform  -\n");
	show(render_vm,
	    "{'name': 'a', 'disks': [{'target': 'vda', 'source': "
	    "'/srv/a.img', 'format': 'raw'}], 'nics': [{'kind': 'network', "
	    "'source': 'default'}], 'pins': ['virtiofs share data']}",
	    false);
	expect_part("disks      vda /srv/a.img raw\n");
	expect_part("pinned by  virtiofs share data\n");
	show(render_host,
	    "{'name': 'kvm1', 'state': 'up', 'networks': "
	    "[{'name': 'default', 'active': true}, {'name': 'x', 'active': "
	    "false}], 'guests': [{'name': 'a'}], 'drain': {'host': 'kvm1', "
	    "'moved': 2, 'waiting': 1}}",
	    false);
	expect_part("networks   default, x (inactive)\n");
	expect_part("drain      kvm1: draining: 2 moved, 1 remains\n");
	show(render_status,
	    "{'version': '1', 'site': 'lab', 'hosts': {'up': "
	    "2, 'down': 0, 'maintenance': 1}, 'moves': {'in_flight': 0}, "
	    "'config': {'path': '/c', 'rejected': 'c:1:1: a\\nc:2:2: b'}}",
	    false);
	expect_part("hosts      2 up, 1 in maintenance\n");
	expect_part("guests     - running of -\n");
	expect_part("           c:1:1: a\n           c:2:2: b\n");
}
END_TEST

START_TEST(events_are_one_line_each)
{
	json_t *event = parse(
	    "{'type': 'drover.move.completed', 'subject': "
	    "'vm/web1', 'time': '2026-11-21T03:12:45.123Z', 'data': {'from': "
	    "'kvm1', 'to': 'kvm2', 'strategy': 'live-shared', 'duration_ms': "
	    "1210, 'downtime_ms': 64, 'bytes': 199229440}}");

	setenv("TZ", "UTC", 1);
	render_event(event, &pipe_style, &out);
	expect_text("2026-11-21 03:12:45  move.completed      vm/web1         "
		    "kvm1 to kvm2, in 1.2 s, downtime 64 ms, 190.0 MiB, "
		    "live-shared\n");
	json_decref(event);
	event = parse(
	    "{'type': 'drover.drain.blocked', 'subject': "
	    "'host/kvm1', 'time': '2026-11-21T03:12:45Z', 'data': {'moved': "
	    "3, 'blocked': 1, 'duration_ms': 5200, 'why': {'text': 'b'}}}");
	render_event(event, &pipe_style, &out);
	expect_text("2026-11-21 03:12:45  drain.blocked       host/kvm1       "
		    "in 5.2 s, 3 moved, 1 blocked, b\n");
	json_decref(event);
	event = parse("{}");
	render_event(event, &pipe_style, &out);
	expect_text("-  -                   -\n");
	json_decref(event);
}
END_TEST

/* ---- the command line ---- */

static int
args(struct args *parsed, struct err *err, const char *line)
{
	static char text[512];
	char *argv[32] = {(char *)(uintptr_t) "droverctl"}, *rest;
	int argc = 1;

	memset(parsed, 0, sizeof(*parsed));
	memset(err, 0, sizeof(*err));
	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	return args_parse(argc, argv, parsed, err);
}

START_TEST(options_may_stand_anywhere)
{
	static const char *const lines[] = {
	    "host drain kvm1 kvm2 --to kvm3 --parallel 4 --timeout 1h30m "
	    "-o json -s /tmp/s",
	    "-s /tmp/s -o json --timeout=1h30m --to=kvm3 host --parallel=4"
	    " drain kvm1 kvm2",
	    "--parallel 4 host -ojson drain -s/tmp/s kvm1 --to kvm3 "
	    "--timeout 1h30m -- kvm2",
	};
	struct args parsed;
	struct err err;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_msg(
		    args(&parsed, &err, lines[i]) == 0, "%s", err.msg);
		ck_assert_ptr_eq(parsed.command->run, ctl_host_drain);
		ck_assert_int_eq(parsed.operand_count, 2);
		ck_assert_str_eq(parsed.operands[1], "kvm2");
		ck_assert_str_eq(parsed.to, "kvm3");
		ck_assert_str_eq(parsed.socket, "/tmp/s");
		ck_assert_int_eq(parsed.parallel, 4);
		ck_assert_int_eq(parsed.timeout_ms, 5400000);
		ck_assert_int_eq(parsed.output, ARGS_JSON);
	}
	ck_assert_int_eq(args(&parsed, &err, "vm show -- --odd"), 0);
	ck_assert_str_eq(parsed.operands[0], "--odd");
	ck_assert_int_eq(
	    args(&parsed, &err, "drain --force-off kvm1 --include-stopped"), 0);
	ck_assert((parsed.given & ARGS_FORCE_OFF) != 0);
	ck_assert((parsed.given & ARGS_STOPPED) != 0);
	ck_assert_int_eq(args(&parsed, &err, "drain kvm1 --return-home"), 0);
	ck_assert((parsed.given & ARGS_RETURN_HOME) != 0);
	ck_assert_int_eq(
	    args(&parsed, &err, "vm move a --strategy restart"), 0);
	ck_assert_str_eq(parsed.strategy, "restart");
	ck_assert_int_eq(args(&parsed, &err, "drain kvm1"), 0);
	ck_assert_ptr_eq(parsed.command->run, ctl_host_drain);
}
END_TEST

START_TEST(mistakes_are_answered_with_what_was_meant)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
	    {"", "a command is wanted"},
	    {"hst list", "did you mean \"host\"?"},
	    {"host dran kvm1", "did you mean \"host drain\"?"},
	    {"host zzzzzz", "there is list, show, drain"},
	    {"host", "host: which command? list, show, drain"},
	    {"host drain", "HOST... is wanted"},
	    {"vm show a b", "\"b\" is too much"},
	    {"host drain a --paralel 2", "did you mean --parallel?"},
	    {"host drain a -x", "unknown option -x"},
	    {"host drain a --parallel two", "a whole number from 1 on"},
	    {"host drain a --parallel", "--parallel wants a N"},
	    {"host drain a --dry-run=1", "--dry-run takes no value"},
	    {"host drain a --timeout 5", "--timeout"},
	    {"host drain a --dry-run --timeout 5s", "waited for"},
	    {"host drain a --no-wait --timeout 5s", "exclude"},
	    {"host list --to a", "host list has no option --to"},
	    {"host list -o jsn", "did you mean json?"},
	    {"status -o name", "use -o json"},
	    {"vm move a --strategy live", "did you mean live-"},
	    {"vm move a --strategy", "--strategy wants a NAME"},
	    {"plan drain a --deadline 25:00",
		"--deadline 25:00: a time of the day is written as 02:00"},
	    {"drain a --deadline 2:5",
		"--deadline 2:5: a time of the day is written as 02:00"},
	    {"drain a --deadline soon",
		"--deadline soon: a time of the day such as 02:00, or a "
		"duration such as 45m is wanted"},
	    {"drain a --deadline 0s", "--deadline 0s: a time of the day"},
	    {"vm move a --deadline 1h", "vm move has no option --deadline"},
	    {"plan drain a --force-off", "plan drain has no option"},
	    {"drain a --force", "drain has no option --force"},
	    {"vm move a --return-home", "vm move has no option"},
	    {"move list --max 0", "a whole number from 1 on"},
	};
	struct args parsed;
	struct err err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(args(&parsed, &err, cases[i].line) == -1,
		    "\"%s\" is accepted", cases[i].line);
		ck_assert_int_eq(err.code, ERR_INVALID);
		ck_assert_msg(strstr(err.msg, cases[i].message) != NULL,
		    "\"%s\": %s", cases[i].line, err.msg);
	}
}
END_TEST

START_TEST(every_command_has_help)
{
	struct args parsed;
	struct err err;

	ck_assert_int_eq(args(&parsed, &err, "host drain --help"), 0);
	ck_assert_uint_eq(parsed.given, ARGS_HELP);
	ck_assert_str_eq(parsed.help_verb, "drain");
	ck_assert_int_eq(args(&parsed, &err, "help vm move"), 0);
	ck_assert_str_eq(parsed.help_noun, "vm");
	for (const struct args_command *c = args_commands; c->noun != NULL;
	     c++) {
		char usage[128];

		buf_clear(&out);
		args_help(c->noun, c->verb, &out);
		snprintf(usage, sizeof(usage), "usage: droverctl %s%s%s ",
		    c->noun, c->verb != NULL ? " " : "",
		    c->verb != NULL ? c->verb : "");
		expect_part(usage);
		expect_part("--socket");
	}
	buf_clear(&out);
	args_help("host", NULL, &out);
	expect_part("host undrain HOST...");
	expect_no_part("vm list");
	buf_clear(&out);
	args_help("nothing", NULL, &out);
	expect_part("vm list");
}
END_TEST

/* ---- exit status ---- */

START_TEST(ends_have_their_exit_status)
{
	static const struct {
		const char *drain;
		int status;
	} cases[] = {
	    {"{'state': 'done'}", 0},
	    {"{'state': 'blocked'}", 3},
	    {"{'state': 'cancelled'}", 1},
	    {"{}", 1},
	};
	struct http_reply reply = {.outcome = HTTP_REFUSED};
	json_t *json;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json = parse(cases[i].drain);
		ck_assert_int_eq(watch_drain_exit(json), cases[i].status);
		json_decref(json);
	}
	json = parse("{'outcome': 'completed'}");
	ck_assert_int_eq(watch_move_exit(json), 0);
	json_object_set_new(json, "outcome", json_string("rolled-back"));
	ck_assert_int_eq(watch_move_exit(json), 1);
	json_decref(json);
	reply.err.code = ERR_NOT_FOUND;
	ck_assert_int_eq(ctl_exit_of(&reply), CTL_FAILED);
	reply.err.code = ERR_INVALID;
	ck_assert_int_eq(ctl_exit_of(&reply), CTL_USAGE);
	reply.outcome = HTTP_GONE;
	ck_assert_int_eq(ctl_exit_of(&reply), CTL_NO_DAEMON);
	reply.outcome = HTTP_DENIED;
	ck_assert_int_eq(ctl_exit_of(&reply), CTL_NO_DAEMON);
	reply.outcome = HTTP_INTERRUPTED;
	ck_assert_int_eq(ctl_exit_of(&reply), CTL_DETACHED);
	ck_assert_int_eq(watch_worse(CTL_DONE, CTL_PARTLY), CTL_PARTLY);
	ck_assert_int_eq(watch_worse(CTL_FAILED, CTL_PARTLY), CTL_FAILED);
	ck_assert_int_eq(watch_worse(CTL_NO_DAEMON, CTL_FAILED), CTL_NO_DAEMON);
}
END_TEST

START_TEST(no_daemon_says_what_to_do)
{
	char path[] = "/tmp/check_ctl.XXXXXX", *dir = mkdtemp(path);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct http_reply reply;
	struct http *http;
	int fd;

	ck_assert_ptr_nonnull(dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", dir);
	http = http_new(address.sun_path, NULL);
	http_ask(http, "GET", "/v1/status", NULL, &reply);
	ck_assert_int_eq(reply.outcome, HTTP_GONE);
	ck_assert_ptr_nonnull(strstr(reply.err.msg, "There is no socket"));
	ck_assert_ptr_nonnull(strstr(reply.err.msg, address.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	http_ask(http, "GET", "/v1/status", NULL, &reply);
	ck_assert_int_eq(reply.outcome, HTTP_GONE);
	ck_assert_ptr_nonnull(strstr(reply.err.msg, "Nobody answers"));
	http_free(http);
	unlink(address.sun_path);
	rmdir(dir);
}
END_TEST

START_TEST(names_are_encoded_in_paths)
{
	char *path = ctl_path("/v1/vms/", "a b/ü%?", "/move");

	ck_assert_str_eq(path, "/v1/vms/a%20b%2F%C3%BC%25%3F/move");
	free(path);
}
END_TEST

/* ---- the event stream ---- */

static bool
keep_event(const char *id, const char *data, void *arg)
{
	buf_addf(arg, "[%s:%s]", id, data);
	return strcmp(data, "stop") != 0;
}

START_TEST(events_are_read_from_any_pieces)
{
	static const char bytes[] =
	    "retry: 1000\n\n: hello\n\nid: 7\nevent: x"
	    "\ndata: {\"a\":1}\n\nid:8\ndata:one\ndata: two\n\nid: 9\n"
	    "data: half";
	struct stream stream;

	for (size_t size = 1; size < sizeof(bytes); size++) {
		stream_init(&stream, keep_event, &out);
		for (size_t at = 0; at < sizeof(bytes) - 1; at += size) {
			size_t n = sizeof(bytes) - 1 - at;

			ck_assert(stream_feed(
			    &stream, bytes + at, n < size ? n : size));
		}
		/* 9 was not whole: it has to come again. */
		ck_assert_str_eq(stream.id, "8");
		expect_text("[7:{\"a\":1}][8:one\ntwo]");
		stream_reset(&stream);
		ck_assert(!stream_feed(&stream, "id: 9\ndata: stop\n\n", 18));
		expect_text("[9:stop]");
		stream_free(&stream);
	}
}
END_TEST

static void
add_rendering(Suite *suite)
{
	TCase *text = add_case(suite, "text");

	tcase_add_test(text, width_is_what_a_terminal_shows);
	tcase_add_test(text, names_cannot_drive_the_terminal);
	tcase_add_test(text, cutting_keeps_characters_whole);
	tcase_add_test(text, tables_line_up_and_say_what_is_not_known);
	tcase_add_test(text, alerts_are_listed_with_their_hosts);
	tcase_add_test(text, one_host_shows_its_alerts);
	tcase_add_test(text, a_host_that_another_daemon_acts_on_says_which);
	tcase_add_test(
	    text, the_load_that_policies_see_is_shown_where_it_is_known);
	tcase_add_test(text, nothing_is_cut_in_a_pipe_and_rows_fit_a_terminal);
	tcase_add_test(text, colour_is_there_only_when_asked_for);
	tcase_add_test(text, guests_moves_and_plans_are_shown);
	tcase_add_test(text, one_thing_is_shown_with_its_details);
	tcase_add_test(text, events_are_one_line_each);
}

int
main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *command, *talk;
	SRunner *runner;
	int failed;

	add_rendering(suite);
	command = add_case(suite, "command");
	tcase_add_test(command, options_may_stand_anywhere);
	tcase_add_test(command, mistakes_are_answered_with_what_was_meant);
	tcase_add_test(command, every_command_has_help);
	talk = add_case(suite, "talk");
	tcase_add_test(talk, ends_have_their_exit_status);
	tcase_add_test(talk, no_daemon_says_what_to_do);
	tcase_add_test(talk, names_are_encoded_in_paths);
	tcase_add_test(talk, events_are_read_from_any_pieces);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

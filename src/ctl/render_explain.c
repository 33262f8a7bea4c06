/*
 * Why a guest would go where it would go: what was chosen, and everything that
 * was not, down to the strategies of each host.  A host is explained by its
 * policies and by what would become of each of its guests.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"

static void
add_heading(const char *text, const json_t *list, struct buf *out)
{
	if (json_array_size(list) > 0)
		buf_addf(out, "\n%s\n", text);
}

/* "    live-copy: possible, 12.0 s, downtime 800 ms" */
static void
add_strategy(const json_t *one, struct buf *out)
{
	int64_t downtime = field_int(one, "predicted_downtime_ms");
	int64_t ms = field_int(one, "predicted_ms");
	char text[TEXT_SIZE];

	buf_adds(out, "        ");
	text_add(out, field_text_or(one, "strategy", "-"));
	if (!field_bool(one, "ok")) {
		buf_adds(out, ": ");
		text_add(out, field_text_or(one, "rule", "no"));
		buf_adds(out, ": ");
		text_add(out, field_text_or(one, "why", "-"));
		buf_adds(out, "\n");
		return;
	}
	buf_adds(out, ": possible");
	if (ms != FIELD_UNKNOWN)
		buf_addf(out, ", %s", text_duration(ms, text));
	if (downtime != FIELD_UNKNOWN)
		buf_addf(out, ", downtime %s", text_duration(downtime, text));
	buf_adds(out, "\n");
}

/* Every host, with every strategy to it. */
static void
add_hosts(const json_t *hosts, struct buf *out)
{
	const json_t *host, *one;
	size_t i, k;

	json_array_foreach(hosts, i, host)
	{
		buf_adds(out, i == 0 ? "\n    " : "    ");
		text_add(out, field_text_or(host, "host", "-"));
		if (field_bool(host, "chosen"))
			buf_adds(out, ": chosen");
		else if (field_bool(host, "ok"))
			buf_adds(out, ": possible");
		if (field_text(host, "rule") != NULL) {
			buf_adds(out, ": ");
			text_add(out, field_text(host, "rule"));
		}
		if (field_text(host, "why") != NULL) {
			buf_adds(out, ": ");
			text_add(out, field_text(host, "why"));
		}
		buf_adds(out, "\n");
		json_array_foreach(json_object_get(host, "strategies"), k, one)
		    add_strategy(one, out);
	}
}

static void
add_prediction(const json_t *item, struct buf *out)
{
	int64_t ms = field_int(item, "predicted_ms");
	int64_t downtime = field_int(item, "predicted_downtime_ms");
	int64_t forced = field_int(item, "forced_downtime_ms");
	const json_t *rungs = json_object_get(item, "converge"), *rung;
	struct buf line = BUF_INIT(1024);
	char text[TEXT_SIZE];
	size_t i;

	if (ms != FIELD_UNKNOWN)
		buf_addf(&line, "%s", text_duration(ms, text));
	else if (forced != FIELD_UNKNOWN)
		buf_adds(&line, "no end");
	else
		buf_adds(&line, "unknown: figures are missing");
	if (downtime != FIELD_UNKNOWN)
		buf_addf(&line, ", downtime %s", text_duration(downtime, text));
	if (forced != FIELD_UNKNOWN)
		buf_addf(&line,
		    "; it writes faster than it can be sent: paused, the rest "
		    "would take %s",
		    text_duration(forced, text));
	json_array_foreach(rungs, i, rung)
	    buf_addf(&line, "%s%s", i > 0 ? ", " : "; ends with the help of ",
		json_is_string(rung) ? json_string_value(rung) : "-");
	render_field("predicted", buf_str(&line), out);
	buf_free(&line);
}

/* "kvm2: live-copy, handover strict" */
static void
add_choice(const json_t *item, struct buf *out)
{
	struct buf line = BUF_INIT(4096);
	char text[TEXT_SIZE];

	if (field_text(item, "to") == NULL) {
		render_field(
		    "goes to", field_text_or(item, "fate", "no host"), out);
		return;
	}
	buf_addf(&line, "%s: %s", field_text(item, "to"),
	    field_text_or(item, "strategy", "-"));
	if (field_text(item, "handover") != NULL)
		buf_addf(&line, ", handover %s", field_text(item, "handover"));
	render_field("goes to", buf_str(&line), out);
	render_field("storage", field_text(item, "storage"), out);
	if (field_count(item, "disk_bytes") > 0)
		render_field("copied",
		    text_bytes(field_int(item, "disk_bytes"), text), out);
	add_prediction(item, out);
	buf_free(&line);
}

static void
explain_vm(const json_t *item, struct buf *out)
{
	const json_t *rejected = json_object_get(item, "rejected");
	const json_t *refused = json_object_get(item, "strategies");
	struct buf line = BUF_INIT(4096);

	buf_addf(&line, "%s (%s)", field_text_or(item, "vm", "-"),
	    field_text_or(item, "uuid", "-"));
	render_field("guest", buf_str(&line), out);
	buf_clear(&line);
	buf_adds(&line, field_text_or(item, "from", "-"));
	if (field_text(item, "state") != NULL)
		buf_addf(&line, ", %s", field_text(item, "state"));
	render_field("host", buf_str(&line), out);
	if (field_text(item, "policy") != NULL)
		render_field("policy", field_text(item, "policy"), out);
	add_choice(item, out);
	render_field("why", field_text(item, "why"), out);
	render_home(json_object_get(item, "home"), out);
	if (field_text(item, "caution") != NULL)
		render_field("caution", field_text(item, "caution"), out);
	if (json_object_get(item, "hosts") != NULL) {
		add_hosts(json_object_get(item, "hosts"), out);
	} else {
		add_heading("not in these ways:", refused, out);
		render_refused(refused, "    ", out);
		add_heading("not to these hosts:", rejected, out);
		render_rejected(rejected, out);
	}
	buf_free(&line);
}

/* "maintenance (auto, 10-maintenance.yaml:9): maintenance: false" */
static void
add_policies(const json_t *policies, struct buf *out)
{
	const json_t *policy;
	size_t i;

	json_array_foreach(policies, i, policy)
	{
		struct buf line = BUF_INIT(16384);

		buf_addf(&line, "%s (%s, %s:%lld): %s: %s",
		    field_text_or(policy, "policy", "-"),
		    field_text_or(policy, "mode", "-"),
		    field_text_or(policy, "file", "-"),
		    (long long)field_count(policy, "line"),
		    field_text_or(policy, "when", "-"),
		    field_text_or(policy, "holds", "unknown"));
		render_field(i == 0 ? "policies" : "", buf_str(&line), out);
		buf_free(&line);
	}
	if (json_array_size(policies) == 0)
		render_field("policies", "none", out);
}

static void
explain_host(
    const json_t *host, const struct style *style, bool wide, struct buf *out)
{
	const json_t *step;
	size_t i;

	render_field("host", field_text(host, "host"), out);
	render_field("state", field_text(host, "state"), out);
	add_policies(json_object_get(host, "policies"), out);
	buf_adds(out, "\n");
	render_plan(host, style, wide, out);
	/* render_plan() says why one cannot move; here, why one goes there. */
	json_array_foreach(json_object_get(host, "steps"), i, step)
	{
		const json_t *refused = json_object_get(step, "strategies");
		const json_t *rejected = json_object_get(step, "rejected");

		if (field_text(step, "to") == NULL ||
		    json_array_size(refused) + json_array_size(rejected) == 0)
			continue;
		buf_adds(out, "\n");
		text_add(out, field_text_or(step, "vm", "-"));
		buf_adds(out, ": to ");
		text_add(out, field_text(step, "to"));
		buf_adds(out, " by ");
		text_add(out, field_text_or(step, "strategy", "-"));
		buf_adds(out, ", and not\n");
		render_refused(refused, "    ", out);
		render_rejected(rejected, out);
	}
}

void
render_explain(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	if (strcmp(field_text_or(answer, "kind", ""), "host") == 0)
		explain_host(answer, style, wide, out);
	else
		explain_vm(answer, out);
}

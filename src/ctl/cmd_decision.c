/* Commands on what policies decide, and on what they may do. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"

int
ctl_decision_list(struct ctl *ctl)
{
	const struct args *args = &ctl->args;
	cleanup_free char *policy = args->policy != NULL
	    ? ctl_path("&policy=", args->policy, "")
	    : NULL;
	cleanup_free char *host =
	    args->host != NULL ? ctl_path("&host=", args->host, "") : NULL;
	struct buf path = BUF_INIT(8192);
	int status;

	buf_addf(&path, "/v1/decisions?max=%d%s%s%s",
	    args->max > 0 ? args->max : 20,
	    args->given & ARGS_OPEN ? "&open=1" : "",
	    policy != NULL ? policy : "", host != NULL ? host : "");
	status =
	    ctl_show(ctl, buf_str(&path), "decisions", "id", render_decisions);
	buf_free(&path);
	return status;
}

int
ctl_decision_show(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/decisions/", ctl->args.operands[0], "");

	return ctl_show(ctl, path, NULL, "id", render_decision);
}

int
ctl_policy_list(struct ctl *ctl)
{
	return ctl_show(
	    ctl, "/v1/policies", "policies", "policy", render_policies);
}

int
ctl_policy_explain(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/policies/", ctl->args.operands[0], "");

	return ctl_show(ctl, path, NULL, "policy", render_policy);
}

/* Asks for a change and says what came of it. */
static int
change(struct ctl *ctl, const char *path, json_t *body, const char *name,
    void (*say)(const json_t *answer, struct buf *out))
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	int status = CTL_DONE;
	json_t *answer = ctl_ask(ctl, "POST", path, body, &status);

	if (answer == NULL)
		return status;
	switch (ctl->args.output) {
	case ARGS_JSON:
		ctl_print_json(answer);
		break;
	case ARGS_NAME:
		text_add(&out, name);
		buf_adds(&out, "\n");
		break;
	case ARGS_TABLE:
	case ARGS_WIDE:
		say(answer, &out);
		break;
	}
	ctl_print(&out);
	json_decref(answer);
	return CTL_DONE;
}

int
ctl_policy_set_mode(struct ctl *ctl)
{
	const char *name = ctl->args.operands[0];
	cleanup_free char *path = ctl_path("/v1/policies/", name, "/mode");

	return change(ctl, path,
	    json_pack("{s:s}", "mode", ctl->args.operands[1]), name,
	    render_mode_change);
}

int
ctl_policy_approve(struct ctl *ctl)
{
	const char *id = ctl->args.operands[0];
	cleanup_free char *path = ctl_path("/v1/decisions/", id, "/approve");

	return change(ctl, path, NULL, id, render_approval);
}

/* "app=web" gives a label, "app-" takes it back. */
static json_t *
labels_of(const struct args *args)
{
	json_t *labels = json_object();

	for (int i = 1; i < args->operand_count; i++) {
		const char *word = args->operands[i];
		size_t len = strcspn(word, "=");
		bool gives = word[len] == '=';
		char key[256];

		if (!gives && len > 1 && word[len - 1] == '-')
			len--;
		else if (!gives || len == 0)
			len = 0;
		if (len == 0 || len >= sizeof(key)) {
			ctl_say("%s: key=value, or key- to take it back, is "
				"wanted",
			    word);
			json_decref(labels);
			return NULL;
		}
		memcpy(key, word, len);
		key[len] = '\0';
		if (json_object_get(labels, key) != NULL) {
			ctl_say("%s: the label is given twice", word);
			json_decref(labels);
			return NULL;
		}
		json_object_set_new(labels, key,
		    gives ? json_string(word + len + 1) : json_null());
	}
	return labels;
}

int
ctl_vm_label(struct ctl *ctl)
{
	const char *name = ctl->args.operands[0];
	cleanup_free char *path = ctl_path("/v1/vms/", name, "/labels");
	json_t *labels = labels_of(&ctl->args);

	if (labels == NULL)
		return CTL_USAGE;
	return change(ctl, path, json_pack("{s:o}", "labels", labels), name,
	    render_labels);
}

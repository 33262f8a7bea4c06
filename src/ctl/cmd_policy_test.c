/*
 * Tests of policies: from folders to texts, and from results to standard output.
 * What is in the texts, and what comes of them, is trial/.
 *
 * A file that is wrong does not keep the others from being tested; it counts as
 * one test that has failed, and decides the exit status.  Policies are found from
 * the folder of their test file, so that it does not matter where one stands.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "config/zones.h"
#include "ctl/ctl.h"
#include "trial/report.h"
#include "trial/run.h"

#define ENDING "_test.yaml"
#define FILES_MAX 10000
#define DEPTH_MAX 16
#define TEXT_MAX (TRIAL_SIZE_MAX + 1)
#define FAULTS_MAX ((size_t)1 << 20)
#define PATH_MAX_BYTES 8192

struct testing {
	struct ctl *ctl;
	char **files; /* in order of their names */
	size_t file_count;
	struct buf out;
	struct report report;
	json_t *results; /* of files, with -o json */
	bool wrong;      /* a file was, or could not be read */
};

/* ---- which files ---- */

static char *
join_path(const char *folder, const char *name)
{
	struct buf path = BUF_INIT(PATH_MAX_BYTES);

	buf_addf(&path, "%s%s%s", folder,
	    folder[0] != '\0' && folder[strlen(folder) - 1] == '/' ? "" : "/",
	    name);
	return buf_steal(&path);
}

static bool
is_test(const char *name)
{
	size_t len = strlen(name), end = strlen(ENDING);

	return name[0] != '.' && len > end &&
	    strcmp(name + len - end, ENDING) == 0;
}

static int
add_file(struct testing *t, const char *path)
{
	char **files;

	if (t->file_count == FILES_MAX) {
		ctl_say("more than %d files of tests", FILES_MAX);
		return -1;
	}
	files = realloc(t->files, (t->file_count + 1) * sizeof(*files));
	if (files == NULL)
		abort();
	t->files = files;
	t->files[t->file_count] = strdup(path);
	if (t->files[t->file_count++] == NULL)
		abort();
	return 0;
}

static int
compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
keep_entry(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Links to folders are not followed, since they may lead back. */
static int
add_folder(struct testing *t, const char *folder, int depth)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, keep_entry, compare_entries);
	int rc = 0;

	if (count < 0) {
		ctl_say("%s: %s", folder, strerror(errno));
		return -1;
	}
	for (int i = 0; i < count; i++) {
		cleanup_free char *path = join_path(folder, entries[i]->d_name);
		struct stat st;

		if (rc == 0 && path != NULL && lstat(path, &st) == 0) {
			if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
				rc = add_folder(t, path, depth + 1);
			else if (!S_ISDIR(st.st_mode) &&
			    is_test(entries[i]->d_name))
				rc = add_file(t, path);
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int
find_files(struct testing *t)
{
	for (int i = 0; i < t->ctl->args.operand_count; i++) {
		const char *path = t->ctl->args.operands[i];
		size_t before = t->file_count;
		struct stat st;
		int rc;

		if (stat(path, &st) != 0) {
			ctl_say("%s: %s", path, strerror(errno));
			return -1;
		}
		rc = S_ISDIR(st.st_mode) ? add_folder(t, path, 0)
					 : add_file(t, path);
		if (rc == 0 && t->file_count == before) {
			ctl_say("%s has no files of tests; their names end in "
				"\"" ENDING "\"",
			    path);
			rc = -1;
		}
		if (rc != 0)
			return -1;
	}
	return 0;
}

/* ---- reading ---- */

/* -1 with the fault in `diags`. */
static int
read_text(const char *path, struct buf *out, struct diag_list *diags)
{
	char part[65536];
	FILE *file = fopen(path, "re");
	struct stat st;
	size_t got;
	int rc = 0;

	if (file == NULL || fstat(fileno(file), &st) != 0) {
		diag_add(
		    diags, path, 0, 0, "cannot be read: %s", strerror(errno));
		rc = -1;
	} else if (!S_ISREG(st.st_mode)) {
		diag_add(diags, path, 0, 0, "is not a file");
		rc = -1;
	}
	while (rc == 0 && (got = fread(part, 1, sizeof(part), file)) > 0)
		if (buf_add(out, part, got) != 0) {
			diag_add(diags, path, 0, 0, "larger than %zu MiB",
			    TRIAL_SIZE_MAX >> 20);
			rc = -1;
		}
	if (rc == 0 && ferror(file)) {
		diag_add(
		    diags, path, 0, 0, "cannot be read: %s", strerror(errno));
		rc = -1;
	}
	if (file != NULL)
		fclose(file);
	return rc;
}

static char *
policy_path(const char *test, const char *policy)
{
	const char *slash = strrchr(test, '/');
	cleanup_free char *folder = NULL;

	if (policy[0] == '/' || slash == NULL)
		return strdup(policy);
	folder = strndup(test, (size_t)(slash - test) + 1);
	return folder != NULL ? join_path(folder, policy) : NULL;
}

/* The policies of the test file; NULL with the faults. */
static struct settings *
load_policies(const struct trial *trial, struct diag_list *diags)
{
	static const char nothing[] = "version: 1\n";
	size_t count = trial->policy_count;
	struct settings_file *files = calloc(count + 1, sizeof(*files));
	struct buf *texts = calloc(count, sizeof(*texts));
	struct settings *settings = NULL;

	if (files == NULL || texts == NULL)
		abort();
	files[0] = (struct settings_file){
	    SETTINGS_MAIN, trial->file, nothing, sizeof(nothing) - 1};
	for (size_t i = 0; i < count; i++) {
		char *path = policy_path(trial->file, trial->policies[i]);

		if (path == NULL)
			abort();
		texts[i] = BUF_INIT(TEXT_MAX);
		(void)read_text(path, &texts[i], diags);
		files[i + 1] = (struct settings_file){
		    SETTINGS_POLICIES, path, buf_str(&texts[i]), texts[i].len};
	}
	if (!diag_any(diags))
		settings = settings_parse(files, count + 1, "/", diags);
	if (settings != NULL)
		zones_fill(settings, ZONES_FOLDER, diags);
	for (size_t i = 0; i < count; i++) {
		free((char *)(uintptr_t)files[i + 1].name);
		buf_free(&texts[i]);
	}
	free(texts);
	free(files);
	return settings;
}

static struct trial *
load(const char *path, struct settings **out_settings, struct diag_list *diags)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct trial *trial = NULL;

	*out_settings = NULL;
	if (read_text(path, &text, diags) == 0)
		trial = trial_read(path, buf_str(&text), text.len, diags);
	buf_free(&text);
	if (trial != NULL)
		*out_settings = load_policies(trial, diags);
	if (*out_settings != NULL)
		(void)trial_check_policies(trial, *out_settings, diags);
	return trial;
}

/* ---- testing ---- */

static void
say_faults(struct testing *t, const char *path, const struct diag_list *diags)
{
	struct buf text = BUF_INIT(FAULTS_MAX);
	char *line, *rest = NULL;

	diag_print(diags, &text);
	t->wrong = true;
	report_bad_file(&t->report, path, buf_str(&text));
	json_array_append_new(t->results,
	    json_pack("{s:s, s:s}", "file", path, "faults", buf_str(&text)));
	for (line = text.data != NULL ? strtok_r(text.data, "\n", &rest) : NULL;
	     line != NULL; line = strtok_r(NULL, "\n", &rest))
		ctl_say("%s", line);
	buf_free(&text);
}

static void
test_file(struct testing *t, const char *path)
{
	bool verbose = (t->ctl->args.given & ARGS_VERBOSE) != 0;
	struct settings *settings = NULL;
	json_t *cases = json_array();
	struct diag_list diags;
	struct trial *trial;

	diag_init(&diags);
	trial = load(path, &settings, &diags);
	if (diag_any(&diags))
		say_faults(t, path, &diags);
	else
		for (size_t i = 0; i < trial->case_count; i++) {
			json_t *result = trial_run(
			    trial, settings, &trial->cases[i], verbose);

			report_case(&t->report, path, result);
			json_array_append_new(cases, result);
		}
	if (!diag_any(&diags))
		json_array_append_new(t->results,
		    json_pack("{s:s, s:O}", "file", path, "cases", cases));
	json_decref(cases);
	settings_free(settings);
	trial_free(trial);
	diag_free(&diags);
}

static void
show(struct testing *t)
{
	json_t *answer;

	if (t->ctl->args.output != ARGS_JSON) {
		ctl_print(&t->out);
		return;
	}
	answer = json_pack("{s:s, s:I, s:I, s:O}", "schema", "drover/v1",
	    "passed", (json_int_t)(t->report.count - t->report.failed),
	    "failed", (json_int_t)t->report.failed, "files", t->results);
	ctl_print_json(answer);
	json_decref(answer);
}

int
ctl_policy_test(struct ctl *ctl)
{
	struct testing t = {.ctl = ctl,
	    .out = BUF_INIT(CTL_OUTPUT_MAX),
	    .results = json_array()};
	int status = CTL_FAILED;

	if (find_files(&t) == 0) {
		report_begin(&t.report, &t.out);
		for (size_t i = 0; i < t.file_count; i++)
			test_file(&t, t.files[i]);
		report_end(&t.report);
		show(&t);
		status = t.report.failed > 0 ? CTL_FAILED : CTL_DONE;
		if (t.wrong)
			status = CTL_INVALID;
	}
	for (size_t i = 0; i < t.file_count; i++)
		free(t.files[i]);
	free(t.files);
	buf_free(&t.out);
	json_decref(t.results);
	return status;
}

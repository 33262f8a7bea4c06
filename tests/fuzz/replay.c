/*
 * Feeds files to a fuzzer's entry point without the fuzzer, so that every build
 * replays the corpus.
 *
 *	replay_NAME [FILE|FOLDER ...]
 *
 * Without arguments it is tests/fuzz/corpus/NAME of $srcdir, as `make check`
 * needs it.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
replay_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *f = fopen(path, "rb");
	size_t size;

	if (data == NULL || f == NULL) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, INPUT_MAX, f);
	fclose(f);
	/* An exact copy lets the sanitizer see a step past the end. */
	uint8_t *exact = malloc(size > 0 ? size : 1);

	if (exact == NULL)
		abort();
	for (size_t i = 0; i < size; i++)
		exact[i] = data[i];
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	free(data);
	return 1;
}

static unsigned
replay_path(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned count = 0;
	char name[4400];

	if (dir == NULL)
		return replay_file(path);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		count += replay_file(name);
	}
	closedir(dir);
	return count;
}

int
main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "replay_");
	const char *srcdir = getenv("srcdir");
	unsigned count = 0;
	char corpus[4000];

	for (const char *s = name; s != NULL; s = strstr(s + 1, "replay_"))
		name = s;
	for (int i = 1; i < argc; i++)
		count += replay_path(argv[i]);
	if (argc == 1 && name != NULL) {
		snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s",
		    srcdir != NULL ? srcdir : ".", name + strlen("replay_"));
		count += replay_path(corpus);
	}
	printf("%u inputs replayed\n", count);
	return count > 0 ? 0 : 1;
}

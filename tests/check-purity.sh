#!/bin/bash
# libcore decides and does nothing else: no clock, no chance, no files, no
# threads, no network, no exit.  Linking the unit tests with it alone shows that
# it needs nothing of ours; this shows that it asks nothing of the system either.
#
# Run by `make check`, which sets top_srcdir and top_builddir.

set -euo pipefail

src=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${top_builddir:-.}
archive=$build/.libs/libcore.a
status=0

fail()
{
	echo "not ok - $1"
	status=1
}

# --- what the objects call

forbidden='
	clock_.*|time|ftime|times|gettimeofday|timer_.*|(local|gm|mk|c)time(_r)?
	strftime|nanosleep|u?sleep|clock|alarm
	rand|rand_r|s?random(_r)?|srand|[delnmj]rand48|getrandom|getentropy
	arc4random.*|uuid_.*
	pthread_.*|thrd_.*|mtx_.*|cnd_.*|sem_.*|fork|v?fork|exec.*|posix_spawn.*
	system|popen|pclose|wait|waitpid|kill|raise|signal|sigaction|prctl
	open(at)?(64)?|__open.*_2|creat(64)?|fopen(64)?|fdopen|freopen(64)?
	p?readv?(64)?|p?writev?(64)?|__read_chk|lseek(64)?|close|dup[23]?|pipe2?
	fread.*|fwrite.*|fgets.*|fgetc.*|getc.*|getline|fputs|fputc|putc|putchar
	puts|perror|v?(f|d)?printf|__v?(f|d)?printf_chk|_IO_.*|stdin|stdout|stderr
	f?l?stat(at)?(64)?|__f?xstat(64)?|access|unlink(at)?|rename(at)?2?|mkdir
	mkdirat|rmdir|opendir|readdir.*|scandir.*|glob(64)?|mkstemp.*|tmpfile.*
	ioctl|fcntl(64)?|mmap(64)?|p?poll|p?select|epoll_.*|inotify_.*|eventfd
	socket(pair)?|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?
	getaddrinfo|gethostby.*|getnameinfo|gethostname|getpid|getuid|geteuid
	getenv|secure_getenv|setenv|putenv|exit|_exit|_Exit|quick_exit|atexit
	syslog|vsyslog|openlog|setlocale
	vir[A-Z].*|event_.*|ev(buffer|http|timer|util|dns)_.*|curl_.*
	sqlite3_.*|gnutls_.*|log_(debug|info|warn|error|set_level)
	json_(load|dump)_?f(d|ile)?|json_load_file|json_object_seed
	xml(Read|Parse)File|xmlNanoHTTP.*|xmlSave(File|FormatFile).*
	yaml_parser_set_input_file|yaml_emitter_set_output_file
'
pattern="^($(tr -s ' \t\n' '|' <<<"$forbidden" | sed 's/^|//; s/|$//'))\$"

if [[ ! -e $archive ]]; then
	echo "Bail out! no $archive"
	exit 99
fi
names=$(mktemp)
trap 'rm -f "$names"' EXIT
nm -A --undefined-only "$archive" |
	awk '{ sub(/@.*/, "", $NF); sub(/^.*\.a:/, "", $1)
		sub(/:.*/, "", $1); print $NF, $1 }' >"$names"
if [[ ! -s $names ]]; then
	echo "Bail out! nm shows nothing"
	exit 99
fi
if found=$(grep -E "${pattern%\$} " "$names" | sort -u); then
	echo "# libcore calls what only the shell may call:"
	awk '{ print "#   " $2 ": " $1 }' <<<"$found"
	fail "calls of libcore"
else
	echo "ok - calls of libcore: $(cut -d' ' -f1 "$names" | sort -u |
		wc -l) names, none forbidden"
fi

# --- what the sources include: their own headers and a few of the system's

allowed=" stdarg.h stdalign.h stdbool.h stddef.h stdint.h inttypes.h limits.h
	float.h errno.h ctype.h string.h strings.h stdlib.h stdio.h math.h
	assert.h fnmatch.h arpa/inet.h yaml.h jansson.h libxml/parser.h
	libxml/tree.h libxml/xmlerror.h libxml/xpath.h "
allowed=$(tr -s ' \t\n' ' ' <<<"$allowed")
mapfile -t files < <(awk '/^libcore_la_SOURCES/ { on = 1 }
	on { for (i = 1; i <= NF; i++) if ($i ~ /^src\//) print $i }
	on && !/\\$/ { on = 0 }' "$src/Makefile.am")
ours=" ${files[*]#src/} "
bad=0
while IFS=: read -r file line text; do
	name=$(sed -E 's/^[^<"]*[<"]([^>"]*)[>"].*/\1/' <<<"$text")
	case $text in
	*'<'*) [[ $allowed != *" $name "* ]] || continue ;;
	*) [[ $ours != *" $name "* && $name != config.h ]] || continue ;;
	esac
	echo "# $file:$line: libcore may not include $name"
	bad=1
done < <(cd "$src" && grep -nE '^[[:space:]]*#[[:space:]]*include' "${files[@]}")
if ((bad)); then
	fail "includes of libcore"
else
	echo "ok - includes of libcore: ${#files[@]} files, none forbidden"
fi
exit "$status"

/*
 * Why an exchange broke, in words that may be logged.
 *
 * A receiver's URL often is its secret (chat services), and curl's detailed
 * messages quote host names and paths.  So they are only searched for phrases
 * that are known to mean something to an operator, and what is told is ours:
 * what went wrong, and the key that has to do with it.  Where nothing is
 * recognized curl's constant text for the code is told, with errno's.
 *
 * The phrases are OpenSSL's, which Debian's libcurl uses, and curl's; with
 * others the constant texts remain.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "notify/http_private.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *phrase, *words;
} http_error_phrases[] = {
    {"certificate has expired", "its certificate has expired"},
    {"certificate is not yet valid",
	"its certificate is not valid yet, or the clock of this machine is "
	"wrong"},
    {"self-signed certificate",
	"nobody that is trusted here issued its certificate; see ca_file"},
    {"self signed certificate",
	"nobody that is trusted here issued its certificate; see ca_file"},
    {"unable to get local issuer",
	"nobody that is trusted here issued its certificate; see ca_file"},
    {"no alternative certificate subject name",
	"its certificate is for another name; see server_name"},
    {"does not match target host name",
	"its certificate is for another name; see server_name"},
    {"alert certificate required",
	"it wants a certificate of the client; see cert_file"},
    {"alert bad certificate",
	"it does not accept the certificate of the client; see cert_file"},
    {"alert unknown ca",
	"it does not accept the certificate of the client; see cert_file"},
    {"alert certificate", /* expired, revoked, unknown */
	"it does not accept the certificate of the client; see cert_file"},
    {"wrong version number", "what answers there does not speak TLS"},
    {"packet length too long", "what answers there does not speak TLS"},
    {"unsupported protocol", "it speaks no TLS of version 1.2 or later"},
    {"alert protocol version", "it speaks no TLS of version 1.2 or later"},
    {"Too large response headers", "the headers of its answer have no end"},
    {"Resolving timed out", "Timeout was reached looking its name up"},
    {"Connection timed out", "Timeout was reached connecting to it"},
    {"Connection timeout", "Timeout was reached connecting to it"},
    {"CONNECT aborted due to timeout",
	"Timeout was reached waiting for the proxy"},
};

/* curl's text, unless it means something else here. */
static const char *
http_error_name(CURLcode result)
{
	/* The buffer for one line of a header is at its maximum. */
	if (result == CURLE_OUT_OF_MEMORY)
		return "a header of its answer has no end, or memory is short";
	if (result == CURLE_UNSUPPORTED_PROTOCOL)
		return "what answers there does not speak HTTP";
	return curl_easy_strerror(result);
}

void
http_error_explain(
    const struct http_request *r, CURLcode result, char out[HTTP_ERROR_SIZE])
{
	const char *constant = http_error_name(result);
	long os_error = 0, connect_code = 0;

	curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_error);
	curl_easy_getinfo(r->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	if (connect_code >= 300) {
		snprintf(out, HTTP_ERROR_SIZE,
		    "the proxy refused to connect to it: HTTP %ld",
		    connect_code);
		return;
	}
	for (size_t i = 0;
	     i < sizeof(http_error_phrases) / sizeof(http_error_phrases[0]);
	     i++) {
		if (strstr(r->detail, http_error_phrases[i].phrase) != NULL) {
			snprintf(out, HTTP_ERROR_SIZE, "%s",
			    http_error_phrases[i].words);
			return;
		}
	}
	if (os_error != 0)
		snprintf(out, HTTP_ERROR_SIZE, "%s (%s)", constant,
		    strerror((int)os_error));
	else
		snprintf(out, HTTP_ERROR_SIZE, "%s", constant);
}

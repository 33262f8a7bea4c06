/*
 * An operator who sees a status or an error of curl's wants to know which line
 * of which file to look at.  Words of curl are matched by their stems: their
 * exact text changes with its versions, and the last row fits any.
 */
#include "notify/remedy.h"

#include <stddef.h>
#include <string.h>

static const struct {
	int from, to;
	const char *text;
} codes[] = {
    {200, 299, NULL},
    {300, 399,
	"redirects are not followed: write the address that it points to into "
	"its url"},
    {400, 400,
	"it does not take such a body: is its type the right one for what is "
	"at this url?"},
    {401, 401,
	"it does not know who sends: look at its token_file, secret_file and "
	"headers, and at its url"},
    {403, 403,
	"it does not let droverd in: look at its url, which may have been "
	"withdrawn, and at its token_file and secret_file"},
    {404, 404, "nothing is there: look at the path in its url"},
    {405, 405,
	"it takes no POST there: look at the path in its url, and at its "
	"method"},
    {407, 407, "the proxy wants to know who asks: look at its proxy"},
    {408, 408, "it was too slow; events are tried again"},
    {410, 410,
	"it said that it is gone for good: make a new address there, and write "
	"it into its url"},
    {413, 413, "the body is too large for it"},
    {415, 415,
	"it does not take this kind of body: look at its type, mode and "
	"content_type"},
    {422, 422,
	"it does not take such a body: is its type the right one for what is "
	"at this url?"},
    {429, 429,
	"it is asked too often; events are tried again, and its rate can be "
	"lowered"},
    {400, 499, "it refuses the request: what it answered may say why"},
    {500, 599,
	"it is reached, and has a fault or is busy; events are tried again"},
};

static const struct {
	const char *word, *text;
} errors[] = {
    /* Before "onnect" and "certificate", which these also hold. */
    {"the proxy", "the proxy does not let it through: look at its proxy"},
    {"of the client", "look at its cert_file and key_file"},
    {"resolve",
	"the name in its url (or proxy) is not known on this machine: is it "
	"spelled right, and does the name server answer?"},
    {"certificate",
	"its certificate is not accepted: look at its ca_file and server_name"},
    {"SSL",
	"TLS fails: look at its ca_file, cert_file and server_name, and "
	"whether "
	"its url should begin with http:"},
    {"imeout",
	"it did not answer in time: is it reachable from this machine, and is "
	"its timeout long enough?"},
    {"imed out",
	"it did not answer in time: is it reachable from this machine, and is "
	"its timeout long enough?"},
    {"onnect",
	"nobody takes the connection: is it running, and are the port in its "
	"url, its unix_socket and the firewall right?"},
    {"",
	"the exchange broke off: is that an HTTP server, and is its url "
	"right?"},
};

const char *
remedy_of(int code, const char *error)
{
	size_t i = 0;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (code >= codes[i].from && code <= codes[i].to)
			return codes[i].text;
	}
	i = 0;
	while (strstr(error != NULL ? error : "", errors[i].word) == NULL)
		i++;
	return errors[i].text;
}

/*
 * Reads requests, one a line, as notify_render prints them, and says of each
 * whether the libraries of those who receive it take it.  Run by `validate`.
 */
'use strict';

const fs = require('fs');
const path = require('path');
const [, , libraries] = process.argv;
const load = require('module').createRequire(path.join(libraries, 'x.js'));

const cards = load('adaptivecards/dist/adaptivecards.js');
const { HTTP } = load('cloudevents');
const { Webhook } = load('standardwebhooks');

const samples = JSON.parse(
	fs.readFileSync(path.join(libraries, 'events'), 'utf8'));
let failed = 0;

function check(what, fn)
{
	try {
		fn();
		console.log(`ok - ${what}`);
	} catch (error) {
		failed++;
		console.log(`not ok - ${what}`);
		console.log(`# ${error.stack.replace(/\n/g, '\n# ')}`);
	}
}

function assert(holds, why)
{
	if (!holds)
		throw new Error(why);
}

/* ---- Standard Webhooks ---- */

function checkSignature(request)
{
	const verifier = new Webhook(request.secret);
	const options = { jsonParse: false };
	let refused = false;

	verifier.verify(request.body, request.signed, options);
	try {
		verifier.verify(request.body + ' ', request.signed, options);
	} catch (error) {
		refused = true;
	}
	assert(refused, 'a body that was changed is taken as well');
}

/* ---- CloudEvents ---- */

function headersOf(request)
{
	const headers = { 'content-type': request.content_type };

	for (const line of request.headers || []) {
		const at = line.indexOf(': ');
		/* The library leaves decoding to its caller. */
		headers[line.slice(0, at).toLowerCase()] =
			decodeURIComponent(line.slice(at + 2));
	}
	return headers;
}

function checkCloudEvents(request)
{
	const got = HTTP.toEvent(
		{ headers: headersOf(request), body: request.body });
	const events = Array.isArray(got) ? got : [got];
	const names = request.sample.split('+');

	assert(events.length === names.length,
		`${events.length} events, not ${names.length}`);
	events.forEach((event, i) => {
		const sample = samples[names[i]];

		event.validate();
		for (const key of ['id', 'source', 'type', 'subject', 'specversion'])
			assert(event[key] === sample[key],
				`${key}: ${event[key]}, not ${sample[key]}`);
		assert(Date.parse(event.time) === Date.parse(sample.time), 'time');
		assert(JSON.stringify(event.data) === JSON.stringify(sample.data),
			'data is not the same');
	});
}

/* ---- Adaptive Cards ---- */

function textsOf(json, texts = [])
{
	if (json !== null && typeof json === 'object') {
		for (const [key, value] of Object.entries(json)) {
			if (key === 'text' || (key === 'inlines' &&
			    typeof value[0] === 'string'))
				texts.push(String(value));
			else
				textsOf(value, texts);
		}
	}
	return texts;
}

function checkTeams(request)
{
	const body = JSON.parse(request.body);
	const { contentType, content } = body.attachments[0];
	const context = new cards.SerializationContext(cards.Versions.v1_5);
	const card = new cards.AdaptiveCard();

	assert(Buffer.byteLength(request.body) <= 28 * 1024, 'above 28 KB');
	assert(body.type === 'message', 'not a message');
	assert(contentType === 'application/vnd.microsoft.card.adaptive',
		contentType);
	card.parse(content, context);
	for (let i = 0; i < context.eventCount; i++)
		assert(false, context.getEventAt(i).message);
	assert(card.validateProperties().validationEvents.length === 0,
		'a property is not valid');
	/* What the library read is all of it. */
	assert(JSON.stringify(textsOf(card.toJSON(context).body)) ===
		JSON.stringify(textsOf(content.body)), 'a text is lost');
}

/* ---- Slack ---- */

/* docs.slack.dev, reference of Block Kit: which members a thing has (`!`: it must
 * have it), and of what kind. */
const slackRules = {
	message: { text: 'string', 'blocks!': 'blocks' },
	header: { 'type!': 'string', 'text!': 'plain:150',
		block_id: 'string' },
	section: { 'type!': 'string', text: 'text:3000', fields: 'texts:10:2000',
		block_id: 'string', expand: 'boolean' },
	context: { 'type!': 'string', 'elements!': 'texts:10:3000',
		block_id: 'string' },
	divider: { 'type!': 'string', block_id: 'string' },
	plain_text: { 'type!': 'string', 'text!': 'string', emoji: 'boolean' },
	mrkdwn: { 'type!': 'string', 'text!': 'string', verbatim: 'boolean' },
};

function checkSlackText(value, max, plain)
{
	const kinds = plain ? ['plain_text'] : ['plain_text', 'mrkdwn'];

	assert(kinds.includes(value.type), `a text of type ${value.type}`);
	checkSlackObject(value, value.type);
	assert(value.text.length >= 1 && value.text.length <= max,
		`a text of ${value.text.length} characters, of ${max}`);
	/* Only the three entities; what is between < and > would be parsed. */
	assert(!/[<>]/.test(value.text), `not escaped: ${value.text}`);
	assert(!/&(?!amp;|lt;|gt;)/.test(value.text),
		`not escaped: ${value.text}`);
}

function checkSlackValue(value, kind)
{
	const [word, ...limits] = kind.split(':');

	switch (word) {
	case 'plain':
	case 'text':
		checkSlackText(value, Number(limits[0]), word === 'plain');
		break;
	case 'texts':
		assert(Array.isArray(value) && value.length >= 1 &&
			value.length <= Number(limits[0]),
			`${value.length} texts, of ${limits[0]}`);
		for (const text of value)
			checkSlackText(text, Number(limits[1]), false);
		break;
	case 'blocks':
		assert(Array.isArray(value) && value.length >= 1 &&
			value.length <= 50, `${value.length} blocks`);
		for (const block of value) {
			assert(['header', 'section', 'context', 'divider']
				.includes(block.type), `a block ${block.type}`);
			checkSlackObject(block, block.type);
			assert(block.type !== 'section' || block.text ||
				block.fields, 'an empty section');
		}
		break;
	default:
		assert(typeof value === word, `${value} is no ${word}`);
	}
}

function checkSlackObject(object, name)
{
	const rules = slackRules[name];

	for (const key of Object.keys(rules)) {
		assert(!key.endsWith('!') || key.slice(0, -1) in object,
			`a ${name} without ${key}`);
	}
	for (const [key, value] of Object.entries(object)) {
		const kind = rules[key] || rules[`${key}!`];

		assert(kind, `a ${name} has no ${key}`);
		checkSlackValue(value, kind);
	}
}

function checkSlack(request)
{
	const body = JSON.parse(request.body);

	checkSlackObject(body, 'message');
	assert(!/[<>]/.test(body.text), `not escaped: ${body.text}`);
}

/* ---- all of them ---- */

const checks = { cloudevents: checkCloudEvents, teams: checkTeams,
	slack: checkSlack };
const requests = fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)
	.map(JSON.parse);
const kinds = new Set(requests.map((request) => request.kind));

for (const kind of kinds) {
	const mine = requests.filter((request) => request.kind === kind);

	check(`${kind}: ${mine.length} signatures are verified`,
		() => mine.forEach(checkSignature));
	if (!checks[kind])
		continue;
	for (const request of mine) {
		const mode = kind === 'cloudevents' ? `, ${request.mode}` : '';

		check(`${kind}${mode}: ${request.sample}`,
			() => checks[kind](request));
	}
}
check('every kind and sample was there', () => {
	for (const kind of Object.keys(checks)) {
		for (const name of Object.keys(samples))
			assert(requests.some((request) => request.kind === kind &&
				request.sample === name), `${kind}: ${name}`);
	}
});
process.exit(failed > 0 ? 1 : 0);

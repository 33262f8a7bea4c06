/* What monitoring reads: counters of the store, and the error of predictions. */
#include <math.h>

#include "control/metrics.h"
#include "notify/deliver_private.h"
#include "record/private.h"
#include "store_fixture.h"

static char text[65536];

static int64_t
moved(struct store *store, const char *strategy, const char *outcome,
    const char *result)
{
	struct store_move move = {.uuid = "u",
	    .name = "web1",
	    .from = "kvm1",
	    .to = "kvm2",
	    .strategy = strategy,
	    .rule = "operator",
	    .why = "asked",
	    .attempt = 1,
	    .state = "ended",
	    .started = {1}};
	struct err err = {0};

	ck_assert_msg(store_add_move(store, &move, &err) == 0, "%s", err.msg);
	move.outcome = outcome;
	move.result = result;
	move.ended.ms = 2;
	ck_assert_msg(
	    store_update_move(store, &move, &err) == 0, "%s", err.msg);
	return move.id;
}

static void
foretold(struct store *store, const char *strategy, int64_t predicted_ms,
    int64_t actual_ms, int64_t predicted_downtime_ms,
    int64_t actual_downtime_ms)
{
	struct store_prediction row = {.strategy = strategy,
	    .predicted_ms = predicted_ms,
	    .actual_ms = actual_ms,
	    .predicted_downtime_ms = predicted_downtime_ms,
	    .actual_downtime_ms = actual_downtime_ms};
	struct err err = {0};

	row.move_id = moved(store, strategy, "completed", NULL);
	row.at.ms = row.move_id;
	ck_assert_msg(
	    store_add_prediction(store, &row, &err) == 0, "%s", err.msg);
}

static void
write_out(struct store *store, const struct metrics_now *now)
{
	struct buf out = BUF_INIT(sizeof(text));
	struct err err = {0};

	ck_assert_int_eq(metrics_write(store, now, &out, &err), 0);
	snprintf(text, sizeof(text), "%s", buf_str(&out));
	buf_free(&out);
}

static void
has(const char *line)
{
	const char *at = strstr(text, line);

	ck_assert_msg(at != NULL, "no \"%s\" in:\n%s", line, text);
	ck_assert(at == text || at[-1] == '\n');
	ck_assert_int_eq(at[strlen(line)], '\n');
}

static const struct metrics_now idle = {.version = "1"};

START_TEST(moves_and_bytes_are_counted_by_strategy_and_outcome)
{
	struct store *store = open_store();

	moved(store, "live-copy", "completed", "{\"bytes\":1000}");
	moved(store, "live-copy", "completed", "{\"bytes\":24}");
	moved(store, "restart", "rolled-back", NULL);
	write_out(store, &idle);
	has("drover_moves_total{strategy=\"live-copy\",outcome=\"completed\"} "
	    "2");
	has("drover_moves_total{strategy=\"restart\",outcome=\"rolled-back\"} "
	    "1");
	has("drover_moved_bytes_total{strategy=\"live-copy\","
	    "outcome=\"completed\"} 1024");
	has("# TYPE drover_moves_total counter");
	store_close(store);
}
END_TEST

START_TEST(the_error_of_predictions_is_a_median)
{
	struct store *store = open_store();

	foretold(store, "live-shared", 100, 110, 1000, 500);
	foretold(store, "live-shared", 100, 80, 1000, -1);
	foretold(store, "live-shared", 100, 900, 1000, 1000);
	/* One that was not foretold, or not known, is none. */
	foretold(store, "live-shared", -1, 500, -1, 10);
	foretold(store, "restart", -1, 500, -1, 10);
	write_out(store, &idle);
	has("drover_prediction_error_ratio{strategy=\"live-shared\","
	    "figure=\"time\",quantile=\"0.5\"} 0.2000");
	has("drover_prediction_error_ratio{strategy=\"live-shared\","
	    "figure=\"downtime\",quantile=\"0.5\"} 0.2500");
	ck_assert_ptr_null(strstr(text, "error_ratio{strategy=\"restart\""));
	store_close(store);
}
END_TEST

START_TEST(only_the_last_predictions_count)
{
	struct store *store = open_store();

	for (int i = 0; i < METRICS_PREDICTIONS; i++)
		foretold(store, "restart", 100, 1000, 100, 1000);
	for (int i = 0; i < METRICS_PREDICTIONS; i++)
		foretold(store, "restart", 100, 101, 100, 100);
	write_out(store, &idle);
	has("drover_prediction_error_ratio{strategy=\"restart\","
	    "figure=\"time\",quantile=\"0.5\"} 0.0100");
	has("drover_prediction_error_ratio{strategy=\"restart\","
	    "figure=\"downtime\",quantile=\"0.5\"} 0.0000");
	store_close(store);
}
END_TEST

START_TEST(gauges_are_as_given)
{
	static const struct metrics_gauge moves[] = {{"restart", 2}};
	static const struct metrics_gauge hosts[] = {{"up", 3}, {"down", 1}};
	static const struct metrics_load loads[] = {
	    {"kvm1", 0.25, 0.5, 0.125, 0, NAN},
	    {"kvm2", NAN, NAN, NAN, NAN, NAN}};
	struct store *store = open_store();

	write_out(store,
	    &(struct metrics_now){.version = "0.2",
		.loads = loads,
		.load_count = 2,
		.in_flight = moves,
		.in_flight_count = 1,
		.hosts = hosts,
		.host_count = 2,
		.kept = 5});
	has("drover_info{version=\"0.2\"} 1");
	has("drover_moves_in_flight{strategy=\"restart\"} 2");
	has("drover_hosts{state=\"up\"} 3");
	has("drover_hosts{state=\"down\"} 1");
	has("drover_kept_images 5");
	has("drover_host_cpu_ratio{host=\"kvm1\"} 0.2500");
	has("drover_host_memory_ratio{host=\"kvm1\"} 0.5000");
	has("drover_host_pressure_ratio{host=\"kvm1\",resource=\"cpu\"} "
	    "0.1250");
	has("drover_host_pressure_ratio{host=\"kvm1\",resource=\"memory\"} "
	    "0.0000");
	ck_assert_ptr_null(strstr(text, "resource=\"io\""));
	ck_assert_ptr_null(strstr(text, "ratio{host=\"kvm2\""));
	store_close(store);
}
END_TEST

/* A deliver that nobody runs: what is counted is what was put there. */
static struct deliver *
make_deliver(struct loop *loop, struct store *store)
{
	static struct settings_receiver receivers[2];
	static struct settings settings = {
	    .site = "lab", .receivers = receivers, .receiver_count = 2};
	struct err err = {0};
	struct deliver *deliver;

	for (int i = 0; i < 2; i++)
		receivers[i] =
		    (struct settings_receiver){.name = i == 0 ? "ops" : "chat",
			.type = "cloudevents",
			.url = "http://127.0.0.1:1/",
			.timeout_ms = 1000};
	deliver = deliver_new(loop, store, &settings, &err);
	ck_assert_msg(deliver != NULL, "%s", err.msg);
	return deliver;
}

static void
queue_row(struct store *store, const char *id, int64_t created,
    enum store_delivery becomes)
{
	int64_t seq = add_event(store, id, "drover.move.completed"), row;
	struct err err = {0};

	ck_assert_int_eq(
	    store_add_outbox(store, seq, "ops", (struct wall){created}, &err),
	    0);
	row = query_sql(store, "SELECT MAX(id) FROM outbox");
	if (becomes != STORE_PENDING)
		ck_assert_int_eq(store_mark_outbox(store, row, becomes, 1,
				     (struct wall){0}, 400, NULL, &err),
		    0);
}

static void
write_receivers(const struct deliver *deliver, int64_t now)
{
	struct buf out = BUF_INIT(sizeof(text));

	metrics_add_receivers(deliver, (struct wall){now}, &out);
	snprintf(text, sizeof(text), "%s", buf_str(&out));
	buf_free(&out);
}

START_TEST(receivers_tell_of_their_queues_and_of_what_was_answered)
{
	struct store *store = open_store();
	struct loop *loop = loop_new();
	struct deliver *deliver = make_deliver(loop, store);
	struct receiver *ops = TAILQ_FIRST(&deliver->receivers);

	ck_assert_str_eq(ops->name, "ops");
	queue_row(store, "e1", 10000, STORE_PENDING);
	queue_row(store, "e2", 20000, STORE_PENDING);
	queue_row(store, "e3", 5000, STORE_DEAD);
	ops->counters.attempts[DELIVER_2XX] = 7;
	ops->counters.attempts[DELIVER_NETWORK] = 2;
	ops->counters.delivered = 9;
	ops->counters.evicted = 4;
	ops->counters.expired = 3;
	ops->counters.latency[0] = 5;
	ops->counters.latency[2] = 2;
	ops->counters.latency[DELIVER_BUCKETS] = 1;
	ops->counters.latency_sum_s = 4000.5;
	write_receivers(deliver, 70999);
	has("drover_delivery_attempts_total{receiver=\"ops\",code=\"2xx\"} 7");
	has("drover_delivery_attempts_total{receiver=\"ops\",code=\"network\"}"
	    " 2");
	has("drover_delivery_delivered_total{receiver=\"ops\"} 9");
	has("drover_delivery_pending{receiver=\"ops\"} 2");
	has("drover_delivery_pending{receiver=\"chat\"} 0");
	has("drover_delivery_oldest_seconds{receiver=\"ops\"} 60");
	has("drover_delivery_oldest_seconds{receiver=\"chat\"} 0");
	has("drover_delivery_dead{receiver=\"ops\"} 1");
	has("drover_delivery_evicted_total{receiver=\"ops\"} 4");
	has("drover_delivery_expired_total{receiver=\"ops\"} 3");
	has("drover_receiver_up{receiver=\"ops\"} 1");
	/* Each bucket holds those before it. */
	has("drover_delivery_latency_seconds_bucket{receiver=\"ops\","
	    "le=\"0.1\"} 5");
	has("drover_delivery_latency_seconds_bucket{receiver=\"ops\","
	    "le=\"0.5\"} 5");
	has("drover_delivery_latency_seconds_bucket{receiver=\"ops\","
	    "le=\"1\"} 7");
	has("drover_delivery_latency_seconds_bucket{receiver=\"ops\","
	    "le=\"+Inf\"} 8");
	has("drover_delivery_latency_seconds_count{receiver=\"ops\"} 8");
	has("drover_delivery_latency_seconds_sum{receiver=\"ops\"} 4000.500");
	/* Failing, and gone. */
	ops->fails = 1;
	write_receivers(deliver, 70999);
	has("drover_receiver_up{receiver=\"ops\"} 0");
	ops->fails = 0;
	ops->disabled = true;
	write_receivers(deliver, 70999);
	has("drover_receiver_up{receiver=\"ops\"} 0");
	deliver_free(deliver);
	loop_free(loop);
	store_close(store);
}
END_TEST

START_TEST(each_family_is_described_before_its_first_value_and_once)
{
	struct store *store = open_store();
	struct loop *loop = loop_new();
	struct deliver *deliver = make_deliver(loop, store);
	char family[64] = "", name[64], *line, *rest;

	moved(store, "restart", "completed", "{\"bytes\":1}");
	foretold(store, "restart", 100, 101, 100, 100);
	write_out(
	    store, &(struct metrics_now){.version = "1", .deliver = deliver});
	ck_assert_ptr_nonnull(strstr(text, "drover_delivery_pending"));
	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "# HELP %63s", name) == 1) {
			ck_assert_str_ne(name, family);
			strcpy(family, name);
		} else if (line[0] != '#') {
			ck_assert_msg(
			    strncmp(line, family, strlen(family)) == 0, "%s",
			    line);
		}
	}
	deliver_free(deliver);
	loop_free(loop);
	store_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tcase = tcase_create("metrics");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(
	    tcase, moves_and_bytes_are_counted_by_strategy_and_outcome);
	tcase_add_test(tcase, the_error_of_predictions_is_a_median);
	tcase_add_test(tcase, only_the_last_predictions_count);
	tcase_add_test(tcase, gauges_are_as_given);
	tcase_add_test(
	    tcase, receivers_tell_of_their_queues_and_of_what_was_answered);
	tcase_add_test(
	    tcase, each_family_is_described_before_its_first_value_and_once);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

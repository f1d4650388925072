/*
 * airflow-last-run - when did this DAG last succeed?
 *
 * The answer is the start of that run, not its end: what changed while it was busy may not be in what it loaded.  Of several
 * runs the newest is the one that was due last, not the one that started last: an old run that was cleared and run
 * again starts anew, but it may have loaded its own old interval only.
 */
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/opt.h"
#include "format/date.h"
#include "format/json.h"
#include "net/bearer.h"
#include "net/http.h"
#include "net/url.h"
#include "records/output.h"

#define PAGE 50                 /* runs asked for at a time: mostly the first one is the answer */
#define TASKS_PAGE 100          /* Airflow's own bound, [api] maximum_page_limit */

enum api { API_AUTO, API_EXPERIMENTAL, API_V1, API_V2 };
static const char *const apis[] = { "auto", "experimental", "v1", "v2", NULL };
enum which { START, END, LOGICAL, INTERVAL_END };
static const char *const whiches[] = { "start", "end", "logical", "interval-end", NULL };

static const char *dag, *base_url, *task;
static long long chosen_api, which, max_runs = 1000, empty_exit;
static bool epoch, count_skipped;
static struct http_options net = { HTTP_DEFAULTS };

static const struct opt options[] = {
	OPT_STRING(0, "dag", "ID", &dag, "the DAG"),
	OPT_NO_LETTER('d', "dag"),
	OPT_FLAG(0, "epoch", &epoch, "print seconds since 1970 instead of ISO 8601"),
	OPT_NO_LETTER('e', "epoch"),
	OPT_CHOICE(0, "which", "TIME", &which, whiches,
	    "start, end, logical or interval-end (start)"),
	OPT_FLAG(0, "count-skipped", &count_skipped, "runs whose tasks were all skipped count, too"),
	OPT_STRING(0, "task", "ID", &task, "only runs in which this task succeeded count"),
	OPT_NO_LETTER('t', "task"),
	OPT_NUMBER(0, "max-runs", "N", &max_runs, 1, 1LL << 40, "look at this many successful runs at most (1000)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, "exit status when there was no such run (0)"),
	OPT_CHOICE(0, "api", "VERSION", &chosen_api, apis,
	    "experimental, v1 or v2 (else found out)"),
	OPT_STRING(0, "base-url", "URL", &base_url, "where Airflow is (else AIRFLOW_URL)"),
	OPT_HTTP(net),
	OPT_END
};
const struct tool tool = {
	.name = "airflow-last-run", .operands = "--dag ID", .options = options,
	.does = "Print when a DAG's last successful run started, or an empty line.",
};

struct airflow {
	struct http *http;
	char *base;                     /* without a slash at its end */
	enum api api;
	const char *user, *password;
	struct bearer bearer;           /* of AIRFLOW_TOKEN, or of a login */
	bool logs_in;                   /* the token is ours to renew */
	struct buf url;
};

/* A run, as far as it matters here; spans of the answer. */
struct run {
	struct str id;                  /* a JSON string */
	int64_t due;                    /* by date_usec() */
	struct str time[4];             /* JSON, by enum which */
};

/* ---- asking ---- */

static const char how_to_log_in[] = "check AIRFLOW_USERNAME and AIRFLOW_PASSWORD, or AIRFLOW_TOKEN";

static void
check_options(char **operands)
{
	if (*operands != NULL)
		die(EX_USAGE, "no operands: name the DAG by --dag");
	if (dag == NULL || *dag == '\0')
		die(EX_USAGE, "no --dag: say which");
	if (strcmp(dag, "~") == 0 || strcmp(dag, ".") == 0 || strcmp(dag, "..") == 0)
		die(EX_USAGE, "--dag %s: not the id of one DAG", dag);
	if (task != NULL && count_skipped)
		die(EX_USAGE, "--task and --count-skipped: choose one");
}

static void
airflow_open(struct airflow *a)
{
	const char *url = base_url != NULL ? base_url : getenv("AIRFLOW_URL"), *token;
	struct buf base = { 0 };

	if (url == NULL || *url == '\0')
		die(EX_CONFIG, "no AIRFLOW_URL: set it, or give --base-url");
	if (strncasecmp(url, "https://", 8) != 0 && !url_plain(url))
		die(base_url != NULL ? EX_USAGE : EX_CONFIG, "%s %s: want http:// or https://",
		    base_url != NULL ? "--base-url" : "AIRFLOW_URL", url);
	buf_text(&base, url);
	buf_trim_slashes(&base);
	a->base = buf_take(&base);
	a->api = (enum api)chosen_api;
	a->user = opt_secret("AIRFLOW_USERNAME");
	a->password = opt_secret("AIRFLOW_PASSWORD");
	token = opt_secret("AIRFLOW_TOKEN");
	if ((a->user == NULL) != (a->password == NULL))
		die(EX_CONFIG, "AIRFLOW_USERNAME and AIRFLOW_PASSWORD: set both, or neither");
	if (token != NULL && *token != '\0')
		bearer_set(&a->bearer, "Authorization", str_of(token), 0);
	a->http = http_open(&net);
}

static void
airflow_close(struct airflow *a)
{
	http_close(a->http);
	free(a->base);
	bearer_free(&a->bearer);
	buf_free(&a->url);
}

/* The server's words on what it refused. */
static _Noreturn void
refused(struct http_reply *reply, const char *hint)
{
	struct buf said = { 0 };

	http_message(&said, reply);
	die(reply->status == 401 || reply->status == 403 ? EX_NOPERM : EX_PROTOCOL, "%s: %s (%ld): \"%s\": %s", reply->name,
	    reply->status == 401 || reply->status == 403 ? "refused" : "answered", reply->status,
	    said.p != NULL ? said.p : "", hint);
}

/* A member of the answer, which must be an object; p NULL when it has none. */
static struct str
member(struct http_reply *reply, const char *name)
{
	struct str body = http_json(reply);

	return *body.p == '{' ? json_get(body, name) : (struct str){ 0 };
}

/* Airflow 3: a password is good for a token, which is good for a day or less. */
static void
log_in(struct airflow *a)
{
	static const char *const json[] = { "Content-Type: application/json", NULL };
	static const short ours[] = { 200, 201, 400, 401, 403, 404, 405, 415, 422, 0 };
	struct buf body = { 0 }, scratch = { 0 };
	struct str token = { 0 };
	struct http_reply *reply;

	buf_reset(&a->url);
	buf_fmt(&a->url, "%s/auth/token", a->base);
	if (url_plain(a->url.p) && !url_loopback(a->url.p))
		die(EX_USAGE, "%s: plain http would show the password to others: use https", a->base);
	buf_text(&body, "{\"username\":");
	buf_json(&body, str_of(a->user));
	buf_text(&body, ",\"password\":");
	buf_json(&body, str_of(a->password));
	buf_char(&body, '}');
	reply = http_start(a->http, &(struct http_request){ .url = a->url.p, .headers = json, .body = buf_all(&body),
	    .what = "login", .claims = ours, .follow_no = true, .max_body = 1 << 20 });
	http_wait(a->http, reply);
	if (reply->status == 401 || reply->status == 403)
		refused(reply, "check AIRFLOW_USERNAME and AIRFLOW_PASSWORD");
	if (reply->status < 300 && http_check_json(reply, NULL) == NULL)
		token = json_text(member(reply, member(reply, "access_token").p != NULL ? "access_token" : "jwt_token"), &scratch);
	if (token.n == 0)
		refused(reply, "no token: where something else logs people in, set AIRFLOW_TOKEN");
	bearer_set(&a->bearer, "Authorization", token, 0);
	a->logs_in = true;
	http_done(a->http, reply);
	buf_free(&body);
	buf_free(&scratch);
}

/* The answer to GET a->url: JSON under a status of 2xx, or 400 or 404.  A token that was refused is renewed once. */
static struct http_reply *
get(struct airflow *a, const char *what)
{
	static const short ours[] = { 400, 401, 403, 404, 0 };
	struct buf url = a->url;
	bool renewed = false;

	a->url = (struct buf){ 0 };             /* log_in() writes its own */
	for (;;) {
		if (a->api == API_V2 && a->bearer.token == NULL && a->user != NULL) {
			log_in(a);
			renewed = true;
		}

		struct http_reply *reply = http_start(a->http, &(struct http_request){ .url = url.p, .what = what, .claims = ours,
		    .secrets = (const char *const[]){ a->bearer.header.p, NULL },
		    .user = a->bearer.token == NULL ? a->user : NULL,
		    .password = a->password, .credential = how_to_log_in, .want = "JSON", .check = http_check_json });

		http_wait(a->http, reply);
		if (reply->status != 401 && reply->status != 403) {
			buf_free(&a->url);
			a->url = url;
			return reply;
		}
		if (!a->logs_in || renewed)
			refused(reply, a->user != NULL || a->bearer.token != NULL ? how_to_log_in
			    : "set AIRFLOW_USERNAME and AIRFLOW_PASSWORD, or AIRFLOW_TOKEN");
		http_done(a->http, reply);
		log_in(a);
		renewed = true;
	}
}

/* Starts a->url: the API's path, up to the DAG. */
static void
begin_url(struct airflow *a)
{
	buf_reset(&a->url);
	buf_fmt(&a->url, "%s/api/%s/dags/", a->base, apis[a->api]);
	buf_percent(&a->url, str_of(dag));
}

static _Noreturn void
no_dag(const struct airflow *a)
{
	char *shown = url_shown(a->base);

	die(EX_PROTOCOL, "no DAG \"%s\" at %s", dag, shown);
}

/* ---- which API? ---- */

/* /version says so to anybody.  Whoever does not know the path answers 404, or with a page for people. */
static bool
has_version(struct airflow *a, enum api api)
{
	static const short ours[] = { 200, 400, 401, 403, 404, 405, 0 };
	struct http_reply *reply;
	struct str version;

	buf_reset(&a->url);
	buf_fmt(&a->url, "%s/api/%s/version", a->base, apis[api]);
	reply = http_start(a->http, &(struct http_request){ .url = a->url.p, .what = "which API?", .claims = ours,
	    .secrets = (const char *const[]){ a->bearer.header.p, NULL }, .max_body = 1 << 20 });
	http_wait(a->http, reply);
	if (reply->status == 401 || reply->status == 403)
		refused(reply, "say which by --api, or set AIRFLOW_TOKEN");
	version = reply->status == 200 && http_check_json(reply, NULL) == NULL ? member(reply, "version") : (struct str){ 0 };

	bool has = json_is_string(version);

	http_done(a->http, reply);
	return has;
}

static void
choose_api(struct airflow *a)
{
	if (a->api == API_AUTO)
		a->api = has_version(a, API_V2) ? API_V2 : has_version(a, API_V1) ? API_V1 : API_EXPERIMENTAL;
	if (opt_verbose())
		note("the %s API", apis[a->api]);
	if (a->api != API_EXPERIMENTAL)
		return;
	if (which == END || which == INTERVAL_END || task != NULL)
		die(EX_CONFIG, "the experimental API knows no %s", task != NULL ? "tasks of a run: leave out --task"
		    : "such time: use --which start or logical");
	if (!count_skipped)
		warning("the experimental API does not say what was skipped: a run whose tasks were all skipped counts");
}

/* ---- runs ---- */

/* By date_usec().  Without a zone it is UTC, as all of Airflow's times. */
static int64_t
to_instant(struct str value, struct str run)
{
	struct buf scratch = { 0 };
	struct str text = json_text(value, &scratch);
	struct moment m;
	const char *why;

	if (!json_is_string(value) || !date_parse(text, DATE_ISO, &m, &why) || !m.has_time)
		die(EX_PROTOCOL, "run %.*s: %.*s is no time", (int)run.n, run.p, (int)value.n, value.p);

	int64_t usec = date_usec(&m);

	buf_free(&scratch);
	return usec;
}

/* null and "" are no time. */
static bool
is_time(struct str value)
{
	return json_is_string(value) && value.n > 2;
}

/* False for a run that is none of those asked for: the filter is the server's, and may not be honoured. */
static bool
read_run(const struct airflow *a, struct str json, struct run *run)
{
	struct buf scratch = { 0 };
	bool good = *json.p == '{' && str_eq(json_text(json_get(json, "state"), &scratch), STR("success"));
	struct str execution;

	buf_free(&scratch);
	if (!good)
		return false;
	execution = json_get(json, "execution_date");
	run->id = json_get(json, a->api == API_EXPERIMENTAL ? "run_id" : "dag_run_id");
	run->time[START] = json_get(json, "start_date");
	run->time[END] = json_get(json, "end_date");
	run->time[LOGICAL] = execution.p != NULL ? execution : json_get(json, "logical_date");
	run->time[INTERVAL_END] = json_get(json, "data_interval_end");
	if (!json_is_string(run->id))
		die(EX_PROTOCOL, "a run without an id");
	run->due = to_instant(a->api == API_V2 ? json_get(json, "run_after") : run->time[LOGICAL], run->id);
	return true;
}

/* One that was marked by hand never started: it loaded nothing. */
static bool
has_started(const struct run *run)
{
	if (!is_time(run->time[START]))
		note("run %.*s never started: it does not count", (int)run->id.n, run->id.p);
	return is_time(run->time[START]);
}

/* True where a page that had N, from OFFSET on, is not the last. */
static bool
more_pages(struct http_reply *reply, unsigned long long offset, unsigned long long n, unsigned long long asked)
{
	struct str total = member(reply, "total_entries");

	if (total.p != NULL && *total.p >= '0' && *total.p <= '9')
		return n > 0 && offset + n < strtoull(total.p, NULL, 10);
	return n >= asked;
}

static struct json_walk
elements(struct http_reply *reply, const char *name)
{
	struct str array = name != NULL ? member(reply, name) : http_json(reply);

	if (array.p == NULL || *array.p != '[')
		die(EX_PROTOCOL, "%s: no %s in the answer", reply->name, name != NULL ? name : "array");
	return json_walk(array);
}

/* Did any task, or that of --task, succeed in the run?  Where none is known any more, none did. */
static bool
run_did_something(struct airflow *a, struct str id)
{
	struct buf scratch = { 0 }, state = { 0 };
	unsigned long long offset = 0, n;
	bool did = false, more;

	do {
		begin_url(a);
		buf_text(&a->url, "/dagRuns/");
		buf_percent(&a->url, json_text(id, &scratch));
		buf_fmt(&a->url, "/taskInstances?limit=%d&offset=%llu", TASKS_PAGE, offset);

		struct http_reply *reply = get(a, "tasks of a run");

		if (reply->status != 200)
			refused(reply, "the tasks of the run are not to be had: see --count-skipped");

		struct json_walk w = elements(reply, "task_instances");

		for (n = 0; json_next(&w) && !did; n++)
			did = *w.value.p == '{' && str_eq(json_text(json_get(w.value, "state"), &state), STR("success")) &&
			    (task == NULL || str_eq(json_text(json_get(w.value, "task_id"), &scratch), str_of(task)));
		more = !did && more_pages(reply, offset, n, TASKS_PAGE);
		offset += n;
		http_done(a->http, reply);
	} while (more);
	buf_free(&scratch);
	buf_free(&state);
	if (!did)
		note("run %.*s: %s: it does not count", (int)id.n, id.p, task != NULL ? "the task did not succeed in it"
		    : "all tasks were skipped");
	return did;
}

/* A typing mistake is no DAG that never ran: v1 answers both with an empty list. */
static void
need_dag(struct airflow *a)
{
	begin_url(a);

	struct http_reply *reply = get(a, "the DAG");

	if (reply->status == 404)
		no_dag(a);
	if (reply->status != 200)
		refused(reply, "is it the right --api?");
	http_done(a->http, reply);
}

/* The time that was asked for. */
static int64_t
time_of(const struct run *run)
{
	if (!is_time(run->time[which]))
		die(EX_DATAERR, "run %.*s has no %s time: choose another --which", (int)run->id.n, run->id.p, whiches[which]);
	return to_instant(run->time[which], run->id);
}

/* The first run is the newest only if the server sorts. */
static void
check_order(const struct airflow *a, struct http_reply *reply, int64_t *last_due)
{
	struct json_walk w = elements(reply, "dag_runs");
	struct run run;

	while (json_next(&w)) {
		if (!read_run(a, w.value, &run))
			continue;
		if (run.due > *last_due)
			die(EX_PROTOCOL, "%s: the runs are not in the order that was asked for", reply->name);
		*last_due = run.due;
	}
}

/* v1 and v2: the newest first, until one counts. */
static bool
find_run(struct airflow *a, int64_t *found)
{
	const char *order = a->api == API_V2 ? "run_after" : "execution_date";
	unsigned long long offset = 0, n;
	int64_t last_due = INT64_MAX;
	bool has = false, more;

	do {
		begin_url(a);
		buf_fmt(&a->url, "/dagRuns?state=success&order_by=-%s&limit=%d&offset=%llu", order, PAGE, offset);

		struct http_reply *reply = get(a, "runs");

		if (reply->status == 404)
			no_dag(a);
		if (reply->status != 200)
			refused(reply, "is it the right --api?");

		struct json_walk w = elements(reply, "dag_runs");
		struct run run;

		check_order(a, reply, &last_due);
		for (n = 0; !has && json_next(&w); n++) {
			if (offset + n >= (unsigned long long)max_runs)
				die(EX_DATAERR, "none of the last %lld successful runs counts: see --max-runs and --count-skipped", max_runs);
			has = read_run(a, w.value, &run) && has_started(&run) && (count_skipped || run_did_something(a, run.id));
			if (has)
				*found = time_of(&run);
		}
		more = !has && more_pages(reply, offset, n, PAGE);
		offset += n;
		http_done(a->http, reply);
	} while (more);
	if (!has && offset == 0)
		need_dag(a);
	return has;
}

/* The experimental API has all runs in one array, in no order. */
static bool
find_experimental(struct airflow *a, int64_t *found)
{
	struct run run, newest = { .due = INT64_MIN };
	bool has = false;

	begin_url(a);
	buf_text(&a->url, "/dag_runs?state=success");

	struct http_reply *reply = get(a, "runs");
	struct buf said = { 0 };

	http_message(&said, reply);
	if (reply->status == 400 && strstr(said.p, "not found") != NULL)
		no_dag(a);
	if (reply->status == 404)
		die(EX_PROTOCOL, "%s: not found: no API of Airflow is there, or it is switched off", reply->name);
	if (reply->status != 200)
		refused(reply, "is it the right --api?");

	struct json_walk w = elements(reply, NULL);

	while (json_next(&w)) {
		if (read_run(a, w.value, &run) && has_started(&run) && run.due >= newest.due) {
			newest = run;
			has = true;
		}
	}
	if (has)
		*found = time_of(&newest);
	http_done(a->http, reply);
	buf_free(&said);
	return has;
}

/* ---- the answer ---- */

/* One line, which is empty when there was no run. */
static void
print_time(bool found, int64_t usec)
{
	struct moment m = { 0 };
	struct buf b = { 0 };

	if (found && epoch) {
		buf_fmt(&b, "%lld", (long long)(usec - (usec % 1000000 + 1000000) % 1000000) / 1000000 + UNIX_2000);
	} else if (found) {
		date_from_usec(&m, usec);
		m.has_zone = true;
		date_put_iso(&b, &m);
	}
	buf_char(&b, '\n');
	write_all(STDOUT_FILENO, "stdout", buf_all(&b));
	buf_free(&b);
}

int
main(int argc, char *argv[])
{
	struct airflow airflow = { 0 };
	int64_t usec = 0;
	bool found;

	check_options(opt_parse(argc, argv));
	airflow_open(&airflow);
	choose_api(&airflow);
	found = airflow.api == API_EXPERIMENTAL ? find_experimental(&airflow, &usec) : find_run(&airflow, &usec);
	print_time(found, usec);
	airflow_close(&airflow);
	return found ? EX_OK : (int)empty_exit;
}

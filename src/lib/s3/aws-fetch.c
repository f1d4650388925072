/*
 * s3/aws-fetch.c - credentials from those who hand them out to this machine.
 *
 * Addresses and times are those of the AWS SDKs.  The endpoints answer in plain http on this machine's own link, so they
 * are asked past every proxy, and no redirect is followed.
 */
#include "s3/aws-fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/opt.h"
#include "base/slurp.h"
#include "format/date.h"
#include "format/json.h"
#include "net/url.h"

#define CONTAINER_HOST "http://169.254.170.2"
#define CONTAINER_TIMEOUT 2.0   /* s */
#define CONTAINER_TRIES 3
#define INSTANCE_HOST "http://169.254.169.254"
#define INSTANCE_HOST_6 "http://[fd00:ec2::254]"
#define INSTANCE_ROLES "/latest/meta-data/iam/security-credentials/"
#define INSTANCE_TIMEOUT 1.0    /* s: where there is no such endpoint, nobody answers */
#define ANSWER_MAX (64L << 10)  /* bytes of any of these answers */
#define TOKEN_MAX (16L << 10)   /* bytes of a container's token */
#define PROCESS_WAIT 60         /* s */
#define MASKED 8                /* secrets: a renewal brings five at most */

extern char **environ;

void
aws_mask(const char *secret)
{
	static char *masked[MASKED];    /* a ring */
	static size_t next;

	for (size_t i = 0; i < MASKED; i++)
		if (masked[i] != NULL && strcmp(masked[i], secret) == 0)
			return;
	if (masked[next] != NULL)
		err_unmask(masked[next]);
	free(masked[next]);
	masked[next] = xstrdup(secret);
	err_mask(secret);
	next = (next + 1) % MASKED;
}

void
aws_keys_free(struct aws_keys *k)
{
	free(k->key);
	free(k->secret);
	free(k->token);
	*k = (struct aws_keys){ 0 };
}

bool
aws_fail(struct aws_failure *f, int status, const char *fmt, ...)
{
	char text[1500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	f->status = status;
	buf_reset(&f->why);
	buf_text(&f->why, text);
	return false;
}

bool
aws_fail_at(struct aws_failure *f, const char *where)
{
	char *why = buf_take(&f->why);

	aws_fail(f, f->status, "%s: %s", where, why);
	free(why);
	return false;
}

bool
aws_keys_good(struct aws_keys *k, struct aws_failure *f)
{
	if (k->secret != NULL)
		aws_mask(k->secret);
	if (k->token != NULL)
		aws_mask(k->token);
	if (k->key != NULL && *k->key != '\0' && k->secret != NULL && *k->secret != '\0')
		return true;
	aws_keys_free(k);
	return aws_fail(f, EX_PROTOCOL, "the answer holds no credentials");
}

time_t
aws_time(struct str text)
{
	struct moment m;
	const char *why;

	return date_parse(text, DATE_ISO, &m, &why) ? (time_t)(date_usec(&m) / 1000000 + UNIX_2000) : 0;
}

const char *
aws_env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

bool
aws_env_true(const char *name)
{
	const char *value = aws_env(name);

	if (value == NULL || strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0)
		return false;
	if (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0)
		return true;
	die(EX_CONFIG, "%s: %s: want true or false", name, value);
}

struct http_reply *
aws_ask(struct http *http, const struct http_request *request, struct aws_failure *f)
{
	struct http_reply *reply = http_start(http, request);

	if (http_try(http, reply))
		return reply;
	aws_fail(f, reply->failure, "%s: %s", reply->name, reply->why);
	http_done(http, reply);
	return NULL;
}

/* The text of a member, or NULL where there is none or it is empty; caller frees. */
static char *
member(struct str object, const char *name)
{
	struct buf scratch = { 0 };
	struct str text = json_text(json_get(object, name), &scratch);
	char *copy = text.p != NULL && text.n > 0 ? str_dup(text) : NULL;

	buf_free(&scratch);
	return copy;
}

/* An object that was found good before; the session's token goes by two names. */
static bool
take_keys(struct str object, const char *token, struct aws_keys *k, struct aws_failure *f)
{
	char *expires = member(object, "Expiration");

	*k = (struct aws_keys){ .key = member(object, "AccessKeyId"), .secret = member(object, "SecretAccessKey"),
		.token = member(object, token) };
	if (expires != NULL && (k->expires = aws_time(str_of(expires))) == 0) {
		aws_fail(f, EX_PROTOCOL, "Expiration \"%s\" is no time", expires);
		free(expires);
		aws_keys_free(k);
		return false;
	}
	free(expires);
	return aws_keys_good(k, f);
}

/* Credentials as JSON out of a reply, which ends here. */
static bool
take_reply(struct http *http, struct http_reply *reply, struct aws_keys *k, struct aws_failure *f)
{
	struct str body = buf_all(&reply->body);
	char *code = member(body, "Code"), *said = member(body, "Message");
	bool good = code == NULL || strcmp(code, "Success") == 0;

	if (good)
		good = take_keys(body, "Token", k, f);
	else
		aws_fail(f, EX_NOPERM, "%s: %s", code, said != NULL ? said : "no message");
	if (!good)
		aws_fail_at(f, reply->name);
	free(code);
	free(said);
	http_done(http, reply);
	return good;
}

/* The container's endpoint: ECS and EKS pod identities */

/* Whom the SDKs give the token in the clear: this machine, and the agents of ECS and EKS on its link. */
static bool
may_ask(const char *url)
{
	static const char *const agents[] = { "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "fd00:ec2::23", NULL };
	char *host;
	bool may = url_loopback(url);

	if (!url_plain(url))
		return strncasecmp(url, "https://", 8) == 0;
	host = url_host(url);
	for (size_t i = 0; !may && host != NULL && agents[i] != NULL; i++)
		may = strcasecmp(host, agents[i]) == 0;
	free(host);
	return may;
}

/* Read anew each time: the file is replaced before the token in it expires.  Caller frees; NULL: none is wanted. */
static char *
container_token(void)
{
	const char *path = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), *token = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct buf text = { 0 };
	char *copy;

	if (path == NULL && token == NULL)
		return NULL;
	if (path != NULL) {
		enum slurp how = slurp(&text, path, TOKEN_MAX);

		if (how != SLURP_WHOLE)
			die_errno(slurp_status(how), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: %s", path);
		text.p[strcspn(text.p, "\r\n")] = '\0';
		token = text.p;
	}
	aws_mask(token);
	copy = xstrdup(token);
	buf_free(&text);
	return copy;
}

bool
aws_fetch_container(struct http *http, int tries, struct aws_keys *k, struct aws_failure *f)
{
	const char *path = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), *full = aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct buf url = { 0 }, header = { 0 };
	char *token = container_token();

	if (path == NULL && !may_ask(full))
		die(EX_CONFIG, "AWS_CONTAINER_CREDENTIALS_FULL_URI: %s: want https, or http to this machine or its link: 169.254.170.2, "
		    "169.254.170.23, [fd00:ec2::23]", full);
	if (path != NULL)
		buf_fmt(&url, CONTAINER_HOST "%s%s", *path == '/' ? "" : "/", path);
	else
		buf_text(&url, full);
	if (token != NULL)
		buf_fmt(&header, "Authorization: %s", token);

	const char *headers[] = { "Accept: application/json", header.p, NULL };
	struct http_reply *reply = aws_ask(http, &(struct http_request){ .url = url.p, .headers = headers, .want = "JSON",
		.check = http_check_json, .exact = true, .direct = true, .follow_no = true, .max_body = ANSWER_MAX,
		.tries = tries > 0 ? tries : CONTAINER_TRIES, .timeout = CONTAINER_TIMEOUT,
		.credential = "check AWS_CONTAINER_AUTHORIZATION_TOKEN" }, f);

	free(token);
	buf_free(&url);
	buf_free(&header);
	return reply != NULL && take_reply(http, reply, k, f);
}

/* The instance's endpoint: EC2 */

struct instance {
	struct http *http;
	const char *base;
	struct buf token;               /* a header; empty: version 1 */
	int tries;
	double timeout;
	struct aws_failure *f;
};

static double
number_of(const char *name, double otherwise, double least)
{
	const char *text = aws_env(name);
	char *end;
	double n = text != NULL ? strtod(text, &end) : otherwise;

	if (text != NULL && (*end != '\0' || !(n >= least && n <= 1000)))
		die(EX_CONFIG, "%s: %s: want a number from %g to 1000", name, text, least);
	return n;
}

static const char *
instance_host(void)
{
	const char *told = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT"), *mode = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

	if (told == NULL)
		return mode != NULL && strcasecmp(mode, "ipv6") == 0 ? INSTANCE_HOST_6 : INSTANCE_HOST;
	if (!url_plain(told) && strncasecmp(told, "https://", 8) != 0)
		die(EX_CONFIG, "AWS_EC2_METADATA_SERVICE_ENDPOINT: %s: want http:// or https://", told);
	return told;
}

static struct http_reply *
ask_instance(struct instance *i, struct http_request request, const char *path, const char *more)
{
	struct buf url = { 0 };
	struct http_reply *reply;

	buf_text(&url, i->base);
	buf_trim_slashes(&url);
	buf_fmt(&url, "%s%s", path, more);
	request.url = url.p;
	request.exact = request.direct = request.follow_no = true;
	request.max_body = ANSWER_MAX;
	request.tries = i->tries;
	request.timeout = i->timeout;
	reply = aws_ask(i->http, &request, i->f);
	buf_free(&url);
	return reply;
}

/* Version 2's token.  Who refuses to give one knows version 1 only. */
static bool
open_session(struct instance *i)
{
	static const char *const headers[] = { "x-aws-ec2-metadata-token-ttl-seconds: 21600", NULL };
	static const short old[] = { 403, 404, 405, 0 };
	struct http_reply *reply = ask_instance(i, (struct http_request){ .method = "PUT", .headers = headers, .claims = old },
		"/latest/api/token", "");
	bool good = reply != NULL;

	if (!good)
		return false;
	if (reply->status != 200) {
		if (aws_env_true("AWS_EC2_METADATA_V1_DISABLED"))
			good = aws_fail(i->f, EX_NOPERM, "%s: answered %ld, and AWS_EC2_METADATA_V1_DISABLED forbids to ask without a token",
			    reply->name, reply->status);
	} else if (reply->body.len == 0) {
		good = aws_fail(i->f, EX_PROTOCOL, "%s: an empty token", reply->name);
	} else {
		aws_mask(reply->body.p);
		buf_fmt(&i->token, "x-aws-ec2-metadata-token: %s", reply->body.p);
	}
	http_done(i->http, reply);
	return good;
}

/* The role that the machine has; caller frees. */
static char *
instance_role(struct instance *i, const char *const *headers)
{
	static const short none[] = { 404, 0 };
	struct http_reply *reply = ask_instance(i, (struct http_request){ .headers = headers, .claims = none }, INSTANCE_ROLES, "");
	struct buf role = { 0 };

	if (reply == NULL)
		return NULL;
	if (reply->status == 200 && reply->body.len > 0)
		buf_add(&role, reply->body.p, strcspn(reply->body.p, "\r\n"));
	if (role.len == 0)
		aws_fail(i->f, EX_NOPERM, "%s: this machine has no role: attach an instance profile", reply->name);
	http_done(i->http, reply);
	return role.len > 0 ? buf_take(&role) : NULL;
}

bool
aws_fetch_instance(struct http *http, int tries, struct aws_keys *k, struct aws_failure *f)
{
	struct instance i = { .http = http, .base = instance_host(), .f = f,
		.tries = tries > 0 ? tries : (int)number_of("AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1, 1),
		.timeout = number_of("AWS_METADATA_SERVICE_TIMEOUT", INSTANCE_TIMEOUT, 0.1) };
	struct http_reply *reply = NULL;
	char *role = NULL;

	if (open_session(&i)) {
		const char *headers[] = { i.token.p, NULL };

		if ((role = instance_role(&i, headers)) != NULL)
			reply = ask_instance(&i, (struct http_request){ .headers = headers, .want = "JSON", .check = http_check_json },
			    INSTANCE_ROLES, role);
	}
	free(role);
	buf_free(&i.token);
	return reply != NULL && take_reply(http, reply, k, f);
}

/* credential_process */

/* Takes the next word at *p, as Python's shlex does and so botocore.  False at the end; *why where a quote is open. */
static bool
next_word(const char **p, struct buf *word, const char **why)
{
	char quote = '\0';
	bool any = false, escaped = false;

	*p += strspn(*p, " \t\r\n");
	buf_reset(word);
	for (; **p != '\0'; ++*p) {
		if (quote == '\0' && strchr(" \t\r\n", **p) != NULL)
			break;
		any = true;
		if (quote == '\0' && (**p == '"' || **p == '\'')) {
			quote = **p;
		} else if (**p == quote) {
			quote = '\0';
		} else if (**p == '\\' && quote != '\'' && (quote == '\0' || (*p)[1] == '"' || (*p)[1] == '\\')) {
			if ((escaped = *++*p == '\0'))
				break;
			buf_char(word, **p);
		} else {
			buf_char(word, **p);
		}
	}
	*why = quote != '\0' ? "a quote is not closed" : escaped ? "it ends in a backslash" : NULL;
	return any;
}

/* NULL at the end; free_words() when done.  *why: why it can't be run, or NULL. */
static char **
split_words(const char *command, const char **why)
{
	char **words = xcalloc(strlen(command) + 2, sizeof *words);
	struct buf word = { 0 };
	size_t n = 0;

	while (next_word(&command, &word, why) && *why == NULL)
		words[n++] = xstrdup(buf_all(&word).p);
	buf_free(&word);
	if (n == 0 && *why == NULL)
		*why = "it is empty";
	return words;
}

static void
free_words(char **words)
{
	for (char **w = words; *w != NULL; w++)
		free(*w);
	free(words);
}

/* Starts it with its standard output in *out, and nothing to read.  0, or an errno. */
static int
start_process(char **words, int *out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	int both[2], error;

	if (pipe(both) != 0)
		die_errno(EX_OSERR, "pipe");
	fcntl(both[0], F_SETFD, FD_CLOEXEC);
	fcntl(both[1], F_SETFD, FD_CLOEXEC);
	sigemptyset(&none);
	sigemptyset(&all);
	sigaddset(&all, SIGPIPE);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGINT);
	posix_spawn_file_actions_init(&files);
	if ((error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0)) != 0 ||
	    (error = posix_spawn_file_actions_adddup2(&files, both[1], STDOUT_FILENO)) != 0) {
		errno = error;
		die_errno(EX_OSERR, "posix_spawn");
	}
	posix_spawnattr_init(&how);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawnp(pid, words[0], &files, &how, words, environ);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	close(both[1]);
	*out = both[0];
	if (error != 0)
		close(both[0]);
	return error;
}

/* All that it prints, ANSWER_MAX at most.  NULL, or what went wrong. */
static const char *
read_output(int fd, struct buf *out, double end)
{
	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		double left = end - clock_now();
		ssize_t n;

		if (left <= 0)
			return "no answer within a minute";
		if (poll(&ready, 1, (int)(left * 1000) + 1) <= 0)
			continue;
		buf_room(out, 4096);
		if ((n = read(fd, out->p + out->len, 4096)) < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? strerror(errno) : NULL;
		out->len += (size_t)n;
		out->p[out->len] = '\0';
		if (out->len > ANSWER_MAX)
			return "prints more than 64 KiB";
	}
}

/* Waits for its end, which is a moment away once its output ended.  NULL, or what went wrong; then it was killed. */
static const char *
wait_process(pid_t pid, int *how, const char *why, double end)
{
	static const struct timespec moment = { .tv_nsec = 5000000 };
	pid_t ended;

	while (why == NULL && ((ended = waitpid(pid, how, WNOHANG)) == 0 || (ended < 0 && errno == EINTR))) {
		if (clock_now() >= end)
			why = "it does not end within a minute";
		else
			nanosleep(&moment, NULL);
	}
	if (why != NULL) {
		kill(pid, SIGKILL);
		while (waitpid(pid, how, 0) < 0 && errno == EINTR)
			continue;
	}
	return why;
}

static bool
take_output(struct buf *out, const char *program, struct aws_keys *k, struct aws_failure *f)
{
	struct json_error e = { 0 };
	const char *start, *end, *past;
	struct str version;

	buf_room(out, 1);
	start = json_space(out->p, out->p + out->len);
	end = out->p + out->len;
	past = json_skip(start, end, &e);
	if (past == NULL || *start != '{' || json_space(past, end) != end)
		return aws_fail(f, EX_PROTOCOL, "%s: prints no JSON object", program);
	version = json_get((struct str){ start, (size_t)(past - start) }, "Version");
	if (!str_eq(version, STR("1")))
		return aws_fail(f, EX_PROTOCOL, "%s: its answer has no \"Version\": 1", program);
	return take_keys((struct str){ start, (size_t)(past - start) }, "SessionToken", k, f) || aws_fail_at(f, program);
}

static bool
run_process(char **words, struct aws_keys *k, struct aws_failure *f)
{
	struct buf out = { 0 };
	double end = clock_now() + PROCESS_WAIT;
	const char *why;
	pid_t pid = 0;
	int fd = -1, how = 0, error = start_process(words, &fd, &pid);
	bool good;

	errno = error;
	if (error == EAGAIN)
		die_errno(EX_OSERR, "%s", words[0]);
	memory_check(words[0]);
	if (error != 0)
		return aws_fail(f, EX_CONFIG, "%s: %s", words[0], strerror(error));
	why = wait_process(pid, &how, read_output(fd, &out, end), end);
	close(fd);
	if (why != NULL)
		good = aws_fail(f, EX_UNAVAILABLE, "%s: %s", words[0], why);
	else if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
		good = aws_fail(f, EX_NOPERM, "%s: %s %d", words[0], WIFEXITED(how) ? "its exit status is" : "killed by signal",
		    WIFEXITED(how) ? WEXITSTATUS(how) : WTERMSIG(how));
	else
		good = take_output(&out, words[0], k, f);
	buf_free(&out);
	return good;
}

bool
aws_fetch_process(const char *command, struct aws_keys *k, struct aws_failure *f)
{
	const char *why;
	char **words = split_words(command, &why);
	bool good = why != NULL ? aws_fail(f, EX_CONFIG, "%s", why) : run_process(words, k, f);

	free_words(words);
	return good;
}

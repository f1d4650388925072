/* base/err.c - say what went wrong, and leave. */
#include "base/err.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define MESSAGE_MAX 4096        /* at most PIPE_BUF on Linux, so that lines of several programs do not mix */
#define SECRETS_MAX 32
#define UNDOS_MAX 4

static const char *tool_name = "culvert";
static bool quiet, as_json;
static char *secrets[SECRETS_MAX];
static size_t n_secrets;
static void (*undos[UNDOS_MAX])(void);
static volatile sig_atomic_t n_undos;
static const char *stop_says;

void
err_setup(const char *tool, bool be_quiet, bool json)
{
	tool_name = tool;
	quiet = be_quiet;
	as_json = json;
}

static void
add_secret(char *secret)
{
	if (n_secrets == SECRETS_MAX)
		die(EX_SOFTWARE, "more than %d secrets", SECRETS_MAX);
	secrets[n_secrets++] = secret;
}

void
err_mask(const char *secret)
{
	if (strlen(secret) < 4)
		return;

	struct buf encoded = { 0 };

	buf_percent(&encoded, str_of(secret));
	add_secret(xstrdup(secret));
	if (strcmp(encoded.p, secret) != 0)
		add_secret(buf_take(&encoded));
	buf_free(&encoded);
}

static void
drop_secret(const char *secret)
{
	for (size_t i = n_secrets; i-- > 0; ) {
		if (strcmp(secrets[i], secret) == 0) {
			free(secrets[i]);
			secrets[i] = secrets[--n_secrets];
			return;
		}
	}
}

void
err_unmask(const char *secret)
{
	struct buf encoded = { 0 };

	buf_percent(&encoded, str_of(secret));
	drop_secret(secret);
	if (strcmp(encoded.p, secret) != 0)
		drop_secret(encoded.p);
	buf_free(&encoded);
}

/* Shortens the text where it stands: each secret becomes ***. */
static void
mask(char *text)
{
	for (size_t i = 0; i < n_secrets; i++) {
		size_t n = strlen(secrets[i]);

		for (char *at = text; (at = strstr(at, secrets[i])) != NULL; at += 3) {
			memmove(at + 3, at + n, strlen(at + n) + 1);
			memcpy(at, "***", 3);
		}
	}
}

static void
no_control_bytes(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static size_t
add_json_text(char *line, size_t at, size_t room, const char *text)
{
	for (; *text != '\0' && at + 8 < room; text++) {
		if (*text == '"' || *text == '\\')
			line[at++] = '\\';
		line[at++] = *text;
	}
	return at;
}

static size_t
json_line(char *line, size_t room, const char *level, int status, const char *text)
{
	struct timespec now;
	struct tm utc;
	char stamp[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);

	int head = snprintf(line, room, "{\"time\":\"%s\",\"tool\":\"%s\",\"level\":\"%s\",\"message\":\"", stamp, tool_name, level);
	size_t n = add_json_text(line, (size_t)head, room - 32, text);

	n += (size_t)snprintf(line + n, room - n, status != 0 ? "\",\"status\":%d}\n" : "\"}\n", status);
	return n;
}

static void
say(const char *level, int status, int error, const char *fmt, va_list args)
{
	int saved = errno;
	char text[MESSAGE_MAX - 256], line[MESSAGE_MAX];
	int n = vsnprintf(text, sizeof text, fmt, args);

	if (error != 0 && n >= 0 && (size_t)n < sizeof text)
		snprintf(text + n, sizeof text - (size_t)n, ": %s%s", strerror(error), error == EMFILE ? ": see ulimit -n" : "");
	mask(text);
	no_control_bytes(text);

	size_t len = as_json ? json_line(line, sizeof line, level, status, text)
	                     : (size_t)snprintf(line, sizeof line, "%s: %s\n", tool_name, text);

	if (write(STDERR_FILENO, line, len) < 0) {
		/* nowhere left to say it */
	}
	errno = saved;
}

static void
undo_all(void)
{
	while (n_undos > 0)
		undos[--n_undos]();
}

void
die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("error", status, 0, fmt, args);
	va_end(args);
	undo_all();
	_exit(status);
}

void
die_errno(int status, const char *fmt, ...)
{
	va_list args;
	int error = errno;

	if (error == EMFILE || error == ENFILE || error == ENOMEM)
		status = EX_OSERR;
	va_start(args, fmt);
	say("error", status, error, fmt, args);
	va_end(args);
	undo_all();
	_exit(status);
}

void
warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("warning", 0, 0, fmt, args);
	va_end(args);
}

void
note(const char *fmt, ...)
{
	va_list args;

	if (quiet)
		return;
	va_start(args, fmt);
	say("note", 0, 0, fmt, args);
	va_end(args);
}

void
err_undo(void (*undo)(void))
{
	if (n_undos == UNDOS_MAX)
		die(EX_SOFTWARE, "more than %d things to undo", UNDOS_MAX);
	undos[n_undos] = undo;
	n_undos++;
}

static void
say_plain(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0) {
		/* nowhere left to say it */
	}
}

/* Only write(2) and what err_undo() allows: this runs inside a signal handler. */
static void
on_stop(int number)
{
	static const char *const json[] = { "{\"level\":\"error\",\"tool\":\"", "\",\"message\":\"stopped: ", "\"}\n" };
	static const char *const plain[] = { "", ": stopped: ", "\n" };
	const char *const *part = as_json ? json : plain;

	undo_all();
	say_plain(part[0]);
	say_plain(tool_name);
	say_plain(part[1]);
	say_plain(stop_says);
	say_plain(part[2]);
	_exit(128 + number);
}

void
stop_setup(const char *what)
{
	struct sigaction action = { .sa_handler = on_stop };

	stop_says = what;
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGTERM);
	sigaddset(&action.sa_mask, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

void
stop_hold(void)
{
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGINT);
	sigprocmask(SIG_BLOCK, &both, NULL);
}

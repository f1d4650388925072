/* s3/guard.c - aborts an upload in parts, however the process ends. */
#include "s3/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format/xml.h"
#include "s3/listing.h"
#include "s3/sigv4.h"

#define GUARD_TIME 30.0         /* s that the guard tries for; who stops us waits for as long */
#define LOOKS 30                /* whether an aborted upload is gone */
#define MOST_FILES 1024         /* descriptors that may be open when the guard starts */

static struct {
	pid_t owner, pid;
	int control, lock;
	bool watching;                  /* it knows the upload */
} guard = { .control = -1, .lock = -1 };

/* Aborting */

static char *
upload_query(const char *id)
{
	struct buf b = { 0 };

	buf_text(&b, "uploadId=");
	buf_percent(&b, str_of(id));
	return buf_take(&b);
}

/* Returns the status, or 0 where there was none worth having. */
static long
ask(struct s3 *s3, const char *method, const char *bucket, struct str key, const char *query)
{
	static const short gone[] = { 404, 0 };
	struct http_reply *reply = s3_start(s3, &(struct s3_request){ .bucket = bucket, .key = key, .query = query,
	    .how = { .method = method, .claims = gone } });
	long status = http_try(s3_http(s3), reply) ? reply->status : 0;

	s3_done(s3, reply);
	return status;
}

static void
pause_for(double seconds)
{
	nanosleep(&(struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = (long)(seconds * 1e9) % 1000000000 }, NULL);
}

bool
s3_abort(struct s3 *s3, const char *bucket, struct str key, const char *id)
{
	char *query = upload_query(id);
	bool gone = false, could = true;

	for (int i = 0; i < LOOKS && could && !gone; i++) {
		if (i > 1)
			pause_for(0.5);
		could = ask(s3, "DELETE", bucket, key, query) != 0;
		/* who may not look at it has to take the word for it */
		gone = could && ask(s3, "GET", bucket, key, query) != 200;
	}
	free(query);
	return gone;
}

struct others { struct str key; const char *mine; struct words ids; };

static void
take_other(const struct s3_upload *upload, void *arg)
{
	struct others *o = arg;

	if (!str_eq(upload->key, o->key) || str_eq(upload->id, str_of(o->mine)))
		return;
	o->ids.w = xrealloc(o->ids.w, o->ids.n + 1, sizeof *o->ids.w);
	o->ids.w[o->ids.n++] = str_dup(upload->id);
}

static void
count_upload(const char *path, struct str text, void *n)
{
	(void)text;
	if (strcmp(path, "Upload") == 0)
		++*(unsigned *)n;
}

/* Is there one more below this key?  By a request that may be refused: s3_list_uploads() would die of it. */
static bool
has_others(struct s3 *s3, const char *bucket, struct str key)
{
	struct buf query = { 0 };
	struct http_reply *reply;
	unsigned n = 0;

	buf_text(&query, "max-uploads=2&prefix=");
	buf_percent(&query, key);
	buf_text(&query, "&uploads=");
	reply = s3_start(s3, &(struct s3_request){ .bucket = bucket, .query = query.p, .how = { .tries = 3 } });
	if (http_try(s3_http(s3), reply))
		xml_read(buf_all(&reply->body), NULL, count_upload, &n);
	s3_done(s3, reply);
	buf_free(&query);
	return n > 1;
}

unsigned
s3_abort_others(struct s3 *s3, const char *bucket, struct str key, const char *id)
{
	struct others o = { .key = key, .mine = id };
	unsigned n = 0;

	if (has_others(s3, bucket, key))
		s3_list_uploads(s3, bucket, key, take_other, &o);
	for (size_t i = 0; i < o.ids.n; i++) {
		n += s3_abort(s3, bucket, key, o.ids.w[i]);
		free(o.ids.w[i]);
	}
	free(o.ids.w);
	return n;
}

/* The guard */

/* Reads up to END, which is cut off; false when the other end was closed before.  An error is not taken for that at once: who
 * leaves too soon can't abort anything. */
static bool
read_word(int fd, char end, struct buf *word)
{
	for (int errors = 0; errors < 10; ) {
		char c;
		ssize_t n = read(fd, &c, 1);

		if (n == 0)
			return false;
		errors += n < 0 && errno != EINTR;
		if (n == 1 && c == end)
			return true;
		if (n == 1)
			buf_char(word, c);
	}
	return false;
}

static _Noreturn void
stand_guard(struct s3_options options, int control, const char *bucket, struct str key)
{
	struct buf id = { 0 }, word = { 0 };
	bool told;

	setsid();
	for (int fd = 0; fd < MOST_FILES; fd++)
		if (fd != control && fd != STDERR_FILENO)
			close(fd);              /* above all the input, whose writer has to see that its reader is gone */
	if (!read_word(control, '\n', &id))
		_exit(EX_OK);
	told = read_word(control, '\n', &word);
	if (told && strcmp(word.p, "complete") == 0)
		_exit(EX_OK);
	options.http.max_time = GUARD_TIME;

	struct s3 *s3 = s3_open(&options);

	if (!s3_abort(s3, bucket, key, id.p))
		warning("s3://%s/%.*s: the upload could not be aborted: the next run to this key does it", bucket, (int)key.n, key.p);
	else if (!told)
		warning("s3://%s/%.*s: killed, and its upload aborted: nothing was stored", bucket, (int)key.n, key.p);
	_exit(EX_OK);
}

static void
tell(const char *what)
{
	size_t n = strlen(what);

	while (n > 0) {
		ssize_t put = send(guard.control, what, n, MSG_NOSIGNAL);

		if (put < 0 && errno != EINTR)
			return;                 /* it is gone; the next run will see to what we leave */
		if (put > 0) {
			what += put;
			n -= (size_t)put;
		}
	}
}

static void
end_guard(const char *word)
{
	if (guard.pid == 0 || getpid() != guard.owner)
		return;
	if (guard.watching)
		tell(word);
	close(guard.control);
	while (waitpid(guard.pid, NULL, 0) < 0 && errno == EINTR)
		;
	guard.pid = 0;
}

static void
call_off(void)
{
	end_guard("abort\n");
}

/*
 * One process of this machine at a time sends to a key.  The lock is a name of Linux's abstract namespace: it leaves no file, and it
 * is free when its process ends, however that comes about.
 */
static void
lock(const struct s3_options *options, const char *bucket, struct str key)
{
	static const char *const names[] = { "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_PROFILE" };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct buf place = { 0 };
	char hash[SIGV4_HEX];

	buf_fmt(&place, "%s\n", options->endpoint != NULL ? options->endpoint : "");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		buf_fmt(&place, "%s\n", getenv(names[i]) != NULL ? getenv(names[i]) : "");
	buf_fmt(&place, "%s/", bucket);
	buf_str(&place, key);
	sigv4_hash(hash, buf_all(&place));
	buf_free(&place);
	memcpy(address.sun_path + 1, "culvert-s3-", 11);
	memcpy(address.sun_path + 12, hash, sizeof hash - 1);
	guard.lock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (guard.lock >= 0 && bind(guard.lock, (struct sockaddr *)&address, sizeof address) != 0 && errno == EADDRINUSE)
		die(EX_TEMPFAIL, "s3://%s/%.*s: another process of this machine is sending to it: run again later", bucket,
		    (int)key.n, key.p);
}

void
s3_guard_start(const struct s3_options *options, const char *bucket, struct str key)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGALRM };
	sigset_t all, before;
	int pair[2];

	lock(options, bucket, key);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die_errno(EX_OSERR, "socketpair");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);        /* or a signal would find our handlers in the guard */
	guard.owner = getpid();
	guard.control = pair[0];
	guard.pid = fork();
	if (guard.pid == 0) {
		for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
			signal(ignored[i], SIG_IGN);
		sigprocmask(SIG_SETMASK, &before, NULL);
		stand_guard(*options, pair[1], bucket, key);
	}
	if (guard.pid < 0) {
		guard.pid = 0;
		die_errno(EX_OSERR, "fork");
	}
	close(pair[1]);
	err_undo(call_off);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void
s3_guard_watch(const char *id)
{
	guard.watching = true;
	tell(id);
	tell("\n");
}

void
s3_guard_dismiss(bool complete)
{
	end_guard(complete ? "complete\n" : "abort\n");
	if (guard.lock >= 0)
		close(guard.lock);
	guard.lock = -1;
}

/*
 * sluice - run a pipeline into a sink that commits only if all of the pipeline succeeded.
 *
 * To a sink, a producer that finished and one that died look the same: end of file.  So sluice keeps the writing
 * end of the sink's input open until it knows the pipeline's status: at 0 it closes it, otherwise it terminates
 * the sink, which never saw an end.  A second process, the guard, keeps that end open as well, so that the promise
 * holds when sluice itself is killed.  No byte of the data passes through either.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"

static double grace = 10;

static const struct opt options[] = {
	OPT_SECONDS(0, "kill-after", "TIME", &grace,
	    "SIGKILL what ignores SIGTERM for so long (10s)"),
	OPT_NO_LETTER('k', "kill-after"),
	OPT_END
};
const struct tool tool = {
	.name = "sluice", .operands = "'PIPELINE' -- SINK [arg ...]", .options = options, .own_operands_only = true,
	.does = "Run a bash pipeline into a sink; end its input only if all of it succeeded.",
};

struct child { pid_t pid; bool over; int status; };     /* status: as a shell has it, 128 + n for a signal */

#define PAUSE 0.01      /* seconds between two looks at a child that should end */

static volatile sig_atomic_t stopped_by;

static void
on_signal(int number)
{
	if (number != SIGCHLD)
		stopped_by = number;
}

static void
catch_signals(sigset_t *waiting)
{
	static const int caught[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t all;

	sigemptyset(&action.sa_mask);
	sigemptyset(&all);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
		sigaction(caught[i], &action, NULL);
		sigaddset(&all, caught[i]);
	}
	/* Blocked but inside sigsuspend(): a signal can't slip in between the test and the wait. */
	sigprocmask(SIG_BLOCK, &all, waiting);
}

static void
default_signals(const sigset_t *waiting)
{
	static const int caught[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGALRM };

	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		signal(caught[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, waiting, NULL);
}

/* Runs argv with IN and OUT as its 0 and 1 (-1: ours), in a process group of its own. */
static struct child
start(char *const argv[], int in, int out, const sigset_t *waiting)
{
	pid_t pid = fork();

	if (pid < 0)
		die_errno(EX_OSERR, "fork");
	if (pid > 0) {
		setpgid(pid, pid);      /* in both processes, whoever comes first */
		return (struct child){ .pid = pid };
	}
	setpgid(0, 0);
	if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
		die_errno(EX_OSERR, "dup2");
	default_signals(waiting);
	execvp(argv[0], argv);
	warning("%s: %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static struct child
start_pipeline(const char *text, int out, const sigset_t *waiting)
{
	/*
	 * errexit is not set: the status is that of the last command, as for anyone who types it.  Of a pipeline it is that of the
	 * first part that failed, since what comes behind fails of its end; but one that lost its reader (SIGPIPE) has no say.
	 */
	static char script[] = "set -o pipefail\n"
	    "eval \"$1\"'\nset -- $? \"${PIPESTATUS[@]}\"'\n"
	    "((all = $1)) || exit 0\n"
	    "while shift && (($#)); do (($1 == 0 || $1 == 141)) || exit \"$1\"; done\n"
	    "exit \"$all\"";
	char *argv[] = { "bash", "-c", script, "sluice", (char *)text, NULL };

	return start(argv, -1, out, waiting);
}

static void
pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)(PAUSE * 1e9) }, NULL);
}

/* True when all N bytes came. */
static bool
read_all(int fd, void *to, size_t n)
{
	for (char *p = to; n > 0;) {
		ssize_t got = read(fd, p, n);

		if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
			return false;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return true;
}

/*
 * Holds the sink's input open until sluice says `go` or dies; if it dies, ends the sink and the pipeline first.
 * The guard gets no signal of a terminal, since it leads a session of its own.
 */
static pid_t
start_guard(const int control[2], const int data[2], const struct child *sink)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGALRM };
	pid_t pid = fork(), pipeline;
	char go;

	if (pid != 0)
		return pid;
	setsid();
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	dup2(control[0], STDIN_FILENO);
	dup2(data[1], STDOUT_FILENO);   /* so that it keeps neither our output nor our errors open */
	dup2(data[1], STDERR_FILENO);
	close(control[1]);
	close(data[0]);

	bool started = read_all(STDIN_FILENO, &pipeline, sizeof pipeline);

	if (started && read_all(STDIN_FILENO, &go, 1))
		_exit(EX_OK);
	/* POLLERR: no one reads any more.  (Whether the process is still there can't be told: nobody may reap it.) */
	struct pollfd reader = { .fd = STDOUT_FILENO };

	for (double waited = 0; waited < grace + 1; waited += PAUSE) {
		int number = waited < grace ? SIGTERM : SIGKILL;

		if (started)
			kill(-pipeline, number);
		kill(-sink->pid, number);
		if (poll(&reader, 1, (int)(PAUSE * 1000)) != 0 && (reader.revents & POLLERR) != 0)
			break;
	}
	_exit(EX_OK);
}

static bool
reap(struct child *c, pid_t pid, int status)
{
	if (c->pid != pid)
		return false;
	c->over = true;
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}

static void
reap_all(struct child *a, struct child *b)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!reap(a, pid, status))
			reap(b, pid, status);
}

/* Terminates the child's whole group, and waits until the child is gone. */
static void
end_child(struct child *c, struct child *other, int number)
{
	bool killed = false;

	kill(-c->pid, number);
	for (double waited = 0; !c->over; waited += PAUSE) {
		if (waited > grace && !killed) {
			warning("process %ld ignores signal %d: killing it", (long)c->pid, number);
			kill(-c->pid, SIGKILL);
			killed = true;
		}
		pause_briefly();
		reap_all(c, other);
	}
	kill(-c->pid, SIGKILL);         /* what it may have left behind */
}

static int
ended_by_signal(struct child *pipeline, struct child *sink)
{
	int number = stopped_by;

	kill(-pipeline->pid, number);
	end_child(sink, pipeline, number);
	end_child(pipeline, sink, number);
	warning("stopped: the sink was told to undo, run again");
	return 128 + number;
}

static int
pipeline_failed(struct child *pipeline, struct child *sink)
{
	bool sink_left = sink->over;

	if (!sink_left)
		end_child(sink, pipeline, SIGTERM);
	/* A pipeline dies of SIGPIPE when the sink has ended by itself: then the sink's word counts, also when it had enough. */
	if (pipeline->status == 128 + SIGPIPE && sink->status != 128 + SIGTERM) {
		if (sink->status != 0)
			warning("the sink failed with status %d", sink->status);
		return sink->status;
	}
	if (sink_left && sink->status == 0)
		warning("the pipeline failed with status %d, but the sink had ended with 0 before its end of file",
		    pipeline->status);
	else
		warning("the pipeline failed with status %d: the sink was told to undo", pipeline->status);
	return pipeline->status;
}

static int
sink_ended_first(struct child *pipeline, struct child *sink)
{
	if (sink->status != 0)
		warning("the sink failed with status %d before the pipeline had ended", sink->status);
	end_child(pipeline, sink, SIGTERM);
	return sink->status;
}

static void
tell_guard(int control, const void *what, size_t n)
{
	for (const char *p = what; n > 0;) {
		ssize_t put = write(control, p, n);

		if (put < 0 && errno != EINTR && errno != EAGAIN) {
			warning("the guard is gone");
			return;
		}
		if (put > 0) {
			p += put;
			n -= (size_t)put;
		}
	}
}

/*
 * True when the sink has closed its input but not ended yet, and the pipeline died of that.  It may have had enough and be at its
 * last work, so it ends by itself, and its word counts.
 */
static bool
sink_has_left(const struct child *pipeline, const struct child *sink, int held)
{
	struct pollfd reader = { .fd = held };

	return pipeline->status == 128 + SIGPIPE && !sink->over && poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0;
}

/* Waits for the end of either; returns the status of the whole.  HELD and CONTROL are given up when all is well. */
static int
watch(struct child *pipeline, struct child *sink, int held, int control, const sigset_t *waiting)
{
	bool gate_open = false;

	for (;;) {
		reap_all(pipeline, sink);
		if (stopped_by != 0)
			return ended_by_signal(pipeline, sink);
		if (pipeline->over && pipeline->status != 0 && !sink_has_left(pipeline, sink, held))
			return pipeline_failed(pipeline, sink);
		if (sink->over && !pipeline->over)
			return sink_ended_first(pipeline, sink);
		if (sink->over)
			return sink->status;
		if (pipeline->over && pipeline->status == 0 && !gate_open) {
			gate_open = true;
			tell_guard(control, "g", 1);
			close(held);
		}
		sigsuspend(waiting);
	}
}

static void
make_pipe(int ends[2])
{
	if (pipe(ends) != 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0)
		die_errno(EX_OSERR, "pipe");
}

int
main(int argc, char *argv[])
{
	char **words = opt_parse(argc, argv);
	char **sink_argv = words[0] != NULL ? words + 1 : words;
	sigset_t waiting;
	int data[2], control[2];

	if (sink_argv[0] != NULL && strcmp(sink_argv[0], "--") == 0)
		sink_argv++;
	if (words[0] == NULL || sink_argv[0] == NULL)
		die(EX_USAGE, "want 'PIPELINE' -- SINK [arg ...]: see sluice --help");
	make_pipe(data);
	make_pipe(control);
	catch_signals(&waiting);

	struct child sink = start(sink_argv, data[0], -1, &waiting);
	pid_t guard = start_guard(control, data, &sink);

	if (guard < 0) {
		kill(-sink.pid, SIGKILL);
		die_errno(EX_OSERR, "fork");
	}

	struct child pipeline = start_pipeline(words[0], data[1], &waiting);

	close(data[0]);
	close(control[0]);
	signal(SIGPIPE, SIG_IGN);       /* a guard that was killed is only said; the children, who are there, keep theirs */
	tell_guard(control[1], &pipeline.pid, sizeof pipeline.pid);

	int status = watch(&pipeline, &sink, data[1], control[1], &waiting);

	kill(guard, SIGKILL);
	return status;
}

/* mds/claimer.c - who has claimed a block, and whether it is still alive. */
#include "mds/claimer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORD 128                /* bytes of a word: a host's name has at most 64, a boot's 36 */

struct process { char state; char start[32]; };

/* The first line of a file of /proc, without its end; "" when there is none. */
static void
read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");

	if (f == NULL && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		die_errno(EX_OSERR, "%s", path);
	if (f == NULL || fgets(line, size, f) == NULL)
		line[0] = '\0';
	if (f != NULL)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
}

/* This boot of this machine, and our namespace of process numbers. */
static void
read_place(char boot[WORD], char ns[WORD])
{
	ssize_t n = readlink("/proc/self/ns/pid", ns, WORD - 1);

	ns[n > 0 ? n : 0] = '\0';
	read_line("/proc/sys/kernel/random/boot_id", boot, WORD);
	if (*boot == '\0' || *ns == '\0')
		strcpy(boot, "-");
	if (*ns == '\0')
		strcpy(ns, "-");
}

/* proc(5): state is the third field of stat and the start the 22nd; the second is a name in parentheses that may hold any. */
static bool
read_process(long pid, struct process *p)
{
	char path[64], line[1024];

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	read_line(path, line, sizeof line);

	const char *past = strrchr(line, ')');

	return past != NULL && sscanf(past + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %31s",
	    &p->state, p->start) == 2;
}

static bool
is_there(long pid)
{
	return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

bool
claimer_put(struct buf *b, long pid)
{
	char host[WORD] = "", boot[WORD], ns[WORD];
	struct process p = { .start = "-" };

	if (!is_there(pid))
		return false;
	read_place(boot, ns);
	if (!read_process(pid, &p))
		strcpy(p.start, "-");
	gethostname(host, sizeof host - 1);
	buf_fmt(b, "%s %ld %s %s %s", *host != '\0' ? host : "-", pid, p.start, ns, boot);
	return true;
}

struct told { char host[WORD], start[32], ns[WORD], boot[WORD]; long pid; };

static bool
parse(const char *text, struct told *t)
{
	return sscanf(text, "%127s %ld %31s %127s %127s", t->host, &t->pid, t->start, t->ns, t->boot) == 5 && t->pid > 0;
}

enum claimer
claimer_look(const char *text)
{
	char boot[WORD], ns[WORD];
	struct told t;
	struct process p;

	read_place(boot, ns);
	if (!parse(text, &t) || strcmp(t.boot, "-") == 0 || strcmp(t.boot, boot) != 0 || strcmp(t.ns, ns) != 0)
		return CLAIMER_ELSEWHERE;
	if (!is_there(t.pid))
		return CLAIMER_DEAD;
	if (strcmp(t.start, "-") == 0 || !read_process(t.pid, &p))
		return CLAIMER_ALIVE;
	/* a zombie works on nothing, though its parent has not asked for it yet */
	return strcmp(t.start, p.start) != 0 || p.state == 'Z' || p.state == 'X' ? CLAIMER_DEAD : CLAIMER_ALIVE;
}

void
claimer_name(struct buf *b, const char *text)
{
	struct told t;

	if (parse(text, &t))
		buf_fmt(b, "pid %ld of %s", t.pid, t.host);
	else
		buf_text(b, "a claimer unknown");
}

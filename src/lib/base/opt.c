/* base/opt.c - one table of options. */
#include "base/opt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/progress.h"
#include "base/slurp.h"

static struct { char **words; size_t n, first; } given;         /* first: of this group */
static const struct command *called;
static struct { char *elements; void *fresh; size_t n; } groups;
static bool verbose, quiet, show_progress, log_json, want_help, want_version, want_table;

static const struct opt common[] = {
	OPT_FLAG('v', "verbose", &verbose, "say more"),
	OPT_FLAG('q', "quiet", &quiet, "say only what went wrong"),
	OPT_FLAG(0, "progress", &show_progress, "show progress, terminal or not"),
	OPT_FLAG(0, "log-json", &log_json, "messages as JSON lines"),
	OPT_FLAG('h', "help", &want_help, "print this"),
	OPT_FLAG(0, "version", &want_version, "print the version"),
	OPT_END
};
static const struct opt hidden[] = {
	OPT_FLAG(0, "completion", &want_table, ""),
	OPT_END
};

/* So that no socket or file takes the place of a closed 0, 1 or 2.  A closed stdin becomes one that can't be read. */
static void
own_standard_files(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (fd == STDOUT_FILENO)
			die(EX_IOERR, "stdout is closed: where should the output go?");
		if (open("/dev/null", modes[fd]) != fd)
			die_errno(EX_OSERR, "/dev/null");
	}
}

/* Returns the option by its name (the first N letters of it) or letter, or NULL. */
static const struct opt *
find(const struct opt *table, const char *name, size_t n, char letter)
{
	for (const struct opt *o = table; o != NULL && o->kind != OPT_KIND_END; o++)
		if (name != NULL ? n > 0 && strlen(o->name) == n && strncmp(o->name, name, n) == 0
		                 : o->letter != 0 && o->letter == letter)
			return o;
	return NULL;
}

/* Before the command is known, an option of any command will do: its kind is the same in all. */
static const struct opt *
find_in_commands(const char *name, size_t n, char letter)
{
	const struct opt *o = NULL;

	for (const struct command *c = tool.commands; c != NULL && c->name != NULL && o == NULL;
	    c++)
		if (called == NULL || called == c)
			o = find(c->options, name, n, letter);
	return o;
}

static const struct opt *
find_any(const char *name, size_t n, char letter)
{
	const struct opt *o = find_in_commands(name, n, letter);

	if (o == NULL)
		o = find(tool.options, name, n, letter);
	if (o == NULL)
		o = find(common, name, n, letter);
	return o != NULL ? o : find(hidden, name, n, letter);
}

/* Returns the option of a word, -X or --name, or dies. */
static const struct opt *
need(const char *dashes, const char *name, size_t n)
{
	bool is_long = dashes[1] == '-';
	const struct opt *o = find_any(is_long ? name : NULL, n, is_long ? 0 : *name);

	if (o == NULL && called != NULL)
		die(EX_USAGE, "%s takes no %s%.*s: see %s %s --help",
		    called->name, dashes, (int)n, name,
		    tool.name, called->name);
	if (o == NULL)
		die(EX_USAGE, "%s%.*s: no such option: see %s --help",
		    dashes, (int)n, name, tool.name);
	if (o->kind == OPT_KIND_RENAMED)
		die(EX_USAGE, "%s%.*s is now %s", dashes, (int)n, name, o->help);
	return o;
}

static void
set_number(const struct opt *o, const char *arg, bool is_size)
{
	static const char units[] = "KMGT";
	char *end;
	long long n;

	errno = 0;
	n = strtoll(arg, &end, 10);

	const char *unit = is_size && *end != '\0' ? strchr(units, *end) : NULL;

	if (end == arg || (*end != '\0' && (unit == NULL || end[1] != '\0')))
		die(EX_USAGE, "--%s %s: not a %s", o->name, arg, is_size ? "size such as 64M" : "whole number");
	for (const char *u = units; unit != NULL && u <= unit; u++)
		if (__builtin_mul_overflow(n, 1024LL, &n))
			errno = ERANGE;
	if (errno == ERANGE || n < o->min || n > o->max)
		die(EX_USAGE, "--%s %s: want %lld to %lld", o->name, arg, o->min, o->max);
	*o->number = n;
}

static void
set_seconds(const struct opt *o, const char *arg)
{
	static const struct { char unit; double seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	double n = strtod(arg, &end), factor = *end == '\0' ? 1 : 0;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (*end == units[i].unit && end[1] == '\0')
			factor = units[i].seconds;
	if (end == arg || factor == 0 || !(n >= 0 && n < 1e9))
		die(EX_USAGE, "--%s %s: not a time such as 30s, 5m or 1d", o->name, arg);
	*o->seconds = n * factor;
}

static void
set_choice(const struct opt *o, const char *arg)
{
	struct buf known = { 0 };

	for (long long i = 0; o->words[i] != NULL; i++) {
		if (strcmp(o->words[i], arg) == 0) {
			*o->number = i;
			buf_free(&known);
			return;
		}
		buf_fmt(&known, "%s%s", i > 0 ? ", " : "", o->words[i]);
	}
	die(EX_USAGE, "--%s %s: want one of %s", o->name, arg, known.p);
}

/* ---- groups ---- */

static void
end_group(void)
{
	const struct opt_group *g = tool.group;

	given.words[given.n++] = NULL;
	*g->operands = &given.words[given.first];
	given.first = given.n;
	groups.elements = xrealloc(groups.elements, groups.n + 1, g->size);
	memcpy(groups.elements + groups.n++ * g->size, g->element, g->size);
	memcpy(g->element, groups.fresh, g->size);
}

static void
begin_groups(void)
{
	groups.fresh = xcalloc(1, tool.group->size);
	memcpy(groups.fresh, tool.group->element, tool.group->size);
}

const void *
opt_groups(size_t *n)
{
	*n = groups.n;
	return groups.elements;
}

static void
set(const struct opt *o, char *arg)
{
	switch (o->kind) {
	case OPT_KIND_FLAG: *o->flag = true; break;
	case OPT_KIND_STRING: *o->string = arg; break;
	case OPT_KIND_LIST:
		o->list->w = xrealloc(o->list->w, o->list->n + 1, sizeof *o->list->w);
		o->list->w[o->list->n++] = arg;
		break;
	case OPT_KIND_NUMBER: set_number(o, arg, false); break;
	case OPT_KIND_SIZE: set_number(o, arg, true); break;
	case OPT_KIND_SECONDS: set_seconds(o, arg); break;
	case OPT_KIND_CHOICE: set_choice(o, arg); break;
	case OPT_KIND_GROUP:
		end_group();
		given.words[given.n++] = arg;
		break;
	case OPT_KIND_RENAMED: case OPT_KIND_END: break;
	}
}

/* What is done with an option that was found: it is set, or skipped. */
typedef void option_use(const struct opt *, char *arg);

static void
skip(const struct opt *o, char *arg)
{
	(void)o, (void)arg;
}

/*
 * Uses one word of options, and its argument from the next where it needs one.  Returns how many
 * words that were.
 */
static int
take_long(char **argv, option_use *use)
{
	char *name = argv[0] + 2, *eq = strchr(name, '=');
	size_t n = eq != NULL ? (size_t)(eq - name) : strlen(name);
	const struct opt *o = need("--", name, n);

	if (o->kind == OPT_KIND_FLAG) {
		if (eq != NULL)
			die(EX_USAGE, "--%s takes no value", o->name);
		use(o, NULL);
		return 1;
	}
	if (eq == NULL && argv[1] == NULL)
		die(EX_USAGE, "--%s wants %s", o->name, o->arg);
	use(o, eq != NULL ? eq + 1 : argv[1]);
	return eq != NULL ? 1 : 2;
}

static int
take_short(char **argv, option_use *use)
{
	for (char *letter = argv[0] + 1; *letter != '\0'; letter++) {
		const struct opt *o = need("-", letter, 1);

		if (o->kind == OPT_KIND_FLAG) {
			use(o, NULL);
			continue;
		}
		if (letter[1] == '\0' && argv[1] == NULL)
			die(EX_USAGE, "-%c wants %s", *letter, o->arg);
		use(o, letter[1] != '\0' ? letter + 1 : argv[1]);
		return letter[1] != '\0' ? 1 : 2;
	}
	return 1;
}

static bool
is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static int
take(char **argv, option_use *use)
{
	return argv[0][1] == '-' ? take_long(argv, use) : take_short(argv, use);
}

/* Options may come before the command, so they are skipped to find it. */
static void
find_command(char **argv)
{
	while (*argv != NULL && is_option(*argv) && strcmp(*argv, "--") != 0)
		argv += take(argv, skip);
	if (*argv != NULL && strcmp(*argv, "--") == 0)
		argv++;
	if (*argv == NULL)
		return;
	for (const struct command *c = tool.commands; c->name != NULL && called == NULL; c++)
		if (strcmp(c->name, *argv) == 0)
			called = c;
	if (called == NULL)
		die(EX_USAGE, "%s: no such command: see %s --help", *argv, tool.name);
}

/* Returns the operands of the command, behind its name. */
static char **
command_operands(char **words)
{
	if (called == NULL)
		die(EX_USAGE, "no command: see %s --help", tool.name);
	words++;
	if (words[0] != NULL && *called->operands == '\0')
		die(EX_USAGE, "%s: %s takes no operand", words[0], called->name);
	return words;
}

static void
print_options(const struct opt *table)
{
	for (const struct opt *o = table; o != NULL && o->kind != OPT_KIND_END; o++) {
		char left[64], letter[4] = "  ";

		if (o->kind == OPT_KIND_RENAMED)
			continue;
		if (o->letter != 0)
			snprintf(letter, sizeof letter, "-%c", o->letter);
		snprintf(left, sizeof left, "%s --%s%s%s", letter, o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
		printf(" %-27s %s\n", left, o->help);
	}
}

static void
print_usage(const char *command, const char *operands, const char *does)
{
	printf("usage: %s%s%s [option ...]%s%s\n%s\n", tool.name, *command != '\0' ? " " : "",
	    command, *operands != '\0' ? " " : "", operands, does);
}

static void
print_commands(void)
{
	printf("usage: %s COMMAND [option ...] ...\n%s\n", tool.name, tool.does);
	for (const struct command *c = tool.commands; c->name != NULL; c++) {
		char left[64];

		snprintf(left, sizeof left, "%s%s%s", c->name, *c->operands != '\0' ? " " : "",
		    c->operands);
		printf(" %-27s %s\n", left, c->does);
	}
}

static _Noreturn void
print_help(void)
{
	if (called != NULL)
		print_usage(called->name, called->operands, called->does);
	else if (tool.commands != NULL)
		print_commands();
	else
		print_usage("", tool.operands, tool.does);
	if (called != NULL)
		print_options(called->options);
	print_options(tool.options);
	if (tool.commands != NULL && called == NULL)
		printf(" %s COMMAND --help prints the options of a command\n", tool.name);
	puts(" -q --quiet, -v --verbose, --progress, --log-json, --version: see culvert(7)");
	if (fflush(stdout) != 0)
		die_errno(EX_IOERR, "stdout");
	exit(EX_OK);
}

static void
print_table(const struct opt *table)
{
	for (const struct opt *o = table; o != NULL && o->kind != OPT_KIND_END; o++) {
		if (o->kind == OPT_KIND_RENAMED)
			continue;
		printf("option\t%.1s\t%s\t%s\t%s\t", o->letter != 0 ? &o->letter : "", o->name, o->arg != NULL ? o->arg : "",
		    o->kind == OPT_KIND_LIST ? "list" : "");
		for (size_t i = 0; o->words != NULL && o->words[i] != NULL; i++)
			printf("%s%s", i > 0 ? " " : "", o->words[i]);
		printf("\t%s\n", o->help);
	}
}

static _Noreturn void
print_tables(void)
{
	printf("tool\t%s\t%s\t%s\n", tool.name, tool.commands != NULL ? "" : tool.operands,
	    tool.does);
	print_table(tool.options);
	print_table(common);
	for (const struct command *c = tool.commands; c != NULL && c->name != NULL; c++) {
		printf("command\t%s\t%s\t%s\n", c->name, c->operands, c->does);
		print_table(c->options);
	}
	if (fflush(stdout) != 0)
		die_errno(EX_IOERR, "stdout");
	exit(EX_OK);
}

static _Noreturn void
print_version(void)
{
	printf("%s (culvert) %s\n", tool.name, VERSION);
	if (fflush(stdout) != 0)
		die_errno(EX_IOERR, "stdout");
	exit(EX_OK);
}

static void
parse_words(int argc, char *argv[])
{
	for (int i = 1; i < argc;) {
		if (!is_option(argv[i]) || (tool.own_operands_only && given.n > 0)) {
			given.words[given.n++] = argv[i++];
		} else if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				given.words[given.n++] = argv[i];
		} else {
			i += take(&argv[i], set);
		}
	}
}

char **
opt_parse(int argc, char *argv[])
{
	err_setup(tool.name, false, false);
	/* a word is an operand at most, and the end of a group */
	given.words = xcalloc(2 * (size_t)argc + 1, sizeof *given.words);
	signal(SIGXFSZ, SIG_IGN);       /* so that ulimit -f is a write that fails */
	own_standard_files();
	if (tool.commands != NULL)
		find_command(argv + 1);
	if (tool.group != NULL)
		begin_groups();
	parse_words(argc, argv);
	if (want_help)
		print_help();
	if (want_version)
		print_version();
	if (want_table)
		print_tables();
	if (tool.group != NULL)
		end_group();
	err_setup(tool.name, quiet, log_json);
	progress_start(show_progress || (!quiet && isatty(STDERR_FILENO)));
	return tool.commands != NULL ? command_operands(given.words) : given.words;
}

bool
opt_verbose(void)
{
	return verbose;
}

const struct command *
opt_command(void)
{
	return called;
}

struct words
opt_split(const char *list)
{
	struct words words = { 0 };
	char *out = xstrdup(list), *start = out;

	words.w = xcalloc(strlen(list) + 1, sizeof *words.w);
	for (const char *p = list;; p++) {
		if (*p == '\\' && p[1] == ',') {
			*out++ = *++p;
		} else if (*p == ',' || *p == '\0') {
			words.w[words.n++] = start;
			*out++ = '\0';
			start = out;
			if (*p == '\0')
				break;
		} else {
			*out++ = *p;
		}
	}
	return words;
}

/* The whole of a small file, without its last newline. */
static char *
read_secret_file(const char *name, const char *path)
{
	struct buf text = { 0 };
	enum slurp how = slurp(&text, path, SIZE_MAX);

	if (how != SLURP_WHOLE)
		die_errno(slurp_status(how), "%s_FILE: %s", name, path);
	while (text.len > 0 && (text.p[text.len - 1] == '\n' || text.p[text.len - 1] == '\r'))
		text.p[--text.len] = '\0';
	return buf_take(&text);
}

const char *
opt_secret(const char *name)
{
	static struct words kept;       /* lent for as long as the process lives */
	const char *value = getenv(name);

	if (value == NULL || *value == '\0') {
		struct buf file = { 0 };

		buf_fmt(&file, "%s_FILE", name);

		const char *path = getenv(file.p);

		buf_free(&file);
		if (path == NULL || *path == '\0')
			return NULL;
		kept.w = xrealloc(kept.w, kept.n + 1, sizeof *kept.w);
		value = kept.w[kept.n++] = read_secret_file(name, path);
	}
	err_mask(value);
	return value;
}
